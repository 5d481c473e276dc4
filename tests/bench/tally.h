/*
 * Which spans were seen, and how often: one byte for each span number, in memory that the driver
 * shares with the processes it forks. A generator marks what was acknowledged, a sink what arrived;
 * the driver compares the two, so that losses and duplicates are exact.
 */
#ifndef TG_TESTS_BENCH_TALLY_H
#define TG_TESTS_BENCH_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"

struct tally {
	uint64_t capacity;          /* span numbers below this */
	_Atomic uint64_t spans;     /* marks, repeated ones too */
	_Atomic uint64_t distinct;  /* spans marked at least once */
	_Atomic uint64_t strangers; /* ids that no generator of ours made */
	_Atomic uint64_t newest_ns; /* monotonic time of the last mark of a new span */
	_Atomic uint8_t times[];    /* per span number; stays at 255 */
};

/* Shared with children forked later; NULL when there is no memory. One process writes each tally. */
struct tally *tally_new(uint64_t capacity);
void tally_free(struct tally *tally);

void tally_mark(struct tally *tally, uint64_t number);
void tally_mark_id(struct tally *tally, struct bytes span_id);

/* A span number as the eight bytes of a span id, never zero, and back: -1 when it is not one of ours. */
void span_number_to_id(uint64_t number, uint8_t id[8]);
int64_t span_number_of_id(struct bytes span_id);

struct tally_difference {
	uint64_t lost;       /* acknowledged and never received */
	uint64_t duplicated; /* received again: marks beyond the first */
};
struct tally_difference tally_compare(
	const struct tally *acknowledged, const struct tally *received);

uint64_t monotonic_ns(void);

#endif
