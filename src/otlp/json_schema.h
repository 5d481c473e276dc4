/*
 * The messages of OTLP as JSON names them and protobuf numbers them: a row for each field. What the rows
 * cannot say is not in OTLP/JSON. Source: the field tables of opentelemetry-proto 1.11.
 */
#ifndef TG_OTLP_JSON_SCHEMA_H
#define TG_OTLP_JSON_SCHEMA_H

#include "base/bytes.h"
#include "otlp/signal.h"

enum json_type {
	TYPE_MESSAGE,
	TYPE_STRING,
	TYPE_ID,     /* bytes in hex */
	TYPE_BASE64, /* all other bytes */
	TYPE_BOOL,
	TYPE_ENUM,
	TYPE_INT32,
	TYPE_UINT32,
	TYPE_SINT32, /* zigzag */
	TYPE_FIXED32,
	TYPE_INT64,
	TYPE_UINT64,
	TYPE_FIXED64,
	TYPE_SFIXED64,
	TYPE_DOUBLE,
};

struct json_field {
	struct bytes name;
	unsigned number;
	enum json_type type;
	bool is_repeated;
	bool is_packed;    /* repeated numbers: one field holds them all, without tags */
	bool is_member;    /* of the message's one oneof */
	bool has_presence; /* zero is not the same as absent */
	union {
		const struct json_message *message;
		size_t id_bytes;
		const char *const
			*names; /* of an enum, in the order of their numbers; NULL at the end */
	};
};

enum { JSON_FIELDS_MAX = 16 };

struct json_message {
	const struct json_field *fields; /* in the order in which senders usually write them */
	unsigned field_count;
	unsigned length_bytes; /* that its length usually takes; another one costs a memmove */
	const char *example;   /* for who wrote something else; may be NULL */
};

/* The Export…ServiceRequest of a signal. */
const struct json_message *json_request(enum signal signal);

#endif
