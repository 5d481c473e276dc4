#include "cli/table.h"

#include <string.h>

enum { TABLE_MAX_BYTES = 256 << 20, GAP = 2, NOTE = TABLE_COLUMNS_MAX };

struct cell {
	size_t column; /* NOTE: across all */
	enum style style;
	size_t at, lead_bytes, bytes; /* lead and text in table->text, one behind the other */
};

/* The columns as they are printed; 0 of one that is left out. */
struct layout {
	size_t widths[TABLE_COLUMNS_MAX];
	size_t wholes[TABLE_COLUMNS_MAX]; /* of decimals: the part before the point */
};

void table_init(struct table *table)
{
	*table = (struct table){ 0 };
	buf_init(&table->cells, TABLE_MAX_BYTES, NULL);
	buf_init(&table->text, TABLE_MAX_BYTES, NULL);
}

void table_done(struct table *table)
{
	buf_done(&table->cells);
	buf_done(&table->text);
}

size_t table_column(struct table *table, struct table_column column)
{
	if (table->column_count < TABLE_COLUMNS_MAX)
		table->columns[table->column_count++] = column;
	return table->column_count - 1;
}

void table_cell(
	struct table *table, size_t column, enum style style, const char *lead, struct bytes text)
{
	struct cell cell = { column, style, table->text.len, strlen(lead), text.len };
	buf_append(&table->cells, &cell, sizeof cell);
	buf_text(&table->text, lead);
	buf_append(&table->text, text.at, text.len);
}

void table_note(struct table *table, enum style style, const char *lead, struct bytes text)
{
	table_cell(table, NOTE, style, lead, text);
}

static size_t cell_count(const struct table *table)
{
	return table->cells.len / sizeof(struct cell);
}

static const struct cell *cell_at(const struct table *table, size_t i)
{
	return (const struct cell *)table->cells.at + i;
}

static struct bytes lead_of(const struct table *table, const struct cell *cell)
{
	return (struct bytes){ table->text.at + cell->at, cell->lead_bytes };
}

static struct bytes text_of(const struct table *table, const struct cell *cell)
{
	return (struct bytes){ table->text.at + cell->at + cell->lead_bytes, cell->bytes };
}

/* The part before the point, without one the whole text. */
static size_t whole_columns(const struct terminal *terminal, struct bytes decimal)
{
	const uint8_t *point = decimal.len ? memchr(decimal.at, '.', decimal.len) : NULL;
	if (point)
		decimal.len = (size_t)(point - decimal.at);
	return terminal_columns(terminal, decimal);
}

static void widen(size_t *width, size_t columns)
{
	*width = columns > *width ? columns : *width;
}

static void measure(
	const struct table *table, const struct terminal *terminal, struct layout *layout)
{
	size_t rests[TABLE_COLUMNS_MAX] = { 0 };
	for (size_t i = 0; i < cell_count(table); i++) {
		const struct cell *cell = cell_at(table, i);
		if (cell->column == NOTE)
			continue;
		size_t columns = terminal_columns(terminal, lead_of(table, cell)) +
			terminal_columns(terminal, text_of(table, cell));
		if (table->columns[cell->column].is_decimal) {
			size_t whole = whole_columns(terminal, text_of(table, cell));
			widen(&layout->wholes[cell->column], whole);
			widen(&rests[cell->column], columns - whole);
		} else {
			widen(&layout->widths[cell->column], columns);
		}
	}
	for (size_t i = 0; i < table->column_count; i++) {
		size_t title = table->has_titles ?
			terminal_columns(terminal, bytes_of(table->columns[i].title)) :
			0;
		layout->widths[i] += layout->wholes[i] + rests[i];
		if (layout->widths[i] < title && layout->widths[i]) {
			layout->wholes[i] += title - layout->widths[i];
			layout->widths[i] = title;
		}
	}
}

static size_t width_of(const struct table *table, const struct layout *layout)
{
	size_t width = 0;
	for (size_t i = 0; i < table->column_count; i++)
		if (layout->widths[i])
			width += layout->widths[i] + (width ? GAP : 0);
	return width;
}

/* Cuts `over` columns, beginning at the left. True when that was possible. */
static bool cut(const struct table *table, struct layout *layout, size_t over)
{
	for (size_t i = 0; i < table->column_count && over; i++) {
		size_t min = table->columns[i].min_columns;
		if (!min || layout->widths[i] <= min)
			continue;
		size_t less = layout->widths[i] - min < over ? layout->widths[i] - min : over;
		layout->widths[i] -= less;
		over -= less;
	}
	return over == 0;
}

/* True when there was a column that may be left out. */
static bool leave_out_one(const struct table *table, struct layout *layout)
{
	size_t *least = NULL;
	unsigned rank = 0;
	for (size_t i = 0; i < table->column_count; i++)
		if (layout->widths[i] && table->columns[i].rank > rank) {
			least = &layout->widths[i];
			rank = table->columns[i].rank;
		}
	if (least)
		*least = 0;
	return least;
}

static struct layout lay_out(const struct table *table, const struct terminal *terminal)
{
	struct layout whole = { 0 }, layout;
	measure(table, terminal, &whole);
	do {
		layout = whole;
		size_t width = width_of(table, &layout);
		if (width <= terminal->width || cut(table, &layout, width - terminal->width))
			break;
	} while (leave_out_one(table, &whole));
	return layout;
}

/* Blanks are printed when something follows, so that no line ends in them. */
struct line {
	const struct terminal *terminal;
	struct buf *out;
	size_t used, blanks;
};

static void put(struct line *line, enum style style, struct bytes text, size_t columns)
{
	size_t room = line->terminal->width - line->used;
	if (!text.len)
		return;
	if (line->blanks >= room) {
		line->used = line->terminal->width;
		return;
	}
	for (; line->blanks; line->blanks--, line->used++, room--)
		buf_append(line->out, " ", 1);
	line->used += terminal_put(
		line->terminal, line->out, style, text, columns < room ? columns : room);
}

static void put_cell(struct line *line, const struct table *table, const struct layout *layout,
	const struct cell *cell)
{
	size_t at = 0, width = layout->widths[cell->column];
	if (!width)
		return;
	for (size_t i = 0; i < cell->column; i++)
		at += layout->widths[i] ? layout->widths[i] + GAP : 0;
	struct bytes lead = lead_of(table, cell), text = text_of(table, cell);
	size_t lead_columns = terminal_columns(line->terminal, lead);
	size_t columns = lead_columns + terminal_columns(line->terminal, text);
	if (table->columns[cell->column].is_right && columns < width)
		at += width - columns;
	if (table->columns[cell->column].is_decimal)
		at += layout->wholes[cell->column] - whole_columns(line->terminal, text);
	line->blanks = at > line->used ? at - line->used : 0;
	put(line, STYLE_DIM, lead, width);
	put(line, cell->style, text, lead_columns < width ? width - lead_columns : 0);
}

static void put_titles(struct line *line, const struct table *table, const struct layout *layout)
{
	size_t at = 0;
	for (size_t i = 0; i < table->column_count; i++) {
		struct bytes title = bytes_of(table->columns[i].title);
		size_t width = layout->widths[i], columns = terminal_columns(line->terminal, title);
		if (!width)
			continue;
		bool is_right = table->columns[i].is_right || table->columns[i].is_decimal;
		size_t pad = is_right && columns < width ? width - columns : 0;
		line->blanks = at + pad - line->used;
		put(line, STYLE_DIM, title, width);
		at += width + GAP;
	}
	buf_append(line->out, "\n", 1);
}

int table_print(const struct table *table, const struct terminal *terminal, struct buf *out)
{
	struct layout layout = lay_out(table, terminal);
	struct line line = { terminal, out };
	if (table->has_titles)
		put_titles(&line, table, &layout);
	for (size_t i = 0; i < cell_count(table); i++) {
		const struct cell *cell = cell_at(table, i);
		if (i && (cell->column == 0 || cell->column == NOTE))
			buf_append(out, "\n", 1);
		if (cell->column == 0 || cell->column == NOTE)
			line = (struct line){ terminal, out };
		if (cell->column != NOTE) {
			put_cell(&line, table, &layout, cell);
			continue;
		}
		put(&line, STYLE_DIM, lead_of(table, cell), terminal->width);
		put(&line, cell->style, text_of(table, cell), terminal->width);
	}
	if (cell_count(table))
		buf_append(out, "\n", 1);
	return table->cells.error ? table->cells.error :
		table->text.error ? table->text.error :
				    out->error;
}
