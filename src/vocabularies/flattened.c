#include "vocabularies/flattened.h"

#include <stdlib.h>

enum { MAX_LEAVES = 4096, MAX_PATH_BYTES = 256 };

/* Empty behind the end, which is one beyond the last dot or byte. */
static struct bytes segment_at(struct bytes path, size_t at)
{
	if (at >= path.len)
		return (struct bytes){ path.at, 0 };
	const uint8_t *start = path.at + at, *dot = memchr(start, '.', path.len - at);
	return (struct bytes){ start, dot ? (size_t)(dot - start) : path.len - at };
}

static bool is_index(struct bytes segment)
{
	for (size_t i = 0; i < segment.len; i++)
		if (segment.at[i] < '0' || segment.at[i] > '9')
			return false;
	return segment.len > 0;
}

/* Indexes by their number and before names; names by their bytes. */
static int compare_segments(struct bytes a, struct bytes b)
{
	bool is_index_a = is_index(a), is_index_b = is_index(b);
	if (is_index_a != is_index_b)
		return is_index_a ? -1 : 1;
	if (is_index_a && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* What ends comes before what goes on there; of equals, the one sent first. */
static int compare_leaves(const void *a, const void *b)
{
	const struct leaf *left = a, *right = b;
	size_t at = 0;
	while (at <= left->path.len && at <= right->path.len) {
		struct bytes segment = segment_at(left->path, at);
		int order = compare_segments(segment, segment_at(right->path, at));
		if (order)
			return order;
		at += segment.len + 1;
	}
	if (left->path.len != right->path.len)
		return left->path.len < right->path.len ? -1 : 1;
	return left->value < right->value ? -1 : 1;
}

bool leaf_is_item(const struct leaf *leaf)
{
	return is_index(segment_at(leaf->path, 0));
}

size_t leaves_same_step(const struct leaf *leaves, size_t count, size_t at, size_t *ret_below)
{
	struct bytes segment = segment_at(leaves[0].path, at);
	size_t same = 1;
	while (same < count && bytes_equal(segment_at(leaves[same].path, at), segment))
		same++;
	*ret_below = at + segment.len + 1;
	return same;
}

/* Behind the word that names an item's type, when all leaves of the item have the same and more follows. */
static size_t skip_type(const struct leaf *leaves, size_t count, size_t at)
{
	size_t behind;
	bool is_same = leaves_same_step(leaves, count, at, &behind) == count;
	return is_same && behind <= leaves[0].path.len ? behind : at;
}

/* Sorted leaves that agree in all segments before `at`. */
static void write_node(struct buf *json, const struct leaf *leaves, size_t count, size_t at)
{
	if (at > leaves[0].path.len) {
		size_t last = 0;
		while (last + 1 < count && leaves[last + 1].path.len == leaves[0].path.len)
			last++;
		buf_value_json(json, leaves[last].value);
		return;
	}
	bool is_list = is_index(segment_at(leaves[0].path, at));
	buf_text(json, is_list ? "[" : "{");
	for (size_t i = 0, same, below; i < count; i += same) {
		struct bytes segment = segment_at(leaves[i].path, at);
		same = leaves_same_step(leaves + i, count - i, at, &below);
		if (is_index(segment) != is_list)
			break;
		buf_text(json, i ? "," : "");
		if (is_list) {
			below = skip_type(leaves + i, same, below);
		} else {
			buf_json_string(json, segment);
			buf_text(json, ":");
		}
		write_node(json, leaves + i, same, below);
	}
	buf_text(json, is_list ? "]" : "}");
}

static size_t collect(const struct span *span, const char *prefix, struct leaf *ret_leaves)
{
	size_t skip = strlen(prefix), count = 0;
	for (size_t i = 0; i < span->attributes.count && count < MAX_LEAVES; i++) {
		const struct attribute *attribute = &span->attributes.at[i];
		struct bytes key = attribute->key;
		if (!bytes_start_with(key, prefix) || key.len == skip ||
			key.len - skip > MAX_PATH_BYTES || value_is_empty(&attribute->value))
			continue;
		if (ret_leaves)
			ret_leaves[count] = (struct leaf){ { key.at + skip, key.len - skip },
				&attribute->value };
		count++;
	}
	return count;
}

size_t flattened_leaves(
	const struct span *span, const char *prefix, struct arena *arena, struct leaf **ret_leaves)
{
	size_t count = collect(span, prefix, NULL);
	struct leaf *leaves = count ? arena_alloc(arena, count * sizeof *leaves) : NULL;
	if (!leaves)
		return 0;
	collect(span, prefix, leaves);
	qsort(leaves, count, sizeof *leaves, compare_leaves);
	*ret_leaves = leaves;
	return count;
}

void flattened_json(
	struct buf *json, const struct span *span, const char *prefix, struct arena *arena)
{
	struct leaf *leaves;
	size_t count = flattened_leaves(span, prefix, arena, &leaves);
	if (count)
		write_node(json, leaves, count, 0);
}
