/* The tables of the README. */
#include <stdio.h>
#include <string.h>

#include "cli/manual.h"
#include "config/environment.h"
#include "config/settings.h"

/* A cell's text: what would end it is escaped. */
static void put_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

/* ---- settings ---- */

/* Its own variable, and others that set the same; of a destination those for one of its name. */
static void put_setting_variables(const struct section *section, const struct setting *setting)
{
	char own[SETTING_VARIABLE_MAX];
	const char *between = "";
	if (!section) {
		setting_variable(setting, own);
		printf("`%s`", own);
		between = ", ";
	}
	for (size_t i = 0; i < variable_count; i++) {
		const char *name = variables[i].setting;
		if (section && name && strncmp(name, section->name, strlen(section->name)) == 0)
			name = strrchr(name, '.') + 1;
		else if (section)
			name = NULL;
		if (!name || strcmp(name, setting->name) != 0)
			continue;
		printf("%s`%s`", between, variables[i].name);
		between = ", ";
	}
}

static void put_default(const struct setting *setting)
{
	if (setting->fallback)
		printf("`%s`", setting->fallback);
	if (setting->fallback && setting->langfuse_fallback)
		printf("; ");
	if (setting->langfuse_fallback)
		printf("Langfuse: `%s`", setting->langfuse_fallback);
}

static void put_setting(const struct section *section, const struct setting *setting)
{
	printf("| `%s` | ", setting->name);
	put_setting_variables(section, setting);
	printf(" | ");
	put_default(setting);
	printf(" | ");
	put_cell(setting->sentence);
	printf("%s |\n", setting->is_reloaded ? " SIGHUP reads it again." : "");
}

static void begin_table(void)
{
	printf("| name | variable | default | meaning |\n|---|---|---|---|\n");
}

void manual_settings(void)
{
	begin_table();
	for (size_t i = 0; i < setting_count; i++)
		put_setting(NULL, &settings[i]);
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		printf("\nOf each %s, `%s.NAME.` before the name:\n\n", sections[i].one,
			sections[i].name);
		begin_table();
		for (size_t j = 0; j < sections[i].setting_count; j++)
			put_setting(&sections[i], &sections[i].settings[j]);
	}
}
