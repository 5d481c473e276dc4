#include "proxy/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "config/config.h"
#include "proxy/copies.h"
#include "proxy/errors.h"
#include "proxy/headers.h"
#include "proxy/relay.h"

enum { CONTENT_TYPE_MAX = 128 };

struct stream {
	struct relay relay;
	struct flow *body;   /* from the client; NULL: the request has none */
	struct flow *answer; /* to the client; NULL before it begins */
	bool is_prompt;
	bool is_kept; /* the answer, as it passes */
	char content_type[CONTENT_TYPE_MAX];
	struct buf copy;
};

static const char *target_of(const struct relay *relay)
{
	return relay->asked.url + strlen(relay->proxy->base_url);
}

/* ---- prompts ---- */

/* How it is told that a copy is shown: RFC 7234, 5.5. */
static const char *warning_of(enum http_outcome outcome)
{
	return outcome == HTTP_ANSWERED ? "110 - \"Response is Stale\"" :
					  "111 - \"Revalidation Failed\"";
}

/* False: there is none. */
static bool reply_with_copy(struct stream *stream, enum http_outcome outcome)
{
	struct relay *relay = &stream->relay;
	struct copy copy;
	char age[32];
	if (!stream->is_prompt ||
		copies_find(relay->proxy->copies, relay->project->lane, target_of(relay),
			clock_unix_ns(), &copy) < 0)
		return false;
	snprintf(age, sizeof age, "%llu", (unsigned long long)copy.age_ms / 1000);
	const struct http_header headers[] = { { "Age", age }, { "Warning", warning_of(outcome) },
		{ NULL, NULL } };
	http_reply(relay->request, 200, copy.content_type, buf_bytes(&copy.body), headers);
	buf_done(&copy.body);
	relay->request = NULL;
	relay->passage = COPIED;
	return true;
}

/* An answer in a coding that this client takes is of no use to another one. */
static bool can_keep(const struct upstream_head *head)
{
	const char *type = headers_find(head->headers, "Content-Type");
	return head->status == 200 && !headers_find(head->headers, "Content-Encoding") && type &&
		strlen(type) < CONTENT_TYPE_MAX;
}

static void begin_copy(struct stream *stream, const struct upstream_head *head)
{
	struct relay *relay = &stream->relay;
	if (is_refused(head->status) || head->status == 404)
		copies_forget(relay->proxy->copies, relay->project->lane, target_of(relay));
	stream->is_kept = can_keep(head) && strcmp(relay->asked.method, "GET") == 0;
	if (stream->is_kept)
		snprintf(stream->content_type, sizeof stream->content_type, "%s",
			headers_find(head->headers, "Content-Type"));
}

static void on_body(void *owner, struct bytes piece)
{
	struct stream *stream = owner;
	if (stream->is_kept)
		buf_append(&stream->copy, piece.at, piece.len);
}

static void end_copy(struct stream *stream)
{
	const struct relay *relay = &stream->relay;
	if (stream->is_kept && !stream->copy.error)
		copies_keep(relay->proxy->copies, relay->project->lane, target_of(relay),
			stream->content_type, buf_bytes(&stream->copy), clock_unix_ns());
}

/* ---- the way through ---- */

static void close_stream(struct stream *stream)
{
	if (stream->body)
		flow_watch(stream->body, FLOW_READER, NULL, NULL);
	if (stream->answer)
		flow_watch(stream->answer, FLOW_WRITER, NULL, NULL);
	relay_close(&stream->relay);
}

/* Server-sent events may be rare, whatever the path. */
static void allow_silence(struct stream *stream, const struct upstream_head *head)
{
	static const char events[] = "text/event-stream";
	const struct config *config = stream->relay.proxy->options.config;
	const char *type = headers_find(head->headers, "Content-Type");
	if (type && strncasecmp(type, events, sizeof events - 1) == 0)
		upstream_allow_silence(stream->relay.call, config->proxy.stream_silence_timeout_ms);
}

static void reply(struct stream *stream, const struct upstream_head *head)
{
	struct relay *relay = &stream->relay;
	struct http_request *request = relay->request;
	struct http_header going[HEADERS_MAX + 1];
	headers_go_back(head->headers, going);
	relay->passage = PASSED;
	relay->request = NULL;
	http_reply_stream(request, (unsigned)head->status, going, stream->answer, head->length);
}

static struct flow *pass_on(struct stream *stream, const struct upstream_head *head)
{
	struct relay *relay = &stream->relay;
	const struct proxy_options *options = &relay->proxy->options;
	stream->answer = flow_new(options->config->proxy.buffer_bytes, options->budget);
	if (!stream->answer) {
		relay_refuse(relay, 503, "other requests hold the memory");
		relay_wake(relay);
		return NULL;
	}
	flow_watch(stream->answer, FLOW_WRITER, relay_flow_moved, relay);
	allow_silence(stream, head);
	reply(stream, head);
	return stream->answer;
}

static struct flow *on_head(void *owner, const struct upstream_head *head)
{
	struct stream *stream = owner;
	struct relay *relay = &stream->relay;
	relay_note_status(relay, head->status);
	if (is_away(head->status) && reply_with_copy(stream, HTTP_ANSWERED))
		return NULL;
	if (stream->is_prompt)
		begin_copy(stream, head);
	return pass_on(stream, head);
}

static enum passage how_it_failed(enum passage passage, enum http_outcome outcome)
{
	if (passage != PASSED)
		return passage;
	return outcome == HTTP_UNWANTED ? DEPARTED : FAILED;
}

static void on_end(void *owner, enum http_outcome outcome, const char *error)
{
	struct stream *stream = owner;
	struct relay *relay = &stream->relay;
	relay->call = NULL;
	relay_note_failure(relay, outcome, error);
	if (outcome == HTTP_ANSWERED)
		end_copy(stream);
	else if (!relay->request)
		relay->passage = how_it_failed(relay->passage, outcome);
	else if (outcome == HTTP_UNWANTED)
		relay_depart(relay);
	else if (!reply_with_copy(stream, outcome))
		relay_fail(relay, outcome);
	close_stream(stream);
}

static const struct upstream_listener listener = { on_head, on_body, on_end };

/* ---- its manner ---- */

static void start(struct relay *relay)
{
	struct stream *stream = (struct stream *)relay;
	if (stream->body)
		flow_watch(stream->body, FLOW_READER, relay_flow_moved, relay);
	if (!relay_ask(relay))
		close_stream(stream);
}

/* Whether anybody waits for what comes. The call itself notices only when it has something to take or to give. */
static bool is_wanted(const struct stream *stream)
{
	const struct relay *relay = &stream->relay;
	if (relay->request)
		return !http_request_is_departed(relay->request);
	return stream->answer && flow_write(stream->answer, NULL, 0) != -EPIPE;
}

static void moved(struct relay *relay)
{
	struct stream *stream = (struct stream *)relay;
	if (is_wanted(stream)) {
		upstream_moved(relay->call);
		return;
	}
	upstream_cancel(relay->call);
	if (relay->request)
		relay_depart(relay);
	else if (relay->passage == PASSED)
		relay->passage = DEPARTED;
	close_stream(stream);
}

static void break_off(struct relay *relay)
{
	upstream_cancel(relay->call);
	if (relay->request)
		relay_refuse(relay, 503, "the server is stopping");
	else if (relay->passage == PASSED)
		relay->passage = REFUSED;
	close_stream((struct stream *)relay);
}

static void free_stream(struct relay *relay)
{
	struct stream *stream = (struct stream *)relay;
	flow_release(stream->body);
	flow_release(stream->answer);
	buf_done(&stream->copy);
	free(stream);
}

static const struct manner streaming = { start, moved, break_off, free_stream };

void stream_begin(struct http_request *request, struct flow *body, void *owner)
{
	struct proxy *proxy = owner;
	const struct config *config = proxy->options.config;
	struct stream *stream = calloc(1, sizeof *stream);
	if (!stream) {
		refuse_error(request, 503, "other requests hold the memory", NULL);
		return;
	}
	stream->body = body ? flow_hold(body) : NULL;
	stream->is_prompt = proxy->copies &&
		is_prompt_read(http_request_method(request), http_request_path(request));
	buf_init(&stream->copy, COPY_MAX_BYTES, proxy->options.budget);
	/* What one client can decode is kept for all. */
	const char *left_out = stream->is_prompt ? "Accept-Encoding" : NULL;
	if (!relay_open(&stream->relay, &streaming, proxy, request, left_out))
		return;
	struct upstream_request *asked = &stream->relay.asked;
	asked->length = http_request_length(request);
	asked->body_flow = asked->length ? body : NULL;
	asked->head_timeout_ms = stream->is_prompt ? config->proxy.answer_timeout_ms : 0;
	asked->listener = &listener;
	asked->owner = stream;
	relay_wake(&stream->relay);
}
