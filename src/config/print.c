/* What the tables say: help for a terminal of 80 columns, and a file to begin with. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/environment.h"
#include "config/settings.h"
#include "config/values.h"

enum { INDENT = 6, COLUMNS = 78 };

/* Words one after the other, on a new indented line when they would cross the margin. */
static void print_words(const char *text, int *column)
{
	while (*text) {
		int len = (int)strcspn(text, " ");
		if (*column + 1 + len > COLUMNS) {
			printf("\n");
			*column = 0;
		}
		*column += printf("%*s%.*s", *column ? 1 : INDENT, "", len, text);
		text += len + strspn(text + len, " ");
	}
}

static void print_row(const char *prefix, const struct setting *row)
{
	int column = 0;
	printf("  %s%s = %s", prefix, row->name, row->fallback ? row->fallback : "(unset)");
	char bounds[VALUE_BOUNDS_MAX];
	value_print_bounds(row, bounds);
	printf("%s%s\n", *bounds ? "   " : "", bounds);
	print_words(row->sentence, &column);
	if (row->langfuse_fallback) {
		print_words("Default for Langfuse:", &column);
		print_words(row->langfuse_fallback, &column);
	}
	if (row->is_reloaded)
		print_words("SIGHUP reads it again.", &column);
	printf("\n");
}

static void print_section(const struct section *section)
{
	char prefix[64];
	snprintf(prefix, sizeof prefix, "%s.NAME.", section->name);
	printf("\nOf each %s; NAME is yours to choose:\n\n", section->one);
	for (size_t i = 0; i < section->setting_count; i++)
		print_row(prefix, &section->settings[i]);
}

void config_print_settings(void)
{
	printf("Settings, with default, unit and bounds. In the JSON file they are nested\n"
	       "objects: {\"http\": {\"threads\": 4}}. As variables they are TOLLGATE_ and the name\n"
	       "in capitals: TOLLGATE_HTTP_THREADS=4. Sizes may be written as \"64MiB\", and paths\n"
	       "may begin with $CREDENTIALS_DIRECTORY/, where systemd puts what LoadCredential=\n"
	       "of the unit names.\n\n");
	for (size_t i = 0; i < setting_count; i++)
		print_row("", &settings[i]);
	for (size_t i = 0; i < SECTION_COUNT; i++)
		print_section(&sections[i]);
	printf("\nVariables that set the same:\n\n");
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].setting)
			printf("  %-34s %s\n", variables[i].name, variables[i].setting);
}

static json_t *default_list(const char *text)
{
	json_t *list = json_array();
	for (size_t len; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, len));
	}
	return list;
}

static json_t *default_json(const struct setting *row, bool is_langfuse)
{
	const char *text =
		is_langfuse && row->langfuse_fallback ? row->langfuse_fallback : row->fallback;
	if (!text)
		return json_null();
	if (row->type == SETTING_BOOL)
		return json_boolean(strcmp(text, "true") == 0);
	if (row->type == SETTING_COUNT || row->type == SETTING_MILLISECONDS)
		return json_integer(strtoll(text, NULL, 10));
	if (row->type == SETTING_LIST || row->type == SETTING_SET)
		return default_list(text);
	return json_string(text);
}

static void add_example(json_t *file, const struct setting *row)
{
	const char *dot = strchr(row->name, '.');
	json_t *group = file;
	if (dot) {
		size_t len = (size_t)(dot - row->name);
		group = json_object_getn(file, row->name, len);
		if (!group) {
			group = json_object();
			json_object_setn_new(file, row->name, len, group);
		}
	}
	json_object_set_new(group, dot ? dot + 1 : row->name, default_json(row, false));
}

/* Switched off, and of a name that no variable completes. */
static json_t *example_destination(const char *type, const char *endpoint)
{
	bool is_langfuse = strcmp(type, "langfuse") == 0;
	json_t *destination = json_object();
	const struct section *section = &sections[SECTION_DESTINATIONS];
	for (size_t i = 0; i < section->setting_count; i++)
		json_object_set_new(destination, section->settings[i].name,
			default_json(&section->settings[i], is_langfuse));
	json_object_set_new(destination, "type", json_string(type));
	json_object_set_new(destination, "enabled", json_false());
	json_object_set_new(destination, "endpoint", json_string(endpoint));
	return destination;
}

void config_print_example(void)
{
	json_t *file = json_object(), *destinations = json_object();
	for (size_t i = 0; i < setting_count; i++)
		add_example(file, &settings[i]);
	json_object_set_new(file, "destinations", destinations);
	json_object_set_new(destinations, "example-langfuse",
		example_destination("langfuse", "https://cloud.langfuse.com"));
	json_object_set_new(destinations, "example-tempo",
		example_destination("otlp", "http://tempo.example:4318"));
	json_object_set_new(file, sections[SECTION_PROJECTS].name, json_object());
	json_dumpf(file, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(file);
}
