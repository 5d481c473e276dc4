/*
 * Requests that a destination is asked with, to see whether it would take what is sent to it; many destinations are
 * asked side by side, each with its own certificates to trust.
 */
#ifndef TG_DOCTOR_PROBE_H
#define TG_DOCTOR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/client.h"

enum { PROBE_TIMEOUT_MS = 5000, PROBES_MAX = 8 };

/* What was sent, in words, and what came back. */
struct probe {
	const char *what;
	enum http_outcome outcome;
	int status;
	const char *error; /* static words without a status */
	bool has_clock;    /* the answer has a date */
	int64_t ahead_s;   /* of the destination's clock to ours */
	bool is_page;      /* HTML: no API is here */
	bool is_suspended; /* Langfuse's word for a plan that is used up */
};

struct probes {
	struct http_client *client;
	struct probe at[PROBES_MAX]; /* in the order in which they were begun */
	size_t count, open;
};

/*   ca_file  NULL: the system's. 0 or -ENOMEM; probes_done is right after both. */
int probes_init(struct probes *probes, const char *ca_file);
void probes_done(struct probes *probes);

/*
 * Begins one more: a question, or a post of nothing, which as protobuf is an empty request. Without memory it has failed
 * already. All arguments live until it is over.
 */
void probes_get(
	struct probes *probes, const char *what, const char *url, struct http_headers *headers);
void probes_post(
	struct probes *probes, const char *what, const char *url, struct http_headers *headers);

/* Moves all on for at most wait_ms. False when none is open any more. */
bool probes_move(struct probes *probes, uint64_t wait_ms);

#endif
