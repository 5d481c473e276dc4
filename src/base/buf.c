#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

void buf_init(struct buf *buf, size_t max_bytes, struct budget *budget)
{
	*buf = (struct buf){ .max_bytes = max_bytes, .budget = budget };
}

void buf_done(struct buf *buf)
{
	free(buf->at);
	budget_give(buf->budget, buf->capacity);
	buf->at = NULL;
	buf->len = buf->capacity = 0;
}

static uint8_t *refuse(struct buf *buf, int error)
{
	if (!buf->error)
		buf->error = error;
	return NULL;
}

uint8_t *buf_reserve(struct buf *buf, size_t bytes)
{
	if (buf->error)
		return NULL;
	if (bytes > buf->max_bytes - buf->len)
		return refuse(buf, -E2BIG);
	size_t need = buf->len + bytes;
	if (need <= buf->capacity && buf->at)
		return buf->at + buf->len;

	size_t capacity = buf->capacity ? buf->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	if (capacity > buf->max_bytes)
		capacity = buf->max_bytes > 0 ? buf->max_bytes : 1;
	size_t more = capacity - buf->capacity;
	if (budget_take(buf->budget, more) < 0)
		return refuse(buf, -ENOMEM);
	uint8_t *at = realloc(buf->at, capacity);
	if (!at) {
		budget_give(buf->budget, more);
		return refuse(buf, -ENOMEM);
	}
	buf->at = at;
	buf->capacity = capacity;
	return at + buf->len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	uint8_t *at = len < 0 ? refuse(buf, -EINVAL) : buf_reserve(buf, (size_t)len + 1);
	if (at) {
		vsnprintf((char *)at, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void buf_decimal(struct buf *buf, int64_t number)
{
	char text[24], *at = text + sizeof text;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	buf_append(buf, at, (size_t)(text + sizeof text - at));
}

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

void buf_json_string(struct buf *buf, struct bytes text)
{
	const uint8_t *at = text.at, *end = bytes_end(text);
	buf_append(buf, "\"", 1);
	while (at < end) {
		const uint8_t *run = at;
		while (at < end && is_plain(*at))
			at++;
		buf_append(buf, run, (size_t)(at - run));
		if (at == end)
			break;
		size_t length = utf8_length(at, end);
		if (length > 1) {
			buf_append(buf, at, length);
		} else if (length == 0) {
			buf_append(buf, "\xef\xbf\xbd", 3);
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			uint8_t escaped[2] = { '\\', *at };
			buf_append(buf, escaped, 2);
		} else if (*at == '\n') {
			buf_append(buf, "\\n", 2);
		} else if (*at == '\t') {
			buf_append(buf, "\\t", 2);
		} else if (*at == '\r') {
			buf_append(buf, "\\r", 2);
		} else {
			buf_printf(buf, "\\u%04x", *at);
		}
		at += length;
	}
	buf_append(buf, "\"", 1);
}

struct bytes buf_move(struct buf *buf, struct arena *arena)
{
	struct bytes moved = { arena_copy(arena, buf->at, buf->len), buf->len };
	if (buf->error && !arena->error)
		arena->error = buf->error;
	buf_done(buf);
	return moved.at ? moved : (struct bytes){ 0 };
}
