/*
 * Langfuse's ingestion API as the exporter speaks it: a request of stored events, and what its answer says of
 * each. Pure functions.
 *
 * Langfuse answers 207 with the events that it took and those that it refused, by id; events of the SDKs' own
 * logs it takes without a word. An answer may be cut anywhere, since only so much of it is kept: what was read
 * before the cut counts, and what is not said is asked again, which ids make harmless.
 */
#ifndef TG_EXPORT_INGESTION_H
#define TG_EXPORT_INGESTION_H

#include <stddef.h>

#include "base/bytes.h"
#include "export/verdict.h"

/* Of one request: Langfuse takes 4.5 MB, and an answer that names so many events is kept whole. */
enum { INGESTION_MAX_EVENTS = 100, INGESTION_MAX_BYTES = 3500 * 1000 };

/* Pieces of a request; those with odd numbers are the events. */
static inline size_t ingestion_piece_count(uint32_t events)
{
	return 2 * (size_t)events + 1;
}

/*
 * The body of a request, laid out around the lines where they are.
 *
 *   lines       one event a line
 *   ret_pieces  ingestion_piece_count(count) of them
 *
 * -EBADMSG: there are not so many lines.
 */
int ingestion_wrap(struct bytes lines, uint32_t count, struct bytes *ret_pieces);

enum answer_kind {
	ANSWER_WHOLE,
	ANSWER_CUT,    /* it breaks off */
	ANSWER_FOREIGN /* no answer of this API: a page of something between, a wrong URL */
};

/*
 * What an answer of 2xx says of each event of a request.
 *
 *   pieces        of the request
 *   ret_statuses  of each event, as in HTTP; 0: nothing is said of it
 */
enum answer_kind ingestion_read(
	struct bytes answer, const struct bytes *pieces, uint32_t count, int *ret_statuses);

/* What becomes of an event by its status. What is said of one event never asks to split. */
enum verdict ingestion_verdict(int status);

/* A few static words on a status that is not DELIVERED. */
const char *ingestion_why(int status);

/* What is said of an event that has to be sent again, as a reply.   status  0: nothing */
struct reply ingestion_said(enum answer_kind kind, int status);

/* The answer to a whole request as one reply, for a dead letter that is sent again. */
struct reply ingestion_reply(const struct reply *reply, const struct bytes *pieces, uint32_t count);

#endif
