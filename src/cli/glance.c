#include "cli/glance.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "config/config.h"
#include "config/environment.h"
#include "config/settings.h"

enum { CONFIG_MAX_BYTES = 1 << 20 };

static int read_json(const char *file, json_t **ret_config, struct complaint *complaint)
{
	struct buf text;
	json_error_t where;
	buf_init(&text, CONFIG_MAX_BYTES, NULL);
	int error = file_read(file, &text);
	json_t *config = error ? NULL : json_loadb((const char *)text.at, text.len, 0, &where);
	buf_done(&text);
	if (config) {
		*ret_config = config;
		return 0;
	}
	snprintf(complaint->file, sizeof complaint->file, "%s", file);
	if (error)
		return complain(
			complaint, "the configuration cannot be read: %s", strerror(-error));
	complaint->line = where.line;
	return complain(complaint, "no valid JSON at column %d", where.column);
}

int glance(const char *file, json_t **ret_config, struct complaint *complaint)
{
	char found[CONFIG_PATH_MAX];
	if (!file)
		file = config_find_file(environ, found);
	if (file)
		return read_json(file, ret_config, complaint);
	*ret_config = NULL;
	return 0;
}

/* "pricing.file" is the member "file" of the member "pricing". */
static const json_t *find(const json_t *object, const char *name)
{
	size_t len = strcspn(name, ".");
	const json_t *member = json_object_getn(object, name, len);
	return name[len] ? find(member, name + len + 1) : member;
}

const char *glance_text(const json_t *config, const char *name)
{
	char variable[SETTING_VARIABLE_MAX];
	setting_variable(setting_find(name), variable);
	const char *said = environment_value(environ, variable);
	if (!said)
		said = json_string_value(find(config, name));
	return said && *said ? said : NULL;
}
