/* The tables of the README. */
#include <stdio.h>
#include <string.h>

#include "cli/manual.h"
#include "config/environment.h"
#include "config/settings.h"
#include "findings.h"

/* A cell's text: what markdown would take for its own is escaped. */
static void put_cell(const char *text)
{
	for (; *text; text++)
		printf(strchr("|<*", *text) ? "\\%c" : "%c", *text);
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

/* Each object of the file has a table. */
static void begin_table(const char *name, int len)
{
	if (len)
		printf("\n### %.*s\n\n", len, name);
	printf("| name | variable | default | meaning |\n|---|---|---|---|\n");
}

void manual_settings(void)
{
	int len = -1;
	for (const struct setting *row = settings; row < settings + setting_count; row++) {
		const char *dot = strchr(row->name, '.');
		int own = dot ? (int)(dot - row->name) : 0;
		if (own != len || strncmp(row->name, row[-1].name, (size_t)own) != 0)
			begin_table(row->name, own);
		len = own;
		put_setting(NULL, row);
	}
	for (const struct section *section = sections; section < sections + SECTION_COUNT;
		section++) {
		char name[64];
		begin_table(name, snprintf(name, sizeof name, "%s.NAME", section->name));
		for (size_t i = 0; i < section->setting_count; i++)
			put_setting(section, &section->settings[i]);
	}
}

/* ---- findings ---- */

void manual_findings(void)
{
	printf("| finding | what is wrong | how it shows | what mends it |\n|---|---|---|---|\n");
	for (size_t i = 0; i < FINDING_KIND_COUNT; i++) {
		const struct finding_row *row = &finding_rows[i];
		const char *const cells[] = { row->what, row->shows, row->mend };
		printf("| `%s`", row->name);
		for (size_t j = 0; j < sizeof cells / sizeof *cells; j++) {
			printf(" | ");
			put_cell(cells[j]);
		}
		printf(" |\n");
	}
}
