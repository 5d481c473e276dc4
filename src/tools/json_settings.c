#include "tools/json_settings.h"

#include <ctype.h>
#include <string.h>

#include "tools/json_text.h"

enum { STEPS = 2 };

/* One edit of a file. */
struct editing {
	const struct json_settings *settings;
	struct json_text json;
	struct json_text before;
	bool has_hooks;
	struct buf url, command; /* as JSON, with a NUL behind; empty: not known */
};

static int begin(struct editing *editing, struct bytes text, struct bytes before,
	struct complaint *complaint)
{
	struct complaint unread = { 0 };
	buf_init(&editing->url, JSON_TEXT_MAX_BYTES, NULL);
	buf_init(&editing->command, JSON_TEXT_MAX_BYTES, NULL);
	if (json_text_open(&editing->before, before, &unread) < 0) {
		json_text_close(&editing->before); /* then it does not tell what was there */
		json_text_open(&editing->before, (struct bytes){ 0 }, &unread);
	}
	editing->before.complaint = NULL;
	return json_text_open(&editing->json, text, complaint);
}

static int end(struct editing *editing, struct buf *out)
{
	int error = editing->json.error;
	if (!error)
		buf_append(out, editing->json.text.at, editing->json.text.len);
	json_text_close(&editing->json);
	json_text_close(&editing->before);
	buf_done(&editing->url);
	buf_done(&editing->command);
	return error ? error : out->error;
}

static json_t *read_value(struct bytes value)
{
	return json_loadb(
		(const char *)value.at, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* However it is written. */
static bool is_value(struct bytes value, const char *wanted)
{
	json_t *a = read_value(value), *b = read_value(bytes_of(wanted));
	bool is = a && json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return is;
}

static bool is_url(struct bytes value)
{
	return bytes_start_with(value, "\"http://") || bytes_start_with(value, "\"https://");
}

static bool is_wished(enum part part, const struct wish *wish)
{
	switch (part) {
	case PART_CONTENT:
		return wish->has_content;
	case PART_SPANS:
		return wish->has_spans;
	case PART_NEVER:
		return false;
	default:
		return true;
	}
}

/* NULL: what is there, or not there, stays. */
static const char *wanted_value(const struct editing *editing, const struct json_setting *row,
	const struct wish *wish, bool is_there)
{
	if (is_there && row->part == PART_DEFAULT)
		return NULL;
	if (is_wished(row->part, wish))
		return row->value ? row->value : (const char *)editing->url.at;
	return is_there || row->is_on_by_default ? row->off : NULL;
}

static void set_rows(struct editing *editing, const struct wish *wish)
{
	for (const struct json_setting *row = editing->settings->rows; row && row->name; row++) {
		const struct json_step path[] = { { row->object }, { row->name } };
		struct bytes value;
		bool is_there = json_text_find(&editing->json, path, STEPS, &value);
		const char *wanted = wanted_value(editing, row, wish, is_there);
		if (wanted && !(is_there && is_value(value, wanted)))
			json_text_set(&editing->json, path, STEPS, wanted);
	}
}

static bool is_ours(
	const struct editing *editing, const struct json_setting *row, struct bytes value)
{
	if (row->value)
		return is_value(value, row->value) || (row->off && is_value(value, row->off));
	return editing->url.len ? is_value(value, (const char *)editing->url.at) : is_url(value);
}

static void take_rows(struct editing *editing)
{
	for (const struct json_setting *row = editing->settings->rows; row && row->name; row++) {
		const struct json_step path[] = { { row->object }, { row->name } };
		struct bytes value, then;
		if (!json_text_find(&editing->json, path, STEPS, &value) ||
			!is_ours(editing, row, value))
			continue;
		if (json_text_find(&editing->before, path, STEPS, &then))
			json_text_replace(&editing->json, path, STEPS, then);
		else
			json_text_remove(&editing->json, path, STEPS, &editing->before);
	}
}

static bool ends_with(struct bytes text, const char *end)
{
	size_t len = strlen(end);
	return text.len >= len && memcmp(text.at + text.len - len, end, len) == 0;
}

/* The command without the URL that it is told. */
static struct bytes without_url(const char *command)
{
	const char *flag = strstr(command, " --to ");
	bool is_last = flag && !strchr(flag + strlen(" --to "), ' ');
	return is_last ? (struct bytes){ (const uint8_t *)command, (size_t)(flag - command) } :
			 bytes_of(command);
}

/* Exactly as it is written here, whatever the path of the program. */
static bool is_our_command(const char *command, const char *cli)
{
	struct bytes left = without_url(command);
	if (!ends_with(left, cli))
		return false;
	left.len -= strlen(cli);
	if (!ends_with(left, " hook "))
		return false;
	left.len -= strlen(" hook ");
	return bytes_are(left, "tollgate") || ends_with(left, "/tollgate") ||
		ends_with(left, "/tollgate'");
}

bool json_settings_is_hook(const char *command, const char *cli)
{
	const char *program = strstr(command, "tollgate");
	const char *hook = program ? strstr(program, " hook ") : NULL;
	return hook && strstr(hook, cli);
}

static const char *command_of(const json_t *entry)
{
	const char *command = json_string_value(json_object_get(entry, "command"));
	return command ? command : "";
}

/* Claude Code knows hooks that are posted by itself. */
static bool posts_to_us(const json_t *entry, const char *cli)
{
	const char *url = json_string_value(json_object_get(entry, "url"));
	const char *path = url ? strstr(url, "/hooks/") : NULL;
	return path && strcmp(path + strlen("/hooks/"), cli) == 0;
}

/* The entries of one event, in a tree of the text as it was before any of them was edited. */
static json_t *groups_of(const json_t *tree, const char *event)
{
	return json_object_get(json_object_get(tree, "hooks"), event);
}

static size_t count_ours(const json_t *entries, const char *cli)
{
	size_t count = 0, i;
	const json_t *entry;
	json_array_foreach(entries, i, entry)
		count += is_our_command(command_of(entry), cli);
	return count;
}

/* A group that has nothing else goes as a whole. */
static void take_group(
	struct editing *editing, const char *event, size_t group, const json_t *entries)
{
	const char *cli = editing->settings->cli;
	struct json_step path[] = { { "hooks" }, { event }, { NULL, group }, { "hooks" },
		{ NULL } };
	size_t ours = count_ours(entries, cli), count = json_array_size(entries);
	if (ours && ours == count)
		json_text_remove(&editing->json, path, 3, &editing->before);
	else if (ours)
		while (count--) {
			path[4].index = count;
			if (is_our_command(command_of(json_array_get(entries, count)), cli))
				json_text_remove(&editing->json, path, 5, &editing->before);
		}
}

/* From the last on, so that those before stay where they are. */
static void take_hooks(struct editing *editing)
{
	json_t *tree = json_text_tree(&editing->json);
	for (const char *const *event = editing->settings->events; *event; event++) {
		const json_t *groups = groups_of(tree, *event);
		for (size_t i = json_array_size(groups); i--;)
			take_group(editing, *event, i,
				json_object_get(json_array_get(groups, i), "hooks"));
	}
	json_decref(tree);
}

/* Whether one of these is ours; ours get the command that is wished. */
static bool renew_group(
	struct editing *editing, const char *event, size_t group, const json_t *entries)
{
	const char *cli = editing->settings->cli, *wanted = (const char *)editing->command.at;
	bool is_there = false;
	const json_t *entry;
	size_t i;
	json_array_foreach(entries, i, entry) {
		const struct json_step path[] = { { "hooks" }, { event }, { NULL, group },
			{ "hooks" }, { NULL, i }, { "command" } };
		struct bytes value;
		is_there |=
			json_settings_is_hook(command_of(entry), cli) || posts_to_us(entry, cli);
		if (is_our_command(command_of(entry), cli) &&
			json_text_find(&editing->json, path, 6, &value) && !is_value(value, wanted))
			json_text_set(&editing->json, path, 6, wanted);
	}
	return is_there;
}

static void set_hooks(struct editing *editing)
{
	struct buf group;
	json_t *tree = json_text_tree(&editing->json);
	buf_init(&group, JSON_TEXT_MAX_BYTES, NULL);
	buf_printf(&group, "{\"hooks\":[{\"type\":\"command\",\"command\":%s}]}",
		(const char *)editing->command.at);
	buf_append(&group, "", 1);
	for (const char *const *event = editing->settings->events; *event; event++) {
		const struct json_step path[] = { { "hooks" }, { *event } };
		const json_t *groups = groups_of(tree, *event), *each;
		bool is_there = false;
		size_t i;
		json_array_foreach(groups, i, each)
			is_there |= renew_group(editing, *event, i, json_object_get(each, "hooks"));
		if (!is_there && !group.error)
			json_text_append(&editing->json, path, STEPS, (const char *)group.at);
	}
	buf_done(&group);
	json_decref(tree);
}

static void write_json(struct buf *out, struct bytes text)
{
	buf_json_string(out, text);
	buf_append(out, "", 1);
}

/* A shell reads it: what has anything unusual in it is quoted. */
static void write_word(struct buf *line, const char *word)
{
	bool is_plain = true;
	for (const char *at = word; *at; at++)
		is_plain &= isalnum((unsigned char)*at) || strchr("/._-+@:", *at);
	buf_text(line, is_plain ? "" : "'");
	for (const char *at = word; *at; at++)
		if (*at == '\'')
			buf_text(line, "'\\''");
		else
			buf_append(line, at, 1);
	buf_text(line, is_plain ? "" : "'");
}

static void write_command(struct editing *editing, const struct wish *wish)
{
	struct buf line;
	buf_init(&line, JSON_TEXT_MAX_BYTES, NULL);
	write_word(&line, wish->program);
	buf_printf(&line, " hook %s", editing->settings->cli);
	if (wish->hook_url) {
		buf_text(&line, " --to ");
		write_word(&line, wish->hook_url);
	}
	write_json(&editing->command, buf_bytes(&line));
	buf_done(&line);
}

int json_settings_add(const struct json_settings *settings, const struct wish *wish,
	struct bytes text, struct buf *out, struct complaint *complaint)
{
	struct editing editing = { .settings = settings };
	if (begin(&editing, text, (struct bytes){ 0 }, complaint) == 0) {
		write_json(&editing.url, bytes_of(wish->url));
		write_command(&editing, wish);
		set_rows(&editing, wish);
		if (wish->has_hooks)
			set_hooks(&editing);
		else
			take_hooks(&editing);
	}
	return end(&editing, out);
}

int json_settings_remove(const struct json_settings *settings, const char *url, struct bytes text,
	struct bytes before, struct buf *out, struct complaint *complaint)
{
	struct editing editing = { .settings = settings };
	if (begin(&editing, text, before, complaint) == 0) {
		if (url)
			write_json(&editing.url, bytes_of(url));
		take_rows(&editing);
		take_hooks(&editing);
	}
	return end(&editing, out);
}
