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
#include "tools/json_text.h"

/* A file that is not there is empty. */
static int read_text(const char *path, struct buf *text)
{
	int error = file_read(path, text);
	return error == -ENOENT ? 0 : error == -E2BIG ? -EFBIG : error;
}

int inspection_read(const struct tool *tool, size_t file, const struct home *home,
	char ret_path[TOOL_PATH_MAX], struct buf *text)
{
	int error = tool_path(tool, home, &tool->files[file], ret_path);
	return error ? error : read_text(ret_path, text);
}

bool inspection_read_json(
	const struct tool *tool, const char *path, struct findings *findings, json_t **ret_tree)
{
	struct buf text;
	struct json_text json = { 0 };
	struct complaint complaint = { 0 };
	buf_init(&text, JSON_TEXT_MAX_BYTES, NULL);
	int error = read_text(path, &text);
	if (!error)
		error = json_text_open(&json, buf_bytes(&text), &complaint);
	if (!error)
		*ret_tree = json_text_tree(&json);
	else
		inspection_add_unreadable(findings, tool->name, path, error, &complaint);
	json_text_close(&json);
	buf_done(&text);
	return !error;
}

void inspection_add_unreadable(struct findings *findings, const char *about, const char *path,
	int error, const struct complaint *complaint)
{
	char line[16] = "";
	if (complaint->line)
		snprintf(line, sizeof line, ":%d", complaint->line);
	findings_add(findings, FINDING_SETTINGS_UNREADABLE, about, NULL, "%s%s: %s.", path, line,
		complaint->text[0] ? complaint->text : strerror(-error));
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
	const char *endpoint, const char *url, const char *mend)
{
	char host[HTTP_HOST_MAX];
	uint16_t port;
	if (http_url_read(endpoint, host, &port) == 0)
		findings_add(findings, FINDING_ENDPOINT_ELSEWHERE, about, mend,
			"%s to port %u of %s, Tollgate is at %s.", what, port, host, url);
	else
		findings_add(findings, FINDING_ENDPOINT_ELSEWHERE, about, mend,
			"%s to what is no http URL, Tollgate is at %s.", what, url);
}

/* The first word, without quotes around it. */
static void add_program(const char *command, struct buf *program)
{
	bool is_quoted = *command == '\'' || *command == '"';
	const char quote[] = { *command, '\0' };
	command += is_quoted;
	buf_append(program, command, strcspn(command, is_quoted ? quote : " \t"));
}

/* A hook of type "http" has a URL in place of a command. */
static bool is_ours(const json_t *hook, const char *cli, struct buf *program)
{
	const char *command = json_string_value(json_object_get(hook, "command"));
	const char *url = json_string_value(json_object_get(hook, "url"));
	const char *path = url ? strstr(url, "/hooks/") : NULL;
	if (!command || !json_settings_is_hook(command, cli))
		return path && strcmp(path + strlen("/hooks/"), cli) == 0;
	add_program(command, program);
	return true;
}

bool inspection_hook_at(
	const json_t *settings, const char *event, const char *cli, struct buf *program)
{
	const json_t *group, *hook;
	size_t i, j;
	json_array_foreach(json_object_get(json_object_get(settings, "hooks"), event), i, group)
		json_array_foreach(json_object_get(group, "hooks"), j, hook)
			if (is_ours(hook, cli, program))
				return true;
	return false;
}

bool inspection_find_hook(const json_t *settings, const char *cli, struct buf *program)
{
	const char *event;
	json_t *groups;
	json_object_foreach(json_object_get(settings, "hooks"), event, groups)
		if (inspection_hook_at(settings, event, cli, program))
			return true;
	return false;
}

static bool is_program(struct bytes directory, struct bytes name)
{
	char path[TOOL_PATH_MAX];
	int len = snprintf(path, sizeof path, "%.*s/%.*s", (int)directory.len,
		(const char *)directory.at, (int)name.len, (const char *)name.at);
	return len < (int)sizeof path && access(path, X_OK) == 0;
}

bool inspection_can_run(const struct home *home, struct bytes program)
{
	const char *path = environment_value(home->environment, "PATH");
	if (program.len == 0) /* of a hook that posts by itself */
		return true;
	if (bytes_start_with(program, "/"))
		return is_program(
			(struct bytes)BYTES(""), (struct bytes){ program.at + 1, program.len - 1 });
	for (size_t i = 0; i < program.len; i++)
		if (strchr("/$~=", program.at[i]))
			return true;
	for (size_t len; path; path = path[len] ? path + len + 1 : NULL) {
		len = strcspn(path, ":");
		if (is_program((struct bytes){ (const uint8_t *)path, len }, program))
			return true;
	}
	return false;
}
