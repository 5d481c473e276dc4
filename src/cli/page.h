/*
 * What commands have in common that show what the daemon saw: ask it, and print its answer as it is or for
 * a person. Each fills a `struct page` from its arguments.
 */
#ifndef TG_CLI_PAGE_H
#define TG_CLI_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/table.h"

enum { PAGE_PATH_MAX = 2048, PAGE_OUTPUT_MAX = 256 << 20 };

struct page {
	const char *socket; /* NULL: where it is looked for */
	bool is_json;
	char path[PAGE_PATH_MAX]; /* what is asked */
};

/* Appends the argument of `--since` as "since_ns". 0, or -EINVAL after words to stderr. */
int page_since(struct page *page, const char *since);

/* A line that says how many spans the local view had to leave out, where it had to. */
void page_remark_skipped(struct table *table, const json_t *answer);

/* Prints an answer, as it is or as `print` writes it for a person (0 or negative errno). An exit status. */
int page_print(const struct page *page, const json_t *answer,
	int (*print)(const json_t *answer, const struct terminal *terminal, struct buf *out));

/* Asks for what the local view holds, and prints that. An exit status. */
int page_show(const struct page *page,
	int (*print)(const json_t *answer, const struct terminal *terminal, struct buf *out));

#endif
