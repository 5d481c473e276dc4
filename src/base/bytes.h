/*
 * A range of bytes that somebody else owns. Telemetry strings may hold NUL, so length and address
 * travel together and nothing here is terminated.
 */
#ifndef TG_BASE_BYTES_H
#define TG_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* A string literal as bytes; also fit for static initialisers. */
#define BYTES(literal) \
	{ \
		(const uint8_t *)("" literal), sizeof(literal) - 1 \
	}

static inline struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

/* The first byte behind; an empty range may have no address at all. */
static inline const uint8_t *bytes_end(struct bytes a)
{
	return a.len ? a.at + a.len : a.at;
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool bytes_are(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of(text));
}

static inline bool bytes_start_with(struct bytes a, const char *prefix)
{
	size_t len = strlen(prefix);
	return a.len >= len && memcmp(a.at, prefix, len) == 0;
}

#endif
