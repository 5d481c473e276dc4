/*
 * Lines of cells in columns that fit the terminal: where they are too wide, columns that allow it are cut
 * first, then the least important is left out. So is a column in which nothing stands.
 */
#ifndef TG_CLI_TABLE_H
#define TG_CLI_TABLE_H

#include "cli/terminal.h"

enum { TABLE_COLUMNS_MAX = 24 };

struct table_column {
	const char *title;
	bool is_right;
	bool is_decimal;    /* points stand below one another; the title is to the right */
	size_t min_columns; /* may be cut down to this; 0: is not cut */
	unsigned rank;      /* the highest is left out first; 0: stays */
};

struct table {
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	bool has_titles;
	struct buf cells, text;
};

void table_init(struct table *table);
void table_done(struct table *table);

/* Titles live as long as the table. Returns the column's number; of too many, the last one. */
size_t table_column(struct table *table, struct table_column column);

/*
 * The cells of a line come in the order of their columns, and column 0 begins it; others may be missing.
 *
 *   lead  stands before the text, dim
 */
void table_cell(
	struct table *table, size_t column, enum style style, const char *lead, struct bytes text);

/* A line of its own across the columns, cut where the terminal ends. */
void table_note(struct table *table, enum style style, const char *lead, struct bytes text);

/* 0, or the first error of all before. */
int table_print(const struct table *table, const struct terminal *terminal, struct buf *out);

#endif
