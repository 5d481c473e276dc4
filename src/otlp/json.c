#include "otlp/json.h"

#include <stdio.h>

#include "base/json_skim.h"
#include "base/utf8.h"
#include "otlp/json_scalar.h"
#include "otlp/json_schema.h"
#include "otlp/wire.h"

enum {
	HEADER_MAX_BYTES = 15, /* a tag and a length, or a tag and a number */
	NAME_MAX_BYTES = 32,
	PATH_BYTES = 256,
};

static const size_t no_item = SIZE_MAX;
static const char byte_order_mark[] = "\xef\xbb\xbf";

struct reader {
	struct skim skim;
	const uint8_t *start; /* of the text */
	const uint8_t *value; /* the one that is read, or the newest name */
	struct buf *out;
	struct complaint *complaint;
};

/* A message that is open. What was written of a field is taken back when its name comes again. */
struct level {
	const struct level *around;
	const struct json_message *message;
	const struct json_field *field; /* at hand; NULL between fields */
	size_t item;                    /* of a repeated field; no_item outside of its list */
	unsigned depth_left;
	unsigned next;    /* the field that probably follows */
	uint32_t written; /* a bit for each field; only these have a range */
	struct {
		size_t start, end; /* in the output */
	} ranges[JSON_FIELDS_MAX];
};

/* ---- complaints ---- */

/* From the innermost name outwards, because those are what helps when not all have room. */
static const char *path_of(const struct level *level, char room[PATH_BYTES])
{
	static const char omission[] = "...";
	char *at = room + PATH_BYTES - 1;
	*at = '\0';
	for (; level; level = level->around) {
		const struct json_field *field = level->field;
		char step[NAME_MAX_BYTES + 32];
		if (!field)
			continue;
		int len = snprintf(step, sizeof step, "%s", (const char *)field->name.at);
		if (level->item != no_item)
			len += snprintf(
				step + len, sizeof step - (size_t)len, "[%zu]", level->item);
		if (*at)
			step[len++] = '.';
		if (at - room < len + (int)sizeof omission) {
			at -= sizeof omission - 1;
			return memcpy(at, omission, sizeof omission - 1);
		}
		at -= len;
		memcpy(at, step, (size_t)len);
	}
	return at;
}

static int refuse_at(struct reader *reader, const struct level *level, const uint8_t *at,
	const char *why, const char *detail)
{
	char room[PATH_BYTES];
	const char *path = path_of(level, room);
	complain(reader->complaint, "%s%s%s%s (offset %zu)", path, *path ? ": " : "", why, detail,
		(size_t)(at - reader->start));
	return -EBADMSG;
}

static int refuse_value(struct reader *reader, const struct level *level, const char *why)
{
	return refuse_at(reader, level, reader->value, why, "");
}

static int refuse_syntax(struct reader *reader, const struct level *level)
{
	return refuse_at(reader, level, reader->skim.at, "this is no valid JSON", "");
}

/* ---- what is read ---- */

static bool stands(const struct reader *reader, uint8_t byte)
{
	return reader->skim.at < reader->skim.end && *reader->skim.at == byte;
}

/*
 * The content of a string: in the text itself, or with escapes spelled out behind the output, where it
 * leaves so much room for the header of a field. A number may be read there: a NUL follows.
 */
static int spell_string(struct reader *reader, const struct level *level, size_t header_bytes,
	struct bytes *ret_text)
{
	bool has_escapes;
	if (!skim_string(&reader->skim, ret_text, &has_escapes))
		return refuse_syntax(reader, level);
	if (!has_escapes)
		return 0;
	uint8_t *to = buf_reserve(reader->out, header_bytes + ret_text->len + 1);
	if (!to)
		return reader->out->error;
	to += header_bytes;
	uint8_t *end = scalar_unescape(*ret_text, to);
	*end = '\0';
	*ret_text = (struct bytes){ to, (size_t)(end - to) };
	return 0;
}

static int read_string(struct reader *reader, const struct level *level, struct bytes *ret_text)
{
	return stands(reader, '"') ? spell_string(reader, level, HEADER_MAX_BYTES, ret_text) :
				     refuse_value(reader, level, "must be a string");
}

/* A number as it is spelled, bare or in quotes. */
static int read_spelling(struct reader *reader, const struct level *level, struct bytes *ret_text)
{
	if (stands(reader, '"'))
		return read_string(reader, level, ret_text);
	const uint8_t *start = reader->skim.at;
	/* A text does not end with a number: something follows that ends it. */
	if (!skim_number(&reader->skim) || reader->skim.at == reader->skim.end)
		return refuse_value(reader, level, "must be a number");
	*ret_text = (struct bytes){ start, (size_t)(reader->skim.at - start) };
	return 0;
}

/* ---- what is written ---- */

/* proto3 leaves out what is zero or empty, unless it says which member was chosen or is one of a list. */
static bool is_left_out(const struct json_field *field, bool is_default)
{
	return is_default && !field->is_member && !field->is_repeated && !field->has_presence;
}

static uint8_t *put_tag(uint8_t *to, const struct json_field *field, enum wire_type type)
{
	return varint_put(to, (uint64_t)field->number << 3 | type);
}

/* The text may lie behind the output: as read_string left it, so that there is room and nothing moves. */
static int write_bytes(struct reader *reader, const struct json_field *field, struct bytes text)
{
	if (is_left_out(field, text.len == 0))
		return 0;
	uint8_t *start = buf_reserve(reader->out, HEADER_MAX_BYTES + text.len);
	if (!start)
		return reader->out->error;
	uint8_t *to = varint_put(put_tag(start, field, WIRE_BYTES), text.len);
	memmove(to, text.at, text.len);
	reader->out->len += (size_t)(to - start) + text.len;
	return 0;
}

static int write_number(
	struct reader *reader, const struct json_field *field, enum wire_type type, uint64_t value)
{
	if (is_left_out(field, value == 0))
		return 0;
	uint8_t *start = buf_reserve(reader->out, HEADER_MAX_BYTES);
	if (!start)
		return reader->out->error;
	uint8_t *to = field->is_packed ? start : put_tag(start, field, type);
	if (type == WIRE_VARINT)
		to = varint_put(to, value);
	else
		for (int bits = type == WIRE_FIXED64 ? 64 : 32; bits; bits -= 8, value >>= 8)
			*to++ = (uint8_t)value;
	reader->out->len += (size_t)(to - start);
	return 0;
}

/* A length is written before what it measures, so it is guessed first: begin_length returns where that is. */
static size_t begin_length(struct buf *out, const struct json_field *field, unsigned length_bytes)
{
	uint8_t *start = buf_reserve(out, HEADER_MAX_BYTES);
	if (start)
		out->len += (size_t)(put_tag(start, field, WIRE_BYTES) - start) + length_bytes;
	return out->len;
}

static int end_length(struct buf *out, size_t content, unsigned guessed_bytes)
{
	size_t len = out->len - content, needed = varint_size(len);
	if (!buf_reserve(out, HEADER_MAX_BYTES))
		return out->error;
	uint8_t *length = out->at + content - guessed_bytes;
	if (needed != guessed_bytes)
		memmove(length + needed, out->at + content, len);
	varint_put(length, len);
	out->len = out->len - guessed_bytes + needed;
	return 0;
}

/* ---- fields ---- */

static int read_id(struct reader *reader, const struct level *level)
{
	uint8_t id[16];
	struct bytes text;
	size_t bytes = level->field->id_bytes;
	int error = read_string(reader, level, &text);
	if (error)
		return error;
	if (text.len && !scalar_hex(text, id, bytes))
		return refuse_value(reader, level,
			bytes == 16 ? "must be 32 hex digits" : "must be 16 hex digits");
	return write_bytes(reader, level->field, (struct bytes){ id, text.len / 2 });
}

static int read_base64(struct reader *reader, const struct level *level)
{
	struct bytes text;
	int error = read_string(reader, level, &text);
	if (error)
		return error;
	uint8_t *to = buf_reserve(reader->out, HEADER_MAX_BYTES + text.len);
	if (!to)
		return reader->out->error;
	to += HEADER_MAX_BYTES;
	if (!scalar_base64(text, to, &text.len))
		return refuse_value(reader, level, "must be base64");
	return write_bytes(reader, level->field, (struct bytes){ to, text.len });
}

static int read_bool(struct reader *reader, const struct level *level)
{
	bool is_true = skim_word(&reader->skim, "true");
	if (!is_true && !skim_word(&reader->skim, "false"))
		return refuse_value(reader, level, "must be true or false");
	return write_number(reader, level->field, WIRE_VARINT, is_true);
}

/* An enum's number by its name, or as any other number. */
static bool find_enum(struct bytes text, const struct json_field *field, uint64_t *ret_value)
{
	for (uint64_t i = 0; field->type == TYPE_ENUM && field->names[i]; i++)
		if (bytes_are(text, field->names[i])) {
			*ret_value = i;
			return true;
		}
	return false;
}

static int read_integer(struct reader *reader, const struct level *level)
{
	static const struct {
		enum wire_type wire;
		uint64_t lowest, highest;
		const char *sentence;
	} types[] = {
		[TYPE_ENUM] = { WIRE_VARINT, UINT64_C(1) << 31, INT32_MAX,
			"must be a number or a name such as " },
		[TYPE_INT32] = { WIRE_VARINT, UINT64_C(1) << 31, INT32_MAX,
			"must be a whole number of 32 bits" },
		[TYPE_UINT32] = { WIRE_VARINT, 0, UINT32_MAX,
			"must be a whole number of 32 bits, not negative" },
		[TYPE_SINT32] = { WIRE_VARINT, UINT64_C(1) << 31, INT32_MAX,
			"must be a whole number of 32 bits" },
		[TYPE_FIXED32] = { WIRE_FIXED32, 0, UINT32_MAX,
			"must be a whole number of 32 bits, not negative" },
		[TYPE_INT64] = { WIRE_VARINT, UINT64_C(1) << 63, INT64_MAX,
			"must be a whole number of 64 bits" },
		[TYPE_UINT64] = { WIRE_VARINT, 0, UINT64_MAX,
			"must be a whole number of 64 bits, not negative" },
		[TYPE_FIXED64] = { WIRE_FIXED64, 0, UINT64_MAX,
			"must be a whole number of 64 bits, not negative" },
		[TYPE_SFIXED64] = { WIRE_FIXED64, UINT64_C(1) << 63, INT64_MAX,
			"must be a whole number of 64 bits" },
	};
	const struct json_field *field = level->field;
	uint64_t value;
	struct bytes text;
	int error = read_spelling(reader, level, &text);
	if (error)
		return error;
	if (!find_enum(text, field, &value) &&
		!scalar_integer(
			text, types[field->type].lowest, types[field->type].highest, &value))
		return refuse_at(reader, level, reader->value, types[field->type].sentence,
			field->type == TYPE_ENUM ? field->names[1] : "");
	if (field->type == TYPE_SINT32)
		value = value << 1 ^ (value >> 63 ? UINT64_MAX : 0);
	return write_number(reader, field, types[field->type].wire, value);
}

static int read_double(struct reader *reader, const struct level *level)
{
	double number;
	uint64_t bits;
	struct bytes text;
	int error = read_spelling(reader, level, &text);
	if (error)
		return error;
	if (!scalar_double(text, &number))
		return refuse_value(reader, level, "must be a number");
	memcpy(&bits, &number, sizeof bits);
	return write_number(reader, level->field, WIRE_FIXED64, bits);
}

static int read_message(
	struct reader *reader, const struct json_message *message, const struct level *around);

static int read_submessage(struct reader *reader, const struct level *level)
{
	const struct json_message *message = level->field->message;
	size_t content = begin_length(reader->out, level->field, message->length_bytes);
	int error = reader->out->error;
	if (!error)
		error = read_message(reader, message, level);
	return error ? error : end_length(reader->out, content, message->length_bytes);
}

/* One value of the field at hand, or one item of its list. */
static int read_value(struct reader *reader, const struct level *level)
{
	struct bytes text;
	int error;
	reader->value = reader->skim.at;
	switch (level->field->type) {
	case TYPE_MESSAGE:
		return read_submessage(reader, level);
	case TYPE_STRING:
		error = read_string(reader, level, &text);
		return error ? error : write_bytes(reader, level->field, text);
	case TYPE_ID:
		return read_id(reader, level);
	case TYPE_BASE64:
		return read_base64(reader, level);
	case TYPE_BOOL:
		return read_bool(reader, level);
	case TYPE_DOUBLE:
		return read_double(reader, level);
	default:
		return read_integer(reader, level);
	}
}

static int refuse_shape(struct reader *reader, const struct level *level, const char *shape,
	const struct json_message *wanted)
{
	if (!wanted || !wanted->example)
		return refuse_value(reader, level, shape);
	char why[160];
	snprintf(why, sizeof why, "%s such as ", shape);
	return refuse_at(reader, level, reader->value, why, wanted->example);
}

static int read_items(struct reader *reader, struct level *level)
{
	for (level->item = 0;; level->item++) {
		int error = read_value(reader, level);
		if (error)
			return error;
		skim_blanks(&reader->skim);
		if (skim_byte(&reader->skim, ']')) {
			level->item = no_item;
			return 0;
		}
		if (!skim_byte(&reader->skim, ','))
			return refuse_syntax(reader, level);
		skim_blanks(&reader->skim);
	}
}

static int read_list(struct reader *reader, struct level *level)
{
	const struct json_field *field = level->field;
	reader->value = reader->skim.at;
	if (!skim_byte(&reader->skim, '['))
		return refuse_shape(reader, level, "must be a list of values",
			field->type == TYPE_MESSAGE ? field->message : NULL);
	skim_blanks(&reader->skim);
	if (skim_byte(&reader->skim, ']'))
		return 0;
	if (!field->is_packed)
		return read_items(reader, level);
	size_t content = begin_length(reader->out, field, 1);
	int error = reader->out->error;
	if (!error)
		error = read_items(reader, level);
	return error ? error : end_length(reader->out, content, 1);
}

static void take_back(struct buf *out, struct level *level, unsigned index)
{
	size_t start = level->ranges[index].start, end = level->ranges[index].end;
	memmove(out->at + start, out->at + end, out->len - end);
	out->len -= end - start;
	level->written &= ~(1u << index);
	for (unsigned i = 0; i < level->message->field_count; i++)
		if (level->written >> i & 1 && level->ranges[i].start >= end) {
			level->ranges[i].start -= end - start;
			level->ranges[i].end -= end - start;
		}
}

/* What a field replaces: itself, and the member that was chosen before it. */
static void take_back_rivals(struct buf *out, struct level *level, unsigned index, bool is_null)
{
	const struct json_field *fields = level->message->fields;
	for (unsigned i = 0; i < level->message->field_count; i++) {
		bool is_rival = fields[i].is_member && fields[index].is_member && !is_null;
		if (level->written >> i & 1 && (i == index || is_rival))
			take_back(out, level, i);
	}
}

static int read_field(struct reader *reader, struct level *level, unsigned index)
{
	const struct json_field *field = &level->message->fields[index];
	level->field = field;
	level->next = index + 1;
	bool is_null = stands(reader, 'n') && skim_word(&reader->skim, "null");
	if (level->written)
		take_back_rivals(reader->out, level, index, is_null);
	if (is_null)
		return 0;
	level->ranges[index].start = reader->out->len;
	int error = field->is_repeated ? read_list(reader, level) : read_value(reader, level);
	level->ranges[index].end = reader->out->len;
	level->written |= 1u << index;
	return error;
}

/* ---- messages ---- */

/* Whether the name is the field's in snake_case. */
static bool is_snake_case_of(struct bytes name, const struct json_field *field)
{
	const uint8_t *at = name.at, *end = bytes_end(name);
	for (size_t i = 0; i < field->name.len; i++) {
		uint8_t letter = field->name.at[i];
		bool is_capital = letter >= 'A' && letter <= 'Z';
		if (is_capital && (at == end || *at++ != '_'))
			return false;
		if (at == end || *at++ != (is_capital ? letter | 0x20 : letter))
			return false;
	}
	return at == end;
}

/* A name that is not known is passed over, but one in snake_case is a mistake that would lose data. */
static int read_unknown(struct reader *reader, const struct level *level, struct bytes name)
{
	const struct json_message *message = level->message;
	for (unsigned i = 0; i < message->field_count; i++)
		if (is_snake_case_of(name, &message->fields[i]))
			return refuse_at(reader, level, reader->value,
				"OTLP/JSON has no names in snake_case: write ",
				(const char *)message->fields[i].name.at);
	if (!skim_value(&reader->skim, level->depth_left))
		return refuse_at(reader, level, reader->skim.at,
			"what an unknown name holds is no valid JSON, or nested too deep", "");
	return 0;
}

static unsigned find_field(const struct json_message *message, struct bytes name)
{
	unsigned i = 0;
	while (i < message->field_count && !bytes_equal(name, message->fields[i].name))
		i++;
	return i;
}

/*
 * Senders write fields in the same order each time, and two of three strings in a request are names: the
 * one that probably follows is compared as it stands, and nothing has to look for its end.
 */
static bool take_expected_name(struct reader *reader, const struct level *level)
{
	if (level->next == level->message->field_count)
		return false;
	struct bytes name = level->message->fields[level->next].name;
	struct skim *skim = &reader->skim;
	if ((size_t)(skim->end - skim->at) < name.len + 2 || skim->at[0] != '"' ||
		skim->at[name.len + 1] != '"' || memcmp(skim->at + 1, name.at, name.len) != 0)
		return false;
	skim->at += name.len + 2;
	return true;
}

static int read_member(struct reader *reader, struct level *level)
{
	struct bytes name;
	unsigned index = level->next;
	level->field = NULL;
	reader->value = reader->skim.at;
	if (!take_expected_name(reader, level)) {
		int error = spell_string(reader, level, 0, &name);
		if (error)
			return error;
		index = find_field(level->message, name);
	}
	skim_blanks(&reader->skim);
	if (!skim_byte(&reader->skim, ':'))
		return refuse_syntax(reader, level);
	skim_blanks(&reader->skim);
	return index < level->message->field_count ? read_field(reader, level, index) :
						     read_unknown(reader, level, name);
}

static int read_members(struct reader *reader, struct level *level)
{
	skim_blanks(&reader->skim);
	if (skim_byte(&reader->skim, '}'))
		return 0;
	for (;;) {
		int error = read_member(reader, level);
		if (error)
			return error;
		skim_blanks(&reader->skim);
		if (skim_byte(&reader->skim, '}'))
			return 0;
		if (!skim_byte(&reader->skim, ','))
			return refuse_syntax(reader, level);
		skim_blanks(&reader->skim);
	}
}

static int read_message(
	struct reader *reader, const struct json_message *message, const struct level *around)
{
	if (!stands(reader, '{'))
		return refuse_shape(reader, around, "must be an object", message);
	if (around->depth_left == 0)
		return refuse_value(reader, around, "is nested deeper than this server takes");
	reader->skim.at++;
	struct level level; /* the ranges get their values with `written` */
	level.around = around;
	level.message = message;
	level.field = NULL;
	level.item = no_item;
	level.depth_left = around->depth_left - 1;
	level.next = 0;
	level.written = 0;
	return read_members(reader, &level);
}

static int read_text(struct reader *reader, const struct json_message *request, struct bytes text,
	unsigned max_depth)
{
	const struct level outside = { .item = no_item, .depth_left = max_depth };
	size_t valid_bytes = utf8_valid_bytes(text);
	if (valid_bytes < text.len)
		return refuse_at(reader, &outside, text.at + valid_bytes, "this is no UTF-8", "");
	skim_word(&reader->skim, byte_order_mark);
	skim_blanks(&reader->skim);
	reader->value = reader->skim.at;
	if (reader->skim.at == reader->skim.end)
		return refuse_value(
			reader, &outside, "the body is empty; a request of nothing is {}");
	int error = read_message(reader, request, &outside);
	if (error)
		return error;
	skim_blanks(&reader->skim);
	if (reader->skim.at < reader->skim.end)
		return refuse_at(
			reader, &outside, reader->skim.at, "the request ends before here", "");
	return 0;
}

bool json_find_signal(struct bytes text, enum signal *ret_signal)
{
	struct skim skim = { text.at, bytes_end(text) };
	struct bytes name;
	bool has_escapes;
	skim_word(&skim, byte_order_mark);
	skim_blanks(&skim);
	if (!skim_byte(&skim, '{'))
		return false;
	do {
		skim_blanks(&skim);
		if (!skim_string(&skim, &name, &has_escapes))
			return false;
		for (int signal = SIGNAL_TRACES; signal <= SIGNAL_METRICS; signal++)
			if (bytes_equal(name, json_request((enum signal)signal)->fields[0].name)) {
				*ret_signal = (enum signal)signal;
				return true;
			}
		skim_blanks(&skim);
		if (!skim_byte(&skim, ':'))
			return false;
		skim_blanks(&skim);
		if (!skim_value(&skim, SKIM_MAX_DEPTH))
			return false;
		skim_blanks(&skim);
	} while (skim_byte(&skim, ','));
	return false;
}

int json_to_request(struct bytes text, enum signal signal, unsigned max_depth, struct buf *out,
	struct complaint *complaint)
{
	/* Most fields take more in JSON than in protobuf, so that the output seldom grows further. */
	if (!buf_reserve(out, text.len))
		return out->error;
	struct reader reader = {
		.skim = { text.at, bytes_end(text) },
		.start = text.at,
		.out = out,
		.complaint = complaint,
	};
	return read_text(&reader, json_request(signal), text, max_depth);
}
