/* tollgate help, and --help of every command: what their structs say, in 80 columns. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/prose.h"

enum { LINE_COLUMNS = 80, NAME_COLUMNS_MAX = 64, ITEM_INDENT = 4 };

/* Words, each behind the last or below it where the line is full. */
struct paragraph {
	size_t indent;
	size_t column; /* the indent until a word stands there */
};

/* Marks of literals are for other readers. */
static void put_word(struct paragraph *paragraph, struct bytes word)
{
	bool is_first = paragraph->column == paragraph->indent;
	size_t columns = 0;
	for (size_t i = 0; i < word.len; i++)
		columns += word.at[i] != '`' && (word.at[i] & 0xc0) != 0x80;
	if (!is_first && paragraph->column + 1 + columns > LINE_COLUMNS) {
		printf("\n%*s", (int)paragraph->indent, "");
		paragraph->column = paragraph->indent;
	} else if (!is_first) {
		putchar(' ');
		paragraph->column++;
	}
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] != '`')
			putchar(word.at[i]);
	paragraph->column += columns;
}

/* What stands in brackets is one word. */
static size_t word_len(struct bytes text)
{
	size_t len = 0, depth = 0;
	for (; len < text.len && ((text.at[len] != ' ' && text.at[len] != '\n') || depth); len++) {
		depth += text.at[len] == '[';
		depth -= text.at[len] == ']' && depth;
	}
	return len;
}

static void put_words(struct paragraph *paragraph, struct bytes text)
{
	while (text.len) {
		size_t len = word_len(text);
		if (len)
			put_word(paragraph, (struct bytes){ text.at, len });
		len += len < text.len;
		text = (struct bytes){ text.at + len, text.len - len };
	}
}

/* "One of standard, batch, fast." */
static void put_values(struct paragraph *paragraph, const char *values)
{
	char word[NAME_COLUMNS_MAX];
	put_words(paragraph, bytes_of("One of"));
	for (size_t len; *values; values += len + (values[len] == ' ')) {
		len = strcspn(values, " ");
		snprintf(word, sizeof word, "%.*s%s", (int)len, values, values[len] ? "," : ".");
		put_words(paragraph, bytes_of(word));
	}
}

/* A row of a list: what it is about, padded to `width`, and a sentence beside it. */
static void print_row(const char *name, size_t width, const char *sentence, const char *values)
{
	struct paragraph paragraph = { width + 4, width + 4 };
	printf("  %-*s  ", (int)width, name);
	put_words(&paragraph, bytes_of(sentence));
	if (values)
		put_values(&paragraph, values);
	putchar('\n');
}

/* "--config FILE" */
static size_t write_flag(const struct flag *flag, char out[NAME_COLUMNS_MAX])
{
	return (size_t)snprintf(out, NAME_COLUMNS_MAX, "%s%s%s", flag->name,
		flag->value_name ? " " : "", flag->value_name ? flag->value_name : "");
}

/* "dead show LETTER" */
static size_t write_verb(const struct verb *verb, char out[NAME_COLUMNS_MAX])
{
	return (size_t)snprintf(out, NAME_COLUMNS_MAX, "%s%s%s", verb->words,
		*verb->words && *verb->operands ? " " : "", verb->operands);
}

static void print_usage(const char *before, const char *name, const char *words,
	const struct flag *flags, unsigned taken, const char *operands)
{
	char text[NAME_COLUMNS_MAX], item[NAME_COLUMNS_MAX + 2];
	size_t begin = (size_t)printf("%stollgate %s ", before, name);
	struct paragraph usage = { begin, begin };
	put_words(&usage, bytes_of(words));
	for (size_t i = 0; flags && flags[i].name; i++) {
		if (!(taken >> i & 1) || strstr(words, flags[i].name))
			continue;
		write_flag(&flags[i], text);
		snprintf(item, sizeof item, "[%s]", text);
		put_words(&usage, bytes_of(item));
	}
	put_words(&usage, bytes_of(operands));
	putchar('\n');
}

static void print_usages(const struct command *command)
{
	const char *before = "Usage: ";
	if (!command->verbs)
		print_usage(before, command->name, "", command->flags, ~0u, command->operands);
	for (const struct verb *verb = command->verbs; verb && verb->words; verb++) {
		print_usage(before, command->name, verb->words, command->flags, verb->flags,
			verb->operands);
		before = "       ";
	}
}

static void print_flags(const struct flag *flags)
{
	char text[NAME_COLUMNS_MAX];
	size_t width = 0;
	for (const struct flag *flag = flags; flag->name; flag++) {
		size_t len = write_flag(flag, text);
		width = len > width ? len : width;
	}
	putchar('\n');
	for (const struct flag *flag = flags; flag->name; flag++) {
		write_flag(flag, text);
		print_row(text, width, flag->sentence, flag->values);
	}
}

static void print_verbs(const struct verb *verbs)
{
	char text[NAME_COLUMNS_MAX];
	size_t width = 0;
	for (const struct verb *verb = verbs; verb->words; verb++) {
		size_t len = write_verb(verb, text);
		width = len > width ? len : width;
	}
	putchar('\n');
	for (const struct verb *verb = verbs; verb->words; verb++) {
		write_verb(verb, text);
		if (*verb->sentence)
			print_row(text, width, verb->sentence, NULL);
	}
}

static void print_verbatim(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '\t')
			printf("%*s", ITEM_INDENT, "");
		else
			putchar(text.at[i]);
}

static void print_prose(struct bytes text)
{
	for (struct prose prose; prose_next(&text, &prose);) {
		struct paragraph paragraph = { 0 };
		putchar('\n');
		if (prose.kind == PROSE_VERBATIM) {
			print_verbatim(prose.text);
		} else if (prose.kind == PROSE_ITEM) {
			printf("  ");
			paragraph = (struct paragraph){ 2, 2 };
			put_words(&paragraph, prose.term);
			printf("\n%*s", ITEM_INDENT, "");
			paragraph = (struct paragraph){ ITEM_INDENT, ITEM_INDENT };
		}
		if (prose.kind != PROSE_VERBATIM)
			put_words(&paragraph, prose.text);
		putchar('\n');
	}
}

static void print_exit_status(const char *exits)
{
	printf("\nExit status: %s.\n",
		exits ? exits : "0 done, 1 failed, 2 wrong usage or configuration");
}

void command_print_help(const struct command *command)
{
	printf("%s\n\n", command->sentence);
	print_usages(command);
	if (command->verbs)
		print_verbs(command->verbs);
	if (command->flags)
		print_flags(command->flags);
	print_prose(bytes_of(command->manual));
	if (command->explain) {
		putchar('\n');
		command->explain();
	}
	print_exit_status(command->exits);
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
		print_row((*command)->name, width, (*command)->sentence, NULL);
	printf("\n\"tollgate COMMAND --help\" says more of each.\n");
	print_exit_status(NULL);
}

static int run(struct arguments *arguments)
{
	const char *name = NULL;
	int argument = arguments_next(arguments, &name);
	if (argument == ARGUMENT_END) {
		commands_print_help();
		return EXIT_DONE;
	}
	if (argument != ARGUMENT_OPERAND)
		return EXIT_USAGE;
	const char *more = NULL;
	if ((argument = arguments_next(arguments, &more)) != ARGUMENT_END)
		return arguments_refuse(arguments, argument, more);
	const struct command *command = command_find(name);
	if (!command)
		return EXIT_USAGE;
	command_print_help(command);
	return EXIT_DONE;
}

const struct command command_help = {
	.name = "help",
	.sentence = "Lists the commands, or says what one of them takes.",
	.operands = "[COMMAND]",
	.run = run,
};
