#include "cli/diff.h"

#include <errno.h>
#include <stdlib.h>

#include "base/lines.h"

enum {
	CONTEXT_LINES = 3,
	DISTANCE_MAX = 1000, /* the way there is remembered: 4 MB */
	WAY_MAX_BYTES = 8 << 20,
	TAB_COLUMNS = 8,
};

struct text {
	struct bytes *lines;
	size_t count;
	bool *is_changed; /* gone, or new */
};

/* A line as it is printed behind its sign. */
struct edit {
	char sign;
	struct bytes line;
};

static int split(struct bytes bytes, struct text *text)
{
	struct bytes line;
	size_t count = lines_count(bytes);
	text->lines = calloc(count + 1, sizeof *text->lines);
	text->is_changed = calloc(count + 1, sizeof *text->is_changed);
	if (!text->lines || !text->is_changed)
		return -1;
	while (lines_next(&bytes, &line))
		text->lines[text->count++] = line;
	return 0;
}

static void text_done(struct text *text)
{
	free(text->lines);
	free(text->is_changed);
}

/* What is left of two texts without their common beginning and end. */
struct middle {
	const struct text *a, *b;
	size_t from; /* the same in both */
	int a_count, b_count;
};

static bool is_same(const struct middle *middle, int x, int y)
{
	return bytes_equal(middle->a->lines[middle->from + (size_t)x],
		middle->b->lines[middle->from + (size_t)y]);
}

static struct middle middle_of(const struct text *a, const struct text *b)
{
	size_t from = 0, behind = 0, fewer = a->count < b->count ? a->count : b->count;
	while (from < fewer && bytes_equal(a->lines[from], b->lines[from]))
		from++;
	while (behind < fewer - from &&
		bytes_equal(a->lines[a->count - behind - 1], b->lines[b->count - behind - 1]))
		behind++;
	return (struct middle){ a, b, from, (int)(a->count - from - behind),
		(int)(b->count - from - behind) };
}

/*
 * Myers' greedy algorithm: reach[k] is how far one comes in `a` with so many changes on the diagonal k = x - y.
 * Before each further change `way` gets what was reached, from -changes - 1 to changes + 1.
 *
 * Returns the fewest changes, or -1 for too many.
 */
static int walk(const struct middle *middle, int *reach, struct buf *way)
{
	for (int changes = 0; changes <= DISTANCE_MAX; changes++) {
		buf_append(way, &reach[-changes - 1], (size_t)(2 * changes + 3) * sizeof *reach);
		for (int k = -changes; k <= changes; k += 2) {
			bool is_new =
				k == -changes || (k != changes && reach[k - 1] < reach[k + 1]);
			int x = is_new ? reach[k + 1] : reach[k - 1] + 1, y = x - k;
			while (x < middle->a_count && y < middle->b_count && is_same(middle, x, y))
				x++, y++;
			reach[k] = x;
			if (x >= middle->a_count && y >= middle->b_count)
				return changes;
		}
	}
	return -1;
}

/* Back from the end, one change at a time. */
static void mark_way(const struct middle *middle, const int *way, int changes)
{
	int x = middle->a_count, y = middle->b_count;
	for (; changes > 0; changes--) {
		const int *reach = way + changes * (changes + 2) + changes + 1;
		int k = x - y;
		bool is_new = k == -changes || (k != changes && reach[k - 1] < reach[k + 1]);
		x = is_new ? reach[k + 1] : reach[k - 1];
		y = x - (is_new ? k + 1 : k - 1);
		if (is_new)
			middle->b->is_changed[middle->from + (size_t)y] = true;
		else
			middle->a->is_changed[middle->from + (size_t)x] = true;
	}
}

static void mark_all(const struct middle *middle)
{
	for (int x = 0; x < middle->a_count; x++)
		middle->a->is_changed[middle->from + (size_t)x] = true;
	for (int y = 0; y < middle->b_count; y++)
		middle->b->is_changed[middle->from + (size_t)y] = true;
}

static void compare(const struct text *a, const struct text *b)
{
	static int reach[2 * DISTANCE_MAX + 3];
	struct middle middle = middle_of(a, b);
	struct buf way;
	memset(reach, 0, sizeof reach);
	buf_init(&way, WAY_MAX_BYTES, NULL);
	int changes = walk(&middle, reach + DISTANCE_MAX + 1, &way);
	if (changes >= 0 && !way.error)
		mark_way(&middle, (const int *)way.at, changes);
	else
		mark_all(&middle);
	buf_done(&way);
}

/* Both texts as one, in order; what goes stands before what comes. */
static size_t merge(const struct text *a, const struct text *b, struct edit *edits)
{
	size_t count = 0, x = 0, y = 0;
	while (x < a->count || y < b->count) {
		if (x < a->count && a->is_changed[x])
			edits[count++] = (struct edit){ '-', a->lines[x++] };
		else if (y < b->count && b->is_changed[y])
			edits[count++] = (struct edit){ '+', b->lines[y++] };
		else
			edits[count++] = (struct edit){ ' ', a->lines[x] }, x++, y++;
	}
	return count;
}

static void put_styled(
	const struct terminal *terminal, struct buf *out, enum style style, struct bytes line)
{
	size_t tabs = 0;
	while (tabs < line.len && line.at[tabs] == '\t')
		buf_printf(out, "%*s", TAB_COLUMNS, ""), tabs++;
	terminal_put(
		terminal, out, style, (struct bytes){ line.at + tabs, line.len - tabs }, SIZE_MAX);
}

static void put_line(const struct terminal *terminal, struct buf *out, const struct edit *edit)
{
	struct bytes line = edit->line;
	bool is_whole = line.len && line.at[line.len - 1] == '\n';
	enum style style = edit->sign == '-' ? STYLE_RED :
		edit->sign == '+'            ? STYLE_GREEN :
					       STYLE_PLAIN;
	line.len -= is_whole;
	if (terminal) {
		terminal_put(terminal, out, style, (struct bytes){ (uint8_t *)&edit->sign, 1 }, 1);
		put_styled(terminal, out, style, line);
	} else {
		buf_append(out, &edit->sign, 1);
		buf_append(out, line.at, line.len);
	}
	buf_text(out, is_whole ? "\n" : "\n\\ No newline at end of file\n");
}

/* "-12,3"; a range of nothing is named by the line before it. */
static void put_range(struct buf *out, char sign, size_t before, size_t count)
{
	buf_printf(out, "%c%zu", sign, before + (count > 0));
	if (count != 1)
		buf_printf(out, ",%zu", count);
}

static void put_hunk(const struct terminal *terminal, struct buf *out, const struct edit *edits,
	size_t from, size_t to)
{
	size_t gone_before = 0, new_before = 0, gone = 0, new = 0;
	for (size_t i = 0; i < to; i++) {
		*(i < from ? &gone_before : &gone) += edits[i].sign != '+';
		*(i < from ? &new_before : &new) += edits[i].sign != '-';
	}
	buf_text(out, "@@ ");
	put_range(out, '-', gone_before, gone);
	buf_text(out, " ");
	put_range(out, '+', new_before, new);
	buf_text(out, " @@\n");
	for (size_t i = from; i < to; i++)
		put_line(terminal, out, &edits[i]);
}

/* The next changes that stand so near each other that their context meets; false: there are none. */
static bool next_hunk(const struct edit *edits, size_t count, size_t *from, size_t *to)
{
	size_t first = *to, last;
	while (first < count && edits[first].sign == ' ')
		first++;
	if (first == count)
		return false;
	last = first;
	for (size_t i = first; i < count && i - last <= 2 * CONTEXT_LINES + 1; i++)
		if (edits[i].sign != ' ')
			last = i;
	*from = first > *to + CONTEXT_LINES ? first - CONTEXT_LINES : *to;
	*to = last + 1 + CONTEXT_LINES < count ? last + 1 + CONTEXT_LINES : count;
	return true;
}

static void put_hunks(
	const struct terminal *terminal, struct buf *out, const struct edit *edits, size_t count)
{
	size_t from = 0, to = 0;
	while (next_hunk(edits, count, &from, &to))
		put_hunk(terminal, out, edits, from, to);
}

static void put_name(
	const struct terminal *terminal, struct buf *out, const char *mark, const char *name)
{
	buf_text(out, mark);
	if (terminal)
		terminal_put(terminal, out, STYLE_BOLD, bytes_of(name), SIZE_MAX);
	else
		buf_text(out, name);
	buf_text(out, "\n");
}

void diff_put(const struct terminal *terminal, struct buf *out, const char *before_name,
	struct bytes before, const char *after_name, struct bytes after)
{
	struct text a = { 0 }, b = { 0 };
	struct edit *edits = NULL;
	if (bytes_equal(before, after))
		return;
	if (split(before, &a) == 0 && split(after, &b) == 0)
		edits = calloc(a.count + b.count + 1, sizeof *edits);
	if (edits) {
		compare(&a, &b);
		put_name(terminal, out, "--- ", before_name);
		put_name(terminal, out, "+++ ", after_name);
		put_hunks(terminal, out, edits, merge(&a, &b, edits));
	} else {
		out->error = -ENOMEM;
	}
	free(edits);
	text_done(&a);
	text_done(&b);
}
