#include "proxy/target.h"

#include <string.h>

static const char api[] = "/api/public";

static const char *const names[FAMILY_COUNT] = {
	[FAMILY_INGESTION] = "ingestion",
	[FAMILY_SCORES] = "scores",
	[FAMILY_PROMPTS] = "prompts",
	[FAMILY_DATASETS] = "datasets",
	[FAMILY_MEDIA] = "media",
	[FAMILY_MCP] = "mcp",
	[FAMILY_READS] = "reads",
	[FAMILY_WRITES] = "writes",
	[FAMILY_PAGES] = "pages",
};

/* What lies at a path and below it. */
static const struct place {
	const char *path;
	enum request_family family;
} places[] = {
	{ "/prompts", FAMILY_PROMPTS },
	{ "/v2/prompts", FAMILY_PROMPTS },
	{ "/datasets", FAMILY_DATASETS },
	{ "/v2/datasets", FAMILY_DATASETS },
	{ "/dataset-items", FAMILY_DATASETS },
	{ "/dataset-run-items", FAMILY_DATASETS },
	{ "/media", FAMILY_MEDIA },
	{ "/mcp", FAMILY_MCP },
};

const char *family_name(enum request_family family)
{
	return names[family];
}

/* What follows `prefix` in the path, as far as that ends at a slash or with the path; else NULL. */
static const char *behind(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);
	bool is_below = strncmp(path, prefix, len) == 0 && (path[len] == '/' || !path[len]);
	return is_below ? path + len : NULL;
}

/* The same path, with one slash at its end or without. */
static bool is_same(const char *path, const char *other)
{
	const char *rest = behind(path, other);
	return rest && (!*rest || !rest[1]);
}

static bool reads(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

enum request_family family_of(const char *method, const char *path)
{
	const char *rest = behind(path, api);
	if (!rest)
		return FAMILY_PAGES;
	if (strcmp(method, "POST") == 0 && is_same(rest, "/ingestion"))
		return FAMILY_INGESTION;
	if (strcmp(method, "POST") == 0 && is_same(rest, "/scores"))
		return FAMILY_SCORES;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (behind(rest, places[i].path))
			return places[i].family;
	return reads(method) ? FAMILY_READS : FAMILY_WRITES;
}

bool is_prompt_read(const char *method, const char *path)
{
	const char *rest = behind(path, api);
	const char *name = rest ? behind(rest, "/v2/prompts") : NULL;
	if (!reads(method) || !rest)
		return false;
	if (is_same(rest, "/prompts"))
		return true;
	return name && name[0] && name[1] && !strchr(name + 1, '/');
}
