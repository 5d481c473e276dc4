/* The manual pages: the texts of man/ and what the tables say, in the macros of man(7). */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/prose.h"
#include "config/environment.h"
#include "config/settings.h"
#include "config/values.h"
#include "findings.h"

enum { LINE_CHARS = 60, TERM_MAX = 256 };

struct roff {
	size_t column;    /* of the line that is being written */
	bool is_literal;  /* within `...` */
	bool has_heading; /* nothing stands below it yet */
};

static void end_line(struct roff *roff)
{
	if (roff->column)
		putchar('\n');
	roff->column = 0;
}

/* Returns how many characters it took. */
static int put_char(uint8_t c)
{
	switch (c) {
	case '\\':
		return printf("\\e");
	case '-':
		return printf("\\-");
	case '~':
		return printf("\\(ti");
	case '^':
		return printf("\\(ha");
	case '\'':
		return printf("\\(aq");
	default:
		return printf("%c", c);
	}
}

static void put_bold(const char *text)
{
	printf("\\fB");
	while (*text)
		put_char((uint8_t)*text++);
	printf("\\fR");
}

static void put_word(struct roff *roff, struct bytes word)
{
	if (roff->column && roff->column + word.len > LINE_CHARS)
		end_line(roff);
	roff->column += (size_t)printf("%s", roff->column ? " " : *word.at == '.' ? "\\&" : "");
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] != '`')
			roff->column += (size_t)put_char(word.at[i]);
		else
			roff->column += (size_t)printf(
				(roff->is_literal = !roff->is_literal) ? "\\fB" : "\\fR");
}

/* A new sentence begins a new line. */
static void put_words(struct roff *roff, struct bytes text)
{
	for (size_t len; text.len; text = (struct bytes){ text.at + len, text.len - len }) {
		for (len = 0; len < text.len && text.at[len] != ' ' && text.at[len] != '\n'; len++)
			;
		if (len)
			put_word(roff, (struct bytes){ text.at, len });
		if (len > 1 && text.at[len - 1] == '.')
			end_line(roff);
		len += len < text.len;
	}
}

static void put_text(struct roff *roff, const char *text)
{
	put_words(roff, bytes_of(text));
}

/* "[SESSION | --last N]": what is in capitals stands for something else. */
static void put_usage(const char *text)
{
	while (*text) {
		size_t capitals = 0;
		while (isupper((unsigned char)text[capitals]))
			capitals++;
		if (capitals)
			printf("\\fI%.*s\\fR", (int)capitals, text);
		text += capitals;
		size_t rest = strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		for (; rest; rest--)
			put_char((uint8_t)*text++);
	}
}

static void put_heading(struct roff *roff, const char *macro, struct bytes text)
{
	end_line(roff);
	printf(".%s %.*s\n", macro, (int)text.len, (const char *)text.at);
	roff->has_heading = true;
}

static void begin_paragraph(struct roff *roff)
{
	end_line(roff);
	if (!roff->has_heading)
		printf(".PP\n");
	roff->has_heading = false;
}

static void begin_item(struct roff *roff)
{
	end_line(roff);
	printf(".TP\n");
	roff->has_heading = false;
}

/* ---- commands ---- */

static void put_flag(const struct flag *flag)
{
	put_bold(flag->name);
	if (flag->value_name) {
		putchar(' ');
		put_usage(flag->value_name);
	}
}

static void put_usage_line(const struct command *command, const struct verb *verb)
{
	const char *words = verb ? verb->words : "";
	const char *operands = verb ? verb->operands : command->operands;
	unsigned taken = verb ? verb->flags : ~0u;
	char name[TERM_MAX];
	snprintf(name, sizeof name, "tollgate %s%s%s", command->name, *words ? " " : "", words);
	put_bold(name);
	printf("\n");
	for (size_t i = 0; command->flags && command->flags[i].name; i++) {
		if (!(taken >> i & 1) || strstr(words, command->flags[i].name))
			continue;
		putchar('[');
		put_flag(&command->flags[i]);
		printf("]\n");
	}
	put_usage(operands);
	printf("%s", *operands ? "\n" : "");
}

static void put_values(struct roff *roff, const char *values)
{
	put_text(roff, "One of");
	for (size_t len; *values; values += len + (values[len] == ' ')) {
		char word[TERM_MAX];
		len = strcspn(values, " ");
		snprintf(word, sizeof word, "`%.*s`%s", (int)len, values, values[len] ? "," : ".");
		put_text(roff, word);
	}
}

static void put_flags(struct roff *roff, const struct flag *flags)
{
	for (const struct flag *flag = flags; flag && flag->name; flag++) {
		begin_item(roff);
		put_flag(flag);
		printf("\n");
		put_text(roff, flag->sentence);
		if (flag->values)
			put_values(roff, flag->values);
	}
}

static void put_verbs(struct roff *roff, const struct verb *verbs)
{
	for (const struct verb *verb = verbs; verb && verb->words; verb++) {
		if (!*verb->sentence)
			continue;
		begin_item(roff);
		put_bold(verb->words);
		printf("%s", *verb->operands ? " " : "");
		put_usage(verb->operands);
		printf("\n");
		put_text(roff, verb->sentence);
	}
}

static void put_prose(struct roff *roff, struct bytes text);

static void put_command(struct roff *roff, const struct command *command)
{
	char name[TERM_MAX];
	snprintf(name, sizeof name, "tollgate %s", command->name);
	put_heading(roff, "SS", bytes_of(name));
	if (!command->verbs)
		put_usage_line(command, NULL);
	for (const struct verb *verb = command->verbs; verb && verb->words; verb++) {
		if (verb != command->verbs)
			printf(".br\n");
		put_usage_line(command, verb);
	}
	roff->has_heading = false;
	begin_paragraph(roff);
	put_text(roff, command->sentence);
	put_verbs(roff, command->verbs);
	put_flags(roff, command->flags);
	put_prose(roff, bytes_of(command->manual));
	if (command->exits) {
		char text[TERM_MAX];
		snprintf(text, sizeof text, "Exit status: %s.", command->exits);
		begin_paragraph(roff);
		put_text(roff, text);
	}
}

static void put_commands(struct roff *roff)
{
	for (const struct command *const *command = commands; *command; command++)
		put_command(roff, *command);
}

/* ---- settings ---- */

static void put_setting(struct roff *roff, const struct setting *setting)
{
	char bounds[VALUE_BOUNDS_MAX], text[TERM_MAX];
	begin_item(roff);
	put_bold(setting->name);
	if (setting->fallback)
		printf(" = %s", setting->fallback);
	printf("\n");
	put_text(roff, setting->sentence);
	if (setting->langfuse_fallback) {
		snprintf(
			text, sizeof text, "Default for Langfuse: %s.", setting->langfuse_fallback);
		put_text(roff, text);
	}
	if (setting->is_reloaded)
		put_text(roff, "SIGHUP reads it again.");
	value_print_bounds(setting, bounds);
	snprintf(text, sizeof text, "(%s)", bounds);
	put_text(roff, *bounds ? text : "");
}

/* Those of one object of the file stand below its name. */
static void put_settings(struct roff *roff)
{
	struct bytes object = { 0 };
	for (const struct setting *setting = settings; setting < settings + setting_count;
		setting++) {
		const char *dot = strchr(setting->name, '.');
		struct bytes name = { (const uint8_t *)setting->name,
			dot ? (size_t)(dot - setting->name) : 0 };
		if (!bytes_equal(name, object))
			put_heading(roff, "SS", name);
		object = name;
		put_setting(roff, setting);
	}
}

static void put_section(struct roff *roff, const struct section *section)
{
	for (size_t i = 0; i < section->setting_count; i++)
		put_setting(roff, &section->settings[i]);
}

static void put_destinations(struct roff *roff)
{
	put_section(roff, &sections[SECTION_DESTINATIONS]);
}

static void put_projects(struct roff *roff)
{
	put_section(roff, &sections[SECTION_PROJECTS]);
}

static void put_variables(struct roff *roff)
{
	char text[TERM_MAX];
	for (const struct variable *row = variables; row < variables + variable_count; row++) {
		if (!row->setting)
			continue;
		begin_item(roff);
		snprintf(text, sizeof text, "`%s`", row->name);
		put_text(roff, text);
		end_line(roff);
		if (row->form == VARIABLE_SWITCH)
			snprintf(text, sizeof text, "When %s, `%s` is `%s`.",
				row->on ? "true" : "false", row->setting,
				row->on ? row->on : row->off);
		else
			snprintf(text, sizeof text, "Sets `%s`%s.", row->setting,
				row->form == VARIABLE_SECONDS ? ", in seconds" : "");
		put_text(roff, text);
	}
}

/* ---- findings ---- */

static void put_findings(struct roff *roff)
{
	for (size_t i = 0; i < FINDING_KIND_COUNT; i++) {
		begin_item(roff);
		put_bold(finding_rows[i].name);
		printf("\n");
		put_text(roff, finding_rows[i].what);
		put_text(roff, finding_rows[i].shows);
		end_line(roff);
		printf(".br\n");
		put_text(roff, finding_rows[i].mend);
	}
}

/* ---- pages ---- */

static const struct part {
	const char *mark;
	void (*put)(struct roff *roff);
} parts[] = {
	{ "@commands", put_commands },
	{ "@settings", put_settings },
	{ "@destinations", put_destinations },
	{ "@projects", put_projects },
	{ "@variables", put_variables },
	{ "@findings", put_findings },
};

static const struct part *find_part(struct bytes text)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (bytes_are(text, parts[i].mark))
			return &parts[i];
	return NULL;
}

static void put_verbatim(struct bytes text)
{
	printf(".nf\n");
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] != '\t')
			put_char(text.at[i]);
	printf("\n.fi\n");
}

static void put_prose(struct roff *roff, struct bytes text)
{
	for (struct prose prose; prose_next(&text, &prose);) {
		const struct part *part = find_part(prose.text);
		if (part) {
			part->put(roff);
			continue;
		}
		switch (prose.kind) {
		case PROSE_HEADING:
			put_heading(roff, "SH", prose.text);
			continue;
		case PROSE_ITEM:
			begin_item(roff);
			put_words(roff, prose.term);
			end_line(roff);
			break;
		default:
			begin_paragraph(roff);
		}
		if (prose.kind == PROSE_VERBATIM)
			put_verbatim(prose.text);
		else
			put_words(roff, prose.text);
	}
	end_line(roff);
}

static void put_page(const char *title, int section, const char *text)
{
	struct roff roff = { 0 };
	printf(".\\\" Printed by tollgate manual.\n");
	printf(".TH %s %d %s \"tollgate %s\"\n", title, section, RELEASE_DATE, PACKAGE_VERSION);
	put_prose(&roff, bytes_of(text));
}

void manual_tollgate(void)
{
	put_page("TOLLGATE", 1, text_tollgate_1);
}

void manual_tollgate_json(void)
{
	put_page("TOLLGATE.JSON", 5, text_tollgate_json_5);
}
