#include "cli/kept_hooks.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "cli/own_state.h"

/* False where there is no home. */
static bool find_place(char directory[PATH_MAX], char file[PATH_MAX])
{
	return own_state_directory(NULL, directory) == 0 &&
		snprintf(file, PATH_MAX, "%s/hooks.jsonl", directory) < PATH_MAX;
}

/* The file, locked; negative: not now. */
static int open_locked(int flags)
{
	char directory[PATH_MAX], file[PATH_MAX];
	if (!find_place(directory, file) ||
		((flags & O_CREAT) && directory_make_private(directory) < 0))
		return -1;
	int fd = open(file, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void kept_hooks_add(const char *cli, struct bytes payload)
{
	struct buf line;
	struct stat status;
	int fd = open_locked(O_CREAT | O_APPEND);
	if (fd < 0)
		return;
	buf_init(&line, KEPT_HOOKS_MAX_BYTES, NULL);
	buf_printf(&line, "{\"cli\":\"%s\",\"payload\":", cli);
	buf_json_string(&line, payload);
	buf_text(&line, "}\n");
	if (!line.error && fstat(fd, &status) == 0 &&
		status.st_size + (off_t)line.len <= KEPT_HOOKS_MAX_BYTES &&
		write(fd, line.at, line.len) < (ssize_t)line.len)
		(void)!ftruncate(fd, status.st_size); /* half a line would spoil the next */
	buf_done(&line);
	close(fd);
}

static bool give_line(struct bytes line,
	bool (*post)(void *arg, const char *cli, struct bytes payload), void *arg)
{
	json_t *kept = json_loadb((const char *)line.at, line.len, JSON_ALLOW_NUL, NULL);
	const json_t *payload = json_object_get(kept, "payload");
	const char *cli = json_string_value(json_object_get(kept, "cli"));
	bool is_given = true; /* also what is no hook */
	if (cli && json_is_string(payload))
		is_given = post(arg, cli,
			(struct bytes){ (const uint8_t *)json_string_value(payload),
				json_string_length(payload) });
	json_decref(kept);
	return is_given;
}

/* How many bytes of the text are given away. */
static size_t give_lines(struct bytes text,
	bool (*post)(void *arg, const char *cli, struct bytes payload), void *arg)
{
	size_t given = 0;
	while (given < text.len) {
		const uint8_t *at = text.at + given, *end = memchr(at, '\n', text.len - given);
		struct bytes line = { at, end ? (size_t)(end - at) : text.len - given };
		if (!give_line(line, post, arg))
			break;
		given += line.len + (end != NULL);
	}
	return given;
}

static ssize_t read_all(int fd, struct buf *text)
{
	uint8_t *room = buf_reserve(text, KEPT_HOOKS_MAX_BYTES);
	ssize_t len = room ? read(fd, room, KEPT_HOOKS_MAX_BYTES) : -1;
	text->len = len > 0 ? (size_t)len : 0;
	return len;
}

void kept_hooks_give(bool (*post)(void *arg, const char *cli, struct bytes payload), void *arg)
{
	struct buf text;
	int fd = open_locked(0);
	if (fd < 0)
		return;
	buf_init(&text, KEPT_HOOKS_MAX_BYTES, NULL);
	if (read_all(fd, &text) > 0) {
		size_t given = give_lines(buf_bytes(&text), post, arg), left = text.len - given;
		if (given && ftruncate(fd, 0) == 0 && left)
			(void)!pwrite(fd, text.at + given, left, 0);
	}
	buf_done(&text);
	close(fd);
}
