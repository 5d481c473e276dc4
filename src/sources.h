/*
 * Who sends: for each CLI or service what came of each signal, when last, how much lately, and what is
 * missing in what it says. Outlives the process in a small file, so that a restart does not make silence look new.
 *
 * Bounded: of more than SOURCES_MAX the one that was silent longest is forgotten, and counted.
 */
#ifndef TG_SOURCES_H
#define TG_SOURCES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "otlp/signal.h"

struct cli;
struct dialect;
struct sources;

enum { SOURCES_MAX = 64, SOURCE_NAME_MAX = 128 };

/* What a source said, and what it would say more of with another setting of its own. */
enum lack {
	LACK_PROMPTS,      /* prompts are withheld (Claude Code, Codex, Gemini) */
	LACK_TOOL_DETAILS, /* inputs of tools are withheld */
	LACK_SESSION,      /* records without any session id */
	LACK_COUNT,
};
const char *lack_name(enum lack lack);

/*
 *   directory  the state directory; what was remembered there is read
 *
 * 0 or negative errno; a file that cannot be read is begun anew.
 */
int sources_open(const char *directory, struct sources **ret_sources);
/* Writes what changed. */
void sources_close(struct sources *sources);
/*
 * The same meanwhile, to be called each second: at once what is new, each minute what has changed. From one
 * thread. 0 or negative errno: it is tried again in a minute.
 */
int sources_save(struct sources *sources);

/*
 * What one request was, once it was accepted; looks at its resources and scopes alone. From any thread, and cheap.
 * To this and the next two `sources` may be NULL: nobody asks.
 *
 *   request  well formed
 *   items    in it
 */
void sources_note(struct sources *sources, enum signal signal, struct bytes request, uint32_t items,
	uint64_t now_ns);

/* A hook of a CLI came. */
void sources_note_hook(struct sources *sources, const struct dialect *dialect, uint64_t now_ns);

/* How many records of one process lacked something, and how many had it. */
struct lacks {
	uint32_t lacking[LACK_COUNT], there[LACK_COUNT];
};

/*
 *   resource  the process, as it was sent
 *   now_ns    when they came
 */
void sources_note_lacks(struct sources *sources, const struct cli *cli, struct bytes resource,
	const struct lacks *lacks, uint64_t now_ns);

/*
 * {"sources": [...], "forgotten": how many}, the one that spoke last first; of each
 *
 *   {"name": "codex_exec",            service.name as sent; of hooks alone the CLI's name
 *    "cli": "codex" | null,           by the scopes of what it sends
 *    "version": "0.169.0" | null,     service.version
 *    "first_ns", "last_ns",
 *    "signals": {"traces" | "logs" | "metrics" | "hooks":
 *       {"items", "requests", "first_ns", "last_ns", "per_minute": items of the last five minutes / 5}},
 *    "lacks": {"prompts" | "tool_details" | "session":
 *       {"items", "last_ns": when one lacked it, "there_last_ns": when one had it; 0: none did}}}
 *
 * Signals that never came, and what was neither lacked nor there, are left out. A new reference; NULL without memory.
 */
json_t *sources_json(struct sources *sources, uint64_t now_ns);

#endif
