/*
 * What the coding CLIs say, read into events: one file and one table line for each CLI.
 *
 * Source of names and meanings: facts of the CLIs' telemetry, captured on Claude Code 2.1.329, Codex
 * 0.169.0 and Gemini CLI 0.61.0.
 */
#ifndef TG_DIALECTS_DIALECT_H
#define TG_DIALECTS_DIALECT_H

#include <jansson.h>

#include "batch.h"
#include "event.h"
#include "otlp/logs.h"
#include "otlp/span.h"

/* What surrounds a log record or a span. */
struct source {
	const struct attributes *resource;
	struct scope scope;
	struct bytes resource_message, scope_message; /* encoded; empty when there is none */
};

/* Events in an arena, in the order of the request. */
struct events {
	struct arena *arena; /* its error tells what could not be added */
	struct event *at;
	size_t count, capacity;
	size_t item; /* which log record or span of the request is read, from 0; what is added gets it */
};
void events_add(struct events *events, const struct event *event);

/* An EVENT_SPAN with all that is the same for every CLI; whose it is and its role are the dialect's to say. */
struct event event_of_span(const struct span *span, const struct source *source);

/* What is done with the spans that a CLI writes itself. */
enum native_policy {
	NATIVE_COMPLETE, /* they are the trace: completed from the logs, never doubled */
	NATIVE_REPLACE, /* internals of the CLI: dropped where its logs come too (setting native_spans) */
};

struct dialect {
	struct cli cli;
	enum native_policy native;

	/* Whether logs, spans or metrics of this instrumentation scope are this CLI's own. */
	bool (*owns_scope)(struct bytes name);

	/*
	 * Each adds what it reads, which may be nothing. Texts of the events lie in the input or in
	 * events->arena, never in a hook's payload, which goes.
	 */
	void (*read_log)(const struct log_record *record, const struct source *source,
		struct events *events);
	void (*read_span)(
		const struct span *span, const struct source *source, struct events *events);
	void (*read_hook)(const json_t *payload, struct events *events);

	/* Whether a log record is one to which session.id is added for destinations, and its value. NULL: never. */
	bool (*session_of_log)(const struct log_record *record, struct bytes *ret_session);
};

extern const struct dialect dialect_claude_code, dialect_codex, dialect_gemini;

/* NULL-terminated, in the order of asking. */
extern const struct dialect *const dialects[];

/* By "claude-code", "codex", "gemini"; NULL: none. */
const struct dialect *dialect_named(struct bytes name);

/* By instrumentation scope; NULL: none. Cheap: doors ask for each scope that comes. */
const struct dialect *dialect_of_scope(struct bytes scope_name);

/*
 * A hook's JSON travels and is stored as one log record: scope HOOK_SCOPE, event_name the dialect's name, the
 * payload as its body, and the time of its arrival as observed time. So hooks merge and last as logs do.
 */
#define HOOK_SCOPE "tollgate.hooks"
struct bytes hook_as_logs(const struct dialect *dialect, struct bytes payload, uint64_t received_ns,
	struct arena *arena);

/*
 * Splits a request by whose it is, at its ResourceLogs or ResourceSpans: `ret_theirs` is what the dialects
 * own, `ret_others` all else; empty when there is none, the request itself when there is nothing else.
 *
 *   takes_replaced  theirs is what dialects of NATIVE_REPLACE own, too
 *
 * 0; -EBADMSG when it is malformed; the arena's error.
 */
int dialects_split(struct bytes request, bool takes_replaced, struct arena *arena,
	struct bytes *ret_theirs, struct bytes *ret_others);

/*
 * All events of a stored request (logs, traces), in its order; what no dialect owns is passed over.
 *
 *   max_depth  as limits.max_depth
 *
 * 0; -EBADMSG when it is malformed; the arena's error.
 */
int dialects_read(
	struct bytes request, enum signal signal, unsigned max_depth, struct events *events);

#endif
