#include "tools/inspection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/files.h"
#include "config/environment.h"
#include "http/client.h"
#include "tools/json_settings.h"

int inspection_read(const struct tool *tool, const struct home *home, const struct tool_file *file,
	char ret_path[TOOL_PATH_MAX], struct buf *text)
{
	int error = tool_path(tool, home, file, ret_path);
	if (!error)
		error = file_read(ret_path, text);
	return error == -ENOENT ? 0 : error;
}

static bool is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
		strncmp(host, "127.", 4) == 0;
}

bool inspection_meets(const char *url, const char *other)
{
	char host[HTTP_HOST_MAX], other_host[HTTP_HOST_MAX];
	uint16_t port, other_port;
	if (http_url_read(url, host, &port) < 0 ||
		http_url_read(other, other_host, &other_port) < 0)
		return false;
	return port == other_port && strncasecmp(url, other, strlen("https")) == 0 &&
		(strcasecmp(host, other_host) == 0 ||
			(is_loopback(host) && is_loopback(other_host)));
}

void inspection_add_elsewhere(struct findings *findings, const char *about, const char *what,
	const char *endpoint, const char *url)
{
	char host[HTTP_HOST_MAX];
	uint16_t port;
	if (http_url_read(endpoint, host, &port) == 0)
		findings_add(findings, FINDING_ENDPOINT_ELSEWHERE, about, NULL,
			"%s to port %u of %s, Tollgate is at %s.", what, port, host, url);
	else
		findings_add(findings, FINDING_ENDPOINT_ELSEWHERE, about, NULL,
			"%s to what is no http URL, Tollgate is at %s.", what, url);
}

const char *inspection_find_hook(const json_t *settings, const char *cli)
{
	const char *event;
	json_t *groups;
	json_object_foreach(json_object_get(settings, "hooks"), event, groups) {
		const json_t *group, *hook;
		size_t i, j;
		json_array_foreach(groups, i, group)
			json_array_foreach(json_object_get(group, "hooks"), j, hook) {
				const char *command =
					json_string_value(json_object_get(hook, "command"));
				if (command && json_settings_is_hook(command, cli))
					return command;
			}
	}
	return NULL;
}

/* In one directory of PATH. */
static bool is_program(const char *directory, size_t directory_len, const char *name, size_t len)
{
	char path[TOOL_PATH_MAX];
	int written = snprintf(
		path, sizeof path, "%.*s/%.*s", (int)directory_len, directory, (int)len, name);
	return written < (int)sizeof path && access(path, X_OK) == 0;
}

bool inspection_can_run(const struct home *home, const char *command)
{
	bool is_quoted = *command == '\'' || *command == '"';
	const char quote[] = { *command, '\0' };
	const char *name = command + is_quoted;
	size_t len = strcspn(name, is_quoted ? quote : " \t");
	const char *path = environment_value(home->environment, "PATH");
	if (memchr(name, '/', len))
		return *name == '/' ? is_program("", 0, name + 1, len - 1) :
				      is_program(home->place, strlen(home->place), name, len);
	for (size_t part; path; path = path[part] ? path + part + 1 : NULL) {
		part = strcspn(path, ":");
		if (is_program(path, part, name, len))
			return true;
	}
	return false;
}
