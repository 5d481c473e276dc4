/*
 * A whole Langfuse in the test's own process, for what stands in front of it: projects with their key pairs,
 * OTLP, ingestion batches, scores, prompts, datasets, media, streams; and a journal of all that came.
 *
 * It does what Langfuse's API does as far as SDKs look at it (facts: langfuse 1 and 4), each project for
 * itself. Time stands still in it and its ids are counted, so that two runs can be compared.
 *
 * Beside Langfuse's paths, with a project's keys as these:
 *   /api/public/stand-in/events  GET: server-sent events; query: events (endless), interval_ms (100)
 *   /api/public/stand-in/echo    any method: the body, chunked, with the headers x-echo-* and x_echo_*; query: status (200)
 *   /api/public/stand-in/source  GET: query: bytes
 *   /api/public/stand-in/sink    any method: {"bytes"} of the body
 *   /api/public/mcp              events to GET, echo to all else
 * Media is uploaded to /storage/ID of the stand-in itself, without keys.
 *
 * Every function may be called while requests come in; those that return pointers return what stays
 * until fake_langfuse_stop. A thread for each connection.
 */
#ifndef TG_TESTS_SUPPORT_FAKE_LANGFUSE_H
#define TG_TESTS_SUPPORT_FAKE_LANGFUSE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct fake_langfuse;

struct fake_project {
	const char *name, *public_key, *secret_key;
};

/* One request as it came, once its body is whole. */
struct fake_arrival {
	char *method;
	char *target; /* raw */
	struct fake_line {
		char *name, *value;
	} * headers; /* in their order; a NULL name at the end */
	size_t header_count;
	struct bytes body;   /* as it came; nothing of what is larger than FAKE_KEPT_BYTES */
	uint64_t body_bytes; /* all of it */
	uint64_t received_ms;
	const char *project; /* whose pair it had; NULL: nobody's */
	atomic_int status;   /* 0: not answered (yet) */
};

enum { FAKE_KEPT_BYTES = 16 << 20 };

struct fake_langfuse_options {
	uint16_t port; /* 0: a free one */
	const struct fake_project *projects;
	size_t project_count;

	/* Told of every request that was answered, one at a time. NULL: nobody. */
	void (*on_answered)(const struct fake_arrival *arrival, void *arg);
	void *arg;
	bool forgets; /* the journal only counts: for long runs */
};

struct fake_langfuse *fake_langfuse_start(const struct fake_langfuse_options *options);
void fake_langfuse_stop(struct fake_langfuse *fake);

uint16_t fake_langfuse_port(const struct fake_langfuse *fake);
const char *fake_langfuse_url(const struct fake_langfuse *fake); /* http://127.0.0.1:port */

/*
 * Nothing listens, and all connections are cut; then it is back at the same port with all that it knows. What is
 * not delayed was either not done or answered to the end when it leaves.
 */
void fake_langfuse_leave(struct fake_langfuse *fake);
void fake_langfuse_return(struct fake_langfuse *fake);

/* What goes wrong, until something else does; strings live as long. All zero: nothing. */
struct fake_trouble {
	const char *below;       /* targets that begin with it; NULL: all */
	int status;              /* answered in place of doing it; 0: it is done */
	const char *retry_after; /* header; NULL for none */
	unsigned delay_ms;       /* before the answer */
	bool is_hanging;         /* neither done nor answered before the trouble is over */
	bool is_cut;             /* done, and the connection closed in place of the answer */
};
void fake_langfuse_trouble(struct fake_langfuse *fake, const struct fake_trouble *trouble);

/* The event with this id, in ingestion batches, is answered with this status in "errors"; 0: no more. */
void fake_langfuse_refuse_event(struct fake_langfuse *fake, const char *event_id, int status);

/* A text prompt, as if somebody had written it in the UI: one version more, which is "production". */
void fake_langfuse_write_prompt(
	struct fake_langfuse *fake, const char *project, const char *name, const char *text);

/* ---- the journal ---- */

size_t fake_langfuse_arrival_count(struct fake_langfuse *fake);
const struct fake_arrival *fake_langfuse_arrival(struct fake_langfuse *fake, size_t n);
bool fake_langfuse_wait_arrivals(struct fake_langfuse *fake, size_t count, unsigned timeout_ms);

/* The first header of that name in any letter case, or NULL. */
const char *fake_arrival_header(const struct fake_arrival *arrival, const char *name);

/* Requests whose head came and which are not over. Waits until there are exactly so many. */
bool fake_langfuse_wait_open(struct fake_langfuse *fake, size_t count, unsigned timeout_ms);

/* ---- what a project was given, and said yes to ---- */

enum fake_kind {
	FAKE_SPAN,  /* by its id in lower-case hex, from OTLP */
	FAKE_EVENT, /* by its own id, from ingestion batches */
	FAKE_SCORE, /* by the score's id, from either way */
	FAKE_KIND_COUNT,
};

size_t fake_langfuse_times(
	struct fake_langfuse *fake, const char *project, enum fake_kind kind, const char *id);
size_t fake_langfuse_count(
	struct fake_langfuse *fake, const char *project, enum fake_kind kind); /* different ids */

/* All ids in their order, as often as they came: an array, to be given back. */
json_t *fake_langfuse_order(struct fake_langfuse *fake, const char *project, enum fake_kind kind);
bool fake_langfuse_wait_count(struct fake_langfuse *fake, const char *project, enum fake_kind kind,
	size_t count, unsigned timeout_ms);

#endif
