#include "support/fake_langfuse_api.h"

#include <ctype.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/compression.h"
#include "support/otlp_tree.h"

#define NOW "2026-08-22T12:00:00.000Z"

enum {
	INFLATED_MAX_BYTES = 64 << 20,
	BODY_MAX_BYTES = 4500 * 1024,
	ID_MAX = 64,
	EVENT_ID_MAX = 800
};

/* ---- words ---- */

static void say(struct fake_visit *visit, int status, json_t *json)
{
	visit->status = status;
	visit->json = json;
}

static void refuse(struct fake_visit *visit, int status, const char *message, const char *error)
{
	say(visit, status, json_pack("{s:s, s:s}", "message", message, "error", error));
}

static void not_found(struct fake_visit *visit, const char *what)
{
	refuse(visit, 404, what, "LangfuseNotFoundError");
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

/* ---- what a project has ---- */

static json_t *list(struct fake_visit *visit, const char *name)
{
	json_t *array = json_object_get(visit->things, name);
	if (!array) {
		array = json_array();
		json_object_set_new(visit->things, name, array);
	}
	return array;
}

/* The last one that has this value, which is the newest. */
static json_t *find(json_t *array, const char *member, const char *value)
{
	for (size_t i = json_array_size(array); i-- > 0;)
		if (strcmp(text(json_array_get(array, i), member), value) == 0)
			return json_array_get(array, i);
	return NULL;
}

static json_t *page(const json_t *array, const char *member, const char *value)
{
	size_t i;
	json_t *one, *data = json_array();
	json_array_foreach(array, i, one)
		if (!member || strcmp(text(one, member), value) == 0)
			json_array_append(data, one);
	int count = (int)json_array_size(data);
	return json_pack("{s:o, s:{s:i, s:i, s:i, s:i}}", "data", data, "meta", "page", 1, "limit",
		50, "totalItems", count, "totalPages", 1);
}

json_t *fake_taken_new(void)
{
	json_t *taken = json_array();
	for (int kind = 0; kind < FAKE_KIND_COUNT; kind++)
		json_array_append_new(taken, json_pack("{s:{}, s:[]}", "times", "order"));
	return taken;
}

static void take(struct fake_visit *visit, enum fake_kind kind, const char *id)
{
	json_t *taken = json_array_get(visit->taken, kind);
	json_t *times = json_object_get(taken, "times");
	json_int_t before = json_integer_value(json_object_get(times, id));
	json_object_set_new(times, id, json_integer(before + 1));
	json_array_append_new(json_object_get(taken, "order"), json_string(id));
}

/* Python's SDKs send what they were not told, too: as null. */
static void drop_nulls(json_t *object)
{
	for (void *at = json_object_iter(object), *next; at; at = next) {
		next = json_object_iter_next(object, at);
		if (json_is_null(json_object_iter_value(at)))
			json_object_del(object, json_object_iter_key(at));
	}
}

/* The posted object or list; refused when it is neither. */
static json_t *posted(struct fake_visit *visit)
{
	struct bytes body = visit->arrival->body;
	if (visit->arrival->body_bytes > BODY_MAX_BYTES) {
		visit->status = 413;
		visit->text = "Body exceeded 4.5mb limit";
		return NULL;
	}
	json_t *json = json_loadb((const char *)body.at, body.len, JSON_ALLOW_NUL, NULL);
	drop_nulls(json);
	if (json)
		return json;
	refuse(visit, 400, "Invalid request data", "InvalidRequestError");
	return NULL;
}

/* ---- OTLP ---- */

static bool has_word(const char *header, const char *word)
{
	for (; header && *header; header++)
		if (strncasecmp(header, word, strlen(word)) == 0)
			return true;
	return false;
}

/* NULL when it cannot be read. */
static json_t *read_spans(struct fake_visit *visit)
{
	const struct fake_arrival *arrival = visit->arrival;
	const char *coding = fake_arrival_header(arrival, "Content-Encoding");
	struct buf plain;
	buf_init(&plain, INFLATED_MAX_BYTES, NULL);
	int error = coding && strcasecmp(coding, "gzip") == 0 ?
		gzip_inflate(arrival->body, &plain) :
		(buf_append(&plain, arrival->body.at, arrival->body.len), plain.error);
	json_t *spans = NULL;
	if (!error && has_word(fake_arrival_header(arrival, "Content-Type"), "application/json"))
		spans = json_loadb((const char *)plain.at, plain.len, JSON_ALLOW_NUL, NULL);
	else if (!error)
		spans = otlp_tree(buf_bytes(&plain));
	buf_done(&plain);
	return spans;
}

/* Whether every span has its ids; each is taken when `is_taking`. */
static bool each_span(struct fake_visit *visit, const json_t *request, bool is_taking)
{
	size_t r, s, i;
	json_t *resource, *scope, *span;
	json_array_foreach(json_object_get(request, "resourceSpans"), r, resource)
		json_array_foreach(json_object_get(resource, "scopeSpans"), s, scope)
			json_array_foreach(json_object_get(scope, "spans"), i, span) {
				if (!*text(span, "traceId") || !*text(span, "spanId"))
					return false;
				if (is_taking)
					take(visit, FAKE_SPAN, text(span, "spanId"));
			}
	return true;
}

static void post_spans(struct fake_visit *visit)
{
	const char *type = fake_arrival_header(visit->arrival, "Content-Type");
	const char *version = fake_arrival_header(visit->arrival, "x-langfuse-ingestion-version");
	json_t *request = read_spans(visit);
	if (!has_word(type, "application/json") && !has_word(type, "application/x-protobuf"))
		say(visit, 400, json_pack("{s:s}", "error", "Invalid content type"));
	else if (version && (!isdigit((unsigned char)*version) || *version > '4' || version[1]))
		say(visit, 400,
			json_pack("{s:s}", "error", "Unsupported x-langfuse-ingestion-version"));
	else if (!request)
		say(visit, 400, json_pack("{s:s}", "error", "Failed to parse OTel Protobuf Trace"));
	else if (!each_span(visit, request, false))
		say(visit, 400, json_pack("{s:s}", "error", "Invalid spans: missing ids"));
	else {
		each_span(visit, request, true);
		say(visit, 200,
			json_pack("{s:s, s:{s:s}}", "id", "otel-ingestion-queue", "data",
				"publicKey", visit->project->public_key));
	}
	json_decref(request);
}

static void post_metrics(struct fake_visit *visit)
{
	say(visit, 200, json_pack("{s:s}", "message", "OK"));
}

/* ---- ingestion and scores ---- */

/* The status of one event, which is taken when it is good. */
static int judge_event(struct fake_visit *visit, const json_t *event)
{
	const char *id = text(event, "id");
	json_t *refusal = json_object_get(visit->refused, id);
	const json_t *body = json_object_get(event, "body");
	if (refusal)
		return (int)json_integer_value(refusal);
	if (!*id || strlen(id) > EVENT_ID_MAX || !*text(event, "type") ||
		!*text(event, "timestamp") || !json_is_object(body))
		return 400;
	take(visit, FAKE_EVENT, id);
	if (strcmp(text(event, "type"), "score-create") == 0)
		take(visit, FAKE_SCORE, text(body, "id"));
	return 201;
}

static void post_ingestion(struct fake_visit *visit)
{
	size_t i;
	json_t *event, *sent = posted(visit), *batch = json_object_get(sent, "batch");
	json_t *successes = json_array(), *errors = json_array();
	json_array_foreach(batch, i, event) {
		int status = judge_event(visit, event);
		json_t *id = json_object_get(event, "id");
		if (status == 201)
			json_array_append_new(
				successes, json_pack("{s:O, s:i}", "id", id, "status", status));
		else
			json_array_append_new(errors,
				json_pack("{s:O?, s:i, s:s, s:s}", "id", id, "status", status,
					"message", "Invalid request data", "error",
					"as the test wants it"));
	}
	if (json_is_array(batch))
		say(visit, 207, json_pack("{s:O, s:O}", "successes", successes, "errors", errors));
	else if (sent)
		refuse(visit, 400, "Invalid request data", "InvalidRequestError");
	json_decref(successes);
	json_decref(errors);
	json_decref(sent);
}

/* The id of a score that was taken; NULL when it is not good. */
static json_t *judge_score(struct fake_visit *visit, const json_t *score)
{
	json_t *order = json_object_get(json_array_get(visit->taken, FAKE_SCORE), "order");
	if (!*text(score, "name") || !json_object_get(score, "value"))
		return NULL;
	json_t *id = *text(score, "id") ? json_incref(json_object_get(score, "id")) :
					  json_sprintf("score-%zu", json_array_size(order) + 1);
	take(visit, FAKE_SCORE, json_string_value(id));
	return id;
}

/* One, or, from Python's SDK since version 5, a list of them. */
static void post_scores(struct fake_visit *visit)
{
	size_t i;
	json_t *score, *sent = posted(visit);
	int accepted = 0, count = (int)json_array_size(sent);
	json_array_foreach(sent, i, score) {
		json_t *id = judge_score(visit, score);
		accepted += id != NULL;
		json_decref(id);
	}
	if (json_is_array(sent) && accepted == count)
		say(visit, 202, json_pack("{s:s}", "message", "Accepted"));
	else if (json_is_array(sent))
		say(visit, 207,
			json_pack("{s:i, s:i, s:[{s:s}]}", "accepted", accepted, "rejected",
				count - accepted, "errors", "message", "Invalid request data"));
	else if (sent && (score = judge_score(visit, sent)))
		say(visit, 200, json_pack("{s:o}", "id", score));
	else if (sent)
		refuse(visit, 400, "Invalid request data", "InvalidRequestError");
	json_decref(sent);
}

/* ---- prompts ---- */

static bool has_label(const json_t *prompt, const char *label)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(prompt, "labels"), i, one)
		if (strcmp(json_string_value(one), label) == 0)
			return true;
	return false;
}

static void take_label(json_t *prompts, const char *name, const char *label)
{
	size_t i;
	json_t *prompt;
	json_array_foreach(prompts, i, prompt) {
		json_t *labels = json_object_get(prompt, "labels");
		for (size_t l = json_array_size(labels); l-- > 0;)
			if (strcmp(text(prompt, "name"), name) == 0 &&
				strcmp(json_string_value(json_array_get(labels, l)), label) == 0)
				json_array_remove(labels, l);
	}
}

/* Labels are of one version at a time. */
static void give_labels(json_t *prompts, json_t *prompt, const json_t *labels)
{
	size_t i;
	json_t *label;
	json_array_foreach(labels, i, label) {
		take_label(prompts, text(prompt, "name"), json_string_value(label));
		json_array_append(json_object_get(prompt, "labels"), label);
	}
}

static void post_prompt(struct fake_visit *visit)
{
	json_t *sent = posted(visit), *prompts = list(visit, "prompts");
	if (!sent)
		return;
	size_t i, version = 1;
	json_t *earlier, *latest = json_pack("[s]", "latest");
	json_array_foreach(prompts, i, earlier)
		version += strcmp(text(earlier, "name"), text(sent, "name")) == 0;
	json_t *prompt =
		json_pack("{s:s, s:s, s:i, s:s, s:{}, s:[], s:[], s:n, s:n, s:s, s:s, s:s}", "id",
			"prompt", "projectId", visit->project->name, "version", (int)version,
			"type", "text", "config", "tags", "labels", "commitMessage",
			"resolutionGraph", "createdAt", NOW, "updatedAt", NOW, "createdBy", "API");
	json_t *labels = json_incref(json_object_get(sent, "labels"));
	json_object_del(sent, "labels");
	json_object_update(prompt, sent);
	json_array_append_new(prompts, prompt);
	give_labels(prompts, prompt, labels);
	give_labels(prompts, prompt, latest);
	say(visit, 201, json_deep_copy(prompt));
	json_decref(latest);
	json_decref(labels);
	json_decref(sent);
}

static void show_prompt(struct fake_visit *visit, const char *name)
{
	size_t i;
	json_t *prompt, *found = NULL;
	const char *version = text(visit->query, "version"), *label = text(visit->query, "label");
	json_array_foreach(list(visit, "prompts"), i, prompt) {
		json_int_t number = json_integer_value(json_object_get(prompt, "version"));
		if (strcmp(text(prompt, "name"), name) == 0 &&
			(*version ? number == atoi(version) :
				    has_label(prompt, *label ? label : "production")))
			found = prompt;
	}
	if (found)
		say(visit, 200, json_deep_copy(found));
	else
		not_found(visit, "Prompt not found");
}

static void get_prompt(struct fake_visit *visit)
{
	show_prompt(visit, visit->segment);
}

static void get_old_prompt(struct fake_visit *visit)
{
	show_prompt(visit, text(visit->query, "name"));
}

static void get_prompts(struct fake_visit *visit)
{
	say(visit, 200, page(list(visit, "prompts"), NULL, NULL));
}

static void delete_prompt(struct fake_visit *visit)
{
	json_t *prompts = list(visit, "prompts");
	for (size_t i = json_array_size(prompts); i-- > 0;)
		if (strcmp(text(json_array_get(prompts, i), "name"), visit->segment) == 0)
			json_array_remove(prompts, i);
	visit->status = 204;
}

/* ---- datasets ---- */

static json_t *made(const char *kind, size_t before)
{
	return json_pack("{s:o, s:s, s:s}", "id", json_sprintf("%s-%zu", kind, before + 1),
		"createdAt", NOW, "updatedAt", NOW);
}

/* What was posted over what there is, which is new or has that value already. */
static json_t *put(json_t *array, const char *kind, const char *member, const json_t *sent)
{
	json_t *one = find(array, member, text(sent, member));
	if (!one || !*text(sent, member)) {
		one = made(kind, json_array_size(array));
		json_array_append_new(array, one);
	}
	json_object_update(one, (json_t *)sent);
	return one;
}

static void post_dataset(struct fake_visit *visit)
{
	json_t *sent = posted(visit);
	if (!sent)
		return;
	json_t *dataset = put(list(visit, "datasets"), "dataset", "name", sent);
	json_t *rest = json_pack(
		"{s:s, s:n, s:n}", "projectId", visit->project->name, "description", "metadata");
	json_object_update_missing(dataset, rest);
	json_decref(rest);
	say(visit, 200, json_deep_copy(dataset));
	json_decref(sent);
}

static void get_dataset(struct fake_visit *visit)
{
	json_t *dataset = find(list(visit, "datasets"), "name", visit->segment);
	if (dataset)
		say(visit, 200, json_deep_copy(dataset));
	else
		not_found(visit, "Dataset not found");
}

static void get_datasets(struct fake_visit *visit)
{
	say(visit, 200, page(list(visit, "datasets"), NULL, NULL));
}

static void post_item(struct fake_visit *visit)
{
	json_t *sent = posted(visit);
	json_t *dataset = find(list(visit, "datasets"), "name", text(sent, "datasetName"));
	if (sent && !dataset)
		not_found(visit, "Dataset not found");
	else if (sent) {
		json_t *item = put(list(visit, "items"), "item", "id", sent);
		json_t *rest = json_pack("{s:s, s:O, s:n, s:n, s:n, s:[]}", "status", "ACTIVE",
			"datasetId", json_object_get(dataset, "id"), "input", "expectedOutput",
			"metadata", "mediaReferences");
		json_object_update_missing(item, rest);
		json_decref(rest);
		say(visit, 200, json_deep_copy(item));
	}
	json_decref(sent);
}

static void get_item(struct fake_visit *visit)
{
	json_t *item = find(list(visit, "items"), "id", visit->segment);
	if (item)
		say(visit, 200, json_deep_copy(item));
	else
		not_found(visit, "Dataset item not found");
}

static void get_items(struct fake_visit *visit)
{
	const char *dataset = text(visit->query, "datasetName");
	say(visit, 200, page(list(visit, "items"), *dataset ? "datasetName" : NULL, dataset));
}

static void post_run_item(struct fake_visit *visit)
{
	json_t *sent = posted(visit), *runs = list(visit, "runs"),
	       *items = list(visit, "run items");
	if (!sent)
		return;
	json_t *run = find(runs, "name", text(sent, "runName"));
	json_t *of = find(list(visit, "items"), "id", text(sent, "datasetItemId"));
	if (!of)
		not_found(visit, "Dataset item not found");
	else {
		if (!run) {
			run = made("run", json_array_size(runs));
			json_object_set(run, "name", json_object_get(sent, "runName"));
			json_object_set(run, "datasetName", json_object_get(of, "datasetName"));
			json_array_append_new(runs, run);
		}
		json_t *item = made("run-item", json_array_size(items));
		json_object_update(item, sent);
		json_object_set(item, "datasetRunId", json_object_get(run, "id"));
		json_object_set(item, "datasetRunName", json_object_get(run, "name"));
		json_array_append_new(items, item);
		say(visit, 200, json_deep_copy(item));
	}
	json_decref(sent);
}

static void get_runs(struct fake_visit *visit)
{
	say(visit, 200, page(list(visit, "runs"), "datasetName", visit->segment));
}

/* ---- media ---- */

static void post_media(struct fake_visit *visit)
{
	json_t *sent = posted(visit);
	if (!sent)
		return;
	/* The id is the beginning of the hash, in the alphabet of URLs. */
	char id[23];
	snprintf(id, sizeof id, "%s", text(sent, "sha256Hash"));
	for (char *at = id; *at; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	json_t *media = find(list(visit, "media"), "mediaId", id);
	json_t *url = media ? json_null() : json_sprintf("%s/storage/%s", visit->url, id);
	if (!media) {
		json_object_set_new(sent, "mediaId", json_string(id));
		json_array_append(list(visit, "media"), sent);
	}
	say(visit, 201, json_pack("{s:s, s:o}", "mediaId", id, "uploadUrl", url));
	json_decref(sent);
}

static void patch_media(struct fake_visit *visit)
{
	json_t *sent = posted(visit);
	json_t *media = find(list(visit, "media"), "mediaId", visit->segment);
	if (sent && !media)
		not_found(visit, "Media asset not found");
	else if (sent) {
		json_object_update(media, sent);
		say(visit, 200, json_object());
	}
	json_decref(sent);
}

static void get_media(struct fake_visit *visit)
{
	json_t *media = find(list(visit, "media"), "mediaId", visit->segment);
	if (!media) {
		not_found(visit, "Media asset not found");
		return;
	}
	json_t *shown = json_deep_copy(media);
	json_object_set_new(
		shown, "url", json_sprintf("%s/storage/%s", visit->url, visit->segment));
	json_object_set_new(shown, "urlExpiry", json_string(NOW));
	say(visit, 200, shown);
}

/* ---- the rest ---- */

static void get_projects(struct fake_visit *visit)
{
	const char *name = visit->project->name;
	say(visit, 200,
		json_pack("{s:[{s:s, s:s, s:{}, s:{s:s, s:s}}]}", "data", "id", name, "name", name,
			"metadata", "organization", "id", "organization", "name", "Organization"));
}

static void get_empty_page(struct fake_visit *visit)
{
	say(visit, 200, page(NULL, NULL, NULL));
}

static void swallow(struct fake_visit *visit)
{
	say(visit, 200, json_pack("{s:I}", "bytes", (json_int_t)visit->arrival->body_bytes));
}

/* A star stands for one segment. */
static const struct {
	const char *method; /* NULL: any */
	const char *path;
	void (*answer)(struct fake_visit *visit);
} routes[] = {
	{ "POST", "otel/v1/traces", post_spans },
	{ "POST", "otel/v1/metrics", post_metrics },
	{ "POST", "ingestion", post_ingestion },
	{ "POST", "scores", post_scores },
	{ "GET", "projects", get_projects },
	{ "GET", "v2/prompts/*", get_prompt },
	{ "GET", "v2/prompts", get_prompts },
	{ "GET", "prompts", get_old_prompt },
	{ "POST", "v2/prompts", post_prompt },
	{ "POST", "prompts", post_prompt },
	{ "DELETE", "v2/prompts/*", delete_prompt },
	{ "POST", "v2/datasets", post_dataset },
	{ "POST", "datasets", post_dataset },
	{ "GET", "v2/datasets/*", get_dataset },
	{ "GET", "datasets/*", get_dataset },
	{ "GET", "v2/datasets", get_datasets },
	{ "GET", "datasets/*/runs", get_runs },
	{ "POST", "dataset-items", post_item },
	{ "GET", "dataset-items/*", get_item },
	{ "GET", "dataset-items", get_items },
	{ "POST", "dataset-run-items", post_run_item },
	{ "POST", "media", post_media },
	{ "GET", "media/*", get_media },
	{ "PATCH", "media/*", patch_media },
	{ "GET", "traces", get_empty_page },
	{ "GET", "observations", get_empty_page },
	{ "GET", "v2/observations", get_empty_page },
	{ "GET", "sessions", get_empty_page },
	{ "GET", "scores", get_empty_page },
	{ "GET", "v2/scores", get_empty_page },
	{ "GET", "v3/scores", get_empty_page },
	{ NULL, "stand-in/sink", swallow },
};

/* Whether a raw path is one of that pattern, and then the segment that it leaves open. */
static bool is_like(const char *path, const char *pattern, char *segment, size_t size)
{
	size_t before = strcspn(pattern, "*");
	if (pattern[before] == '\0')
		return strcmp(path, pattern) == 0;
	if (strncmp(path, pattern, before) != 0)
		return false;
	path += before;
	size_t len = strcspn(path, "/");
	if (len == 0 || strcmp(path + len, pattern + before + 1) != 0)
		return false;
	snprintf(segment, size, "%.*s", (int)len, path);
	MHD_http_unescape(segment);
	return true;
}

void fake_langfuse_answer(struct fake_visit *visit)
{
	bool is_path = false;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!is_like(visit->path, routes[i].path, visit->segment, sizeof visit->segment))
			continue;
		is_path = true;
		if (!routes[i].method || strcmp(visit->method, routes[i].method) == 0) {
			routes[i].answer(visit);
			return;
		}
	}
	if (is_path)
		refuse(visit, 405, "Method not allowed", "MethodNotAllowedError");
	else
		not_found(visit, "This page could not be found");
}
