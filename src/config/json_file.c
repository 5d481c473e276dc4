/* The JSON file: nested objects whose dotted path is a setting's name. */
#include <config.h> /* strcasestr */

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

static bool is_given(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return value && !json_is_null(value);
}

/* A key and the file that holds it would leave open which one counts. */
static int refuse_both(struct loader *loader, const json_t *object, const char *path)
{
	for (const char *const *key = (const char *const[]){ "public_key", "secret_key", NULL };
		*key; key++) {
		char beside[32];
		snprintf(beside, sizeof beside, "%s_file", *key);
		if (is_given(object, *key) && is_given(object, beside))
			return complain(loader->complaint, "%s has both %s and %s: keep one", path,
				*key, beside);
	}
	return 0;
}

static int refuse_name(struct loader *loader, const struct section *section, const char *name)
{
	char checked[NAME_MAX_BYTES], shown[LOG_TEXT_MAX];
	snprintf(checked, sizeof checked, "%s", name);
	const char *wanted = check_object_name(checked);
	return wanted ? complain(loader->complaint, "the name of a %s must be %s, not %s",
				section->one, wanted, log_text(shown, name)) :
			0;
}

static int add_destination(
	struct loader *loader, const char *name, const json_t *object, const char *path)
{
	char form[SETTING_FORM_MAX];
	if (strcmp(name, "local") == 0) /* LOCAL_NAME, which the ledger knows the local view by */
		return complain(loader->complaint,
			"%s is the local view, which is set by local.*: choose another name", path);
	if (refuse_name(loader, &sections[SECTION_DESTINATIONS], name) < 0)
		return -EINVAL;
	if (!json_is_object(object))
		return complain(loader->complaint,
			"%s must be an object such as {\"type\": \"otlp\", "
			"\"endpoint\": \"http://127.0.0.1:4318\"}",
			path);

	const json_t *written = json_object_get(object, "type");
	const struct setting *type = section_setting_find(&sections[SECTION_DESTINATIONS], "type");
	if (!is_given(object, "type"))
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
	return loader_add_destination(loader, name, only_type.type, path) ? 0 : -EINVAL;
}

static int add_project(
	struct loader *loader, const char *name, const json_t *object, const char *path)
{
	if (strcmp(name, DEFAULT_LANE) == 0)
		return complain(loader->complaint,
			"%s is the project whose keys the destination has: choose another name",
			path);
	if (refuse_name(loader, &sections[SECTION_PROJECTS], name) < 0)
		return -EINVAL;
	if (!json_is_object(object))
		return complain(loader->complaint,
			"%s must be an object such as {\"public_key_file\": \"/run/keys/public\", "
			"\"secret_key_file\": \"/run/keys/secret\"}",
			path);
	return loader_add_project(loader, name) ? 0 : -EINVAL;
}

static int add_object(struct loader *loader, const struct section *section, const char *name,
	json_t *object, const char *path)
{
	bool is_project = section == &sections[SECTION_PROJECTS];
	if (json_is_null(object))
		return 0;
	int error = is_project ? add_project(loader, name, object, path) :
				 add_destination(loader, name, object, path);
	if (!error)
		error = refuse_both(loader, object, path);
	return error ? error : read_object(loader, object, path);
}

static int read_key(
	struct loader *loader, const char *parent, const char *key, json_t *value, const char *path)
{
	const struct section *section = loader_section(parent);
	struct loader_place found;
	if (section)
		return add_object(loader, section, key, value, path);
	if (!strchr(key, '.') && loader_find(loader, path, &found)) {
		struct value_place place = { path, loader->arena, loader->complaint,
			loader->credentials };
		int error = value_set_json(found.setting, found.base, value, &place);
		if (!error && !json_is_null(value))
			loader_note_origin(loader, found.origin, path,
				line_of((const char *)loader->text.at, path));
		return error;
	}
	if (strchr(key, '.') || (!loader_section(path) && !is_group(path)))
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

/* Names a tenant or a source as a rule; these words mean that it lets somebody in. */
static bool is_credential(const char *header)
{
	static const char *const words[] = { "auth", "cookie", "key", "password", "secret",
		"token" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(header, words[i]))
			return true;
	return false;
}

static int refuse_open(
	struct loader *loader, const char *section, const char *object, const char *key)
{
	char name[NAME_MAX_BYTES], shown[LOG_TEXT_MAX];
	snprintf(name, sizeof name, "%s.%.40s.%s", section, object, key);
	complain(loader->complaint, "%s stands in a file that everyone can read: chmod o= %s", name,
		log_text(shown, loader->file));
	return loader_locate(loader, name);
}

/* What lets somebody in must not stand in a file that all can read. */
static int check_openness(struct loader *loader, json_t *json)
{
	struct stat status;
	const char *name, *header;
	json_t *object, *value;
	if (stat(loader->file, &status) < 0 || !(status.st_mode & 007))
		return 0;
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		const char *section = sections[i].name;
		json_object_foreach(json_object_get(json, section), name, object) {
			if (json_is_string(json_object_get(object, "secret_key")))
				return refuse_open(loader, section, name, "secret_key");
			json_object_foreach(json_object_get(object, "headers"), header, value)
				if (is_credential(header))
					return refuse_open(loader, section, name, "headers");
		}
	}
	return 0;
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
	loader->origin = ORIGIN_FILE;
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
	if (!error)
		error = check_openness(loader, json);
	if (error)
		snprintf(complaint->file, sizeof complaint->file, "%s", loader->file);
	json_decref(json);
	return error;
}
