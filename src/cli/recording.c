#include "cli/recording.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

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

static int by_sequence(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "seq"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "seq"));
	return (x > y) - (x < y);
}

static int visit_entries(const struct folder *folder, json_t *manifest)
{
	size_t count = json_array_size(manifest);
	if (!json_is_array(manifest) || count == 0 || count > ENTRIES_MAX)
		return complain(
			folder->complaint, "this must be a list of 1 to %d requests", ENTRIES_MAX);
	json_t **entries = calloc(count, sizeof *entries);
	if (!entries)
		return complain(folder->complaint, "no memory for %zu entries", count);
	for (size_t i = 0; i < count; i++)
		entries[i] = json_array_get(manifest, i);
	qsort(entries, count, sizeof *entries, by_sequence);
	int result = 0;
	for (size_t i = 0; i < count && !result; i++)
		result = visit_entry(folder, entries[i], i + 1);
	free(entries);
	return result;
}

static int visit_folder(const struct folder *folder)
{
	struct complaint *complaint = folder->complaint;
	json_error_t syntax;
	json_t *manifest = NULL;
	struct buf text;
	int result;
	buf_init(&text, MANIFEST_MAX_BYTES, NULL);
	snprintf(complaint->file, sizeof complaint->file, "%.240s/manifest.json", folder->path);
	int error = file_read(complaint->file, &text);
	if (error)
		result = complain(complaint, "cannot be read: %s", strerror(-error));
	else if (!(manifest = json_loadb((const char *)text.at, text.len, 0, &syntax)))
		result = complain(complaint, "no valid JSON in line %d", syntax.line);
	else
		result = visit_entries(folder, manifest);
	json_decref(manifest);
	buf_done(&text);
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
