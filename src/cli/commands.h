/*
 * The command line: one file per command, each ending in its struct; commands.c has the list.
 *
 * Usage, help, manual and completion are printed from these structs, and mistyped words are answered with
 * the nearest known one. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
 */
#ifndef TG_CLI_COMMANDS_H
#define TG_CLI_COMMANDS_H

#include <stdbool.h>

struct complaint;

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* FILE, PATH and DIR, as the name of a value or an operand, are completed as such. */
struct flag {
	const char *name;       /* with its dashes */
	const char *value_name; /* NULL: takes none */
	const char *sentence;
	const char *values; /* the words that it may be, one blank between; NULL: any */
};

/* One of the things that a command does, by the operands that it begins with. */
struct verb {
	const char *words;    /* "dead list"; empty: without any */
	const char *operands; /* behind them; empty for none */
	const char *sentence; /* empty: the command's says it */
	unsigned flags;       /* those of the command that it takes: a bit for each row */
};

struct command;

/* What is left of argv; also the words of a complaint about it. */
struct arguments {
	const struct command *command;
	char **next;
	bool is_past_flags; /* "--" was met: what follows are operands */
};

struct command {
	const char *name;
	const char *sentence;
	const char *operands;     /* for the usage line, where there are no verbs; empty for none */
	const char *values;       /* words that an operand may be, one blank between; NULL: any */
	const struct flag *flags; /* ends with a row without name; NULL for none */
	const struct verb *verbs; /* ends with a row without words; NULL: it does one thing */
	const char *manual;       /* its prose (prose.h) in manual and --help; may be NULL */
	const char *exits;        /* what its exit status says; NULL: as exit_status */
	void (*explain)(void);    /* what else its --help says; may be NULL */
	int (*run)(struct arguments *arguments); /* returns an exit status */
};

/* In the order of the help; ends with NULL. */
extern const struct command *const commands[];

/* NULL, after words to stderr with the nearest name, when there is none. */
const struct command *command_find(const char *name);
void command_print_help(const struct command *command);
void commands_print_help(void);

/* argv as main has it. Returns an exit status. */
int commands_run(char **argv);

enum { ARGUMENT_END = -1, ARGUMENT_OPERAND = -2, ARGUMENT_WRONG = -3 };

/*
 * The next argument: the index of its row in command->flags with the flag's value ("--to URL" or
 * "--to=URL"), ARGUMENT_OPERAND with the operand, ARGUMENT_END, or ARGUMENT_WRONG after words to stderr.
 */
int arguments_next(struct arguments *arguments, const char **ret_value);

/*
 * The index of a written word in a list that ends with NULL, else -EINVAL after words to stderr with the
 * nearest.
 *
 *   where  the word stands: "spool dead", "--by"
 */
int word_find(const char *const *words, const char *written, const char *where);

/* Words to stderr about what arguments_next gave and the command has no use for. Returns EXIT_USAGE. */
int arguments_refuse(const struct arguments *arguments, int argument, const char *value);

/* FILE:LINE: and its words to stderr. Returns EXIT_USAGE. */
int complaint_print(const struct complaint *complaint);

#endif
