#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MAX = 1000, MARKS_MAX = 4 };

static size_t find_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	unsigned long width = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (!width && columns)
		width = strtoul(columns, NULL, 10);
	return width > 0 && width <= WIDTH_MAX ? width : WIDTH_DEFAULT;
}

struct terminal terminal_of_stdout(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	setlocale(LC_CTYPE, "");
	return (struct terminal){
		.width = find_width(),
		.has_colours = isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
			strcmp(term, "dumb") != 0,
		.has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

/* One character as it is shown. */
struct glyph {
	struct bytes shown; /* of no length: left out */
	size_t bytes;       /* that it has in the text */
	size_t columns;
};

/* Not seen, but able to turn the direction of a line or to join what was counted apart. */
static bool is_invisible(wchar_t character)
{
	return (character >= 0x200b && character <= 0x200f) ||
		(character >= 0x2028 && character <= 0x202e) ||
		(character >= 0x2060 && character <= 0x206f) ||
		(character >= 0xfe00 && character <= 0xfe0f) || character == 0xfeff ||
		(character >= 0xe0000 && character <= 0xe0fff);
}

static struct glyph replaced(size_t bytes, const char *by)
{
	return (struct glyph){ bytes_of(by), bytes, strlen(by) };
}

static struct glyph glyph_of_ascii(struct bytes text)
{
	uint8_t byte = text.at[0];
	if (byte == '\t' || byte == '\n' || byte == '\r')
		return replaced(1, " ");
	if (byte < ' ' || byte == 0x7f)
		return replaced(1, "?");
	return (struct glyph){ { text.at, 1 }, 1, 1 };
}

static struct glyph next_glyph(const struct terminal *terminal, struct bytes text)
{
	if (text.at[0] < 0x80)
		return glyph_of_ascii(text);
	size_t bytes = 1;
	if (!terminal->has_unicode) {
		while (bytes < text.len && (text.at[bytes] & 0xc0) == 0x80)
			bytes++;
		return replaced(bytes, "?");
	}
	mbstate_t state = { 0 };
	wchar_t character;
	bytes = mbrtowc(&character, (const char *)text.at, text.len, &state);
	if (bytes == 0 || bytes > text.len) /* -1: no UTF-8; -2: cut within a character */
		return replaced(1, "?");
	if (is_invisible(character))
		return replaced(bytes, "");
	int columns = wcwidth(character);
	if (columns < 0)
		return replaced(bytes, "?");
	return (struct glyph){ { text.at, bytes }, bytes, (size_t)columns };
}

/* Appends what fits to `out`, unless that is NULL. Returns the columns; *ret_bytes of the text were taken. */
static size_t fill(const struct terminal *terminal, struct buf *out, struct bytes text,
	size_t columns, size_t *ret_bytes)
{
	size_t used = 0, taken = 0;
	unsigned marks = 0;
	while (taken < text.len) {
		struct glyph glyph =
			next_glyph(terminal, (struct bytes){ text.at + taken, text.len - taken });
		if (glyph.columns > columns - used)
			break;
		marks = glyph.columns ? 0 : marks + 1;
		if (out && marks <= MARKS_MAX)
			buf_append(out, glyph.shown.at, glyph.shown.len);
		used += glyph.columns;
		taken += glyph.bytes;
	}
	*ret_bytes = taken;
	return used;
}

size_t terminal_columns(const struct terminal *terminal, struct bytes text)
{
	size_t bytes;
	return fill(terminal, NULL, text, SIZE_MAX, &bytes);
}

struct bytes terminal_fit(const struct terminal *terminal, struct bytes text, size_t columns)
{
	const uint8_t *newline = text.len ? memchr(text.at, '\n', text.len) : NULL;
	if (newline)
		text.len = (size_t)(newline - text.at);
	size_t bytes;
	fill(terminal, NULL, text, columns, &bytes);
	return (struct bytes){ text.at, bytes };
}

static const char *const style_codes[] = {
	[STYLE_BOLD] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_RED] = "\033[31m",
	[STYLE_GREEN] = "\033[32m",
	[STYLE_YELLOW] = "\033[33m",
	[STYLE_BLUE] = "\033[34m",
	[STYLE_MAGENTA] = "\033[35m",
	[STYLE_CYAN] = "\033[36m",
};

size_t terminal_put(const struct terminal *terminal, struct buf *out, enum style style,
	struct bytes text, size_t columns)
{
	const char *ellipsis = terminal_ellipsis(terminal);
	size_t bytes, mark = terminal_columns(terminal, bytes_of(ellipsis)), used;
	bool is_styled = terminal->has_colours && style != STYLE_PLAIN && text.len;
	if (is_styled)
		buf_text(out, style_codes[style]);
	fill(terminal, NULL, text, columns, &bytes);
	bool is_cut = bytes < text.len;
	used = fill(
		terminal, out, text, is_cut && columns > mark ? columns - mark : columns, &bytes);
	if (is_cut && columns > mark) {
		buf_text(out, ellipsis);
		used += mark;
	}
	if (is_styled)
		buf_text(out, "\033[0m");
	return used;
}

/* As many words of the text as fit, at least one. */
static struct bytes fit_words(const struct terminal *terminal, struct bytes text, size_t columns)
{
	struct bytes line = { text.at, 0 };
	while (line.len < text.len) {
		size_t from = line.len + 1;
		const uint8_t *blank = memchr(text.at + from, ' ', text.len - from);
		struct bytes longer = { text.at, blank ? (size_t)(blank - text.at) : text.len };
		if (line.len && terminal_columns(terminal, longer) > columns)
			break;
		line = longer;
	}
	return line;
}

void terminal_put_words(const struct terminal *terminal, struct buf *out, enum style style,
	struct bytes text, size_t indent)
{
	for (size_t used = 0; text.len; used = indent) {
		size_t columns = terminal->width > used ? terminal->width - used : 1;
		struct bytes line = fit_words(terminal, text, columns);
		buf_printf(out, "%*s", (int)used, "");
		terminal_put(terminal, out, style, line, columns);
		buf_text(out, "\n");
		size_t taken = line.len + (line.len < text.len); /* with the blank behind it */
		text = (struct bytes){ text.at + taken, text.len - taken };
	}
}

const char *terminal_ellipsis(const struct terminal *terminal)
{
	return terminal->has_unicode ? "\u2026" : "...";
}

const char *terminal_separator(const struct terminal *terminal)
{
	return terminal->has_unicode ? " \u00b7 " : ", ";
}

const char *terminal_at_least(const struct terminal *terminal)
{
	return terminal->has_unicode ? "\u2265" : ">=";
}
