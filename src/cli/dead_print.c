/* What is in a dead letter. */
#include "cli/dead.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/lines.h"
#include "cli/figures.h"
#include "otlp/span.h"

enum { DEPTH = 64, SPANS_BYTES = 256 << 20 };

/* ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans and ScopeSpans.spans. */
enum { RESOURCE_SPANS = 1, SCOPE_SPANS = 2, SPANS = 2 };

struct page_of_letter {
	const struct terminal *terminal;
	struct buf *out;
	bool has_content;
	struct arena arena;
	struct span span;
};

static void put_line(
	struct page_of_letter *page, const char *indent, enum style style, struct bytes text)
{
	buf_text(page->out, indent);
	terminal_put(
		page->terminal, page->out, style, text, page->terminal->width - strlen(indent));
	buf_text(page->out, "\n");
}

static void append_hex(struct buf *line, struct bytes id)
{
	for (size_t i = 0; i < id.len && i < 16; i++)
		buf_printf(line, "%02x", id.at[i]);
}

static void put_attributes(struct page_of_letter *page, const struct attributes *attributes)
{
	for (size_t i = 0; i < attributes->count; i++) {
		const struct attribute *attribute = &attributes->at[i];
		struct buf line;
		buf_init(&line, SPANS_BYTES, NULL);
		buf_append(&line, attribute->key.at, attribute->key.len);
		buf_text(&line, attribute->has_value ? " = " : " has no value");
		if (attribute->has_value)
			buf_value_json(&line, &attribute->value);
		put_line(page, "    ", STYLE_PLAIN, buf_bytes(&line));
		buf_done(&line);
	}
}

static int put_span(struct page_of_letter *page, const struct field *field)
{
	char figure[FIGURE_MAX];
	int error = span_read(field, DEPTH, &page->arena, &page->span);
	if (error)
		return error;
	const struct span *span = &page->span;
	struct buf line;
	buf_init(&line, SPANS_BYTES, NULL);
	append_hex(&line, span->span_id);
	buf_text(&line, "  ");
	buf_append(&line, span->name.at, span->name.len);
	put_line(page, "  ", STYLE_BOLD, buf_bytes(&line));
	line.len = 0;
	buf_text(&line, "trace ");
	append_hex(&line, span->trace_id);
	buf_printf(&line, ", %s", figure_bytes(figure, field->body.len));
	put_line(page, "    ", STYLE_DIM, buf_bytes(&line));
	buf_done(&line);
	if (page->has_content)
		put_attributes(page, &span->attributes);
	return 0;
}

/* Spans are three messages deep. */
static int put_spans(struct page_of_letter *page, struct bytes message, int level)
{
	static const uint32_t numbers[] = { RESOURCE_SPANS, SCOPE_SPANS, SPANS };
	struct wire wire = wire_of(message);
	struct field field;
	int more, error = 0;
	while (!error && (more = wire_next(&wire, &field)) > 0)
		if (field_is(&field, numbers[level], WIRE_BYTES))
			error = level == 2 ? put_span(page, &field) :
					     put_spans(page, field.body, level + 1);
	return error ? error : more;
}

static int put_event(struct page_of_letter *page, struct bytes text)
{
	char figure[FIGURE_MAX];
	json_t *event = json_loadb((const char *)text.at, text.len, 0, NULL);
	struct buf line;
	if (!event)
		return -EBADMSG;
	buf_init(&line, SPANS_BYTES, NULL);
	buf_printf(&line, "%s  %s", json_text(event, "id"), json_text(event, "type"));
	put_line(page, "  ", STYLE_BOLD, buf_bytes(&line));
	line.len = 0;
	buf_printf(&line, "%s %s", figure_bytes(figure, text.len), json_text(event, "timestamp"));
	put_line(page, "    ", STYLE_DIM, buf_bytes(&line));
	buf_done(&line);
	json_decref(event);
	if (page->has_content)
		put_line(page, "    ", STYLE_PLAIN, text);
	return 0;
}

static int put_events(struct page_of_letter *page, struct bytes lines)
{
	struct bytes line;
	int error = 0;
	while (!error && lines_next(&lines, &line))
		error = put_event(page, line);
	return error;
}

static int put_plain(struct page_of_letter *page, const char *signal, struct bytes request)
{
	if (strcmp(signal, "traces") == 0)
		return put_spans(page, request, 0);
	return strcmp(signal, "ingestion") == 0 ? put_events(page, request) : -EBADMSG;
}

static void put_request(struct page_of_letter *page, const json_t *answer)
{
	struct buf request;
	bool is_plain = strcmp(json_text(answer, "encoding"), "identity") == 0;
	buf_init(&request, SPANS_BYTES, NULL);
	arena_init(&page->arena, SPANS_BYTES, NULL);
	int error = is_plain ? base64_decode(bytes_of(json_text(answer, "request")), &request) :
			       -EBADMSG;
	if (!error)
		error = put_plain(page, json_text(answer, "signal"), buf_bytes(&request));
	if (error)
		put_line(page, "  ", STYLE_YELLOW,
			bytes_of("The request cannot be read as spans or events."));
	arena_done(&page->arena);
	buf_done(&request);
}

int dead_letter_print(const json_t *answer, bool has_content, uint64_t now_ns,
	const struct terminal *terminal, struct buf *out)
{
	char figure[FIGURE_MAX], age[FIGURE_MAX];
	struct page_of_letter page = {
		.terminal = terminal, .out = out, .has_content = has_content
	};
	struct buf line;
	uint64_t time_ns = json_uint(answer, "time_ns");
	buf_init(&line, SPANS_BYTES, NULL);
	put_line(&page, "", STYLE_BOLD, bytes_of(json_text(answer, "id")));
	buf_printf(&line, "refused at %s, %s ago: ", figure_time(figure, time_ns),
		figure_age(age, time_ns, now_ns));
	if (json_uint(answer, "status"))
		buf_printf(&line, "%llu, ", (unsigned long long)json_uint(answer, "status"));
	buf_text(&line, json_text(answer, "reason"));
	put_line(&page, "", STYLE_RED, buf_bytes(&line));
	buf_done(&line);
	put_request(&page, answer);
	return out->error;
}
