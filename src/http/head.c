#include "http/head.h"

#include <stdlib.h>
#include <strings.h>

static bool is_alphanumeric(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that is escaped at a '%'; -1: none, or NUL, which would end every text here. */
static int escaped(const char *at)
{
	int high = hex_digit(at[1]);
	int low = high < 0 ? -1 : hex_digit(at[2]);
	return low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

static bool is_unreserved(int c)
{
	return is_alphanumeric((unsigned char)c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* An escaped slash or backslash is one to whoever unescapes before looking for dots. */
static size_t separator_len(const char *at)
{
	int c = *at == '%' ? escaped(at) : *at;
	return c == '/' || c == '\\' ? *at == '%' ? 3 : 1 : 0;
}

static bool has_odd_segment(const char *path)
{
	while (*path) {
		const char *segment = path += separator_len(path);
		while (*path && !separator_len(path))
			path++;
		size_t len = (size_t)(path - segment);
		if (len == 0 && segment[-1] == '/' && *path == '/')
			return true;
		if ((len == 1 || len == 2) && strncmp(segment, "..", len) == 0)
			return true;
	}
	return false;
}

const char *http_target_path(const char *target, struct buf *path)
{
	if (*target != '/')
		return "the target of a request must be a path";
	size_t begin = path->len;
	char *out = (char *)buf_reserve(path, strlen(target) + 1);
	if (!out)
		return "no memory for the target";
	bool is_path = true;
	for (const char *at = target; *at; at++) {
		int c = *at == '%' ? escaped(at) : *at;
		if (c < 0 || *at <= 0x20 || *at >= 0x7f || *at == '#' || *at == '\\')
			return "the target has bytes or escapes that do not belong there";
		is_path = is_path && *at != '?';
		if (!is_path)
			continue;
		if (*at == '%' && is_unreserved(c)) {
			*out++ = (char)c;
			at += 2;
		} else {
			*out++ = *at;
		}
	}
	*out++ = '\0';
	path->len = (size_t)(out - (char *)path->at);
	return has_odd_segment((char *)path->at + begin) ? "the path has empty or dot segments" :
							   NULL;
}

struct lines {
	size_t bytes; /* that the lines have, each with CR and LF */
	unsigned hosts, lengths, transfers;
	const char *length, *transfer;
	bool is_odd;
};

static bool is_token(const char *name)
{
	for (; *name; name++)
		if (!is_alphanumeric((unsigned char)*name) && !strchr("-_!#$%&'*+.^`|~", *name))
			return false;
	return true;
}

static bool has_controls(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
			return true;
	return false;
}

/*
 * libmicrohttpd leaves name and value where they came, one behind the other, but for lines that were folded,
 * which it joins in its own way.
 */
static enum MHD_Result read_line(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct lines *lines = arg;
	const char *end = name + strlen(name) + 1;
	lines->is_odd = !*name || !is_token(name) || !value || value < end ||
		end + strspn(end, " \t") != value || has_controls(value);
	if (lines->is_odd)
		return MHD_NO;
	lines->bytes += (size_t)(value - name) + strlen(value) + 2;
	if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
		lines->hosts++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		lines->lengths++;
		lines->length = value;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		lines->transfers++;
		lines->transfer = value;
	}
	return MHD_YES;
}

static size_t head_bytes(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info ? info->header_size : 0;
}

const char *http_head_check(struct MHD_Connection *connection, const char *method,
	size_t target_len, const char *version, struct http_framing *ret_framing)
{
	*ret_framing = (struct http_framing){ .is_unclear = true };
	/* "METHOD target HTTP/1.1", and the empty line */
	struct lines lines = {
		.bytes = strlen(method) + 1 + target_len + 1 + strlen(version) + 2 + 2,
	};
	MHD_get_connection_values(connection, MHD_HEADER_KIND, read_line, &lines);
	/* What the parts do not account for was folded, ended by LF alone or cut off at a NUL. */
	if (lines.is_odd || lines.bytes != head_bytes(connection))
		return "the head of the request is not plain HTTP/1.1";
	if (lines.hosts > 1)
		return "only one Host can be asked for";
	bool knows_chunks = strcmp(version, MHD_HTTP_VERSION_1_0) != 0;
	if (lines.lengths + lines.transfers > 1 ||
		(lines.transfer && (!knows_chunks || strcasecmp(lines.transfer, "chunked") != 0)))
		return "either one Content-Length or chunked Transfer-Encoding is needed";
	/* libmicrohttpd has refused other than digits */
	int64_t length = lines.length ? strtoll(lines.length, NULL, 10) : 0;
	*ret_framing = (struct http_framing){ .length = lines.transfer ? -1 : length };
	return NULL;
}
