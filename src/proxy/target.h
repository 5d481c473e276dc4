/*
 * What a request to Langfuse's API is about, as far as it changes how it is passed through: pure functions on
 * method and path.
 */
#ifndef TG_PROXY_TARGET_H
#define TG_PROXY_TARGET_H

#include <stdbool.h>

/* Each is counted, and has its last status, by itself. */
enum request_family {
	FAMILY_INGESTION, /* POST /api/public/ingestion */
	FAMILY_SCORES,    /* POST /api/public/scores */
	FAMILY_PROMPTS,   /* GET of one prompt is kept for when Langfuse is away */
	FAMILY_DATASETS,
	FAMILY_MEDIA,
	FAMILY_MCP, /* streams without an end */
	FAMILY_READS,
	FAMILY_WRITES,
	FAMILY_PAGES, /* redirected, as is all of the UI */
	FAMILY_COUNT,
};

/* "ingestion" */
const char *family_name(enum request_family family);

/*   path  as http_request_path */
enum request_family family_of(const char *method, const char *path);

/* GET or HEAD of one prompt: /api/public/v2/prompts/{name} and the old /api/public/prompts. */
bool is_prompt_read(const char *method, const char *path);

#endif
