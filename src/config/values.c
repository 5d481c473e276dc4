#include "config/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"
#include "config/checks.h"
#include "config/config.h"

static const struct unit {
	const char *name;
	uint64_t bytes;
} units[] = {
	{ "TiB", UINT64_C(1) << 40 },
	{ "TB", UINT64_C(1000000000000) },
	{ "GiB", UINT64_C(1) << 30 },
	{ "GB", UINT64_C(1000000000) },
	{ "MiB", UINT64_C(1) << 20 },
	{ "MB", UINT64_C(1000000) },
	{ "KiB", UINT64_C(1) << 10 },
	{ "kB", UINT64_C(1000) },
	{ "B", 1 },
};
enum { UNIT_COUNT = sizeof units / sizeof *units };

static char *copy_text(const struct value_place *place, const char *text)
{
	return arena_copy(place->arena, text, strlen(text) + 1);
}

static int refuse_memory(const struct value_place *place)
{
	return complain(
		place->complaint, "%s does not fit: the configuration is too large", place->named);
}

/* `written` is NULL for a secret, which is not repeated. */
static int refuse_form(
	const struct setting *setting, const char *written, const struct value_place *place)
{
	char form[SETTING_FORM_MAX], shown[LOG_TEXT_MAX];
	const char *wanted = setting_form(setting, form);
	if (!written || setting->is_secret)
		return complain(place->complaint, "%s must be %s", place->named, wanted);
	return complain(place->complaint, "%s must be %s, not %s", place->named, wanted,
		log_text(shown, written));
}

void value_print_number(const struct setting *setting, uint64_t number, char out[VALUE_NUMBER_MAX])
{
	size_t i = 0;
	while (i < UNIT_COUNT - 1 &&
		(setting->type != SETTING_BYTES || number == 0 || number % units[i].bytes))
		i++;
	snprintf(out, VALUE_NUMBER_MAX, "%" PRIu64 "%s", number / units[i].bytes,
		units[i].bytes > 1 ? units[i].name : "");
}

void value_print_bounds(const struct setting *setting, char out[VALUE_BOUNDS_MAX])
{
	char min[VALUE_NUMBER_MAX], max[VALUE_NUMBER_MAX], form[SETTING_FORM_MAX];
	if (*setting_unit(setting)) {
		value_print_number(setting, setting->min, min);
		value_print_number(setting, setting->max, max);
		snprintf(out, VALUE_BOUNDS_MAX, "%s, %s to %s", setting_unit(setting), min, max);
	} else {
		snprintf(out, VALUE_BOUNDS_MAX, "%s",
			setting->choices ? setting_form(setting, form) : "");
	}
}

static int refuse_bounds(
	const struct setting *setting, const char *written, const struct value_place *place)
{
	char min[VALUE_NUMBER_MAX], max[VALUE_NUMBER_MAX], shown[LOG_TEXT_MAX];
	const char *unit = setting->type == SETTING_BYTES ? "" : setting_unit(setting);
	value_print_number(setting, setting->min, min);
	value_print_number(setting, setting->max, max);
	return complain(place->complaint, "%s must be from %s to %s%s%s, not %s", place->named, min,
		max, *unit ? " " : "", unit, log_text(shown, written));
}

/* 0, -EINVAL, or -ERANGE over 64 bits. */
static int parse_number(const char *text, bool with_unit, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0)
		return -EINVAL;
	errno = 0;
	uint64_t number = strtoull(text, NULL, 10), scale = 1;
	bool too_large = errno == ERANGE;
	const char *unit = text + digits;
	if (*unit && with_unit) {
		size_t i = 0;
		unit += strspn(unit, " ");
		while (i < UNIT_COUNT && strcasecmp(unit, units[i].name) != 0)
			i++;
		if (i == UNIT_COUNT)
			return -EINVAL;
		scale = units[i].bytes;
	} else if (*unit) {
		return -EINVAL;
	}
	if (too_large || __builtin_mul_overflow(number, scale, ret))
		return -ERANGE;
	return 0;
}

int value_parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = { "0", "1", "false", "true", "no", "yes", "off", "on" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0) {
			*ret_value = i % 2;
			return 0;
		}
	return -EINVAL;
}

static bool is_choice(const char *choices, const char *text, int *ret_index)
{
	size_t len = strlen(text);
	*ret_index = 0;
	for (const char *at = choices;; at += strcspn(at, " ") + 1, ++*ret_index) {
		size_t word = strcspn(at, " ");
		if (word == len && memcmp(at, text, len) == 0)
			return true;
		if (!at[word])
			return false;
	}
}

/* Texts become attributes, and one that is no UTF-8 would make every request with it invalid. */
static bool is_utf8(const char *text)
{
	json_t *json = json_string(text);
	json_decref(json);
	return json;
}

/* The text, checked and in the arena; NULL after a complaint. */
static char *take_text(
	const struct setting *setting, const char *text, const struct value_place *place)
{
	size_t len = strlen(text);
	int index;
	if (setting->choices && !is_choice(setting->choices, text, &index)) {
		refuse_form(setting, text, place);
		return NULL;
	}
	if (len < setting->min || len > setting->max) {
		complain(place->complaint,
			"%s must be from %" PRIu64 " to %" PRIu64 " bytes long, not %zu",
			place->named, setting->min, setting->max, len);
		return NULL;
	}
	if (!is_utf8(text)) {
		complain(place->complaint, "%s must be UTF-8", place->named);
		return NULL;
	}
	char *copy = copy_text(place, text);
	if (!copy) {
		refuse_memory(place);
		return NULL;
	}
	const char *wanted = setting->check ? setting->check(copy) : NULL;
	if (!wanted)
		return copy;
	char shown[LOG_TEXT_MAX];
	if (setting->is_secret || strchr(text, '@')) /* a URL with a password */
		complain(place->complaint, "%s must be %s", place->named, wanted);
	else
		complain(place->complaint, "%s must be %s, not %s", place->named, wanted,
			log_text(shown, text));
	return NULL;
}

/* Where the service manager has put a file for us is known to the one process that it was put there for. */
static const char *find_path(
	const char *text, char found[CONFIG_PATH_MAX], const struct value_place *place)
{
	static const char variable[] = "$CREDENTIALS_DIRECTORY/";
	const size_t len = sizeof variable - 1;
	char shown[LOG_TEXT_MAX];
	if (strncmp(text, variable, len) != 0)
		return text;
	if (!place->credentials) {
		complain(place->complaint,
			"%s names %s, but CREDENTIALS_DIRECTORY is not set: systemd sets it in a unit "
			"with LoadCredential=",
			place->named, log_text(shown, text));
		return NULL;
	}
	if (snprintf(found, CONFIG_PATH_MAX, "%s/%s", place->credentials, text + len) >=
		CONFIG_PATH_MAX) {
		complain(place->complaint, "%s names a path that is too long", place->named);
		return NULL;
	}
	return found;
}

/* What a secret's file holds, without the line end that editors leave. */
static char *take_secret(const char *path, const struct value_place *place)
{
	char shown[LOG_TEXT_MAX], *secret = NULL;
	struct buf content;
	struct stat status;
	log_text(shown, path);
	buf_init(&content, KEY_MAX_BYTES, NULL);
	int error = stat(path, &status) < 0 ? -errno : 0;
	if (!error)
		error = S_ISREG(status.st_mode) ? file_read(path, &content) : -EINVAL;
	if (error == -EINVAL) {
		complain(place->complaint, "%s must name a plain file; %s is none", place->named,
			shown);
	} else if (error == -E2BIG) {
		complain(place->complaint,
			"%s names %s, which is larger than %d bytes: a key is one short line",
			place->named, shown, KEY_MAX_BYTES);
	} else if (error) {
		complain(place->complaint, "%s names %s, which cannot be read: %s", place->named,
			shown, strerror(-error));
	} else if (status.st_mode & 007) {
		complain(place->complaint, "%s names %s, which everyone can read: chmod o= %s",
			place->named, shown, shown);
	} else {
		buf_append(&content, "", 1);
		char *text = (char *)content.at;
		size_t end = text ? strlen(text) : 0;
		while (end && (text[end - 1] == '\n' || text[end - 1] == '\r'))
			text[--end] = '\0';
		if (content.error || end == 0 || check_key(text) || !is_utf8(text))
			complain(place->complaint,
				"%s names %s, which must hold one word and nothing else",
				place->named, shown);
		else if (!(secret = copy_text(place, text)))
			refuse_memory(place);
	}
	if (content.at)
		explicit_bzero(content.at, content.len);
	buf_done(&content);
	return secret;
}

static int set_list(const struct setting *setting, void *base, const json_t *list,
	const struct value_place *place)
{
	size_t count = json_array_size(list);
	if (count > setting->max)
		return complain(place->complaint, "%s must have at most %" PRIu64 " items, not %zu",
			place->named, setting->max, count);
	char **items = arena_alloc(place->arena, (count + 1) * sizeof *items);
	for (size_t i = 0; items && i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (!text || !*text || strlen(text) > 200)
			return complain(place->complaint,
				"%s must hold texts of 1 to 200 bytes; item %zu is none",
				place->named, i + 1);
		if (!(items[i] = copy_text(place, text)))
			return refuse_memory(place);
	}
	if (!items)
		return refuse_memory(place);
	*(char ***)((char *)base + setting->offset) = items;
	*(size_t *)((char *)base + setting->count_offset) = count;
	return 0;
}

static int set_set(const struct setting *setting, void *base, const json_t *list,
	const struct value_place *place)
{
	unsigned bits = 0;
	size_t count = json_array_size(list);
	for (size_t i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(list, i));
		int index;
		if (!word || !is_choice(setting->choices, word, &index))
			return refuse_form(setting, word, place);
		bits |= 1U << index;
	}
	if (!bits)
		return refuse_form(setting, "an empty list", place);
	*(unsigned *)((char *)base + setting->offset) = bits;
	return 0;
}

static int set_headers(const struct setting *setting, void *base, const json_t *object,
	const struct value_place *place)
{
	size_t count = json_object_size(object), at = 0;
	if (count > setting->max)
		return complain(place->complaint,
			"%s must have at most %" PRIu64 " headers, not %zu", place->named,
			setting->max, count);
	struct header_setting *headers = arena_alloc(place->arena, (count + 1) * sizeof *headers);
	if (!headers)
		return refuse_memory(place);
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value) {
		char shown[LOG_TEXT_MAX];
		const char *text = json_string_value(value), *wanted;
		if ((wanted = check_header_name(name)))
			return complain(place->complaint,
				"the name of a header in %s must be %s, not %s", place->named,
				wanted, log_text(shown, name));
		if ((wanted = text ? check_header_value(text) : "a text"))
			return complain(
				place->complaint, "%s.%s must be %s", place->named, name, wanted);
		headers[at].name = copy_text(place, name);
		headers[at].value = copy_text(place, text);
		if (!headers[at].name || !headers[at].value)
			return refuse_memory(place);
		at++;
	}
	*(struct header_setting **)((char *)base + setting->offset) = headers;
	*(size_t *)((char *)base + setting->count_offset) = count;
	return 0;
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	for (size_t len = strlen(text); len && strchr(" \t", text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

static void decode_percent(char *text)
{
	char *out = text;
	for (char *in = text; *in; in++) {
		unsigned byte;
		if (*in == '%' && strspn(in + 1, "0123456789abcdefABCDEF") >= 2 &&
			sscanf(in + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

/* The forms of a list or of headers in one text, as the JSON that means the same; NULL when neither. */
static json_t *json_of_text(enum setting_type type, char *text)
{
	text = trim(text);
	bool is_list = type != SETTING_HEADERS;
	if (is_list && *text == '[')
		return json_loads(text, 0, NULL);
	json_t *json = is_list ? json_array() : json_object();
	int error = json ? 0 : -1;
	char *rest;
	for (char *part = strtok_r(text, ",", &rest); part && !error;
		part = strtok_r(NULL, ",", &rest)) {
		part = trim(part);
		char *equals = strchr(part, '=');
		if (!*part)
			continue;
		if (is_list) {
			error = json_array_append_new(json, json_string(part));
		} else if (!equals) {
			error = -1;
		} else {
			*equals = '\0';
			char *value = trim(equals + 1);
			decode_percent(value);
			error = json_object_set_new(json, trim(part), json_string(value));
		}
	}
	if (error) {
		json_decref(json);
		json = NULL;
	}
	return json;
}

static int set_compound(const struct setting *setting, void *base, const json_t *json,
	const struct value_place *place)
{
	if (setting->type == SETTING_HEADERS)
		return set_headers(setting, base, json, place);
	return setting->type == SETTING_LIST ? set_list(setting, base, json, place) :
					       set_set(setting, base, json, place);
}

static int set_compound_text(const struct setting *setting, void *base, const char *text,
	const struct value_place *place)
{
	char *copy = copy_text(place, text);
	if (!copy)
		return refuse_memory(place);
	json_t *json = json_of_text(setting->type, copy);
	if (!json && setting->type == SETTING_HEADERS)
		return complain(place->complaint,
			"%s must be headers such as X-Scope-OrgID=team-a,X-Other=b", place->named);
	if (!json)
		return refuse_form(setting, text, place);
	int error = set_compound(setting, base, json, place);
	json_decref(json);
	return error;
}

int value_set_text(const struct setting *setting, void *base, const char *text,
	const struct value_place *place)
{
	void *member = (char *)base + setting->offset;
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SECRET_FILE: {
		char path[CONFIG_PATH_MAX];
		if (setting->type != SETTING_TEXT)
			text = find_path(text, path, place);
		char *value = text ? take_text(setting, text, place) : NULL;
		if (value && setting->type == SETTING_SECRET_FILE)
			value = take_secret(value, place);
		if (!value)
			return -EINVAL;
		*(char **)member = value;
		return 0;
	}
	case SETTING_COUNT:
	case SETTING_BYTES:
	case SETTING_MILLISECONDS: {
		uint64_t number = 0;
		int error = parse_number(text, setting->type == SETTING_BYTES, &number);
		if (error == -ERANGE ||
			(!error && (number < setting->min || number > setting->max)))
			return refuse_bounds(setting, text, place);
		if (error)
			return refuse_form(setting, text, place);
		*(uint64_t *)member = number;
		return 0;
	}
	case SETTING_BOOL:
		return value_parse_bool(text, member) < 0 ? refuse_form(setting, text, place) : 0;
	case SETTING_CHOICE: {
		int index;
		if (!is_choice(setting->choices, text, &index))
			return refuse_form(setting, text, place);
		*(unsigned *)member = (unsigned)index;
		return 0;
	}
	case SETTING_LIST:
	case SETTING_HEADERS:
	case SETTING_SET:
		return set_compound_text(setting, base, text, place);
	}
	return -EINVAL;
}

/* A value of the wrong kind, in words. */
static const char *describe(const json_t *json, char out[LOG_TEXT_MAX])
{
	char shown[LOG_TEXT_MAX];
	switch (json_typeof(json)) {
	case JSON_STRING:
		snprintf(out, LOG_TEXT_MAX, "the text %.200s",
			log_text(shown, json_string_value(json)));
		break;
	case JSON_INTEGER:
		snprintf(out, LOG_TEXT_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		break;
	case JSON_REAL:
		snprintf(out, LOG_TEXT_MAX, "%.17g", json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		return json_is_true(json) ? "true" : "false";
	case JSON_ARRAY:
		return "a list";
	case JSON_OBJECT:
		return "an object";
	case JSON_NULL:
		return "null";
	}
	return out;
}

int value_set_json(const struct setting *setting, void *base, const json_t *json,
	const struct value_place *place)
{
	enum setting_type type = setting->type;
	bool is_number =
		type == SETTING_COUNT || type == SETTING_BYTES || type == SETTING_MILLISECONDS;
	bool is_text = type == SETTING_TEXT || type == SETTING_PATH ||
		type == SETTING_SECRET_FILE || type == SETTING_CHOICE;
	char number[32], shown[LOG_TEXT_MAX], form[SETTING_FORM_MAX];

	if (json_is_null(json))
		return 0;
	if (json_is_string(json) && (is_text || type == SETTING_BYTES))
		return value_set_text(setting, base, json_string_value(json), place);
	if (json_is_integer(json) && is_number) {
		snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		return *number == '-' ? refuse_bounds(setting, number, place) :
					value_set_text(setting, base, number, place);
	}
	if (json_is_boolean(json) && type == SETTING_BOOL)
		return value_set_text(setting, base, json_is_true(json) ? "true" : "false", place);
	if ((json_is_array(json) && (type == SETTING_LIST || type == SETTING_SET)) ||
		(json_is_object(json) && type == SETTING_HEADERS))
		return set_compound(setting, base, json, place);
	if (setting->is_secret)
		return refuse_form(setting, NULL, place);
	return complain(place->complaint, "%s must be %s, not %s", place->named,
		setting_form(setting, form), describe(json, shown));
}

static json_t *list_json(char *const *items, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(items[i]));
	return list;
}

static json_t *set_json(const char *choices, unsigned bits)
{
	json_t *list = json_array();
	for (const char *word = choices; bits; bits >>= 1, word += strcspn(word, " ") + 1)
		if (bits & 1)
			json_array_append_new(list, json_stringn(word, strcspn(word, " ")));
	return list;
}

static json_t *headers_json(const struct header_setting *headers, size_t count)
{
	json_t *object = json_object();
	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, headers[i].name, json_string(headers[i].value));
	return object;
}

json_t *value_json(const struct setting *setting, const void *base)
{
	const void *member = (const char *)base + setting->offset;
	const size_t *count = (const void *)((const char *)base + setting->count_offset);
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SECRET_FILE: {
		const char *text = *(char *const *)member;
		return text ? json_string(text) : json_null();
	}
	case SETTING_COUNT:
	case SETTING_BYTES:
	case SETTING_MILLISECONDS:
		return json_integer((json_int_t) * (const uint64_t *)member);
	case SETTING_BOOL:
		return json_boolean(*(const bool *)member);
	case SETTING_CHOICE: {
		const char *word = setting->choices;
		for (unsigned i = *(const unsigned *)member; i > 0; i--)
			word += strcspn(word, " ") + 1;
		return json_stringn(word, strcspn(word, " "));
	}
	case SETTING_LIST:
		return list_json(*(char **const *)member, *count);
	case SETTING_SET:
		return set_json(setting->choices, *(const unsigned *)member);
	case SETTING_HEADERS:
		return headers_json(*(struct header_setting *const *)member, *count);
	}
	return NULL;
}
