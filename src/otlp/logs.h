/* One LogRecord, read in place. */
#ifndef TG_OTLP_LOGS_H
#define TG_OTLP_LOGS_H

#include "otlp/span.h"

struct log_record {
	struct field field;            /* in its ScopeLogs */
	uint64_t time_ns, observed_ns; /* Unix time; 0: not said */
	struct bytes event_name;
	struct value body;
	struct bytes trace_id, span_id; /* of 16 and 8 bytes, else empty */
	struct attributes attributes;
};

/*
 * Reads and checks all of a log record. Reuses the list of `record`.
 * 0, -EBADMSG, or the arena's error.
 */
int log_record_read(
	const struct field *field, unsigned depth, struct arena *arena, struct log_record *record);

/* When it happened, by the sender's clock: time, else observed time. */
static inline uint64_t log_record_when(const struct log_record *record)
{
	return record->time_ns ? record->time_ns : record->observed_ns;
}

#endif
