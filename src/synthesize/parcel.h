/*
 * What of the inbox travels on as it came: logs, for destinations that take them, and spans that are in no
 * session. Parcels wait in the order of their coming until it is known which spans logs belong to, or
 * whether spans of a CLI's insides are wanted.
 */
#ifndef TG_SYNTHESIZE_PARCEL_H
#define TG_SYNTHESIZE_PARCEL_H

#include "base/buf.h"
#include "batch.h"

struct speaker;

struct parcel {
	struct bytes body; /* an encoded request, behind the struct */
	enum signal signal;
	char lane[LANE_NAME_MAX + 1];
	struct speaker *speaker; /* NULL: of no CLI */
	uint64_t sequence, due_ns;
	uint32_t item_count;
	bool is_insides; /* spans of a CLI that its logs replace, if they come */
	/* By item, the trace and span id of the span that it went into; zeros: none. NULL: no item has one. */
	uint8_t (*joined)[24];
};

struct parcels {
	struct parcel **at; /* a queue */
	size_t first, count, capacity;
	uint64_t first_number; /* of the first; they are numbered through */
	size_t bytes;
};

/* A parcel with a copy of the body. NULL: no memory. */
struct parcel *parcel_new(struct bytes body, enum signal signal, const char *lane);
void parcel_free(struct parcel *parcel);

/* The number that the next one gets. */
uint64_t parcels_next_number(const struct parcels *parcels);
/* Owns the parcel from now on; -ENOMEM, and it is freed. */
int parcels_add(struct parcels *parcels, struct parcel *parcel);
struct parcel *parcels_first(const struct parcels *parcels);
void parcels_remove_first(struct parcels *parcels);
void parcels_done(struct parcels *parcels);

/* The item of that parcel, if it is still here, went into this span. */
void parcels_join(struct parcels *parcels, uint64_t number, size_t item, const uint8_t trace_id[16],
	const uint8_t span_id[8]);

/*
 * The logs as they travel: each record of a CLI with session.id where its dialect says one, and with the ids of
 * the span that it went into where it has none of its own. In the arena; empty on its error.
 */
struct bytes parcel_logs(const struct parcel *parcel, unsigned max_depth, struct arena *arena);

/*
 * Of a request of logs or traces what dialects own, or what none does; empty when that is nothing. In the
 * arena.
 */
struct bytes request_of_dialects(struct bytes request, bool is_theirs, struct arena *arena);

#endif
