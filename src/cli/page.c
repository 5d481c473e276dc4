#include "cli/page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "base/duration.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/figures.h"

int page_since(struct page *page, const char *since)
{
	struct complaint complaint = { 0 };
	uint64_t since_ns = 0;
	char number[24];
	if (duration_since(since, clock_unix_ns(), &since_ns, &complaint) < 0) {
		fprintf(stderr, "tollgate: --since %s\n", complaint.text);
		return -EINVAL;
	}
	snprintf(number, sizeof number, "%llu", (unsigned long long)since_ns);
	control_argument(page->path, sizeof page->path, "since_ns", number);
	return 0;
}

void page_remark_skipped(struct table *table, const json_t *answer)
{
	char figure[FIGURE_MAX], text[FIGURE_MAX + 64];
	uint64_t skipped = json_uint(answer, "skipped_spans");
	if (!skipped)
		return;
	snprintf(text, sizeof text, "Without %s spans: the local view could not keep up.",
		figure_count(figure, (int64_t)skipped));
	table_note(table, STYLE_YELLOW, "", bytes_of(text));
}

/* To a terminal in ASCII: JSON leaves control characters above it as they are. */
static int print_json(const json_t *answer)
{
	size_t flags = JSON_INDENT(2) | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
	return json_dumpf(answer, stdout, flags) < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int print_nothing_seen(const struct page *page)
{
	json_t *status = NULL;
	int exit_status = control_ask(page->socket, "GET", "/v1/status", &status);
	uint64_t open = json_uint(status, "open_sessions");
	if (exit_status == EXIT_DONE && open)
		printf("Nothing to show yet, but %llu %s open: what a CLI says waits a few seconds for\n"
		       "what belongs to it. See tollgate sessions --live.\n",
			(unsigned long long)open, open == 1 ? "session is" : "sessions are");
	else if (exit_status == EXIT_DONE)
		printf("Nothing seen yet: point a CLI at http://%s.\n",
			json_text(status, "listen"));
	json_decref(status);
	return exit_status;
}

static int print_text(const struct buf *text)
{
	return fwrite(text->at, 1, text->len, stdout) < text->len ? -EIO : 0;
}

int page_print(const struct page *page, const json_t *answer,
	int (*print)(const json_t *answer, const struct terminal *terminal, struct buf *out))
{
	struct terminal terminal = terminal_of_stdout();
	struct buf out;
	buf_init(&out, PAGE_OUTPUT_MAX, NULL);
	int error = page->is_json ? print_json(answer) : print(answer, &terminal, &out);
	if (!error && !page->is_json)
		error = print_text(&out);
	buf_done(&out);
	if (!error && fflush(stdout) == 0)
		return EXIT_DONE;
	fprintf(stderr, "tollgate: the answer cannot be printed\n");
	return EXIT_FAILED;
}

int page_show(const struct page *page,
	int (*print)(const json_t *answer, const struct terminal *terminal, struct buf *out))
{
	json_t *answer = NULL;
	int exit_status = control_ask(page->socket, "GET", page->path, &answer);
	if (exit_status != EXIT_DONE)
		return exit_status;
	bool is_empty = !page->is_json && !json_object_get(answer, "begins_ns");
	exit_status = is_empty ? print_nothing_seen(page) : page_print(page, answer, print);
	json_decref(answer);
	return exit_status;
}
