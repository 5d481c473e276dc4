/*
 * Names of what should be known, be there or be sent otherwise, with how often: so that an operator
 * can mend it, or see what sends nonsense. Of each sort only the first hundred names are kept; whoever
 * sends more of them fills one number, not the memory.
 */
#ifndef TG_BASE_NAMES_H
#define TG_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum sort {
	NAMES_UNKNOWN_MODELS,  /* that the price table has not */
	NAMES_UNPRICED_MODELS, /* that it has, but not for how they were called */
	NAMES_WITHHELD_USAGE,  /* models of calls that say nothing of their tokens */
	NAMES_DROPPED_SPANS,   /* of coding CLIs' insides */
	NAMES_INGESTION_SDKS,  /* that send traces where OTLP carries them better */
	SORT_COUNT,
};

enum { NAMES_MAX = 100, NAME_TEXT_MAX = 200 };

struct names {
	struct {
		char text[NAME_TEXT_MAX + 1]; /* printable ASCII, cut, "?" for other bytes */
		uint64_t count;
	} at[NAMES_MAX]; /* each name once, in the order of their coming */
	size_t count;
	uint64_t others; /* of names that found no room */
};

/* Once more this name. From any thread, as the next. */
void names_add(enum sort sort, struct bytes name);

/*
 * Where this name is counted, for ever; of a name that finds no room, where all such are. So that whoever
 * meets a name often can keep its counter and take no lock.
 */
_Atomic uint64_t *names_counter(enum sort sort, struct bytes name);

/* What was noted since the start. */
void names_read(enum sort sort, struct names *ret_names);

#endif
