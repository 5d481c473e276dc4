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
/* The same meanwhile: each minute, where something changed. From one thread. */
void sources_save(struct sources *sources);

/*
 * What one request was, once it was accepted; looks at its resources and scopes alone. From any thread, and cheap.
 *
 *   request  well formed
 *   items    in it
 */
void sources_note(struct sources *sources, enum signal signal, struct bytes request, uint32_t items,
	uint64_t now_ns);

/* A hook of a CLI came. */
void sources_note_hook(struct sources *sources, const struct dialect *dialect, uint64_t now_ns);

/* A CLI said something that lacks this, or (`is_there`) that has it. From the synthesizer's thread. */
void sources_note_lack(
	struct sources *sources, const char *cli, enum lack lack, bool is_there, uint64_t now_ns);

/*
 * An array, the one that spoke last first; of each
 *
 *   {"name": "codex_exec",            service.name as sent; of hooks alone the CLI's name
 *    "cli": "codex" | null,           by the scopes of what it sends
 *    "version": "0.169.0" | null,     service.version
 *    "first_ns", "last_ns",
 *    "signals": {"traces" | "logs" | "metrics" | "hooks":
 *       {"items", "requests", "first_ns", "last_ns", "per_minute": items of the last five minutes / 5}},
 *    "lacks": {"prompts" | "tool_details" | "session": {"last_ns", "items", "there_last_ns": 0 or when it was there}}}
 *
 * A new reference; NULL without memory.
 */
json_t *sources_json(struct sources *sources, uint64_t now_ns);

#endif
