/* The help that the tables give. */
#include <stdio.h>

#include "config/config.h"
#include "config/environment.h"
#include "config/settings.h"

static void print_row(const struct setting *row)
{
	printf(" %-15s %-11s %s", row->fallback ? row->fallback : "-", setting_unit(row),
		row->sentence);
	if (row->choices)
		printf(" Words: %s.", row->choices);
	if (row->langfuse_fallback)
		printf(" Default for Langfuse: %s.", row->langfuse_fallback);
	printf("\n");
}

void config_print_settings(void)
{
	printf("Settings, with variable, default and unit. In the JSON file they are nested objects:\n"
	       "{\"http\": {\"threads\": 4}}. Sizes may be written as \"64MiB\".\n\n");
	for (size_t i = 0; i < setting_count; i++) {
		char variable[SETTING_VARIABLE_MAX];
		setting_variable(&settings[i], variable);
		printf("  %-31s %-40s", settings[i].name, variable);
		print_row(&settings[i]);
	}
	printf("\nOf each destination; NAME is yours to choose:\n\n");
	for (size_t i = 0; i < destination_setting_count; i++) {
		printf("  destinations.NAME.%-18s", destination_settings[i].name);
		print_row(&destination_settings[i]);
	}
	printf("\nVariables that set the same:\n\n");
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].setting)
			printf("  %-36s %s\n", variables[i].name, variables[i].setting);
}
