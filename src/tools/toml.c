#include "tools/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

/* What is left to read, and the first thing that was wrong with it. */
struct reader {
	const uint8_t *at, *end;
	const char *wrong;
};

static bool fail(struct reader *r, const char *words)
{
	if (!r->wrong)
		r->wrong = words;
	return false;
}

static bool is_at(const struct reader *r, char byte)
{
	return r->at < r->end && *r->at == (uint8_t)byte;
}

static bool take(struct reader *r, char byte)
{
	if (!is_at(r, byte))
		return false;
	r->at++;
	return true;
}

static void skip_blanks(struct reader *r)
{
	while (is_at(r, ' ') || is_at(r, '\t'))
		r->at++;
}

/* A carriage return stands before a line feed only: toml_check looked. */
static bool take_line_feed(struct reader *r)
{
	take(r, '\r');
	return take(r, '\n');
}

static bool is_at_line_end(const struct reader *r)
{
	return r->at == r->end || is_at(r, '\n') || is_at(r, '\r');
}

static struct bytes take_comment(struct reader *r)
{
	const uint8_t *begin = r->at;
	if (is_at(r, '#'))
		while (!is_at_line_end(r))
			r->at++;
	return (struct bytes){ begin, (size_t)(r->at - begin) };
}

/* Between what stands in brackets. */
static void skip_gap(struct reader *r)
{
	do {
		skip_blanks(r);
		take_comment(r);
	} while (take_line_feed(r));
}

static void emit(struct buf *out, const void *from, size_t len)
{
	if (out)
		buf_append(out, from, len);
}

static int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool take_point(struct reader *r, int digits, struct buf *out)
{
	uint8_t encoded[4];
	uint32_t point = 0;
	for (; digits; digits--) {
		int digit = r->at < r->end ? hex_digit(*r->at) : -1;
		if (digit < 0)
			return fail(r, "an escape has too few hexadecimal digits");
		point = point << 4 | (uint32_t)digit;
		r->at++;
	}
	if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return fail(r, "an escape is no character");
	emit(out, encoded, (size_t)(utf8_put(encoded, point) - encoded));
	return true;
}

/* Behind the backslash. */
static bool take_escape(struct reader *r, bool is_long, struct buf *out)
{
	static const char named[][2] = { "b\b", "t\t", "n\n", "f\f", "r\r", "e\x1b", "\"\"",
		"\\\\" };
	if (take(r, 'x'))
		return take_point(r, 2, out);
	if (take(r, 'u'))
		return take_point(r, 4, out);
	if (take(r, 'U'))
		return take_point(r, 8, out);
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (take(r, named[i][0])) {
			emit(out, &named[i][1], 1);
			return true;
		}
	skip_blanks(r);
	if (!is_long || !take_line_feed(r))
		return fail(r, "there is no such escape");
	do
		skip_blanks(r);
	while (take_line_feed(r));
	return true;
}

static bool is_at_three(const struct reader *r)
{
	return r->end - r->at >= 3 && r->at[1] == r->at[0] && r->at[2] == r->at[0];
}

/* Before its end two more quotes may stand. False: they are no end. */
static bool take_quotes(struct reader *r, bool is_long, struct buf *out)
{
	const uint8_t *begin = r->at;
	size_t end = is_long ? 3 : 1, most = is_long ? 5 : 1, run = 0;
	while (run < most && is_at(r, (char)*begin)) {
		r->at++;
		run++;
	}
	emit(out, begin, run < end ? run : run - end);
	return run >= end;
}

static bool take_string(struct reader *r, struct buf *out)
{
	char quote = (char)*r->at;
	bool is_long = is_at_three(r);
	r->at += is_long ? 3 : 1;
	if (is_long)
		take_line_feed(r);
	while (r->at < r->end) {
		if (is_at(r, quote)) {
			if (take_quotes(r, is_long, out))
				return true;
		} else if (quote == '"' && take(r, '\\')) {
			if (!take_escape(r, is_long, out))
				return false;
		} else if (!is_long && is_at_line_end(r)) {
			break;
		} else {
			emit(out, r->at++, 1);
		}
	}
	return fail(r, "a string does not end");
}

static bool is_bare(uint8_t byte)
{
	uint8_t letter = byte | 0x20;
	return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
		byte == '-';
}

static void add_key(char path[TOML_PATH_MAX], struct bytes key)
{
	size_t len = strlen(path), bare = 0;
	while (bare < key.len && is_bare(key.at[bare]))
		bare++;
	if (bare < key.len || key.len == 0)
		key = bytes_of("?");
	snprintf(path + len, TOML_PATH_MAX - len, "%s%.*s", len ? "." : "", (int)key.len,
		(const char *)key.at);
}

static bool take_quoted_key(struct reader *r, char path[TOML_PATH_MAX])
{
	struct buf key;
	if (is_at_three(r))
		return fail(r, "a key has three quotes");
	buf_init(&key, TOML_PATH_MAX, NULL);
	bool is_sound = take_string(r, &key);
	add_key(path, key.error ? (struct bytes){ 0 } : buf_bytes(&key));
	buf_done(&key);
	return is_sound;
}

static bool take_key(struct reader *r, char path[TOML_PATH_MAX])
{
	do {
		skip_blanks(r);
		const uint8_t *begin = r->at;
		while (r->at < r->end && is_bare(*r->at))
			r->at++;
		if (r->at > begin)
			add_key(path, (struct bytes){ begin, (size_t)(r->at - begin) });
		else if (!is_at(r, '"') && !is_at(r, '\''))
			return fail(r, "there is no key where one has to be");
		else if (!take_quoted_key(r, path))
			return false;
		skip_blanks(r);
	} while (take(r, '.'));
	return true;
}

static bool take_value(struct reader *r, unsigned depth, struct bytes *ret_value);

static bool take_pair(
	struct reader *r, unsigned depth, char path[TOML_PATH_MAX], struct bytes *ret_value)
{
	if (!take_key(r, path))
		return false;
	if (!take(r, '='))
		return fail(r, "behind a key there is no \"=\"");
	skip_blanks(r);
	return take_value(r, depth, ret_value);
}

/*
 * The next in the brackets, with its comma. False: what closes them was taken, or it fails.
 *
 *   path  is added to: that of what is in braces
 */
static bool take_member(struct reader *r, char close, unsigned depth, char path[TOML_PATH_MAX],
	struct bytes *ret_value)
{
	skip_gap(r);
	if (take(r, close))
		return false;
	if (!(close == '}' ? take_pair(r, depth, path, ret_value) :
			     take_value(r, depth, ret_value)))
		return false;
	skip_gap(r);
	return take(r, ',') || is_at(r, close) ||
		fail(r, close == '}' ? "an inline table does not end" : "an array does not end");
}

static bool take_members(struct reader *r, char close, unsigned depth)
{
	struct bytes value;
	char path[TOML_PATH_MAX] = "";
	if (depth == TOML_MAX_DEPTH)
		return fail(r, "there are too many brackets in each other");
	r->at++;
	while (take_member(r, close, depth + 1, path, &value))
		path[0] = '\0';
	return !r->wrong;
}

static bool is_of_scalar(uint8_t byte)
{
	return is_bare(byte) || byte == '+' || byte == '.' || byte == ':';
}

/* A date may have a blank before its time. */
static bool is_date_and_time(const uint8_t *begin, const struct reader *r)
{
	return r->at - begin == 10 && begin[4] == '-' && begin[7] == '-' && r->end - r->at > 1 &&
		r->at[0] == ' ' && r->at[1] >= '0' && r->at[1] <= '9';
}

static bool take_scalar(struct reader *r)
{
	const uint8_t *begin = r->at;
	for (int words = 0; words < 2; words++) {
		while (r->at < r->end && is_of_scalar(*r->at))
			r->at++;
		if (words == 0 && is_date_and_time(begin, r))
			r->at++;
	}
	struct bytes word = { begin, (size_t)(r->at - begin) };
	if (bytes_are(word, "true") || bytes_are(word, "false"))
		return true;
	if (word.len && (*begin == '+' || *begin == '-'))
		word = (struct bytes){ begin + 1, word.len - 1 };
	if ((word.len && *word.at >= '0' && *word.at <= '9') || bytes_are(word, "inf") ||
		bytes_are(word, "nan"))
		return true;
	r->at = begin;
	return fail(r, "there is no value where one has to be");
}

static bool take_value(struct reader *r, unsigned depth, struct bytes *ret_value)
{
	const uint8_t *begin = r->at;
	bool is_sound;
	if (is_at(r, '"') || is_at(r, '\''))
		is_sound = take_string(r, NULL);
	else if (is_at(r, '['))
		is_sound = take_members(r, ']', depth);
	else if (is_at(r, '{'))
		is_sound = take_members(r, '}', depth);
	else
		is_sound = take_scalar(r);
	*ret_value = (struct bytes){ begin, (size_t)(r->at - begin) };
	return is_sound;
}

static bool take_head(struct reader *r, struct toml_item *item)
{
	r->at++;
	item->kind = take(r, '[') ? TOML_TABLE_ARRAY : TOML_TABLE;
	item->table[0] = '\0';
	if (!take_key(r, item->table))
		return false;
	if (!take(r, ']') || (item->kind == TOML_TABLE_ARRAY && !take(r, ']')))
		return fail(r, "the head of a table does not end");
	strcpy(item->path, item->table);
	return true;
}

static bool take_item(struct reader *r, const char table[TOML_PATH_MAX], struct toml_item *item)
{
	const uint8_t *begin = r->at;
	bool is_sound = true;
	item->kind = TOML_BLANK;
	item->value = (struct bytes){ 0 };
	strcpy(item->table, table);
	strcpy(item->path, table);
	skip_blanks(r);
	if (is_at(r, '[')) {
		is_sound = take_head(r, item);
	} else if (!is_at(r, '#') && !is_at_line_end(r)) {
		item->kind = TOML_PAIR;
		is_sound = take_pair(r, 0, item->path, &item->value);
	}
	if (!is_sound)
		return false;
	skip_blanks(r);
	item->comment = take_comment(r);
	if (item->kind == TOML_BLANK && item->comment.len)
		item->kind = TOML_COMMENT;
	if (!take_line_feed(r) && r->at < r->end)
		return fail(r, "the line does not end where it has to");
	item->text = (struct bytes){ begin, (size_t)(r->at - begin) };
	return true;
}

struct bytes toml_mark(struct bytes text)
{
	return (struct bytes){ text.at, bytes_start_with(text, "\xef\xbb\xbf") ? 3 : 0 };
}

struct toml_walk toml_begin(struct bytes text)
{
	return (struct toml_walk){ .at = bytes_end(toml_mark(text)), .end = bytes_end(text) };
}

bool toml_next(struct toml_walk *walk, struct toml_item *ret_item)
{
	struct reader reader = { .at = walk->at, .end = walk->end };
	if (reader.at == reader.end || !take_item(&reader, walk->table, ret_item))
		return false;
	walk->at = reader.at;
	strcpy(walk->table, ret_item->table);
	return true;
}

int toml_complain(
	struct complaint *complaint, struct bytes text, const uint8_t *at, const char *format, ...)
{
	char words[sizeof complaint->text];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	if (!complaint->text[0]) {
		complaint->line = 1;
		for (const uint8_t *byte = text.at; byte < at; byte++)
			complaint->line += *byte == '\n';
	}
	return complain(complaint, "%s", words);
}

/* The first byte that stands nowhere in TOML; the end when there is none. */
static const uint8_t *find_stray(struct bytes text)
{
	struct bytes valid = { text.at, utf8_valid_bytes(text) };
	const uint8_t *at = valid.at, *end = bytes_end(valid);
	for (; at < end; at++) {
		bool is_line_end = *at == '\n' || (*at == '\r' && end - at > 1 && at[1] == '\n');
		if ((*at < ' ' && *at != '\t' && !is_line_end) || *at == 0x7f)
			break;
	}
	return at;
}

int toml_check(struct bytes text, struct complaint *complaint)
{
	struct toml_item item = { .table = "" };
	struct reader reader = { .at = bytes_end(toml_mark(text)), .end = bytes_end(text) };
	if (text.len > TOML_MAX_BYTES)
		return complain(complaint, "larger than %d bytes", TOML_MAX_BYTES);
	const uint8_t *stray = find_stray(text);
	if (stray < reader.end)
		return toml_complain(complaint, text, stray,
			"a byte that is no text: TOML is UTF-8 without control characters");
	while (reader.at < reader.end) {
		char table[TOML_PATH_MAX];
		strcpy(table, item.table);
		if (!take_item(&reader, table, &item))
			return toml_complain(complaint, text, reader.at, "%s", reader.wrong);
	}
	return 0;
}

const char *toml_below(const char *path, const char *top)
{
	size_t len = strlen(top);
	if (len == 0)
		return path;
	if (strncmp(path, top, len) != 0 || (path[len] && path[len] != '.'))
		return NULL;
	return path + len + (path[len] == '.');
}

/* In a value that may be an inline table. */
static bool find_inside(struct bytes value, const char *path, struct bytes *ret_value)
{
	struct reader reader = { .at = value.at, .end = bytes_end(value) };
	char key[TOML_PATH_MAX] = "";
	struct bytes member;
	if (*path == '\0') {
		*ret_value = value;
		return true;
	}
	if (!take(&reader, '{'))
		return false;
	for (; take_member(&reader, '}', 0, key, &member); key[0] = '\0') {
		const char *rest = toml_below(path, key);
		if (rest && find_inside(member, rest, ret_value))
			return true;
	}
	return false;
}

bool toml_find(struct bytes text, const char *path, struct bytes *ret_value)
{
	struct toml_walk walk = toml_begin(text);
	for (struct toml_item item; toml_next(&walk, &item);) {
		const char *rest = item.kind == TOML_PAIR ? toml_below(path, item.path) : NULL;
		if (rest && find_inside(item.value, rest, ret_value))
			return true;
	}
	return false;
}

bool toml_string(struct bytes value, struct buf *out)
{
	struct reader reader = { .at = value.at, .end = bytes_end(value) };
	return (is_at(&reader, '"') || is_at(&reader, '\'')) && take_string(&reader, out);
}

bool toml_list_begin(struct bytes value, struct toml_list *ret_list)
{
	struct reader reader = { .at = value.at, .end = bytes_end(value) };
	if (!take(&reader, '['))
		return false;
	*ret_list = (struct toml_list){ reader.at, reader.end };
	return true;
}

bool toml_list_next(struct toml_list *list, struct bytes *ret_value)
{
	struct reader reader = { .at = list->at, .end = list->end };
	bool is_there = take_member(&reader, ']', 0, NULL, ret_value);
	list->at = reader.at;
	return is_there;
}
