#include "cli/recording.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/log.h"

enum { MANIFEST_MAX_BYTES = 16 << 20, ENTRIES_MAX = 10000 };

static const char *const signals[] = { "traces", "logs", "metrics" };

struct folder {
	const char *path;
	int (*visit)(const struct recording *recording, void *arg);
	void *arg;
	struct complaint *complaint;
};

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t end_len = strlen(end);
	return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/* By the end of its name: 0001-logs.pb, traces.json.gz. */
static int visit_file(const char *file, const char *signal,
	int (*visit)(const struct recording *recording, void *arg), void *arg)
{
	char path[32];
	const char *slash = strrchr(file, '/');
	size_t len = strlen(file);
	struct recording recording = {
		.name = slash ? slash + 1 : file, .file = file, .path = path
	};
	if (ends_with(file, len, ".gz")) {
		recording.content_encoding = "gzip";
		len -= 3;
	}
	bool is_json = ends_with(file, len, ".json");
	recording.content_type = is_json ? "application/json" : "application/x-protobuf";
	len -= is_json ? 5 : ends_with(file, len, ".pb") ? 3 : 0;
	for (size_t i = 0; !signal && i < 3; i++)
		if (ends_with(file, len, signals[i]))
			signal = signals[i];
	snprintf(path, sizeof path, "/v1/%s", signal ? signal : "traces");
	return visit(&recording, arg);
}

/* One line; others would add headers of their own. */
static const char *header(const json_t *headers, const char *name)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)headers, key, value) {
		const char *text = json_string_value(value);
		if (strcasecmp(key, name) == 0 && text && !strpbrk(text, "\r\n") &&
			strlen(text) < 256)
			return text;
	}
	return NULL;
}

/* One of the folder itself: a plain file, not reached through a link. */
static bool is_inside(const char *folder, const char *file, char out[PATH_MAX])
{
	struct stat status;
	return *file && !strchr(file, '/') && strcmp(file, ".") != 0 && strcmp(file, "..") != 0 &&
		snprintf(out, PATH_MAX, "%s/%s", folder, file) < PATH_MAX &&
		lstat(out, &status) == 0 && S_ISREG(status.st_mode);
}

static int visit_entry(const struct folder *folder, const json_t *entry, size_t number)
{
	char file[PATH_MAX], by_signal[64], shown[LOG_TEXT_MAX];
	const json_t *headers = json_object_get(entry, "headers");
	const char *name = json_string_value(json_object_get(entry, "file"));
	const char *signal = json_string_value(json_object_get(entry, "signal"));
	const char *path = json_string_value(json_object_get(entry, "path"));
	if (!name || !signal)
		return complain(folder->complaint, "entry %zu has no file or no signal", number);
	if (!is_inside(folder->path, name, file))
		return complain(folder->complaint,
			"entry %zu names %s, which is no file of this folder", number,
			log_text(shown, name));
	struct recording recording = {
		.name = name,
		.file = file,
		.path = path,
		.content_type = header(headers, "content-type"),
		.content_encoding = header(headers, "content-encoding"),
	};
	/* gRPC was recorded without its frame: the message travels over HTTP as well. */
	if (!recording.content_type)
		recording.content_type = "application/x-protobuf";
	if (!path || *path != '/' || !header(headers, "content-type")) {
		snprintf(by_signal, sizeof by_signal, "/v1/%.40s", signal);
		recording.path = by_signal;
	}
	return folder->visit(&recording, folder->arg);
}

/* ---- what a folder holds, in the order in which it came ---- */

/* A request of the manifest, or a line of hooks. */
struct item {
	int64_t time_ns; /* Unix time; of a request that says none, of the one before */
	size_t order;    /* where the times are equal */
	json_t *entry;
	const char *hooks; /* the file of the line; NULL: the manifest */
	size_t number;     /* in its file, from 1 */
};

struct items {
	struct item *at;
	size_t count;
};

static int by_sequence(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(((const struct item *)a)->entry, "seq"));
	json_int_t y = json_integer_value(json_object_get(((const struct item *)b)->entry, "seq"));
	return (x > y) - (x < y);
}

static int by_time(const void *a, const void *b)
{
	const struct item *one = a, *other = b;
	if (one->time_ns != other->time_ns)
		return one->time_ns < other->time_ns ? -1 : 1;
	return (one->order > other->order) - (one->order < other->order);
}

/* "t_ns" in ns, or "time" such as 2026-11-20T20:23:19.728Z; 0: neither. */
static int64_t time_of(const json_t *entry)
{
	const char *ns = json_string_value(json_object_get(entry, "t_ns"));
	const char *text = json_string_value(json_object_get(entry, "time"));
	struct tm tm = { 0 };
	int ms = 0;
	if (ns)
		return strtoll(ns, NULL, 10);
	if (!text ||
		sscanf(text, "%d-%d-%dT%d:%d:%d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000000000 + (int64_t)ms * 1000000;
}

static void add_item(struct items *items, json_t *entry, const char *hooks, size_t number)
{
	struct item *item = &items->at[items->count];
	*item = (struct item){ time_of(entry), items->count, entry, hooks, number };
	items->count++;
}

/* Requests have the order of their numbers, whatever their times say. */
static void add_requests(struct items *items, json_t *manifest)
{
	json_t *entry;
	size_t i;
	json_array_foreach(manifest, i, entry)
		add_item(items, entry, NULL, i + 1);
	qsort(items->at, items->count, sizeof *items->at, by_sequence);
	for (i = 0; i < items->count; i++) {
		struct item *item = &items->at[i];
		item->order = i;
		if (i && item->time_ns < item[-1].time_ns)
			item->time_ns = item[-1].time_ns;
	}
}

/* Whose hook it was is told by where the CLI keeps its transcripts; only Codex has notify. */
static const char *door_of(const json_t *payload)
{
	static const struct {
		const char *part, *door;
	} homes[] = {
		{ "/.claude/", "/hooks/claude-code" },
		{ "/.codex/", "/hooks/codex" },
		{ "/.gemini/", "/hooks/gemini" },
	};
	const char *transcript = json_string_value(json_object_get(payload, "transcript_path"));
	for (size_t i = 0; transcript && i < sizeof homes / sizeof *homes; i++)
		if (strstr(transcript, homes[i].part))
			return homes[i].door;
	return json_object_get(payload, "thread-id") ? "/hooks/codex" : NULL;
}

static int visit_hook(const struct folder *folder, const struct item *item)
{
	char name[128];
	const json_t *payload = json_object_get(item->entry, "payload");
	const char *event = json_string_value(json_object_get(payload, "hook_event_name"));
	const char *door = door_of(payload);
	char *body = door ? json_dumps(payload, JSON_COMPACT) : NULL, shown[LOG_TEXT_MAX];
	if (!body) {
		snprintf(folder->complaint->file, sizeof folder->complaint->file, "%.200s/%s",
			folder->path, item->hooks);
		return complain(folder->complaint, "line %zu is no hook of a CLI that is known",
			item->number);
	}
	snprintf(name, sizeof name, "%s:%zu %.40s", item->hooks, item->number,
		event ? log_text(shown, event) : "notify");
	struct recording recording = {
		.name = name,
		.body = bytes_of(body),
		.path = door,
		.content_type = "application/json",
	};
	int result = folder->visit(&recording, folder->arg);
	free(body);
	return result;
}

static int visit_items(const struct folder *folder, struct items *items)
{
	int result = 0;
	qsort(items->at, items->count, sizeof *items->at, by_time);
	for (size_t i = 0; i < items->count && !result; i++)
		result = items->at[i].hooks ?
			visit_hook(folder, &items->at[i]) :
			visit_entry(folder, items->at[i].entry, items->at[i].number);
	return result;
}

/* ---- the files of a folder ---- */

/* The lines of a file as an array; NULL with a complaint, or without one where there is no such file. */
static json_t *read_lines(const struct folder *folder, const char *name)
{
	struct complaint *complaint = folder->complaint;
	char path[PATH_MAX];
	struct buf text;
	json_t *lines = json_array();
	if (!is_inside(folder->path, name, path))
		return lines;
	buf_init(&text, MANIFEST_MAX_BYTES, NULL);
	int error = file_read(path, &text);
	size_t number = 0;
	for (size_t from = 0; !error && from < text.len;) {
		const uint8_t *at = text.at + from, *end = memchr(at, '\n', text.len - from);
		size_t len = end ? (size_t)(end - at) : text.len - from;
		json_t *line = json_loadb((const char *)at, len, 0, NULL);
		number++;
		if (len &&
			(!line || json_array_append_new(lines, line) < 0 || number > ENTRIES_MAX))
			error = -EINVAL;
		from += len + (end != NULL);
	}
	buf_done(&text);
	if (!error)
		return lines;
	snprintf(complaint->file, sizeof complaint->file, "%.200s/%s", folder->path, name);
	if (error == -EINVAL)
		complain(complaint, "line %zu is no JSON, or one too many", number);
	else
		complain(complaint, "cannot be read: %s", strerror(-error));
	json_decref(lines);
	return NULL;
}

static json_t *read_manifest(const struct folder *folder)
{
	struct complaint *complaint = folder->complaint;
	json_error_t syntax;
	json_t *manifest = NULL;
	struct buf text;
	buf_init(&text, MANIFEST_MAX_BYTES, NULL);
	snprintf(complaint->file, sizeof complaint->file, "%.240s/manifest.json", folder->path);
	int error = file_read(complaint->file, &text);
	if (!error)
		manifest = json_loadb((const char *)text.at, text.len, 0, &syntax);
	buf_done(&text);
	size_t count = json_array_size(manifest);
	if (error)
		complain(complaint, "cannot be read: %s", strerror(-error));
	else if (!manifest)
		complain(complaint, "no valid JSON in line %d", syntax.line);
	else if (count == 0 || count > ENTRIES_MAX)
		complain(complaint, "this must be a list of 1 to %d requests", ENTRIES_MAX);
	else
		return manifest;
	json_decref(manifest);
	return NULL;
}

static int visit_folder(const struct folder *folder)
{
	static const char *const names[] = { "hooks.jsonl", "hooks-http.jsonl", "notify.jsonl" };
	enum { FILES = sizeof names / sizeof *names };
	json_t *manifest = read_manifest(folder), *lines[FILES] = { NULL };
	size_t count = json_array_size(manifest);
	int result = manifest ? 0 : -EINVAL;
	for (size_t i = 0; i < FILES && !result; i++) {
		lines[i] = read_lines(folder, names[i]);
		count += json_array_size(lines[i]);
		result = lines[i] ? 0 : -EINVAL;
	}
	struct items items = { calloc(count + 1, sizeof *items.at), 0 };
	if (!result && !items.at)
		result = complain(folder->complaint, "no memory for %zu entries", count);
	if (!result)
		add_requests(&items, manifest);
	for (size_t i = 0; i < FILES && !result; i++)
		for (size_t k = 0; k < json_array_size(lines[i]); k++)
			add_item(&items, json_array_get(lines[i], k), names[i], k + 1);
	if (!result)
		result = visit_items(folder, &items);
	for (size_t i = 0; i < FILES; i++)
		json_decref(lines[i]);
	json_decref(manifest);
	free(items.at);
	return result;
}

int recording_visit(const char *path, const char *signal,
	int (*visit)(const struct recording *recording, void *arg), void *arg,
	struct complaint *complaint)
{
	struct stat status;
	if (stat(path, &status) < 0) {
		snprintf(complaint->file, sizeof complaint->file, "%s", path);
		return complain(complaint, "cannot be read: %s", strerror(errno));
	}
	struct folder folder = { path, visit, arg, complaint };
	return S_ISDIR(status.st_mode) ? visit_folder(&folder) :
					 visit_file(path, signal, visit, arg);
}
