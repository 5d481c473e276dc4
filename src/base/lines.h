/* A text of lines, each with its line feed, as stored events are (otlp/signal.h). */
#ifndef TG_BASE_LINES_H
#define TG_BASE_LINES_H

#include "base/bytes.h"

/* Takes the next line off the text, with its line feed; the last may lack it. False at the end. */
static inline bool lines_next(struct bytes *text, struct bytes *ret_line)
{
	if (text->len == 0)
		return false;
	const uint8_t *feed = memchr(text->at, '\n', text->len);
	size_t len = feed ? (size_t)(feed - text->at) + 1 : text->len;
	*ret_line = (struct bytes){ text->at, len };
	*text = (struct bytes){ text->at + len, text->len - len };
	return true;
}

static inline uint32_t lines_count(struct bytes text)
{
	struct bytes line;
	uint32_t count = 0;
	while (lines_next(&text, &line))
		count++;
	return count;
}

/* Lines [from, to), as far as there are so many. */
static inline struct bytes lines_cut(struct bytes text, uint32_t from, uint32_t to)
{
	struct bytes line, cut;
	uint32_t i = 0;
	while (i < from && lines_next(&text, &line))
		i++;
	cut = (struct bytes){ text.at, 0 };
	for (; i < to && lines_next(&text, &line); i++)
		cut.len += line.len;
	return cut;
}

#endif
