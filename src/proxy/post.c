#include "proxy/post.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/names.h"
#include "batch.h"
#include "config/config.h"
#include "export/exporter.h"
#include "http/compression.h"
#include "pipeline.h"
#include "proxy/errors.h"
#include "proxy/events.h"
#include "proxy/headers.h"
#include "proxy/relay.h"
#include "receive/refusal.h"

enum { ANSWER_MAX_BYTES = 16 << 20 };

struct post {
	struct relay relay;
	bool are_scores;
	bool is_storable;
	struct buf decoded, named; /* the body, where it is not the one that came */
	struct events events;
	struct batch batch;

	int status; /* of Langfuse's answer; 0 before */
	struct arena arena;
	struct http_header *headers; /* of it, in the arena */
	struct buf answer;
};

/* ---- to disk ---- */

static void raise_to(_Atomic uint64_t *number, uint64_t least)
{
	uint64_t now = atomic_load(number);
	while (now < least && !atomic_compare_exchange_weak(number, &now, least))
		;
}

static bool has_backlog(const struct proxy *proxy, const struct project *project)
{
	return exporter_finished_below(proxy->options.exporter, project->lane, SIGNAL_INGESTION) <
		atomic_load(&project->owed_below);
}

static void refuse_storing(struct post *post, int error)
{
	const struct refusal refusal = refusal_of_error(error, "");
	struct relay *relay = &post->relay;
	refusal_note(&refusal);
	reply_error(relay->request, refusal.status, refusal.why, refusal.headers);
	relay->request = NULL;
	relay->passage = REFUSED;
	relay_close(relay);
}

/* Who comes after this answer finds the lane with a backlog. */
static void on_stored(struct batch *batch, int error)
{
	struct post *post = batch->owner;
	struct relay *relay = &post->relay;
	if (error) {
		refuse_storing(post, error);
		return;
	}
	raise_to(&relay->project->owed_below, batch->stored_below);
	http_reply(relay->request, post->events.status, "application/json",
		buf_bytes(&post->events.answer), NULL);
	relay->request = NULL;
	relay->passage = STORED;
	relay_close(relay);
}

/* From here on the post is the spool's. */
static void store(struct post *post)
{
	const struct proxy_options *options = &post->relay.proxy->options;
	relay_leave_thread(&post->relay);
	post->batch.lane = post->relay.project->lane;
	post->batch.signal = SIGNAL_INGESTION;
	post->batch.received_ns = clock_unix_ns();
	post->batch.committed = on_stored;
	post->batch.owner = post;
	int error = pipeline_accept_events(options->pipeline, &post->batch,
		buf_bytes(&post->events.lines), post->events.count);
	if (error)
		refuse_storing(post, error);
}

/* ---- Langfuse's answer ---- */

/* The list's texts live only as long as the head. */
static struct http_header *copy_headers(struct arena *arena, const struct http_header *headers)
{
	size_t count = headers_count(headers);
	struct http_header *copies = arena_alloc(arena, (count + 1) * sizeof *copies);
	for (size_t i = 0; copies && i < count; i++)
		copies[i] = (struct http_header){
			arena_copy(arena, headers[i].name, strlen(headers[i].name) + 1),
			arena_copy(arena, headers[i].value, strlen(headers[i].value) + 1),
		};
	if (copies)
		copies[count] = (struct http_header){ 0 };
	return arena->error ? NULL : copies;
}

static struct flow *on_head(void *owner, const struct upstream_head *head)
{
	struct post *post = owner;
	struct http_header going[HEADERS_MAX + 1];
	relay_note_status(&post->relay, head->status);
	post->status = head->status;
	headers_go_back(head->headers, going);
	post->headers = copy_headers(&post->arena, going);
	return NULL;
}

static void on_body(void *owner, struct bytes piece)
{
	struct post *post = owner;
	buf_append(&post->answer, piece.at, piece.len);
}

static void reply_as_answered(struct post *post)
{
	struct relay *relay = &post->relay;
	http_reply(relay->request, (unsigned)post->status, NULL, buf_bytes(&post->answer),
		post->headers);
	relay->request = NULL;
	relay->passage = PASSED;
}

static void on_end(void *owner, enum http_outcome outcome, const char *error)
{
	struct post *post = owner;
	struct relay *relay = &post->relay;
	bool is_whole = outcome == HTTP_ANSWERED && post->headers && !post->answer.error;
	bool is_taken = is_whole && !is_away(post->status) && !is_refused(post->status);
	relay->call = NULL;
	relay_note_failure(relay, outcome, error);
	if (post->is_storable && !is_taken) {
		store(post);
		return;
	}
	if (is_whole)
		reply_as_answered(post);
	else
		relay_fail(relay, outcome);
	relay_close(relay);
}

static const struct upstream_listener listener = { on_head, on_body, on_end };

/* ---- its manner ---- */

static void start(struct relay *relay)
{
	if (!relay_ask(relay))
		relay_close(relay);
}

static void break_off(struct relay *relay)
{
	struct post *post = (struct post *)relay;
	upstream_cancel(relay->call);
	relay->call = NULL;
	if (post->is_storable) {
		store(post);
		return;
	}
	relay_refuse(relay, 503, "the server is stopping");
	relay_close(relay);
}

static void free_post(struct relay *relay)
{
	struct post *post = (struct post *)relay;
	buf_done(&post->decoded);
	buf_done(&post->named);
	events_done(&post->events);
	arena_done(&post->batch.arena);
	arena_done(&post->arena);
	buf_done(&post->answer);
	free(post);
}

static const struct manner posting = { start, NULL, break_off, free_post };

/* ---- what is posted ---- */

/* The body as it is without a coding that we know; NULL: as it came. */
static const struct coding *coding_of(const struct http_request *request)
{
	const char *value = http_request_header(request, "Content-Encoding");
	const struct coding *coding = codings;
	while (value && coding->name && strcasecmp(coding->name, value) != 0)
		coding++;
	return value && coding->name && coding->inflate ? coding : NULL;
}

static int decode(struct post *post, struct bytes *body, struct complaint *complaint)
{
	const struct coding *coding = coding_of(post->relay.request);
	if (!coding)
		return 0;
	int error = coding->inflate(*body, &post->decoded);
	*body = buf_bytes(&post->decoded);
	if (error == -EBADMSG)
		complain(complaint, "the %s data of the body is damaged", coding->name);
	return error;
}

/* The name and version of an SDK as it says them itself, else the program's. */
static void note_sdk(const struct http_request *request)
{
	static const char *const names[] = { "x-langfuse-sdk-name", "x_langfuse_sdk_name" };
	static const char *const versions[] = { "x-langfuse-sdk-version",
		"x_langfuse_sdk_version" };
	const char *name = NULL, *version = NULL;
	char text[NAME_TEXT_MAX + 1];
	for (size_t i = 0; i < 2; i++) {
		name = name ? name : http_request_header(request, names[i]);
		version = version ? version : http_request_header(request, versions[i]);
	}
	const char *agent = http_request_header(request, "User-Agent");
	if (name)
		snprintf(text, sizeof text, "%s%s%s", name, version ? " " : "",
			version ? version : "");
	else
		snprintf(text, sizeof text, "%.*s", agent ? (int)strcspn(agent, " ") : 0,
			agent ? agent : "");
	names_add(NAMES_INGESTION_SDKS, bytes_of(text));
}

/* Finds what would be stored. What cannot be is for Langfuse to judge. */
static int read_events(struct post *post, struct bytes *body)
{
	const struct proxy_options *options = &post->relay.proxy->options;
	const struct events_limits limits = {
		.max_depth = (unsigned)options->config->limits.max_depth,
		.max_events = (uint32_t)options->config->limits.max_spans,
		.budget = options->budget,
	};
	struct complaint complaint = { 0 };
	int error = 0;
	if (post->are_scores) {
		error = events_name_scores(*body, &limits, &post->named, &complaint);
		if (!error)
			*body = buf_bytes(&post->named);
		if (!error)
			error = events_of_scores(
				*body, clock_unix_ns(), &limits, &post->events, &complaint);
	} else {
		error = events_of_batch(*body, &limits, &post->events, &complaint);
	}
	post->is_storable = !error;
	return error == -ENOMEM ? error : 0;
}

static void init(struct post *post, const struct proxy_options *options)
{
	const struct config *config = options->config;
	uint64_t max_bytes = config->proxy.max_events_bytes;
	buf_init(&post->decoded, max_bytes, options->budget);
	buf_init(&post->named, max_bytes + 64, options->budget);
	buf_init(&post->answer, ANSWER_MAX_BYTES, options->budget);
	arena_init(&post->arena, config->limits.max_request_memory_bytes, options->budget);
	arena_init(&post->batch.arena, config->limits.max_request_memory_bytes, options->budget);
}

static void ask(struct post *post, struct bytes body)
{
	struct relay *relay = &post->relay;
	const struct config *config = relay->proxy->options.config;
	relay->asked.body = body;
	relay->asked.head_timeout_ms = config->proxy.answer_timeout_ms;
	relay->asked.silence_timeout_ms = config->proxy.answer_timeout_ms;
	relay->asked.listener = &listener;
	relay->asked.owner = post;
	relay_wake(relay);
}

static void refuse(struct post *post, int error, const char *why)
{
	struct relay *relay = &post->relay;
	if (error == -ENOMEM)
		relay_refuse(relay, 503, "other requests hold the memory");
	else if (error == -E2BIG)
		relay_refuse(relay, 413, "the body is larger than proxy.max_events_bytes");
	else
		relay_refuse(relay, 400, why);
	relay_close(relay);
}

static void take(
	struct proxy *proxy, struct http_request *request, struct bytes body, bool are_scores)
{
	struct complaint complaint = { 0 };
	struct post *post = calloc(1, sizeof *post);
	if (!post) {
		refuse_error(request, 503, "other requests hold the memory", NULL);
		return;
	}
	init(post, &proxy->options);
	post->are_scores = are_scores;
	if (!relay_open(&post->relay, &posting, proxy, request,
		    coding_of(request) ? "Content-Encoding" : NULL))
		return;
	int error = body.len > proxy->options.config->proxy.max_events_bytes ? -E2BIG : 0;
	if (!error)
		error = decode(post, &body, &complaint);
	if (!error)
		error = read_events(post, &body);
	if (error) {
		refuse(post, error, complaint.text);
		return;
	}
	if (post->events.of_traces > 0) {
		counter_add(COUNTER_INGESTION_OF_TRACES, post->events.of_traces);
		note_sdk(request);
	}
	if (post->is_storable && has_backlog(proxy, post->relay.project))
		store(post);
	else
		ask(post, body);
}

void post_batch(struct http_request *request, struct bytes body, void *proxy)
{
	take(proxy, request, body, false);
}

void post_scores(struct http_request *request, struct bytes body, void *proxy)
{
	take(proxy, request, body, true);
}
