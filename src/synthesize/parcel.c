#include "synthesize/parcel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dialects/dialect.h"
#include "otlp/splice.h"
#include "otlp/writer.h"

/* Requests of traces and of logs have their parts under the same numbers. */
enum { RESOURCES = 1, SCOPES = 2, SCOPE = 1, SCOPE_NAME = 1, ITEMS = 2 };
enum { LOG_ATTRIBUTES = 6, LOG_TRACE_ID = 9, LOG_SPAN_ID = 10 };
enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8 };

struct parcel *parcel_new(struct bytes body, enum signal signal, const char *lane)
{
	struct parcel *parcel = malloc(sizeof *parcel + body.len);
	if (!parcel)
		return NULL;
	uint8_t *at = (uint8_t *)(parcel + 1);
	memcpy(at, body.at, body.len);
	*parcel = (struct parcel){ .body = { at, body.len }, .signal = signal };
	snprintf(parcel->lane, sizeof parcel->lane, "%s", lane);
	return parcel;
}

void parcel_free(struct parcel *parcel)
{
	if (parcel)
		free(parcel->joined);
	free(parcel);
}

uint64_t parcels_next_number(const struct parcels *parcels)
{
	return parcels->first_number + parcels->count;
}

static bool has_room(struct parcels *parcels)
{
	if (parcels->first + parcels->count < parcels->capacity)
		return true;
	if (parcels->first > parcels->capacity / 2) {
		memmove(parcels->at, parcels->at + parcels->first,
			parcels->count * sizeof(struct parcel *));
		parcels->first = 0;
		return true;
	}
	size_t capacity = parcels->capacity ? parcels->capacity * 2 : 16;
	struct parcel **at = realloc(parcels->at, capacity * sizeof(struct parcel *));
	if (!at)
		return false;
	parcels->at = at;
	parcels->capacity = capacity;
	return true;
}

int parcels_add(struct parcels *parcels, struct parcel *parcel)
{
	if (!has_room(parcels)) {
		parcel_free(parcel);
		return -ENOMEM;
	}
	parcels->at[parcels->first + parcels->count++] = parcel;
	parcels->bytes += sizeof *parcel + parcel->body.len;
	return 0;
}

struct parcel *parcels_first(const struct parcels *parcels)
{
	return parcels->count ? parcels->at[parcels->first] : NULL;
}

void parcels_remove_first(struct parcels *parcels)
{
	struct parcel *parcel = parcels->at[parcels->first++];
	parcels->count--;
	parcels->first_number++;
	parcels->bytes -= sizeof *parcel + parcel->body.len;
	parcel_free(parcel);
}

void parcels_done(struct parcels *parcels)
{
	while (parcels->count)
		parcels_remove_first(parcels);
	free(parcels->at);
	*parcels = (struct parcels){ 0 };
}

void parcels_join(struct parcels *parcels, uint64_t number, size_t item, const uint8_t trace_id[16],
	const uint8_t span_id[8])
{
	if (number < parcels->first_number || number >= parcels_next_number(parcels))
		return;
	struct parcel *parcel = parcels->at[parcels->first + number - parcels->first_number];
	if (item < parcel->item_count && !parcel->joined)
		parcel->joined = calloc(parcel->item_count, sizeof *parcel->joined);
	if (item >= parcel->item_count || !parcel->joined)
		return;
	memcpy(parcel->joined[item], trace_id, TRACE_ID_BYTES);
	memcpy(parcel->joined[item] + TRACE_ID_BYTES, span_id, SPAN_ID_BYTES);
}

/* ---- whose ---- */

static const struct dialect *dialect_of_items(struct bytes scope_items)
{
	return dialect_of_scope(wire_member(wire_member(scope_items, SCOPE), SCOPE_NAME));
}

struct bytes request_of_dialects(struct bytes request, bool is_theirs, struct arena *arena)
{
	struct splice splice;
	struct wire wire = wire_of(request);
	struct field resource, field;
	size_t left = 0;
	splice_init(&splice, arena, request);
	while (wire_next(&wire, &resource) > 0) {
		if (!field_is(&resource, RESOURCES, WIRE_BYTES))
			continue;
		struct wire items = wire_of(resource.body);
		splice_open(&splice, &resource);
		while (wire_next(&items, &field) > 0) {
			if (!field_is(&field, SCOPES, WIRE_BYTES))
				continue;
			bool stays = (dialect_of_items(field.body) != NULL) == is_theirs;
			left += stays;
			if (!stays)
				splice_edit(&splice, SPLICE_BOTH, field.start,
					(size_t)(field.end - field.start), (struct bytes){ 0 });
		}
		splice_close(&splice);
	}
	return left ? splice_write(&splice, false) : (struct bytes){ 0 };
}

/* ---- logs on their way ---- */

struct passage {
	const struct parcel *parcel;
	struct splice splice;
	struct writer writer;
	struct log_record record; /* its list is used again */
	unsigned depth;           /* levels left below a record's scope */
	size_t item;
};

static void append(struct passage *passage, struct bytes field)
{
	const uint8_t *end = bytes_end(passage->record.field.body);
	splice_edit(&passage->splice, SPLICE_BOTH, end, 0, field);
}

static void append_id(struct passage *passage, unsigned number, const uint8_t *id, size_t len)
{
	uint8_t *at = arena_alloc(passage->splice.arena, len + 2);
	if (!at)
		return;
	at[0] = (uint8_t)(number << 3 | WIRE_BYTES);
	at[1] = (uint8_t)len;
	memcpy(at + 2, id, len);
	append(passage, (struct bytes){ at, len + 2 });
}

/* What stands last counts, so that an id that was sent empty needs no cutting out. */
static void add_ids(struct passage *passage)
{
	static const uint8_t none[TRACE_ID_BYTES + SPAN_ID_BYTES];
	const struct parcel *parcel = passage->parcel;
	if (!parcel->joined || passage->item >= parcel->item_count || passage->record.trace_id.len)
		return;
	const uint8_t *ids = parcel->joined[passage->item];
	if (memcmp(ids, none, sizeof none) == 0)
		return;
	append_id(passage, LOG_TRACE_ID, ids, TRACE_ID_BYTES);
	append_id(passage, LOG_SPAN_ID, ids + TRACE_ID_BYTES, SPAN_ID_BYTES);
}

static void add_session(struct passage *passage, const struct dialect *dialect)
{
	static const struct bytes key = BYTES("session.id");
	struct bytes session;
	if (dialect->session_of_log && dialect->session_of_log(&passage->record, &session))
		append(passage, write_string(&passage->writer, LOG_ATTRIBUTES, key, session));
}

static void pass_scope(struct passage *passage, const struct field *scope_logs)
{
	const struct dialect *dialect = dialect_of_items(scope_logs->body);
	struct wire wire = wire_of(scope_logs->body);
	struct field field;
	splice_open(&passage->splice, scope_logs);
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, ITEMS, WIRE_BYTES))
			continue;
		if (dialect &&
			log_record_read(&field, passage->depth, passage->splice.arena,
				&passage->record) == 0) {
			splice_open(&passage->splice, &field);
			add_session(passage, dialect);
			add_ids(passage);
			splice_close(&passage->splice);
		}
		passage->item++;
	}
	splice_close(&passage->splice);
}

struct bytes parcel_logs(const struct parcel *parcel, unsigned max_depth, struct arena *arena)
{
	struct passage passage = { .parcel = parcel, .depth = max_depth - 3 };
	struct wire wire = wire_of(parcel->body);
	struct field resource, field;
	splice_init(&passage.splice, arena, parcel->body);
	passage.writer.arena = arena;
	while (wire_next(&wire, &resource) > 0) {
		if (!field_is(&resource, RESOURCES, WIRE_BYTES))
			continue;
		struct wire items = wire_of(resource.body);
		splice_open(&passage.splice, &resource);
		while (wire_next(&items, &field) > 0)
			if (field_is(&field, SCOPES, WIRE_BYTES))
				pass_scope(&passage, &field);
		splice_close(&passage.splice);
	}
	return splice_write(&passage.splice, false);
}
