#include "synthesize/names.h"

#include "base/json_skim.h"
#include "base/utf8.h"
#include "vocabularies/reading.h"

/* ---- text on one line ---- */

static void start(struct buf *buf, struct arena *arena)
{
	buf_init(buf, arena->limit_bytes, arena->budget);
}

static uint32_t point_of(const uint8_t *at, size_t len)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t point = at[0] & first_bits[len];
	for (size_t i = 1; i < len; i++)
		point = point << 6 | (at[i] & 0x3f);
	return point;
}

static bool is_blank(uint32_t point)
{
	return point <= 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0x1680 ||
		(point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
		point == 0x202f || point == 0x205f || point == 0x3000;
}

/* At most so many characters, blanks collapsed; what is no UTF-8 becomes U+FFFD. */
static void append_line(struct buf *buf, struct bytes text, size_t max_chars)
{
	const uint8_t *at = text.at, *end = bytes_end(text);
	size_t chars = 0;
	bool is_gap = false;
	while (at < end) {
		size_t len = utf8_length(at, end);
		if (len && is_blank(point_of(at, len))) {
			is_gap = chars > 0;
			at += len;
			continue;
		}
		if (chars + is_gap >= max_chars) {
			if (is_gap && chars < max_chars)
				buf_text(buf, " ");
			buf_text(buf, "…");
			return;
		}
		if (is_gap)
			buf_text(buf, " ");
		if (len)
			buf_append(buf, at, len);
		else
			buf_text(buf, "\xef\xbf\xbd");
		chars += 1 + is_gap;
		is_gap = false;
		at += len ? len : 1;
	}
}

struct bytes name_preview(struct bytes text, size_t max_chars, struct arena *arena)
{
	struct buf buf;
	if (!max_chars)
		return (struct bytes){ 0 };
	start(&buf, arena);
	append_line(&buf, text, max_chars);
	return buf_move(&buf, arena);
}

struct bytes name_join(const struct bytes *parts, size_t count, struct arena *arena)
{
	struct buf buf;
	start(&buf, arena);
	for (size_t i = 0; i < count; i++)
		buf_append(&buf, parts[i].at, parts[i].len);
	return buf_move(&buf, arena);
}

enum { NAME_CHARS = 80 };

struct bytes name_of(const char *before, struct bytes text, struct arena *arena)
{
	struct buf buf;
	start(&buf, arena);
	buf_text(&buf, before);
	append_line(&buf, text, NAME_CHARS);
	return buf_move(&buf, arena);
}

static struct bytes numbered(
	struct bytes before, unsigned number, struct bytes preview, struct arena *arena)
{
	struct buf buf;
	start(&buf, arena);
	buf_append(&buf, before.at, before.len);
	buf_text(&buf, " #");
	buf_decimal(&buf, number);
	buf_text(&buf, preview.len ? ": " : "");
	buf_append(&buf, preview.at, preview.len);
	return buf_move(&buf, arena);
}

struct bytes name_of_turn(unsigned number, struct bytes preview, struct arena *arena)
{
	return numbered(bytes_of("Turn"), number, preview, arena);
}

struct bytes name_of_trace(
	struct bytes project, unsigned number, struct bytes preview, struct arena *arena)
{
	return numbered(project, number, preview, arena);
}

/* ---- calls ---- */

struct bytes name_of_call(const struct event *said, struct arena *arena)
{
	const struct tokens *tokens = &said->tokens;
	struct buf buf;
	start(&buf, arena);
	buf_text(&buf, "LLM Call");
	buf_text(&buf, said->model.len ? ": " : "");
	append_line(&buf, said->model, NAME_CHARS);
	if (said->ending == ENDING_FAILED && said->status_code)
		buf_printf(&buf, " (error %llu)", (unsigned long long)said->status_code);
	else if (said->ending == ENDING_FAILED)
		buf_text(&buf, " (error)");
	else if (tokens->are_said && said->model.len)
		buf_printf(&buf, " (%llu→%llu tokens)",
			(unsigned long long)(tokens->input + tokens->cache_read +
				tokens->cache_write),
			(unsigned long long)tokens->output);
	return buf_move(&buf, arena);
}

/* ---- tools ---- */

enum shape {
	SHAPE_FILE,    /* the last part of a path */
	SHAPE_COMMAND, /* the program that a command line starts */
	SHAPE_PATCH,   /* the first file of a patch, which is the input itself or a member */
	SHAPE_TEXT,
	SHAPE_QUOTED,
	SHAPE_HOST,
};

enum { MEMBERS_MAX = 4, LONG_CHARS = 60 };

static const struct rule {
	const char *what;
	enum shape shape;
	size_t max_chars;
	const char *members[MEMBERS_MAX]; /* of the input, the first that is there */
	const char *tools;                /* with blanks around each */
} rules[] = {
	{ "Read file", SHAPE_FILE, LONG_CHARS, { "file_path", "absolute_path", "path" },
		" Read read_file " },
	{ "Write file", SHAPE_FILE, LONG_CHARS, { "file_path", "absolute_path", "path" },
		" Write write_file " },
	{ "Edit file", SHAPE_FILE, LONG_CHARS,
		{ "file_path", "notebook_path", "absolute_path", "path" },
		" Edit MultiEdit NotebookEdit replace " },
	{ "Edit file", SHAPE_PATCH, LONG_CHARS, { "input", "patch", "command" }, " apply_patch " },
	{ "Execute command", SHAPE_COMMAND, LONG_CHARS, { "command", "cmd", "full_command" },
		" Bash exec_command shell shell_command local_shell run_shell_command " },
	{ "Search code", SHAPE_QUOTED, 30, { "pattern", "query" },
		" Grep search_file_content grep_search " },
	{ "Find files", SHAPE_TEXT, LONG_CHARS, { "pattern", "query" }, " Glob glob " },
	{ "Spawn subagent", SHAPE_TEXT, 40,
		{ "description", "task_name", "agent_name", "subagent_type" },
		" Agent Task spawn_agent invoke_agent collaborationspawn_agent " },
	{ "Web search", SHAPE_QUOTED, 40, { "query" }, " WebSearch web_search google_web_search " },
	{ "Fetch URL", SHAPE_HOST, LONG_CHARS, { "url", "prompt" }, " WebFetch web_fetch " },
};

static const struct rule *rule_of(struct bytes tool)
{
	if (!tool.len || memchr(tool.at, ' ', tool.len))
		return NULL;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const char *tools = rules[i].tools, *at = tools;
		while ((at = memmem(at, strlen(at), tool.at, tool.len))) {
			if (at[-1] == ' ' && at[tool.len] == ' ')
				return &rules[i];
			at++;
		}
	}
	return NULL;
}

bool tool_starts_agents(struct bytes tool)
{
	const struct rule *rule = rule_of(tool);
	return rule && strcmp(rule->what, "Spawn subagent") == 0;
}

/* The text of a member of the input. Of a list, as a command may be one, its last item. */
static struct bytes member_of(
	struct bytes input, const char *const *members, size_t count, struct arena *arena)
{
	struct bytes json, item, raw;
	bool has_escapes;
	for (size_t i = 0; i < count && members[i]; i++) {
		if (!json_find(input, members[i], &json) || !json.len)
			continue;
		if (json.at[0] == '[') {
			struct skim s = { json.at + 1, bytes_end(json) };
			item = (struct bytes){ 0 };
			for (skim_blanks(&s); skim_string(&s, &raw, &has_escapes);
				skim_blanks(&s)) {
				item = (struct bytes){ raw.at - 1, raw.len + 2 };
				skim_blanks(&s);
				if (!skim_byte(&s, ','))
					break;
			}
			json = item;
		}
		struct value value = value_of_json_text(json, arena);
		if (json.len && json.at[0] == '"' && value.type == VALUE_STRING && value.bytes.len)
			return value.bytes;
	}
	return (struct bytes){ 0 };
}

struct bytes last_part(struct bytes path)
{
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	for (size_t i = path.len; i-- > 0;)
		if ((path.at[i] == '/' || path.at[i] == '\\') && path.len > 1)
			return (struct bytes){ path.at + i + 1, path.len - i - 1 };
	return path;
}

static bool is_name_byte(uint8_t byte)
{
	return byte == '_' || (byte >= '0' && byte <= '9') ||
		((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

static bool is_assignment(struct bytes word)
{
	size_t i = 0;
	while (i < word.len && is_name_byte(word.at[i]))
		i++;
	return i > 0 && i < word.len && word.at[i] == '=' && (word.at[0] < '0' || word.at[0] > '9');
}

/* The next word, and of what follows the rest. Quotes hold blanks together. */
static struct bytes next_word(struct bytes *rest)
{
	const uint8_t *at = rest->at, *end = bytes_end(*rest);
	while (at < end && *at <= ' ')
		at++;
	const uint8_t *start = at;
	uint8_t quote = 0;
	for (; at < end && (quote || *at > ' '); at++)
		if (*at == quote)
			quote = 0;
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
	*rest = (struct bytes){ at, (size_t)(end - at) };
	return (struct bytes){ start, (size_t)(at - start) };
}

static struct bytes program_of(struct bytes command)
{
	struct bytes word;
	do
		word = next_word(&command);
	while (is_assignment(word));
	return last_part(word);
}

static struct bytes first_file(struct bytes patch)
{
	static const char *const marks[] = {
		"*** Update File: ", "*** Add File: ", "*** Delete File: "
	};
	struct bytes first = { 0 };
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		const uint8_t *at = memmem(patch.at, patch.len, marks[i], strlen(marks[i]));
		if (!at || (first.at && at > first.at))
			continue;
		at += strlen(marks[i]);
		const uint8_t *end = at;
		while (end < bytes_end(patch) && *end != '\n' && *end != '\r')
			end++;
		first = (struct bytes){ at, (size_t)(end - at) };
	}
	return last_part(first);
}

static struct bytes host_of(struct bytes text)
{
	const uint8_t *at = memmem(text.at, text.len, "://", 3);
	if (!at)
		return (struct bytes){ 0 };
	const uint8_t *start = at += 3;
	for (; at < bytes_end(text) && *at > ' ' && !memchr("/?#\"')>", *at, 7); at++)
		if (*at == '@')
			start = at + 1;
	return (struct bytes){ start, (size_t)(at - start) };
}

static struct bytes shown_input(const struct rule *rule, struct bytes input, struct arena *arena)
{
	struct bytes text = member_of(input, rule->members, MEMBERS_MAX, arena);
	switch (rule->shape) {
	case SHAPE_FILE:
		return last_part(text);
	case SHAPE_COMMAND:
		return program_of(text);
	case SHAPE_PATCH:
		return first_file(text.len ? text : input);
	case SHAPE_HOST:
		return host_of(text);
	default:
		return text;
	}
}

struct bytes name_of_tool(struct bytes tool, struct bytes input, struct arena *arena)
{
	const struct rule *rule = rule_of(tool);
	if (!rule)
		return tool.len ? name_of("Tool: ", tool, arena) : name_of("Tool", tool, arena);
	struct bytes shown = shown_input(rule, input, arena);
	const char *quote = rule->shape == SHAPE_QUOTED ? "\"" : "";
	struct buf buf;
	start(&buf, arena);
	buf_text(&buf, rule->what);
	if (shown.len) {
		buf_text(&buf, ": ");
		buf_text(&buf, quote);
		append_line(&buf, shown, rule->max_chars);
		buf_text(&buf, quote);
	}
	return buf_move(&buf, arena);
}

struct bytes task_of_input(struct bytes input, struct arena *arena)
{
	static const char *const members[] = { "prompt", "message", "task", "objective" };
	struct bytes task = member_of(input, members, sizeof members / sizeof *members, arena);
	return task.len ? task : input;
}

struct bytes agent_of_input(struct bytes input, struct arena *arena)
{
	static const char *const members[] = { "task_name", "agent_name", "subagent_type" };
	return member_of(input, members, sizeof members / sizeof *members, arena);
}

/* Behind "#2" in the names of turns and traces, where the words begin or nothing does; 0: nowhere. */
static size_t end_of_number(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		size_t end = i + 1;
		while (name.at[i] == '#' && end < name.len && name.at[end] >= '0' &&
			name.at[end] <= '9')
			end++;
		bool has_words =
			end + 1 < name.len && name.at[end] == ':' && name.at[end + 1] == ' ';
		if (end > i + 1 && (has_words || end == name.len))
			return end;
	}
	return 0;
}

struct bytes name_without_content(struct bytes name)
{
	static const char *const harmless[] = { "LLM Call", "Tool: ", "Subagent", "Command: " };
	size_t number = end_of_number(name);
	for (size_t i = 0; !number && i < sizeof harmless / sizeof *harmless; i++)
		if (bytes_start_with(name, harmless[i]))
			return name;
	const uint8_t *end = number ? name.at + number :
		name.len            ? memmem(name.at, name.len, ": ", 2) :
				      NULL;
	return end ? (struct bytes){ name.at, (size_t)(end - name.at) } : name;
}
