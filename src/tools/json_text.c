#include "tools/json_text.h"

#include <errno.h>
#include <stdio.h>

#include "base/json_skim.h"

enum {
	DEPTH_MAX = 512,
	OUTPUT_MAX_BYTES = 4 * JSON_TEXT_MAX_BYTES, /* with the indentation of what is added */
	UNIT_MAX = 16,
};

/* A member of an object or an element of an array, by offsets. */
struct item {
	size_t gap;   /* behind the bracket or comma before it */
	size_t begin; /* of its name, or of the element */
	size_t value, end;
};

/* An object or array whose items are walked. */
struct walk {
	const struct json_text *json;
	struct skim s;
	bool is_object, is_inside;
	struct bytes name; /* of the item, as it is written */
	bool has_escapes;
};

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_all_blank(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_blank(text.at[i]))
			return false;
	return true;
}

/* Where a comment that begins here ends; NULL: none does. The line's end belongs to no comment. */
static const uint8_t *comment_end(const uint8_t *at, const uint8_t *end)
{
	if (end - at < 2 || at[0] != '/')
		return NULL;
	if (at[1] == '*') {
		const uint8_t *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
		return close ? close + 2 : NULL;
	}
	if (at[1] != '/')
		return NULL;
	const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
	return !feed ? end : feed - (feed[-1] == '\r');
}

static const uint8_t *string_end(const uint8_t *at, const uint8_t *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

/* Tabs stand for a comment up to the line's end: what is put behind one needs a line of its own. */
static void make_plain(struct json_text *json)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
	json->plain.len = 0;
	buf_append(&json->plain, json->text.at, json->text.len);
	if (json->plain.error || !json->plain.len)
		return;
	uint8_t *at = json->plain.at, *end = at + json->plain.len;
	if (end - at >= 3 && memcmp(at, mark, sizeof mark) == 0)
		memset(at, ' ', sizeof mark);
	while (at < end) {
		const uint8_t *behind = comment_end(at, end);
		if (!behind && *at == '/')
			break; /* that is no JSON */
		if (behind)
			memset(at, at[1] == '/' ? '\t' : ' ', (size_t)(behind - at));
		else
			behind = *at == '"' ? string_end(at, end) : at + 1;
		at += behind - at;
	}
}

static bool has_comment(const struct json_text *json, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (json->text.at[i] == '/' && json->plain.at[i] != '/')
			return true;
	return false;
}

/* Where that is in the text that was given. */
static int complain_at(struct json_text *json, size_t offset, const char *words)
{
	json->complaint->line = 1;
	for (size_t i = 0; i < offset && i < json->given.len; i++)
		json->complaint->line += json->given.at[i] == '\n';
	return json->error = complain(json->complaint, "%s", words);
}

static void complain_of_room(struct json_text *json)
{
	if (!json->error)
		complain_at(json, 0, "there is no room for what has to be added");
}

static void splice(struct json_text *json, size_t at, size_t len, struct bytes with)
{
	struct buf *text = &json->text;
	if (json->error)
		return;
	if (with.len > len && !buf_reserve(text, with.len - len)) {
		complain_of_room(json);
		return;
	}
	memmove(text->at + at + with.len, text->at + at + len, text->len - at - len);
	if (with.len)
		memcpy(text->at + at, with.at, with.len);
	text->len = text->len - len + with.len;
	make_plain(json);
}

static bool is_without_value(const struct json_text *json)
{
	return is_all_blank(buf_bytes(&json->plain));
}

static int check(struct json_text *json)
{
	json_error_t where = { .position = 0 };
	struct skim s = { json->plain.at, json->plain.at + json->plain.len };
	json_t *tree =
		json_loadb((const char *)json->plain.at, json->plain.len, JSON_ALLOW_NUL, &where);
	if (!tree)
		return complain_at(json, (size_t)where.position, "no valid JSON");
	json_decref(tree);
	if (!skim_value(&s, DEPTH_MAX))
		return complain_at(json, (size_t)(s.at - json->plain.at), "nested too deep");
	return 0;
}

int json_text_open(struct json_text *json, struct bytes text, struct complaint *complaint)
{
	*json = (struct json_text){ .given = text, .complaint = complaint };
	buf_init(&json->text, OUTPUT_MAX_BYTES, NULL);
	buf_init(&json->plain, OUTPUT_MAX_BYTES, NULL);
	if (text.len > JSON_TEXT_MAX_BYTES)
		return complain_at(json, 0, "longer than 1 MiB");
	buf_append(&json->text, text.at, text.len);
	make_plain(json);
	if (json->text.error || json->plain.error)
		return complain_at(json, 0, "there is no memory for it");
	return is_without_value(json) && !has_comment(json, 0, text.len) ? 0 : check(json);
}

void json_text_close(struct json_text *json)
{
	buf_done(&json->text);
	buf_done(&json->plain);
}

json_t *json_text_tree(const struct json_text *json)
{
	return json_loadb((const char *)json->plain.at, json->plain.len, JSON_ALLOW_NUL, NULL);
}

static size_t offset_of(const struct json_text *json, const struct skim *s)
{
	return (size_t)(s->at - json->plain.at);
}

/* False: no object, or no array, is there. */
static bool walk_begin(struct walk *walk, const struct json_text *json, size_t at, bool is_object)
{
	*walk = (struct walk){ .json = json, .is_object = is_object };
	walk->s = (struct skim){ json->plain.at + at, json->plain.at + json->plain.len };
	return skim_byte(&walk->s, is_object ? '{' : '[');
}

static bool walk_next(struct walk *walk, struct item *ret_item)
{
	struct item item;
	struct skim *s = &walk->s;
	item.gap = offset_of(walk->json, s);
	skim_blanks(s);
	if (walk->is_inside && skim_byte(s, ',')) {
		item.gap = offset_of(walk->json, s);
		skim_blanks(s);
	}
	if (skim_byte(s, walk->is_object ? '}' : ']'))
		return false;
	walk->is_inside = true;
	item.begin = offset_of(walk->json, s);
	if (walk->is_object) {
		skim_string(s, &walk->name, &walk->has_escapes);
		skim_blanks(s);
		skim_byte(s, ':');
		skim_blanks(s);
	}
	item.value = offset_of(walk->json, s);
	skim_value(s, DEPTH_MAX);
	item.end = offset_of(walk->json, s);
	*ret_item = item;
	return true;
}

static bool is_name(const struct walk *walk, const char *name)
{
	if (!walk->has_escapes)
		return bytes_are(walk->name, name);
	json_t *string = json_loadb(
		(const char *)walk->name.at - 1, walk->name.len + 2, JSON_DECODE_ANY, NULL);
	bool is = string && strcmp(json_string_value(string), name) == 0;
	json_decref(string);
	return is;
}

static bool enter(const struct json_text *json, size_t at, const struct json_step *step,
	struct item *ret_item)
{
	struct walk walk;
	struct item item;
	bool is_found = false;
	if (!walk_begin(&walk, json, at, step->key))
		return false;
	for (size_t i = 0; walk_next(&walk, &item); i++)
		if (step->key ? is_name(&walk, step->key) : i == step->index) {
			*ret_item = item;
			is_found = true;
		}
	return is_found;
}

/* With no step it is the outermost value. */
static bool find(const struct json_text *json, const struct json_step *steps, size_t count,
	struct item *ret_item)
{
	struct skim s = { json->plain.at, json->plain.at + json->plain.len };
	struct item item;
	skim_blanks(&s);
	item.gap = 0;
	item.begin = item.value = offset_of(json, &s);
	if (s.at == s.end || !skim_value(&s, DEPTH_MAX))
		return false;
	item.end = offset_of(json, &s);
	for (size_t i = 0; i < count; i++)
		if (!enter(json, item.value, &steps[i], &item))
			return false;
	*ret_item = item;
	return true;
}

/* Edits moved it: its line is looked for in the text that was given. */
static void complain_of_shape(
	struct json_text *json, const struct json_step *steps, size_t count, const char *shape)
{
	struct json_text given;
	struct complaint nothing = { 0 };
	struct item item = { 0 };
	char words[128];
	json_text_open(&given, json->given, &nothing);
	find(&given, steps, count, &item);
	json_text_close(&given);
	snprintf(words, sizeof words, "%s has to be an %s",
		count ? steps[count - 1].key : "the outermost value", shape);
	complain_at(json, item.value, words);
}

bool json_text_find(const struct json_text *json, const struct json_step *steps, size_t count,
	struct bytes *ret_value)
{
	struct item item;
	if (!find(json, steps, count, &item))
		return false;
	*ret_value = (struct bytes){ json->text.at + item.value, item.end - item.value };
	return true;
}

/* How what is added is written; its texts are valid until the next splice. */
struct layout {
	bool has_lines;  /* an item a line; else all on one */
	bool has_blanks; /* behind colons and commas */
	struct bytes indent, unit, line_end;
};

static struct bytes line_end_of(const struct json_text *json)
{
	static const struct bytes feed = BYTES("\n"), both = BYTES("\r\n");
	const uint8_t *found = json->text.len ? memchr(json->text.at, '\n', json->text.len) : NULL;
	return found && found > json->text.at && found[-1] == '\r' ? both : feed;
}

/* The blanks that a line begins with; `at` is anywhere in it. */
static struct bytes indent_at(const struct json_text *json, size_t at)
{
	const uint8_t *text = json->text.at;
	size_t from = at, to;
	while (from && text[from - 1] != '\n')
		from--;
	for (to = from; to < at && (text[to] == ' ' || text[to] == '\t');)
		to++;
	return (struct bytes){ text + from, to - from };
}

static bool has_line_end(const struct json_text *json, size_t from, size_t to)
{
	return to > from && memchr(json->plain.at + from, '\n', to - from);
}

/* As the first member of all is written. */
static struct layout layout_of(const struct json_text *json)
{
	struct layout layout = { .has_blanks = true, .unit = BYTES("  ") };
	struct walk walk;
	struct item root, item;
	layout.line_end = line_end_of(json);
	if (!find(json, NULL, 0, &root) || !walk_begin(&walk, json, root.value, true) ||
		!walk_next(&walk, &item))
		return layout;
	struct bytes indent = indent_at(json, item.begin);
	if (has_line_end(json, item.gap, item.begin) && indent.len <= UNIT_MAX)
		layout.unit = indent;
	layout.has_blanks = is_blank(json->plain.at[item.value - 1]);
	return layout;
}

static void put_bytes(struct buf *out, struct bytes bytes)
{
	buf_append(out, bytes.at, bytes.len);
}

static void put_break(struct buf *out, const struct layout *layout, size_t depth)
{
	put_bytes(out, layout->line_end);
	put_bytes(out, layout->indent);
	while (depth--)
		put_bytes(out, layout->unit);
}

static void put_value(struct buf *out, const struct layout *layout, size_t depth, const char *value)
{
	const uint8_t *at = (const uint8_t *)value, *end = at + strlen(value), *from;
	for (; at < end; at++) {
		bool is_empty = (*at == '{' || *at == '[') && (at[1] == '}' || at[1] == ']');
		from = at;
		if (*at == '"')
			at = string_end(at, end) - 1;
		else if (is_empty)
			at++;
		else if ((*at == '}' || *at == ']') && layout->has_lines)
			put_break(out, layout, --depth);
		buf_append(out, from, (size_t)(at - from) + 1);
		if ((*from == ',' || *from == ':') && layout->has_blanks &&
			(*from == ':' || !layout->has_lines))
			buf_text(out, " ");
		if (layout->has_lines && *from == ',')
			put_break(out, layout, depth);
		if (layout->has_lines && !is_empty && (*from == '{' || *from == '['))
			put_break(out, layout, ++depth);
	}
}

/* In an array it has no name. */
static void put_item(struct buf *out, const struct layout *layout, size_t depth, const char *name,
	const char *value)
{
	if (name) {
		buf_json_string(out, bytes_of(name));
		buf_text(out, layout->has_blanks ? ": " : ":");
	}
	put_value(out, layout, depth, value);
}

/* What has comments in it keeps them; else nothing but blanks goes. */
static void insert_first(struct json_text *json, const struct item *container, const char *name,
	const char *value, struct buf *piece)
{
	struct layout layout = layout_of(json);
	size_t from = container->value + 1, to = container->end - 1, at = to;
	layout.has_lines = true;
	layout.indent = indent_at(json, container->value);
	bool is_commented = has_comment(json, from, to);
	while (at > from && is_blank(json->text.at[at - 1]))
		at--;
	put_break(piece, &layout, 1);
	put_item(piece, &layout, 1, name, value);
	if (!is_commented || !has_line_end(json, at, to))
		put_break(piece, &layout, 0);
	splice(json, at, is_commented ? 0 : to - at, buf_bytes(piece));
}

/* Behind the comments on the line of the last one, which are about that. */
static void insert_behind(struct json_text *json, const struct item *container,
	const struct item *last, const char *name, const char *value, struct buf *piece)
{
	static const struct bytes comma = BYTES(",");
	struct layout layout = layout_of(json);
	size_t at = last->end;
	layout.has_lines = has_line_end(json, last->gap, last->begin);
	if (layout.has_lines) {
		const uint8_t *plain = json->plain.at;
		while (at < container->end - 1 && plain[at] != '\n')
			at++;
		while (is_blank(json->text.at[at - 1]))
			at--;
		layout.indent = indent_at(json, last->begin);
		put_break(piece, &layout, 0);
	} else if (layout.has_blanks) {
		buf_text(piece, " ");
	}
	put_item(piece, &layout, 0, name, value);
	splice(json, at, 0, buf_bytes(piece));
	splice(json, last->end, 0, comma);
}

static void insert(
	struct json_text *json, const struct item *container, const char *name, const char *value)
{
	struct walk walk;
	struct item last = { 0 };
	struct buf piece;
	buf_init(&piece, OUTPUT_MAX_BYTES, NULL);
	walk_begin(&walk, json, container->value, name != NULL);
	while (walk_next(&walk, &last))
		;
	if (walk.is_inside)
		insert_behind(json, container, &last, name, value, &piece);
	else
		insert_first(json, container, name, value, &piece);
	if (piece.error)
		complain_of_room(json);
	buf_done(&piece);
}

static size_t mark_len(const struct json_text *json)
{
	return json->text.len && json->text.at[0] == 0xef ? 3 : 0;
}

/* As many objects as there are on the way, and the others made; `value` is what stands at its end. */
static void make(
	struct json_text *json, const struct json_step *steps, size_t count, const char *value)
{
	struct item container;
	struct buf made;
	size_t known = count;
	while (known && !find(json, steps, known - 1, &container))
		known--;
	if (json->error || !known)
		return;
	known--;
	if (json->plain.at[container.value] != '{') {
		complain_of_shape(json, steps, known, "object");
		return;
	}
	buf_init(&made, OUTPUT_MAX_BYTES, NULL);
	for (size_t i = known + 1; i < count; i++) {
		buf_text(&made, "{");
		buf_json_string(&made, bytes_of(steps[i].key));
		buf_text(&made, ":");
	}
	buf_text(&made, value);
	for (size_t i = known + 1; i < count; i++)
		buf_text(&made, "}");
	buf_append(&made, "", 1);
	insert(json, &container, steps[known].key, made.error ? "null" : (char *)made.at);
	buf_done(&made);
}

static void begin_object(struct json_text *json)
{
	if (json->error || !is_without_value(json))
		return;
	struct buf object;
	size_t mark = mark_len(json);
	buf_init(&object, OUTPUT_MAX_BYTES, NULL);
	buf_text(&object, "{}");
	put_bytes(&object, line_end_of(json));
	splice(json, mark, json->text.len - mark, buf_bytes(&object));
	buf_done(&object);
}

void json_text_set(
	struct json_text *json, const struct json_step *steps, size_t count, const char *value)
{
	struct item item;
	begin_object(json);
	if (find(json, steps, count, &item))
		splice(json, item.value, item.end - item.value, bytes_of(value));
	else
		make(json, steps, count, value);
}

void json_text_replace(
	struct json_text *json, const struct json_step *steps, size_t count, struct bytes value)
{
	struct item item;
	if (find(json, steps, count, &item))
		splice(json, item.value, item.end - item.value, value);
}

void json_text_append(
	struct json_text *json, const struct json_step *steps, size_t count, const char *value)
{
	struct item item;
	struct buf array;
	begin_object(json);
	if (find(json, steps, count, &item)) {
		if (json->plain.at[item.value] == '[')
			insert(json, &item, NULL, value);
		else
			complain_of_shape(json, steps, count, "array");
		return;
	}
	buf_init(&array, OUTPUT_MAX_BYTES, NULL);
	buf_printf(&array, "[%s]", value);
	buf_append(&array, "", 1);
	if (!array.error)
		make(json, steps, count, (char *)array.at);
	buf_done(&array);
}

/* Whether the line that ends before `at` ends in a comment that ends with it. */
static bool is_behind_comment(const struct json_text *json, size_t at)
{
	while (at && is_blank(json->text.at[at - 1]))
		at--;
	return at && json->plain.at[at - 1] == '\t';
}

static bool is_rest_of_line_blank(const struct json_text *json, size_t at)
{
	const uint8_t *plain = json->plain.at;
	while (at < json->plain.len && plain[at] != '\n' && is_blank(plain[at]))
		at++;
	return at < json->plain.len && plain[at] == '\n';
}

/* Where the line begins that is the item's own, else the blanks before the item. */
static size_t cut_begin(const struct json_text *json, const struct item *item, size_t behind)
{
	const uint8_t *text = json->text.at;
	size_t at = item->begin;
	while (at > item->gap && (text[at - 1] == ' ' || text[at - 1] == '\t'))
		at--;
	if (at == item->gap || text[at - 1] != '\n' ||
		(!is_rest_of_line_blank(json, behind) && is_behind_comment(json, at - 1)))
		return at;
	at--;
	return at - (at > item->gap && text[at - 1] == '\r' && line_end_of(json).len == 2);
}

static void cut(struct json_text *json, const struct item *item)
{
	static const struct bytes nothing = { 0 };
	const uint8_t *plain = json->plain.at;
	size_t comma = item->end;
	while (is_blank(plain[comma]))
		comma++;
	bool has_next = plain[comma] == ',', is_behind = plain[item->gap - 1] == ',';
	size_t begin = cut_begin(json, item, has_next ? comma + 1 : item->end);
	if (has_next)
		splice(json, comma, 1, nothing);
	splice(json, begin, item->end - begin, nothing);
	if (!has_next && is_behind)
		splice(json, item->gap - 1, 1, nothing);
}

/* Between the brackets; false when something is there. */
static bool find_emptiness(
	const struct json_text *json, const struct item *container, struct bytes *ret_inside)
{
	size_t from = container->value + 1, to = container->end - 1;
	uint8_t bracket = json->plain.at[container->value];
	if ((bracket != '{' && bracket != '[') ||
		!is_all_blank((struct bytes){ json->plain.at + from, to - from }))
		return false;
	*ret_inside = (struct bytes){ json->text.at + from, to - from };
	return true;
}

static bool is_same_but_blanks(struct bytes a, struct bytes b)
{
	const uint8_t *at = a.at, *other = b.at;
	for (;;) {
		while (at < bytes_end(a) && is_blank(*at))
			at++;
		while (other < bytes_end(b) && is_blank(*other))
			other++;
		if (at == bytes_end(a) || other == bytes_end(b))
			return at == bytes_end(a) && other == bytes_end(b);
		if (*at++ != *other++)
			return false;
	}
}

/* Nothing was there before: nothing is there again, unless somebody wrote comments around it. */
static void drop_text(struct json_text *json, const struct json_text *before)
{
	if (!has_comment(json, 0, json->text.len))
		splice(json, 0, json->text.len, buf_bytes(&before->text));
}

/* False: there is nothing more to clear up around it. */
static bool clear_up(struct json_text *json, const struct json_step *steps, size_t count,
	const struct json_text *before)
{
	struct item container, then;
	struct bytes inside, inside_then;
	if (!find(json, steps, count, &container) || !find_emptiness(json, &container, &inside))
		return false;
	if (find(before, steps, count, &then)) {
		if (find_emptiness(before, &then, &inside_then) &&
			is_same_but_blanks(inside, inside_then))
			splice(json, container.value, container.end - container.value,
				(struct bytes){
					before->text.at + then.value, then.end - then.value });
		return false;
	}
	if (!is_all_blank(inside))
		return false;
	if (count)
		cut(json, &container);
	else
		drop_text(json, before);
	return true;
}

void json_text_remove(struct json_text *json, const struct json_step *steps, size_t count,
	const struct json_text *before)
{
	struct item item;
	if (json->error || count == 0 || !find(json, steps, count, &item))
		return;
	cut(json, &item);
	while (count-- && clear_up(json, steps, count, before))
		;
}
