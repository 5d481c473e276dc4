/* What a door answers when it takes a request not, in numbers, words, counters and log lines. */
#ifndef TG_RECEIVE_REFUSAL_H
#define TG_RECEIVE_REFUSAL_H

#include "base/counters.h"
#include "http/server.h"

struct refusal {
	unsigned status;
	const char *why; /* for who sent it; nothing of what was sent */
	enum counter reason;
	const struct http_header *headers; /* may be NULL */
};

/* Of a status that says why by itself. */
struct refusal refusal_of_status(
	unsigned status, const char *why, const struct http_header *headers);

/*
 * Of an error of the pipeline or the spool.
 *
 *   mistake  what is wrong with a malformed request
 */
struct refusal refusal_of_error(int error, const char *mistake);

/* Whether the request was sent by Tollgate itself. */
bool is_our_own(const struct http_request *request);

/* Counts it, and logs it now and then. */
void refusal_note(const struct refusal *refusal);

#endif
