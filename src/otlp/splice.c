#include "otlp/splice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void splice_init(struct splice *splice, struct arena *arena, struct bytes input)
{
	*splice = (struct splice){ .arena = arena, .input = input };
}

static struct edit *add(struct splice *splice)
{
	if (splice->count == splice->capacity) {
		size_t capacity = splice->capacity ? splice->capacity * 2 : 128;
		struct edit *more = arena_alloc(splice->arena, capacity * sizeof *more);
		if (!more)
			return NULL;
		if (splice->count)
			memcpy(more, splice->edits, splice->count * sizeof *more);
		splice->edits = more;
		splice->capacity = capacity;
	}
	splice->edits[splice->count].order = (uint32_t)splice->count;
	return &splice->edits[splice->count++];
}

static void grow(struct splice *splice, int64_t first, int64_t second)
{
	if (splice->depth == 0)
		return;
	splice->open[splice->depth - 1].growth[0] += first;
	splice->open[splice->depth - 1].growth[1] += second;
}

void splice_open(struct splice *splice, const struct field *message)
{
	assert(splice->depth < SPLICE_MAX_OPEN);
	size_t index = splice->count;
	struct edit *edit = add(splice);
	if (edit)
		*edit = (struct edit){ .at = message->length, .order = edit->order };
	splice->open[splice->depth].edit = index;
	splice->open[splice->depth].message = *message;
	splice->open[splice->depth].growth[0] = splice->open[splice->depth].growth[1] = 0;
	splice->depth++;
}

static bool is_behind(const struct edit *a, const struct edit *b)
{
	return a->at > b->at || (a->at == b->at && a->order > b->order);
}

static int compare(const void *a, const void *b)
{
	return is_behind(a, b) ? 1 : -1;
}

enum { FEW_EDITS = 64 };

/* Nearly always sorted already, or few; but a sender may put the fields of a message in any order. */
static void sort_from(struct splice *splice, size_t first)
{
	struct edit *edits = splice->edits + first;
	size_t count = splice->count - first, sorted = 1;
	while (sorted < count && is_behind(&edits[sorted], &edits[sorted - 1]))
		sorted++;
	if (count - sorted > FEW_EDITS) {
		qsort(edits, count, sizeof *edits, compare);
		return;
	}
	for (size_t i = sorted; i < count; i++) {
		struct edit edit = edits[i];
		size_t at = i;
		for (; at > 0 && is_behind(&edits[at - 1], &edit); at--)
			edits[at] = edits[at - 1];
		edits[at] = edit;
	}
}

static struct bytes length_bytes(struct splice *splice, uint64_t length)
{
	uint8_t *at = arena_alloc(splice->arena, 10);
	return (struct bytes){ at, at ? (size_t)(varint_put(at, length) - at) : 0 };
}

void splice_close(struct splice *splice)
{
	if (splice->arena->error)
		return;
	assert(splice->depth > 0);
	splice->depth--;
	size_t index = splice->open[splice->depth].edit;
	const struct field *message = &splice->open[splice->depth].message;
	const int64_t *growth = splice->open[splice->depth].growth;
	if (index + 1 == splice->count) {
		splice->count--; /* nothing changed inside */
		return;
	}
	sort_from(splice, index + 1);

	/* The length is written anew even where it stays the same: it may be overlong, and then stays so. */
	struct edit *edit = &splice->edits[index];
	size_t written = (size_t)(message->body.at - message->length);
	struct bytes as_it_was = { message->length, written };
	edit->cut = written;
	for (int variant = 0; variant < 2; variant++) {
		uint64_t length = (uint64_t)((int64_t)message->body.len + growth[variant]);
		edit->put[variant] =
			length == message->body.len ? as_it_was : length_bytes(splice, length);
	}
	grow(splice, growth[0] + (int64_t)edit->put[0].len - (int64_t)written,
		growth[1] + (int64_t)edit->put[1].len - (int64_t)written);
}

void splice_edit(struct splice *splice, enum splice_variant variant, const uint8_t *at, size_t cut,
	struct bytes put)
{
	struct edit *edit = add(splice);
	if (!edit)
		return;
	bool second_only = variant == SPLICE_SECOND;
	*edit = (struct edit){ .at = at,
		.cut = cut,
		.put = { put, put },
		.order = edit->order,
		.second_only = second_only };
	int64_t growth = (int64_t)put.len - (int64_t)cut;
	grow(splice, second_only ? 0 : growth, growth);
	splice->second_differs |= second_only;
}

struct bytes splice_write(const struct splice *splice, bool second)
{
	if (splice->arena->error)
		return (struct bytes){ 0 };
	if (splice->count == 0)
		return splice->input;

	size_t size = splice->input.len;
	const uint8_t *behind = splice->input.at;
	for (size_t i = 0; i < splice->count; i++) {
		const struct edit *edit = &splice->edits[i];
		if (edit->second_only && !second)
			continue;
		if (edit->at < behind) { /* our own mistake: better a request than the process */
			splice->arena->error = -EINVAL;
			return (struct bytes){ 0 };
		}
		behind = edit->at + edit->cut;
		size = size - edit->cut + edit->put[second].len;
	}
	uint8_t *output = arena_alloc(splice->arena, size), *to = output;
	if (!output)
		return (struct bytes){ 0 };

	const uint8_t *from = splice->input.at, *end = bytes_end(splice->input);
	for (size_t i = 0; i < splice->count; i++) {
		const struct edit *edit = &splice->edits[i];
		if (edit->second_only && !second)
			continue;
		to = (uint8_t *)memcpy(to, from, (size_t)(edit->at - from)) + (edit->at - from);
		if (edit->put[second].len)
			memcpy(to, edit->put[second].at, edit->put[second].len);
		to += edit->put[second].len;
		from = edit->at + edit->cut;
	}
	memcpy(to, from, (size_t)(end - from));
	assert(to + (end - from) == output + size);
	return (struct bytes){ output, size };
}
