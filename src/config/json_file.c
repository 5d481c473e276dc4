/* The JSON file: nested objects whose dotted path is a setting's name. */
#include "config/loader.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"
#include "config/checks.h"
#include "config/values.h"

enum { FILE_MAX_BYTES = 1 << 20, NAME_MAX_BYTES = 256, LINE_DEPTH_MAX = 8 };

static int read_object(struct loader *loader, json_t *object, const char *path);

/*
 * The line of the key with a dotted path, 0 when it is not found. jansson keeps no positions, so the
 * text, known to be valid JSON, is walked once more. Keys written with escapes are not recognised.
 */
static int line_of(const char *text, const char *wanted)
{
	char path[NAME_MAX_BYTES] = "";
	size_t ends[LINE_DEPTH_MAX] = { 0 }; /* of the path outside each open brace */
	int line = 1, depth = 0;
	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			line++;
		if (*at == '{' || *at == '[') {
			if (++depth < LINE_DEPTH_MAX)
				ends[depth] = strlen(path);
		}
		if ((*at == '}' || *at == ']') && depth > 0)
			depth--;
		if (*at != '"')
			continue;
		const char *key = ++at;
		while (*at && *at != '"')
			at += *at == '\\' && at[1] ? 2 : 1;
		if (!*at)
			break;
		if (at[1 + strspn(at + 1, " \t\r\n")] != ':' || depth < 1 ||
			depth >= LINE_DEPTH_MAX)
			continue;
		size_t end = ends[depth];
		snprintf(path + end, sizeof path - end, "%s%.*s", end ? "." : "", (int)(at - key),
			key);
		if (strcmp(path, wanted) == 0)
			return line;
	}
	return 0;
}

int loader_locate(struct loader *loader, const char *name)
{
	struct complaint *complaint = loader->complaint;
	int line = loader->text.at ? line_of((const char *)loader->text.at, name) : 0;
	if (line && !complaint->file[0]) {
		snprintf(complaint->file, sizeof complaint->file, "%s", loader->file);
		complaint->line = line;
	}
	return -EINVAL;
}

/* Some setting's name goes on after `path`. */
static bool is_group(const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < setting_count; i++)
		if (strncmp(settings[i].name, path, len) == 0 && settings[i].name[len] == '.')
			return true;
	return false;
}

static int refuse_key(struct loader *loader, const char *path, const char *key)
{
	char nearest[128], shown[LOG_TEXT_MAX];
	loader_nearest(loader, path, nearest);
	if (strchr(key, '.') && strcmp(nearest, path) == 0)
		return complain(loader->complaint,
			"%s must be written as nested objects: {\"%.*s\": {\"%s\": ...}}", path,
			(int)strcspn(path, "."), path, path + strcspn(path, ".") + 1);
	return complain(loader->complaint, "%s is no setting; the nearest is %s",
		log_text(shown, path), nearest);
}

static int add_destination(
	struct loader *loader, const char *name, json_t *object, const char *path)
{
	char checked[NAME_MAX_BYTES], shown[LOG_TEXT_MAX], form[SETTING_FORM_MAX];
	snprintf(checked, sizeof checked, "%s", name);
	const char *wanted = check_destination_name(checked);
	if (wanted)
		return complain(loader->complaint, "the name of a destination must be %s, not %s",
			wanted, log_text(shown, name));
	if (!json_is_object(object))
		return complain(loader->complaint,
			"%s must be an object such as {\"type\": \"otlp\", "
			"\"endpoint\": \"http://127.0.0.1:4318\"}",
			path);

	const json_t *written = json_object_get(object, "type");
	const struct setting *type = destination_setting_find("type");
	if (!written || json_is_null(written))
		return complain(loader->complaint, "%s.type is missing: write %s", path,
			setting_form(type, form));
	struct destination_config only_type = { 0 };
	char named[NAME_MAX_BYTES];
	snprintf(named, sizeof named, "%.200s.type", path);
	struct value_place place = { named, loader->arena, loader->complaint };
	int error = value_set_json(type, &only_type, written, &place);
	if (error) {
		loader_locate(loader, named);
		return error;
	}
	for (const char *const *key = (const char *const[]){ "public_key", "secret_key", NULL };
		*key; key++) {
		char beside[32];
		snprintf(beside, sizeof beside, "%s_file", *key);
		if (json_object_get(object, *key) && json_object_get(object, beside))
			return complain(loader->complaint, "%s has both %s and %s: keep one", path,
				*key, beside);
	}
	if (!loader_add_destination(loader, name, only_type.type, path))
		return -EINVAL;
	return read_object(loader, object, path);
}

static int read_key(
	struct loader *loader, const char *parent, const char *key, json_t *value, const char *path)
{
	void *base = NULL;
	if (strcmp(parent, "destinations") == 0)
		return json_is_null(value) ? 0 : add_destination(loader, key, value, path);
	const struct setting *setting = strchr(key, '.') ? NULL : loader_find(loader, path, &base);
	if (setting) {
		struct value_place place = { path, loader->arena, loader->complaint };
		return value_set_json(setting, base, value, &place);
	}
	if (strchr(key, '.') || (strcmp(path, "destinations") != 0 && !is_group(path)))
		return refuse_key(loader, path, key);
	if (json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return complain(
			loader->complaint, "%s must be an object with settings in it", path);
	return read_object(loader, value, path);
}

/* Nests no deeper than names do. */
static int read_object(struct loader *loader, json_t *object, const char *path)
{
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value) {
		char inner[NAME_MAX_BYTES];
		snprintf(inner, sizeof inner, "%.120s%s%.120s", path, *path ? "." : "", key);
		int error = read_key(loader, path, key, value, inner);
		if (error) {
			loader_locate(loader, inner);
			return error;
		}
	}
	return 0;
}

static int refuse_syntax(struct loader *loader, json_error_t *error)
{
	/* jansson repeats what stands there, which could be a key; only a doubled name is worth that. */
	char *near = strstr(error->text, " near '");
	if (near && json_error_code(error) != json_error_duplicate_key)
		*near = '\0';
	loader->complaint->line = error->line > 0 ? error->line : 0;
	return complain(
		loader->complaint, "no valid JSON at column %d: %s", error->column, error->text);
}

/* A key in a file that all can read is no mistake of form, so it is said and not refused. */
static void note_open_secrets(struct loader *loader)
{
	struct stat status;
	if (stat(loader->file, &status) < 0 || !(status.st_mode & 007))
		return;
	for (size_t i = 0; i < loader->config->destination_count; i++) {
		char name[NAME_MAX_BYTES];
		snprintf(name, sizeof name, "destinations.%s.secret_key",
			loader->config->destinations[i].name);
		if (line_of((const char *)loader->text.at, name))
			loader_note(loader,
				"%s is in %s, which everyone can read: use secret_key_file, or chmod o= it",
				name, loader->file);
	}
}

static int read_text(struct loader *loader)
{
	char why[64];
	snprintf(why, sizeof why, "larger than %d bytes", FILE_MAX_BYTES);
	buf_init(&loader->text, FILE_MAX_BYTES + 1, NULL);
	int error = file_read(loader->file, &loader->text);
	if (!error)
		buf_append(&loader->text, "", 1);
	error = error ? error : loader->text.error;
	if (!error)
		return 0;
	return complain(loader->complaint, "the configuration cannot be read: %s",
		error == -E2BIG ? why : strerror(-error));
}

int loader_read_file(struct loader *loader)
{
	struct complaint *complaint = loader->complaint;
	if (!loader->file)
		return 0;
	json_error_t syntax;
	json_t *json = NULL;
	int error = read_text(loader);
	if (!error) {
		const char *text = (const char *)loader->text.at;
		json = json_loadb(text, loader->text.len - 1, JSON_REJECT_DUPLICATES, &syntax);
		if (!json)
			error = refuse_syntax(loader, &syntax);
		else if (!json_is_object(json))
			error = complain(
				complaint, "the configuration must be a JSON object: { ... }");
		else
			error = read_object(loader, json, "");
	}
	if (error)
		snprintf(complaint->file, sizeof complaint->file, "%s", loader->file);
	else
		note_open_secrets(loader);
	json_decref(json);
	return error;
}
