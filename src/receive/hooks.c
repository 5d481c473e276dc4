#include "receive/hooks.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/json_skim.h"
#include "base/utf8.h"
#include "batch.h"
#include "config/config.h"
#include "dialects/dialect.h"
#include "pipeline.h"
#include "receive/refusal.h"
#include "spool/spool.h"

enum { REPLY_MAX_BYTES = 64 << 10, PAYLOAD_MAX_DEPTH = 64 };

static const char prefix[] = "/hooks/";
static const char media_type[] = "application/json";

/* One hook between its body and its reply; freed when the request is over. */
struct hook {
	struct batch batch;
	struct http_request *request;
};

bool is_for_hooks(const struct http_request *request)
{
	return strncmp(http_request_path(request), prefix, sizeof prefix - 1) == 0;
}

static void refuse(struct http_request *request, struct refusal refusal)
{
	struct buf body;
	buf_init(&body, REPLY_MAX_BYTES, NULL);
	buf_text(&body, "{\"error\":");
	buf_json_string(&body, bytes_of(refusal.why));
	buf_text(&body, "}");
	refusal_note(&refusal);
	http_reply(request, refusal.status, media_type, buf_bytes(&body), refusal.headers);
	buf_done(&body);
}

void receive_hooks_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	if (status == 404)
		why = "nothing is served at this path; hooks go to POST /hooks/claude-code, "
		      "/hooks/codex or /hooks/gemini";
	refuse(request, refusal_of_status(status, why, headers));
}

static void accept(struct http_request *request)
{
	static const struct bytes nothing = BYTES("{}");
	counter_add(COUNTER_REQUESTS_RECEIVED, 1);
	http_reply(request, 200, media_type, nothing, NULL);
}

static void begin(struct http_request *request, void *owner)
{
	const struct hook_doors *doors = ((const struct hook_door *)owner)->doors;
	int error = doors->config->sessions.enabled ? spool_status(doors->spool) : 0;
	if (is_our_own(request))
		receive_hooks_refuse(
			request, 508, "this request was sent by Tollgate itself", NULL);
	else if (error)
		refuse(request, refusal_of_error(error, ""));
}

static bool is_object(struct bytes text)
{
	struct skim skim = { text.at, bytes_end(text) };
	skim_blanks(&skim);
	bool opens = skim.at < skim.end && *skim.at == '{';
	if (!opens || !skim_value(&skim, PAYLOAD_MAX_DEPTH))
		return false;
	skim_blanks(&skim);
	return skim.at == skim.end && utf8_valid_bytes(text) == text.len;
}

static void on_committed(struct batch *batch, int error)
{
	struct hook *hook = batch->owner;
	if (error)
		refuse(hook->request, refusal_of_error(error, ""));
	else
		accept(hook->request);
}

static void free_hook(void *owned)
{
	struct hook *hook = owned;
	arena_done(&hook->batch.arena);
	free(hook);
}

static int keep(const struct hook_door *door, struct http_request *request, struct bytes payload)
{
	const struct hook_doors *doors = door->doors;
	struct hook *hook = calloc(1, sizeof *hook);
	if (!hook)
		return -ENOMEM;
	hook->request = request;
	hook->batch.lane = access_caller(request)->lane;
	hook->batch.signal = SIGNAL_LOGS;
	hook->batch.received_ns = clock_unix_ns();
	hook->batch.committed = on_committed;
	hook->batch.owner = hook;
	arena_init(
		&hook->batch.arena, doors->config->limits.max_request_memory_bytes, doors->budget);
	http_request_own(request, hook, free_hook);
	return pipeline_accept_hook(doors->pipeline, &hook->batch, door->dialect, payload);
}

static void take(const struct hook_door *door, struct http_request *request, struct bytes payload)
{
	int error = keep(door, request, payload);
	if (error)
		refuse(request, refusal_of_error(error, ""));
}

static void handle(struct http_request *request, struct bytes body, void *owner)
{
	const struct hook_door *door = owner;
	const struct config *config = door->doors->config;
	if (body.len > config->sessions.max_hook_bytes) {
		receive_hooks_refuse(
			request, 413, "the payload is larger than sessions.max_hook_bytes", NULL);
	} else if (!is_object(body)) {
		receive_hooks_refuse(
			request, 400, "the body is not one JSON object of at most 64 levels", NULL);
	} else if (!config->sessions.enabled) {
		counter_add(COUNTER_HOOKS_RECEIVED, 1);
		accept(request);
	} else {
		take(door, request, body);
	}
}

void receive_hooks_routes(struct hook_doors *doors, struct http_route ret_routes[HOOK_ROUTE_COUNT])
{
	assert(!dialects[HOOK_ROUTE_COUNT]);
	for (size_t i = 0; i < HOOK_ROUTE_COUNT; i++) {
		struct hook_door *door = &doors->at[i];
		door->doors = doors;
		door->dialect = dialects[i];
		snprintf(door->path, sizeof door->path, "%s%s", prefix, dialects[i]->cli.name);
		ret_routes[i] = (struct http_route){ "POST", door->path, begin, handle, door };
	}
}
