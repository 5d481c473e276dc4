#include "cli/show.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/page.h"

enum { FLAG_LAST, FLAG_CONTENT, FLAG_JSON, FLAG_SOCKET };

static const struct flag flags[] = {
	[FLAG_LAST] = { "--last", "N", "The newest N traces (1)." },
	[FLAG_CONTENT] = { "--content", NULL, "Inputs and outputs too, their first lines." },
	[FLAG_JSON] = { "--json", NULL, "The daemon's answer as it is." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

/* The tables of sessions show their beginnings so. */
static void drop_ellipsis(char *id)
{
	static const char *const marks[] = { "\u2026", "..." };
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t len = strlen(id), mark = strlen(marks[i]);
		if (len > mark && strcmp(id + len - mark, marks[i]) == 0)
			id[len - mark] = '\0';
	}
}

static int read_arguments(struct arguments *arguments, struct page *page, bool *has_content)
{
	const char *value = NULL, *id = NULL, *last = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_LAST)
			last = value;
		else if (argument == FLAG_CONTENT)
			*has_content = true;
		else if (argument == FLAG_JSON)
			page->is_json = true;
		else if (argument == FLAG_SOCKET)
			page->socket = value;
		else if (argument == ARGUMENT_OPERAND && !id)
			drop_ellipsis((char *)(id = value));
		else
			return argument;
	}
	if (id && last) {
		fprintf(stderr, "tollgate: show takes a session or trace, or --last, not both\n");
		return ARGUMENT_WRONG;
	}
	control_argument(page->path, sizeof page->path, "id", id);
	control_argument(page->path, sizeof page->path, "last", last);
	control_argument(page->path, sizeof page->path, "content", *has_content ? "1" : NULL);
	return ARGUMENT_END;
}

static int run(struct arguments *arguments)
{
	struct page page = { .path = "/v1/spans" };
	bool has_content = false;
	int argument = read_arguments(arguments, &page, &has_content);
	if (argument == ARGUMENT_OPERAND)
		fprintf(stderr, "tollgate: show takes one session or trace\n");
	return argument == ARGUMENT_END ? page_show(&page, show_print) : EXIT_USAGE;
}

const struct command command_show = {
	.name = "show",
	.sentence = "Prints sessions and traces as trees of their spans.",
	.operands = "[SESSION | TRACE]",
	.flags = flags,
	.manual =
		"The spans of a session, of a trace or of the newest traces, from what the running "
		"daemon's local view holds of what went through lately. SESSION and TRACE are ids; "
		"their beginning is enough, from four characters on. A cost behind ≥ is the least "
		"that it can be, because some call has no known cost, or says too little to be priced"
		" exactly.",
	.run = run,
};
