/*
 * A byte buffer that grows to a stated maximum. The first failure stays inside and makes every later
 * call do nothing, so builders append without looking and ask buf->error once.
 */
#ifndef TG_BASE_BUF_H
#define TG_BASE_BUF_H

#include "base/arena.h"
#include "base/bytes.h"

struct buf {
	uint8_t *at;
	size_t len;
	size_t capacity;
	size_t max_bytes;
	struct budget *budget; /* charged with the capacity; NULL for none */
	int error;             /* -E2BIG over max_bytes, -ENOMEM by budget or system */
};

void buf_init(struct buf *buf, size_t max_bytes, struct budget *budget);
void buf_done(struct buf *buf);

/* Room for `bytes` more behind buf->len, which the caller then advances; NULL on error. */
uint8_t *buf_reserve(struct buf *buf, size_t bytes);
static inline void buf_append(struct buf *buf, const void *from, size_t bytes)
{
	bool fits = buf->at && !buf->error && bytes <= buf->capacity - buf->len;
	uint8_t *at = fits ? buf->at + buf->len : buf_reserve(buf, bytes);
	if (at && bytes) {
		memcpy(at, from, bytes);
		buf->len += bytes;
	}
}

static inline void buf_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The number in decimal. Faster than buf_printf, for what is written for every span. */
void buf_decimal(struct buf *buf, int64_t number);

/* The text as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD, NUL becomes \u0000. */
void buf_json_string(struct buf *buf, struct bytes text);

/* What the buffer holds, moved to the arena, which gets its error; the buffer is done afterwards. */
struct bytes buf_move(struct buf *buf, struct arena *arena);

static inline struct bytes buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->at, buf->len };
}

#endif
