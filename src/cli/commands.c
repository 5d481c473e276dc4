#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/complaint.h"
#include "base/nearest.h"

enum { LINE_COLUMNS = 80, FLAG_TEXT_MAX = 64 };

extern const struct command command_serve, command_config, command_key, command_hook, command_send,
	command_show, command_sessions, command_cost, command_prices, command_spool, command_verify,
	command_doctor, command_help, command_version;

const struct command *const commands[] = {
	&command_serve,
	&command_config,
	&command_key,
	&command_hook,
	&command_send,
	&command_show,
	&command_sessions,
	&command_cost,
	&command_prices,
	&command_spool,
	&command_verify,
	&command_doctor,
	&command_help,
	&command_version,
	NULL,
};

const struct command *command_find(const char *name)
{
	struct nearest nearest = { .wanted = name };
	for (const struct command *const *command = commands; *command; command++) {
		if (strcmp((*command)->name, name) == 0)
			return *command;
		nearest_offer(&nearest, (*command)->name);
	}
	fprintf(stderr, "tollgate: there is no command %s; the nearest is %s\n", name,
		nearest.word);
	return NULL;
}

/* Words, each behind the last or below it where the line is full. */
struct paragraph {
	size_t indent;
	size_t column; /* the indent until a word stands there */
};

static void put_word(struct paragraph *paragraph, const char *word, size_t len)
{
	bool is_first = paragraph->column == paragraph->indent;
	if (!is_first && paragraph->column + 1 + len > LINE_COLUMNS) {
		printf("\n%*s", (int)paragraph->indent, "");
		paragraph->column = paragraph->indent;
	} else if (!is_first) {
		putchar(' ');
		paragraph->column++;
	}
	printf("%.*s", (int)len, word);
	paragraph->column += len;
}

/* What stands in brackets is one word. */
static size_t word_len(const char *text)
{
	size_t len = 0, depth = 0;
	for (; text[len] && (text[len] != ' ' || depth); len++) {
		depth += text[len] == '[';
		depth -= text[len] == ']' && depth;
	}
	return len;
}

static void put_words(struct paragraph *paragraph, const char *text)
{
	for (size_t len; *(text += strspn(text, " ")); text += len) {
		len = word_len(text);
		put_word(paragraph, text, len);
	}
}

/* A row of a list: what it is about, padded to `width`, and a sentence beside it. */
static void print_row(const char *name, size_t width, const char *sentence)
{
	struct paragraph paragraph = { width + 4, width + 4 };
	printf("  %-*s  ", (int)width, name);
	put_words(&paragraph, sentence);
	putchar('\n');
}

/* "--config FILE" */
static size_t write_flag(const struct flag *flag, char out[FLAG_TEXT_MAX])
{
	return (size_t)snprintf(out, FLAG_TEXT_MAX, "%s%s%s", flag->name,
		flag->value_name ? " " : "", flag->value_name ? flag->value_name : "");
}

static void print_usage(const struct command *command)
{
	char text[FLAG_TEXT_MAX], item[FLAG_TEXT_MAX + 2];
	size_t begin = (size_t)printf("Usage: tollgate %s ", command->name);
	struct paragraph usage = { begin, begin };
	for (const struct flag *flag = command->flags; flag && flag->name; flag++) {
		write_flag(flag, text);
		snprintf(item, sizeof item, "[%s]", text);
		put_words(&usage, item);
	}
	put_words(&usage, command->operands);
	putchar('\n');
}

static void print_flags(const struct flag *flags)
{
	char text[FLAG_TEXT_MAX];
	size_t width = 0;
	for (const struct flag *flag = flags; flag->name; flag++) {
		size_t len = write_flag(flag, text);
		width = len > width ? len : width;
	}
	putchar('\n');
	for (const struct flag *flag = flags; flag->name; flag++) {
		write_flag(flag, text);
		print_row(text, width, flag->sentence);
	}
}

static void print_exit_status(void)
{
	printf("\nExit status: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

void command_print_help(const struct command *command)
{
	printf("%s\n\n", command->sentence);
	print_usage(command);
	if (command->flags)
		print_flags(command->flags);
	if (command->explain) {
		putchar('\n');
		command->explain();
	}
	print_exit_status();
}

void commands_print_help(void)
{
	printf("Stands between AI coding agents and the places where people look at them.\n\n"
	       "Usage: tollgate COMMAND [ARGUMENT...]\n\n");
	size_t width = 0;
	for (const struct command *const *command = commands; *command; command++) {
		size_t len = strlen((*command)->name);
		width = len > width ? len : width;
	}
	for (const struct command *const *command = commands; *command; command++)
		print_row((*command)->name, width, (*command)->sentence);
	printf("\n\"tollgate COMMAND --help\" says more of each.\n");
	print_exit_status();
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static bool ends_flags(const char *argument)
{
	return strcmp(argument, "--") == 0;
}

int commands_run(char **argv)
{
	const char *name = argv[0] && argv[1] ? argv[1] : NULL;
	if (!name) {
		fprintf(stderr, "tollgate: which command? \"tollgate help\" lists them\n");
		return EXIT_USAGE;
	}
	if (is_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	const struct command *command = command_find(name);
	if (!command)
		return EXIT_USAGE;
	for (char **argument = argv + 2; *argument && !ends_flags(*argument); argument++)
		if (is_help(*argument)) {
			command_print_help(command);
			return EXIT_DONE;
		}
	struct arguments arguments = { .command = command, .next = argv + 2 };
	return command->run(&arguments);
}

static int refuse_flag(const struct command *command, const char *written)
{
	struct nearest nearest = { .wanted = written };
	for (const struct flag *flag = command->flags; flag && flag->name; flag++)
		nearest_offer(&nearest, flag->name);
	nearest_offer(&nearest, "--help");
	fprintf(stderr, "tollgate: %s has no flag %s; the nearest is %s\n", command->name, written,
		nearest.word);
	return ARGUMENT_WRONG;
}

/* The flag's own value, else the next argument. */
static int take_value(
	struct arguments *arguments, const struct flag *flag, char *own, const char **ret_value)
{
	if (!flag->value_name && !own)
		return 0;
	if (!flag->value_name) {
		fprintf(stderr, "tollgate: %s takes no value\n", flag->name);
		return -EINVAL;
	}
	if (!own && !*arguments->next) {
		fprintf(stderr, "tollgate: %s needs a value: %s %s\n", flag->name, flag->name,
			flag->value_name);
		return -EINVAL;
	}
	*ret_value = own ? own : *arguments->next++;
	return 0;
}

int arguments_next(struct arguments *arguments, const char **ret_value)
{
	const struct flag *flags = arguments->command->flags;
	if (*arguments->next && !arguments->is_past_flags && ends_flags(*arguments->next)) {
		arguments->is_past_flags = true;
		arguments->next++;
	}
	char *written = *arguments->next;
	if (!written)
		return ARGUMENT_END;
	arguments->next++;
	if (arguments->is_past_flags || written[0] != '-' || !written[1]) {
		*ret_value = written;
		return ARGUMENT_OPERAND;
	}
	size_t len = strcspn(written, "=");
	for (int i = 0; flags && flags[i].name; i++) {
		if (strlen(flags[i].name) != len || memcmp(flags[i].name, written, len) != 0)
			continue;
		char *own = written[len] ? written + len + 1 : NULL;
		return take_value(arguments, &flags[i], own, ret_value) ? ARGUMENT_WRONG : i;
	}
	return refuse_flag(arguments->command, written);
}

int word_find(const char *const *words, const char *written, const char *where)
{
	struct nearest nearest = { .wanted = written };
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], written) == 0)
			return i;
		nearest_offer(&nearest, words[i]);
	}
	fprintf(stderr, "tollgate: %s does not know %s; the nearest is %s\n", where, written,
		nearest.word);
	return -EINVAL;
}

int arguments_refuse(const struct arguments *arguments, int argument, const char *value)
{
	if (argument != ARGUMENT_WRONG)
		fprintf(stderr, "tollgate: %s does not take %s\n", arguments->command->name, value);
	return EXIT_USAGE;
}

int complaint_print(const struct complaint *complaint)
{
	fprintf(stderr, "tollgate: ");
	if (complaint->file[0] && complaint->line)
		fprintf(stderr, "%s:%d: ", complaint->file, complaint->line);
	else if (complaint->file[0])
		fprintf(stderr, "%s: ", complaint->file);
	fprintf(stderr, "%s\n", complaint->text);
	return EXIT_USAGE;
}
