#include "config/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/objects.h"
#include "config/values.h"

enum { NAME_MAX_BYTES = 128, COLUMNS = 80, ORIGIN_COLUMN = 51 };

static const char mask[] = "********";

/* One value of a configuration with all that is known of it. */
struct shown {
	const char *name;
	const struct setting *row;
	const struct origin *origin;
	const void *base;
};

typedef void visitor(const struct shown *shown, void *arg);

static void visit_object(const struct object *object, visitor *visit, void *arg)
{
	for (size_t i = 0; i < object->section->setting_count; i++) {
		const struct setting *row = &object->section->settings[i];
		char name[NAME_MAX_BYTES];
		if (setting_of(row) != row)
			continue;
		snprintf(name, sizeof name, "%s.%s.%s", object->section->name, object->name,
			row->name);
		visit(&(struct shown){ name, row, &object->origins[i], object->base }, arg);
	}
}

static void visit_settings(const struct config *config, visitor *visit, void *arg)
{
	for (size_t i = 0; i < setting_count; i++)
		visit(&(struct shown){ settings[i].name, &settings[i], &config->origins[i],
			      config },
			arg);
}

static json_t *mask_headers(json_t *headers)
{
	const char *name;
	json_t *value;
	json_object_foreach(headers, name, value)
		json_object_set_new(headers, name, json_string(mask));
	return headers;
}

/* Keys are replaced, and of headers and of a URL's query what they hold. */
static json_t *mask_value(const struct setting *row, json_t *value)
{
	const char *text = json_string_value(value);
	const char *query = text && strstr(text, "://") ? strchr(text, '?') : NULL;
	if (row->type == SETTING_HEADERS)
		return mask_headers(value);
	json_t *masked = NULL;
	if (row->is_secret && text)
		masked = json_string(mask);
	else if (query)
		masked = json_sprintf("%.*s?%s", (int)(query - text), text, mask);
	if (!masked)
		return value;
	json_decref(value);
	return masked;
}

static json_t *shown_value(const struct shown *shown)
{
	return mask_value(shown->row, value_json(shown->row, shown->base));
}

static void print_origin(const struct origin *origin, char *out, size_t size)
{
	switch (origin->kind) {
	case ORIGIN_DEFAULT:
		snprintf(out, size, "default");
		break;
	case ORIGIN_FILE:
		snprintf(out, size, "%s:%d", origin->name, origin->line);
		break;
	case ORIGIN_ENVIRONMENT:
		snprintf(out, size, "environment %s", origin->name);
		break;
	case ORIGIN_FLAG:
		snprintf(out, size, "flag --set");
		break;
	}
}

static void add_value(const struct shown *shown, void *values)
{
	char origin[CONFIG_PATH_MAX + 32];
	print_origin(shown->origin, origin, sizeof origin);
	json_object_set_new(values, shown->name,
		json_pack("{s:o, s:s}", "value", shown_value(shown), "origin", origin));
}

json_t *config_values(const struct config *config)
{
	json_t *values = json_object();
	struct object object;
	visit_settings(config, add_value, values);
	for (size_t i = 0; object_at(config, i, &object); i++)
		visit_object(&object, add_value, values);
	return values;
}

/* As a person would write it; "-" for what is not set. */
static char *value_text(const struct shown *shown)
{
	char bytes[VALUE_NUMBER_MAX];
	json_t *value = shown_value(shown);
	char *text = NULL;
	if (json_is_string(value)) {
		text = strdup(json_string_value(value));
	} else if (json_is_integer(value)) {
		value_print_number(shown->row, (uint64_t)json_integer_value(value), bytes);
		text = strdup(bytes);
	} else if (value && !json_is_null(value)) {
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	} else {
		text = strdup("-");
	}
	json_decref(value);
	return text;
}

/* Where the line would not fit, the origin stands below the value, and the value below its name. */
static void print_value(const struct shown *shown, void *name_width)
{
	char origin[CONFIG_PATH_MAX + 32];
	char *text = value_text(shown);
	int name = *(const int *)name_width, width = ORIGIN_COLUMN - 4 - name;
	int value = text ? (int)strlen(text) : 0;
	print_origin(shown->origin, origin, sizeof origin);
	int line = name + 2 + (value > width ? value : width) + 2 + (int)strlen(origin);
	bool fits = name + 2 + value <= COLUMNS;
	printf("%-*s%s%-*s", fits ? name : 0, shown->name, fits ? "  " : "\n    ",
		line > COLUMNS ? 0 : width, text ? text : "");
	if (line > COLUMNS)
		printf("\n%*s", name, "");
	printf("  %s\n", origin);
	free(text);
}

static void widen(const struct shown *shown, void *name_width)
{
	int *width = name_width, len = (int)strlen(shown->name);
	if (*width < len)
		*width = len;
}

void config_print_values(const struct config *config)
{
	int width = 0;
	visit_settings(config, widen, &width);
	visit_settings(config, print_value, &width);
	struct object object;
	for (size_t i = 0; object_at(config, i, &object); i++) {
		width = 0;
		printf("\n");
		visit_object(&object, widen, &width);
		visit_object(&object, print_value, &width);
	}
}

/* ---- what differs ---- */

struct comparison {
	const void *before;
	void (*tell)(const char *name, const struct setting *row, void *arg);
	void *arg;
};

static void compare_value(const struct shown *now, void *arg)
{
	const struct comparison *comparison = arg;
	json_t *value = value_json(now->row, now->base),
	       *before = value_json(now->row, comparison->before);
	if (!json_equal(value, before))
		comparison->tell(now->name, now->row, comparison->arg);
	json_decref(value);
	json_decref(before);
}

static void tell_alone(const struct object *object, struct comparison *comparison)
{
	char name[NAME_MAX_BYTES];
	snprintf(name, sizeof name, "%s.%s", object->section->name, object->name);
	comparison->tell(name, NULL, comparison->arg);
}

void config_compare(const struct config *before, const struct config *now,
	void (*tell)(const char *name, const struct setting *row, void *arg), void *arg)
{
	struct comparison comparison = { before, tell, arg };
	struct object object, other;
	visit_settings(now, compare_value, &comparison);
	for (size_t i = 0; object_at(now, i, &object); i++) {
		if (object_find(before, object.section, object.name, &other)) {
			comparison.before = other.base;
			visit_object(&object, compare_value, &comparison);
		} else {
			tell_alone(&object, &comparison);
		}
	}
	for (size_t i = 0; object_at(before, i, &object); i++)
		if (!object_find(now, object.section, object.name, &other))
			tell_alone(&object, &comparison);
}
