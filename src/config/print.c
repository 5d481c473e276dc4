/* The help that the tables give, for a terminal of 80 columns. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/environment.h"
#include "config/settings.h"

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

static void print_amount(const struct setting *row, uint64_t amount)
{
	static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;
	while (row->type == SETTING_BYTES && amount && amount % 1024 == 0 && unit + 1 < 5) {
		amount /= 1024;
		unit++;
	}
	printf("%" PRIu64 "%s", amount, units[unit]);
}

static bool has_bounds(const struct setting *row)
{
	return row->type == SETTING_COUNT || row->type == SETTING_BYTES ||
		row->type == SETTING_MILLISECONDS;
}

static void print_row(const char *prefix, const struct setting *row)
{
	int column = 0;
	printf("  %s%s = %s", prefix, row->name, row->fallback ? row->fallback : "(unset)");
	if (has_bounds(row)) {
		printf("   %s, ", setting_unit(row));
		print_amount(row, row->min);
		printf(" to ");
		print_amount(row, row->max);
	} else if (row->choices) {
		printf("   one of: %s", row->choices);
	}
	printf("\n");
	print_words(row->sentence, &column);
	if (row->langfuse_fallback) {
		print_words("Default for Langfuse:", &column);
		print_words(row->langfuse_fallback, &column);
	}
	printf("\n");
}

void config_print_settings(void)
{
	printf("Settings, with default, unit and bounds. In the JSON file they are nested\n"
	       "objects: {\"http\": {\"threads\": 4}}. As variables they are TOLLGATE_ and the name\n"
	       "in capitals: TOLLGATE_HTTP_THREADS=4. Sizes may be written as \"64MiB\".\n\n");
	for (size_t i = 0; i < setting_count; i++)
		print_row("", &settings[i]);
	printf("\nOf each destination; NAME is yours to choose:\n\n");
	for (size_t i = 0; i < destination_setting_count; i++)
		print_row("destinations.NAME.", &destination_settings[i]);
	printf("\nVariables that set the same:\n\n");
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].setting)
			printf("  %-34s %s\n", variables[i].name, variables[i].setting);
}
