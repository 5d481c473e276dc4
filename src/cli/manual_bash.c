/* The completion for bash: man/tollgate.bash.text with cases made of the commands' structs. */
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "config/settings.h"

/* Whether one of the words in a text of operands is the name of a file. */
static bool names_files(const char *operands)
{
	static const char *const words[] = { "FILE", "PATH", "DIR" };
	for (size_t i = 0; operands && i < sizeof words / sizeof *words; i++)
		if (strstr(operands, words[i]))
			return true;
	return false;
}

/* Whether the first operand may repeat: "PATH...". */
static bool repeats(const char *operands)
{
	const char *dots = strstr(operands, "...");
	return dots && (size_t)(dots - operands) < strcspn(operands, " ");
}

/* "list" of "list --unknown". */
static int operands_len(const struct verb *verb)
{
	const char *flag = strstr(verb->words, " --");
	return (int)(flag ? flag - verb->words : (long)strlen(verb->words));
}

/* ---- operands, a line for each way to begin ---- */

static void put_beginnings(void)
{
	for (const struct command *const *command = commands; *command; command++) {
		printf("%s\n", (*command)->name);
		for (const struct verb *verb = (*command)->verbs; verb && verb->words; verb++)
			if (*verb->words)
				printf("%s %.*s\n", (*command)->name, operands_len(verb),
					verb->words);
	}
}

/* ---- what stands behind operands ---- */

static void put_command_names(void)
{
	for (const struct command *const *command = commands; *command; command++)
		printf("%s%s", command == commands ? "" : " ", (*command)->name);
}

/*   len       of `words`
 *   has_more  when more operands follow, too */
static void put_case(const struct command *command, const char *words, int len, bool has_more)
{
	const char *blank = len ? " " : "";
	printf("\t'%s%s%.*s'", command->name, blank, len, words);
	if (has_more)
		printf(" | '%s%s%.*s '*", command->name, blank, len, words);
	printf(") ");
}

static void put_flags(const struct command *command, unsigned taken, const char *operands)
{
	printf("flags+='");
	for (size_t i = 0; command->flags && command->flags[i].name; i++)
		if (taken >> i & 1)
			printf("%s ", command->flags[i].name);
	printf("--help '%s ;;&\n", names_files(operands) ? " files=1" : "");
}

static void put_verb(const struct command *command, const struct verb *verb)
{
	int len = operands_len(verb);
	put_case(command, verb->words, len, len > 0);
	put_flags(command, verb->flags, verb->operands);
}

static void put_plain(const struct command *command)
{
	bool is_about_commands = strstr(command->operands, "COMMAND");
	put_case(command, "", 0, true);
	put_flags(command, ~0u, command->operands);
	if (!command->values && !is_about_commands)
		return;
	put_case(command, "", 0, repeats(command->operands));
	printf("words+=' ");
	if (is_about_commands)
		put_command_names();
	else
		printf("%s", command->values);
	printf("' ;;&\n");
}

static void put_next(void)
{
	printf("\t'') flags='--help --version' ;;\n");
	for (const struct command *const *command = commands; *command; command++) {
		for (const struct verb *verb = (*command)->verbs; verb && verb->words; verb++)
			put_verb(*command, verb);
		if (!(*command)->verbs)
			put_plain(*command);
	}
}

/* ---- values of flags ---- */

static void put_setting_names(void)
{
	for (size_t i = 0; i < setting_count; i++)
		if (!settings[i].is_secret)
			printf("%s%s=", i ? " " : "", settings[i].name);
}

static void put_flag_values(void)
{
	for (const struct command *const *command = commands; *command; command++)
		for (const struct flag *flag = (*command)->flags; flag && flag->name; flag++) {
			if (!flag->value_name)
				continue;
			printf("\t'%s %s')", (*command)->name, flag->name);
			if (flag->values)
				printf(" words='%s'", flag->values);
			if (strcmp(flag->value_name, "NAME=VALUE") == 0) {
				printf(" words='");
				put_setting_names();
				printf("'");
			}
			printf("%s ;;\n", names_files(flag->value_name) ? " files=1" : "");
		}
}

void manual_completion(void)
{
	static const struct {
		const char *mark;
		void (*put)(void);
	} parts[] = {
		{ "@beginnings\n", put_beginnings },
		{ "@next\n", put_next },
		{ "@values\n", put_flag_values },
	};
	struct bytes text = bytes_of(text_tollgate_bash), line;
	while (lines_next(&text, &line)) {
		bool is_part = false;
		for (size_t i = 0; i < sizeof parts / sizeof *parts && !is_part; i++)
			if ((is_part = bytes_are(line, parts[i].mark)))
				parts[i].put();
		if (!is_part)
			printf("%.*s", (int)line.len, (const char *)line.at);
	}
}
