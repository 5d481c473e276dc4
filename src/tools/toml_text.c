#include "tools/toml_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lines.h"

static const char ours[] = "# by tollgate setup", before[] = "# before tollgate setup: ",
		  head_before[] = "# before tollgate setup, a table: ";

/* How well a line can be added behind an item. */
enum fitness {
	UNFIT,
	DOTTED, /* a key that leads into the table from above: "otel.environment = ..." */
	INSIDE, /* the table's head, or a key in it */
	SAME,   /* the key itself */
};

struct place {
	char table[TOML_PATH_MAX]; /* that the key belongs to */
	enum fitness fitness;
	const uint8_t *behind; /* where that item begins; NULL when all are unfit */
	const char *key;       /* what of the path has to be written there */
	struct bytes indent;   /* of that item */
};

/* What the first line ends with. */
static const char *line_end(struct bytes text)
{
	const uint8_t *feed = text.len ? memchr(text.at, '\n', text.len) : NULL;
	return feed && feed > text.at && feed[-1] == '\r' ? "\r\n" : "\n";
}

static bool ends_line(struct bytes text)
{
	return text.len && text.at[text.len - 1] == '\n';
}

static bool is_head(const struct toml_item *item)
{
	return item->kind == TOML_TABLE || item->kind == TOML_TABLE_ARRAY;
}

/* Whether a head or a pair says something about what is at the path or below it. */
static bool says(const struct toml_item *item, const char *path)
{
	return (is_head(item) || item->kind == TOML_PAIR) && toml_below(item->path, path);
}

static enum fitness fitness_of(const struct toml_item *item, const char *path, const char *table)
{
	bool is_pair = item->kind == TOML_PAIR, is_root = *table == '\0';
	if (is_pair && strcmp(item->path, path) == 0)
		return SAME;
	if ((is_pair || item->kind == TOML_TABLE) && strcmp(item->table, table) == 0)
		return INSIDE;
	if (is_pair && !is_root && toml_below(table, item->table) && toml_below(item->path, table))
		return DOTTED;
	/* Directives to programs that read the file, "#:schema ...", stay at its top. */
	bool is_top = is_root && !*item->table && bytes_start_with(item->comment, "#:");
	return item->kind == TOML_COMMENT && is_top ? DOTTED : UNFIT;
}

static struct bytes indent_of(const struct toml_item *item)
{
	size_t len = 0;
	while (len < item->text.len && (item->text.at[len] == ' ' || item->text.at[len] == '\t'))
		len++;
	return (struct bytes){ item->text.at, len };
}

/* A value, or an array of tables, where a table has to be. */
static bool bars(const struct toml_item *item, const char *path)
{
	bool is_no_table = item->kind == TOML_PAIR || item->kind == TOML_TABLE_ARRAY;
	const char *rest = is_no_table ? toml_below(path, item->path) : NULL;
	return rest && *rest;
}

static int find_place(
	struct bytes text, const char *path, struct place *place, struct complaint *complaint)
{
	const char *dot = strrchr(path, '.');
	bool has_head = false;
	snprintf(place->table, sizeof place->table, "%.*s", dot ? (int)(dot - path) : 0, path);
	struct toml_walk walk = toml_begin(text);
	for (struct toml_item item; toml_next(&walk, &item);) {
		bool is_its_head = item.kind == TOML_TABLE && strcmp(item.path, place->table) == 0;
		if (bars(&item, path))
			return toml_complain(complaint, text, item.text.at,
				"%s has to be a table of its own, [%s]", item.path, item.path);
		if (is_its_head && has_head)
			return toml_complain(complaint, text, item.text.at,
				"[%s] stands here for the second time", item.path);
		has_head |= is_its_head;
		enum fitness fitness = fitness_of(&item, path, place->table);
		if (fitness == UNFIT || fitness < place->fitness)
			continue;
		place->fitness = fitness;
		place->behind = item.text.at;
		place->key = toml_below(path, item.table);
		place->indent = indent_of(&item);
	}
	return 0;
}

/* Each of its lines becomes a comment. */
static void put_comments(const struct toml_item *item, struct buf *out)
{
	struct bytes rest = item->text, line;
	while (lines_next(&rest, &line)) {
		buf_text(out, is_head(item) ? head_before : before);
		buf_append(out, line.at, line.len);
	}
}

static void put_setting(const char *key, struct bytes value, struct buf *out)
{
	buf_printf(out, "%s = ", key);
	buf_append(out, value.at, value.len);
	buf_printf(out, " %s", ours);
}

/* A last line that does not end stays the last, so that all of ours can be told from it. */
static void put_behind(const struct toml_item *item, const struct place *place, struct bytes value,
	const char *end, struct buf *out)
{
	bool has_end = ends_line(item->text);
	if (!has_end)
		buf_text(out, end);
	buf_append(out, place->indent.at, place->indent.len);
	put_setting(place->key, value, out);
	if (has_end)
		buf_text(out, end);
}

static void put_table(struct bytes text, const char *table, const char *key, struct bytes value,
	const char *end, struct buf *out)
{
	bool is_empty = text.len == toml_mark(text).len;
	if (!is_empty && !ends_line(text))
		buf_text(out, end);
	buf_printf(out, "%s[%s] %s%s", is_empty ? "" : end, table, ours, end);
	put_setting(key, value, out);
	if (is_empty || ends_line(text))
		buf_text(out, end);
}

static void set(struct bytes text, const char *path, struct bytes value, const struct place *place,
	struct buf *out)
{
	const char *end = line_end(text);
	struct bytes mark = toml_mark(text);
	struct toml_walk walk = toml_begin(text);
	buf_append(out, mark.at, mark.len);
	if (!place->behind && !*place->table) {
		put_setting(path, value, out);
		buf_text(out, end);
	}
	for (struct toml_item item; toml_next(&walk, &item);) {
		if (says(&item, path))
			put_comments(&item, out);
		else
			buf_append(out, item.text.at, item.text.len);
		if (item.text.at == place->behind)
			put_behind(&item, place, value, end, out);
	}
	if (!place->behind && *place->table)
		put_table(text, place->table, path + strlen(place->table) + 1, value, end, out);
}

int toml_set(struct bytes text, const char *path, struct bytes value, struct buf *out,
	struct complaint *complaint)
{
	struct place place = { 0 };
	int error = toml_check(text, complaint);
	if (!error)
		error = find_place(text, path, &place, complaint);
	if (!error)
		set(text, path, value, &place, out);
	return error ? error : out->error;
}

static bool is_ours(const struct toml_item *item)
{
	struct bytes comment = item->comment;
	while (comment.len && strchr(" \t", comment.at[comment.len - 1]))
		comment.len--;
	return item->kind != TOML_COMMENT && bytes_are(comment, ours);
}

/* What a comment was before; false: always a comment. */
static bool was_before(const struct toml_item *item, const char *prefix, struct bytes *ret_text)
{
	if (item->kind != TOML_COMMENT || !bytes_start_with(item->comment, prefix))
		return false;
	const uint8_t *begin = item->comment.at + strlen(prefix);
	*ret_text = (struct bytes){ begin, (size_t)(bytes_end(item->text) - begin) };
	return true;
}

/* Behind the head, up to the next one. */
static bool has_others(struct toml_walk walk)
{
	for (struct toml_item item; toml_next(&walk, &item) && !is_head(&item);)
		if (item.kind == TOML_PAIR && !is_ours(&item))
			return true;
	return false;
}

struct restoring {
	const char *line_end;
	struct buf *out;
	size_t blank; /* where the blank line before this item begins; else the output's end */
	bool is_below_restored; /* the last head is one that was put back */
};

/* The line goes, and the blank line or the end of a line that came with it. */
static void drop(const struct toml_item *item, const struct restoring *restoring)
{
	struct buf *out = restoring->out;
	size_t len = strlen(restoring->line_end);
	if (is_head(item))
		out->len = restoring->blank;
	if (!ends_line(item->text) && out->len >= len &&
		memcmp(out->at + out->len - len, restoring->line_end, len) == 0)
		out->len -= len;
}

static int restore_item(struct bytes text, const struct toml_item *item, struct toml_walk behind,
	struct restoring *restoring, struct complaint *complaint)
{
	struct bytes kept = item->text;
	bool is_mine = is_ours(item), was_head = was_before(item, head_before, &kept);
	if (is_mine && !(is_head(item) && has_others(behind))) {
		drop(item, restoring);
		return 0;
	}
	if (is_head(item) || was_head)
		restoring->is_below_restored = was_head;
	if (item->kind == TOML_PAIR && restoring->is_below_restored)
		return toml_complain(complaint, text, item->text.at,
			"%s would come into the table that stood above it: move it up", item->path);
	if (is_mine) {
		buf_printf(restoring->out, "[%s]%s", item->path, restoring->line_end);
		return 0;
	}
	if (!was_head)
		was_before(item, before, &kept);
	buf_append(restoring->out, kept.at, kept.len);
	return 0;
}

int toml_restore(struct bytes text, struct buf *out, struct complaint *complaint)
{
	size_t begin = out->len;
	struct bytes mark = toml_mark(text);
	struct complaint damaged = { 0 };
	int error = toml_check(text, complaint);
	if (error)
		return error;
	struct restoring restoring = { .line_end = line_end(text), .out = out };
	struct toml_walk walk = toml_begin(text);
	buf_append(out, mark.at, mark.len);
	restoring.blank = out->len;
	for (struct toml_item item; !error && toml_next(&walk, &item);) {
		size_t at = out->len;
		error = restore_item(text, &item, walk, &restoring, complaint);
		restoring.blank = item.kind == TOML_BLANK ? at : out->len;
	}
	if (!error && !out->error &&
		toml_check((struct bytes){ out->at + begin, out->len - begin }, &damaged) < 0)
		error = complain(complaint, "what stood in its comments is no TOML any more: %s",
			damaged.text);
	return error ? error : out->error;
}
