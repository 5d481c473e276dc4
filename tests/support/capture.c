#include "support/capture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/compression.h"
#include "otlp/json.h"
#include "support/fixture.h"

enum { BODY_MAX_BYTES = 16 << 20, MAX_DEPTH = 100 };

static json_t *json_of(struct bytes text)
{
	json_t *value = json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL);
	if (!value)
		abort();
	return value;
}

/* "2026-11-20T20:23:20.176Z" */
static uint64_t moment(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!rest)
		abort();
	return (uint64_t)((double)timegm(&tm) * 1e3 + strtod(rest, NULL) * 1e3 + 0.5) * 1000000;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void replace(struct bytes *body, struct buf *by)
{
	free((void *)body->at);
	*body = buf_bytes(by);
}

static struct bytes as_protobuf(struct bytes body, const char *file, enum signal signal)
{
	struct buf out;
	if (ends_with(file, ".gz")) {
		buf_init(&out, BODY_MAX_BYTES, NULL);
		if (gzip_inflate(body, &out))
			abort();
		replace(&body, &out);
	}
	if (ends_with(file, ".json") || ends_with(file, ".json.gz")) {
		struct complaint complaint = { 0 };
		buf_init(&out, BODY_MAX_BYTES, NULL);
		if (json_to_request(body, signal, MAX_DEPTH, &out, &complaint))
			abort();
		replace(&body, &out);
	}
	return body;
}

static struct delivery *add(struct capture *capture)
{
	capture->deliveries =
		realloc(capture->deliveries, (capture->count + 1) * sizeof *capture->deliveries);
	struct delivery *delivery = &capture->deliveries[capture->count++];
	*delivery = (struct delivery){ 0 };
	return delivery;
}

static void add_bodies(struct capture *capture)
{
	static const char *const paths[] = { NULL, "/v1/traces", "/v1/logs", "/v1/metrics" };
	char path[160];
	size_t i;
	json_t *entry;
	snprintf(path, sizeof path, "captures/%s/manifest.json", capture->name);
	struct bytes text = fixture(path);
	json_t *manifest = json_of(text);
	json_array_foreach(manifest, i, entry) {
		const char *file = text_of(entry, "file"), *name = text_of(entry, "signal");
		struct delivery *delivery = add(capture);
		delivery->signal = *name == 't' ? SIGNAL_TRACES :
			*name == 'l'            ? SIGNAL_LOGS :
						  SIGNAL_METRICS;
		delivery->path = paths[delivery->signal];
		delivery->time_ns = moment(text_of(entry, "time"));
		snprintf(path, sizeof path, "captures/%s/%s", capture->name, file);
		delivery->body = as_protobuf(fixture(path), file, delivery->signal);
	}
	json_decref(manifest);
	free((void *)text.at);
}

static void add_hook(struct capture *capture, const char *line, size_t len)
{
	json_t *record = json_of((struct bytes){ (const uint8_t *)line, len });
	const char *t_ns = text_of(record, "t_ns");
	struct delivery *delivery = add(capture);
	delivery->path = capture->cli[1] == 'l' ? "/hooks/claude-code" :
		capture->cli[1] == 'o'          ? "/hooks/codex" :
						  "/hooks/gemini";
	delivery->is_hook = true;
	delivery->signal = SIGNAL_LOGS;
	delivery->time_ns = *t_ns ? strtoull(t_ns, NULL, 10) : moment(text_of(record, "time"));
	char *payload = json_dumps(json_object_get(record, "payload"), JSON_COMPACT);
	if (!payload)
		abort();
	delivery->body = bytes_of(payload);
	json_decref(record);
}

/* One object a line; a scenario need not have the file. */
static void add_hooks(struct capture *capture, const char *file)
{
	char path[160];
	snprintf(path, sizeof path, "captures/%s/%s", capture->name, file);
	if (!fixture_is_there(path))
		return;
	struct bytes text = fixture(path);
	const char *at = (const char *)text.at, *newline;
	for (; (newline = strchr(at, '\n')); at = newline + 1)
		add_hook(capture, at, (size_t)(newline - at));
	free((void *)text.at);
}

/* Stable: what came at the same time stays as it was written down. */
static void sort_by_time(struct delivery *at, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k && at[k - 1].time_ns > at[k].time_ns; k--) {
			struct delivery later = at[k - 1];
			at[k - 1] = at[k];
			at[k] = later;
		}
}

const char *const *capture_names(void)
{
	static const char *names[64];
	const char *only = getenv("CAPTURE");
	size_t i;
	json_t *scenario;
	if (only)
		names[0] = only;
	if (names[0])
		return names;
	struct bytes text = fixture("captures/index.json");
	json_t *index = json_of(text);
	if (json_array_size(index) >= sizeof names / sizeof *names)
		abort();
	json_array_foreach(index, i, scenario) {
		char *name = malloc(64);
		snprintf(
			name, 64, "%s/%s", text_of(scenario, "cli"), text_of(scenario, "scenario"));
		names[i] = name;
	}
	json_decref(index);
	free((void *)text.at);
	return names;
}

struct capture capture_open(const char *name)
{
	struct capture capture = { .cli = *name == 'g' ? "gemini" :
			name[1] == 'o'                 ? "codex" :
							 "claude-code" };
	snprintf(capture.name, sizeof capture.name, "%s", name);
	add_bodies(&capture);
	add_hooks(&capture, "hooks.jsonl");
	add_hooks(&capture, "hooks-http.jsonl");
	add_hooks(&capture, "notify.jsonl");
	sort_by_time(capture.deliveries, capture.count);
	return capture;
}

void capture_close(struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		free((void *)capture->deliveries[i].body.at);
	free(capture->deliveries);
	*capture = (struct capture){ 0 };
}
