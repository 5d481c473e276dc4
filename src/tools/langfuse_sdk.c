/*
 * Langfuse's SDKs: .env in the working directory, with the base URL by every name that one of them reads. Keys
 * are not touched: the gateway knows a project by its own pair, too.
 */
#include "tools/tool.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/inspection.h"

enum { TEXT_MAX_BYTES = 1 << 20, OUTPUT_MAX_BYTES = 2 * TEXT_MAX_BYTES };

/* Python from late 3 and JavaScript from 4 read the first, Python up to 3 the second, JavaScript 3 the last. */
static const char *const names[] = { "LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_BASEURL" };
enum { NAME_COUNT = sizeof names / sizeof *names };

/* NAME=VALUE; `line` ends behind its line end. */
struct assignment {
	struct bytes line, name;
	struct bytes value; /* with its quotes */
};

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_line_end(uint8_t byte)
{
	return byte == '\n' || byte == '\r';
}

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

static const uint8_t *skip_line_end(const uint8_t *at, const uint8_t *end)
{
	while (at < end && !is_line_end(*at))
		at++;
	if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
		return at + 2;
	return at < end ? at + 1 : end;
}

static const uint8_t *skip_name(const uint8_t *at, const uint8_t *end)
{
	while (at < end && (isalnum(*at) || strchr("_.-", *at)) && *at)
		at++;
	return at;
}

/* Nothing more than a comment follows. */
static bool is_end_of_value(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *behind = skip_blanks(at, end);
	return behind == end || is_line_end(*behind) || (*behind == '#' && behind > at);
}

/* Quoted, it may go over several lines; NULL: it is not. */
static const uint8_t *quoted_end(const uint8_t *at, const uint8_t *end)
{
	if (at == end || !*at || !strchr("\"'`", *at))
		return NULL;
	for (const uint8_t quote = *at++; at < end; at++) {
		if (*at == quote)
			return is_end_of_value(at + 1, end) ? at + 1 : NULL;
		at += *at == '\\' && at + 1 < end;
	}
	return NULL;
}

static const uint8_t *unquoted_end(const uint8_t *from, const uint8_t *end)
{
	const uint8_t *at = from;
	while (at < end && !is_line_end(*at) && !(*at == '#' && is_blank(at[-1])))
		at++;
	while (at > from && is_blank(at[-1]))
		at--;
	return at;
}

/* An empty value stands right behind the sign, before the blanks of a comment. */
static struct bytes read_value(const uint8_t *sign, const uint8_t *end)
{
	const uint8_t *from = skip_blanks(sign + 1, end);
	const uint8_t *to = quoted_end(from, end);
	if (!to)
		to = unquoted_end(from, end);
	return to == from ? (struct bytes){ sign + 1, 0 } :
			    (struct bytes){ from, (size_t)(to - from) };
}

/* The next line that assigns something; false at the end. */
static bool next(const uint8_t **at, const uint8_t *end, struct assignment *ret_assignment)
{
	static const char word[] = "export";
	while (*at < end) {
		const uint8_t *begin = *at, *from = skip_blanks(begin, end);
		const uint8_t *to = skip_name(from, end), *sign = skip_blanks(to, end);
		if (bytes_are((struct bytes){ from, (size_t)(to - from) }, word) && sign > to) {
			from = sign;
			to = skip_name(from, end);
			sign = skip_blanks(to, end);
		}
		*at = skip_line_end(begin, end);
		if (to == from || sign == end || *sign != '=')
			continue;
		struct bytes value = read_value(sign, end);
		*at = skip_line_end(value.at + value.len, end);
		*ret_assignment = (struct assignment){
			.line = { begin, (size_t)(*at - begin) },
			.name = { from, (size_t)(to - from) },
			.value = value,
		};
		return true;
	}
	return false;
}

/* The last one wins, as SDKs read it. */
static bool find(struct bytes text, const char *name, struct assignment *ret_assignment)
{
	const uint8_t *at = text.at;
	struct assignment assignment;
	bool is_found = false;
	while (next(&at, bytes_end(text), &assignment))
		if (bytes_are(assignment.name, name)) {
			*ret_assignment = assignment;
			is_found = true;
		}
	return is_found;
}

static struct bytes without_quotes(struct bytes value)
{
	bool is_quoted = value.len >= 2 && strchr("\"'`", value.at[0]) && value.at[0] &&
		value.at[value.len - 1] == value.at[0];
	return is_quoted ? (struct bytes){ value.at + 1, value.len - 2 } : value;
}

static void splice(struct buf *text, struct bytes range, struct bytes with)
{
	size_t at = (size_t)(range.at - text->at), len = range.len;
	if (with.len > len && !buf_reserve(text, with.len - len))
		return;
	memmove(text->at + at + with.len, text->at + at + len, text->len - at - len);
	if (with.len)
		memcpy(text->at + at, with.at, with.len);
	text->len = text->len - len + with.len;
}

/* As the first line ends. */
static const char *line_end_of(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_line_end(text.at[i]))
			return text.at[i] == '\n'                          ? "\n" :
				i + 1 < text.len && text.at[i + 1] == '\n' ? "\r\n" :
									     "\r";
	return "\n";
}

/* A last line without an end keeps being followed by none. */
static void append(struct buf *text, const char *name, const char *value)
{
	const char *line_end = line_end_of(buf_bytes(text));
	bool is_whole = !text->len || is_line_end(text->at[text->len - 1]);
	buf_printf(
		text, "%s%s=%s%s", is_whole ? "" : line_end, name, value, is_whole ? line_end : "");
}

static void cut(struct buf *text, struct bytes line)
{
	if (!is_line_end(line.at[line.len - 1]) && line.at > text->at) {
		line.at--, line.len++;
		if (*line.at == '\n' && line.at > text->at && line.at[-1] == '\r')
			line.at--, line.len++;
	}
	splice(text, line, (struct bytes){ 0 });
}

static int begin(struct buf *edited, struct bytes text, struct complaint *complaint)
{
	buf_init(edited, OUTPUT_MAX_BYTES, NULL);
	if (text.len > TEXT_MAX_BYTES)
		return complain(complaint, "longer than 1 MiB");
	buf_append(edited, text.at, text.len);
	return 0;
}

static int end(struct buf *edited, int error, struct buf *out)
{
	if (!error)
		buf_append(out, edited->at, edited->len);
	error = error ? error : edited->error ? edited->error : out->error;
	buf_done(edited);
	return error;
}

static int add(
	const struct wish *wish, struct bytes text, struct buf *out, struct complaint *complaint)
{
	struct buf edited;
	int error = begin(&edited, text, complaint);
	for (size_t i = 0; i < NAME_COUNT && !error; i++) {
		struct assignment is;
		if (!find(buf_bytes(&edited), names[i], &is))
			append(&edited, names[i], wish->url);
		else if (!bytes_are(without_quotes(is.value), wish->url))
			splice(&edited, is.value, bytes_of(wish->url));
	}
	return end(&edited, error, out);
}

static bool is_ours(struct bytes value, const char *url)
{
	value = without_quotes(value);
	return url ? bytes_are(value, url) :
		     bytes_start_with(value, "http://") || bytes_start_with(value, "https://");
}

static int take_out(const char *url, struct bytes text, struct bytes before, struct buf *out,
	struct complaint *complaint)
{
	struct buf edited;
	int error = begin(&edited, text, complaint);
	for (size_t i = 0; i < NAME_COUNT && !error; i++) {
		struct assignment is, was;
		if (!find(buf_bytes(&edited), names[i], &is) || !is_ours(is.value, url))
			continue;
		if (find(before, names[i], &was))
			splice(&edited, is.value, was.value);
		else
			cut(&edited, is.line);
	}
	return end(&edited, error, out);
}

/* ---- what it says ---- */

enum { URL_MAX = 2048 };

/* As a person would have it; empty when it is longer than any URL. */
static void read_url(struct bytes value, char ret_url[URL_MAX])
{
	value = without_quotes(value);
	snprintf(ret_url, URL_MAX, "%.*s", value.len < URL_MAX ? (int)value.len : 0,
		(const char *)value.at);
}

static void inspect_text(
	struct bytes text, const char *url, struct findings *findings, bool *ret_is_on)
{
	static const char mend[] = "tollgate setup langfuse-sdk --apply";
	struct assignment is;
	size_t there = 0;
	for (size_t i = 0; i < NAME_COUNT; i++) {
		char endpoint[URL_MAX], what[128];
		if (!find(text, names[i], &is))
			continue;
		there++;
		read_url(is.value, endpoint);
		snprintf(what, sizeof what, "%s in .env leads", names[i]);
		if (inspection_meets(endpoint, url)) {
			*ret_is_on = true;
		} else {
			inspection_add_elsewhere(
				findings, tool_langfuse_sdk.name, what, endpoint, url, mend);
			return;
		}
	}
	if (there == 0 && find(text, "LANGFUSE_PUBLIC_KEY", &is))
		findings_add(findings, FINDING_ENDPOINT_ELSEWHERE, tool_langfuse_sdk.name, mend,
			".env has keys and no LANGFUSE_BASE_URL: SDKs send to "
			"https://cloud.langfuse.com, Tollgate is at %s.",
			url);
}

/* The environment is not asked: with the same names it may be the gateway's own, for where that sends to. */
static void inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on)
{
	char path[TOOL_PATH_MAX];
	struct buf text;
	*ret_is_on = false;
	buf_init(&text, TEXT_MAX_BYTES, NULL);
	int error = inspection_read(&tool_langfuse_sdk, 0, home, path, &text);
	if (!error)
		inspect_text(buf_bytes(&text), url, findings, ret_is_on);
	buf_done(&text);
}

const struct tool tool_langfuse_sdk = {
	.name = "langfuse-sdk",
	.title = "Langfuse SDK",
	.directory = "",
	.files = { { ".env", add, take_out } },
	.after = "Programs that run keep their settings: start them anew.",
	.inspect = inspect,
};
