#include "config/key_files.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "config/checks.h"
#include "config/environment.h"
#include "config/settings.h"

enum { FILE_MAX_BYTES = 1 << 20, NAME_MAX_BYTES = 256 };

/* What lies there is for the one process that systemd has put it there for. */
static const char credentials[] = "$CREDENTIALS_DIRECTORY/";

struct visitor {
	void (*visit)(const struct key_file *key_file, void *arg);
	void *arg;
};

/* "public_key_file", "access.keys_file" */
static bool names_keys(const struct setting *row)
{
	const char *key = strstr(row->name, "key");
	return key && (strcmp(key, "key_file") == 0 || strcmp(key, "keys_file") == 0);
}

static void visit(const struct visitor *visitor, const struct setting *row, const char *named,
	const char *path)
{
	bool is_one_key = row->type == SETTING_SECRET_FILE;
	bool is_credential = path && strncmp(path, credentials, strlen(credentials)) == 0;
	if (!path || !*path || is_credential || !names_keys(row))
		return;
	visitor->visit(&(const struct key_file){ .named = named,
			       .path = path,
			       .is_private = is_one_key || row->check == check_private,
			       .is_one_key = is_one_key },
		visitor->arg);
}

/* "tls.key_file" is the member "key_file" of the member "tls". */
static const json_t *find(const json_t *object, const char *name)
{
	size_t len = strcspn(name, ".");
	const json_t *member = json_object_getn(object, name, len);
	return name[len] ? find(member, name + len + 1) : member;
}

static void visit_object(const struct visitor *visitor, const struct section *section,
	const char *name, const json_t *object)
{
	char named[NAME_MAX_BYTES];
	for (size_t i = 0; i < section->setting_count; i++) {
		const struct setting *row = &section->settings[i];
		snprintf(named, sizeof named, "%s.%s.%s", section->name, name, row->name);
		visit(visitor, row, named, json_string_value(json_object_get(object, row->name)));
	}
}

static void visit_file(const struct visitor *visitor, json_t *config)
{
	const char *name;
	json_t *object;
	for (size_t i = 0; i < setting_count; i++)
		visit(visitor, &settings[i], settings[i].name,
			json_string_value(find(config, settings[i].name)));
	for (size_t i = 0; i < SECTION_COUNT; i++)
		json_object_foreach(json_object_get(config, sections[i].name), name, object)
			visit_object(visitor, &sections[i], name, object);
}

/* What a variable such as LANGFUSE_SECRET_KEY_FILE sets in an object; NULL when it is no setting of one. */
static const struct setting *setting_of_object(const struct variable *variable)
{
	const char *word = variable->setting ? strrchr(variable->setting, '.') : NULL;
	const struct section *section = &sections[SECTION_DESTINATIONS];
	return word && strncmp(variable->setting, section->name, strlen(section->name)) == 0 ?
		section_setting_find(section, word + 1) :
		NULL;
}

static json_t *read_json(const char *file)
{
	struct buf text;
	buf_init(&text, FILE_MAX_BYTES, NULL);
	int error = file_read(file, &text);
	json_t *json = error ? NULL : json_loadb((const char *)text.at, text.len, 0, NULL);
	buf_done(&text);
	return json;
}

static void visit_environment(const struct visitor *visitor, char *const *environment)
{
	char variable[SETTING_VARIABLE_MAX];
	for (size_t i = 0; i < setting_count; i++) {
		setting_variable(&settings[i], variable);
		visit(visitor, &settings[i], variable, environment_value(environment, variable));
	}
	for (size_t i = 0; i < variable_count; i++) {
		const struct setting *row = setting_of_object(&variables[i]);
		if (row)
			visit(visitor, row, variables[i].name,
				environment_value(environment, variables[i].name));
	}
}

void key_files_visit(const char *file, char *const *environment,
	void (*visit_one)(const struct key_file *key_file, void *arg), void *arg)
{
	const struct visitor visitor = { visit_one, arg };
	json_t *config = file ? read_json(file) : NULL;
	visit_file(&visitor, config);
	visit_environment(&visitor, environment);
	json_decref(config);
}
