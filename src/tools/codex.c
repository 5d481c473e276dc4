/*
 * Codex: ~/.codex/config.toml for its telemetry and for notify, ~/.codex/hooks.json for its hooks. It reads no OTEL_*
 * variable, and takes the address of each signal as it is written.
 */
#include "tools/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/inspection.h"
#include "tools/json_settings.h"
#include "tools/toml_text.h"

enum { ENDPOINT_MAX = 2048, COUNT = 2 /* of each of these: */ };

static const struct {
	const char *path, *endpoint;
	const char *signal_path; /* behind the gateway's URL */
} exporters[COUNT] = {
	{ "otel.exporter", "otel.exporter.otlp-http.endpoint", "/v1/logs" },
	{ "otel.metrics_exporter", "otel.metrics_exporter.otlp-http.endpoint", "/v1/metrics" },
};
static const char *const contents[COUNT] = { "otel.log_user_prompt", "otel.log_agent_responses" };

/* ---- config.toml ---- */

/* A text on its way through the editor. */
struct draft {
	struct buf text;
	int error;
	struct complaint *complaint;
};

static void draft_set(struct draft *draft, const char *path, const struct buf *value)
{
	struct buf next;
	buf_init(&next, TOML_MAX_BYTES, NULL);
	draft->error = value->error;
	if (!draft->error)
		draft->error = toml_set(
			buf_bytes(&draft->text), path, buf_bytes(value), &next, draft->complaint);
	buf_done(&draft->text);
	draft->text = next;
}

/* Whether a value is this text. */
static bool is_text(struct bytes value, struct bytes wanted)
{
	struct buf said;
	buf_init(&said, value.len, NULL);
	bool is_it = toml_string(value, &said) && bytes_equal(buf_bytes(&said), wanted);
	buf_done(&said);
	return is_it;
}

static void set_exporter(struct draft *draft, const struct wish *wish, size_t which)
{
	struct bytes said;
	struct buf endpoint, value;
	buf_init(&endpoint, TOML_MAX_BYTES, NULL);
	buf_init(&value, TOML_MAX_BYTES, NULL);
	buf_printf(&endpoint, "%s%s", wish->url, exporters[which].signal_path);
	buf_text(&value, "{ otlp-http = { endpoint = ");
	buf_json_string(&value, buf_bytes(&endpoint));
	buf_text(&value, ", protocol = \"binary\" } }");
	if (!toml_find(buf_bytes(&draft->text), exporters[which].endpoint, &said) ||
		!is_text(said, buf_bytes(&endpoint)))
		draft_set(draft, exporters[which].path, &value);
	buf_done(&endpoint);
	buf_done(&value);
}

static bool is_true(struct bytes text, const char *path)
{
	struct bytes said;
	return toml_find(text, path, &said) && bytes_are(said, "true");
}

static void set_content(struct draft *draft, const struct wish *wish, const char *path)
{
	struct buf value;
	buf_init(&value, TOML_MAX_BYTES, NULL);
	buf_text(&value, wish->has_content ? "true" : "false");
	if (is_true(buf_bytes(&draft->text), path) != wish->has_content)
		draft_set(draft, path, &value);
	buf_done(&value);
}

/* The words of notify with blanks between, and a NUL behind them. False: not all of them are texts. */
static bool read_notify(struct bytes value, struct buf *command)
{
	struct toml_list words;
	if (!toml_list_begin(value, &words))
		return false;
	for (struct bytes word; toml_list_next(&words, &word);) {
		if (command->len)
			buf_text(command, " ");
		if (!toml_string(word, command))
			return false;
	}
	buf_append(command, "", 1);
	return !command->error;
}

static bool is_ours(const struct buf *command)
{
	return command->len && json_settings_is_hook((const char *)command->at, tool_codex.name);
}

/* The person's own program comes behind ours, which runs it. */
static void write_notify(const struct wish *wish, struct bytes own, struct buf *value)
{
	struct toml_list words;
	const char *between = ", \"--\", ";
	buf_text(value, "[");
	buf_json_string(value, bytes_of(wish->program));
	buf_text(value, ", \"hook\", \"codex\"");
	if (wish->hook_url) {
		buf_text(value, ", \"--to\", ");
		buf_json_string(value, bytes_of(wish->hook_url));
	}
	if (toml_list_begin(own, &words))
		for (struct bytes word; toml_list_next(&words, &word); between = ", ") {
			buf_text(value, between);
			buf_append(value, word.at, word.len);
		}
	buf_text(value, "]");
}

static void set_notify(struct draft *draft, const struct wish *wish)
{
	struct bytes text = buf_bytes(&draft->text), own = { 0 };
	struct buf command, value;
	buf_init(&command, TOML_MAX_BYTES, NULL);
	buf_init(&value, TOML_MAX_BYTES, NULL);
	if (toml_find(text, "notify", &own) && !read_notify(own, &command)) {
		draft->error = toml_complain(draft->complaint, text, own.at,
			"notify has to be a list of texts: a program and its arguments");
	} else if (!is_ours(&command)) {
		write_notify(wish, own, &value);
		draft_set(draft, "notify", &value);
	}
	buf_done(&command);
	buf_done(&value);
}

static void set_all(struct draft *draft, const struct wish *wish)
{
	for (size_t i = 0; !draft->error && i < COUNT; i++)
		set_exporter(draft, wish, i);
	for (size_t i = 0; !draft->error && i < COUNT; i++)
		set_content(draft, wish, contents[i]);
	if (!draft->error && wish->has_hooks)
		set_notify(draft, wish);
}

static bool agree_on(struct bytes one, struct bytes other, const char *path)
{
	struct bytes here = { 0 }, there = { 0 };
	return toml_find(one, path, &here) == toml_find(other, path, &there) &&
		bytes_equal(here, there);
}

/* Whether both say the same where we write. */
static bool agree(struct bytes one, struct bytes other)
{
	bool is_same = agree_on(one, other, "notify");
	for (size_t i = 0; i < COUNT; i++)
		is_same = is_same && agree_on(one, other, exporters[i].endpoint) &&
			agree_on(one, other, contents[i]);
	return is_same;
}

/* Somebody may have written anew what stands in a comment; Codex takes no key twice. */
static int check_once(struct bytes text, const char *path, struct complaint *complaint)
{
	bool has_value = false, has_members = false;
	struct toml_walk walk = toml_begin(text);
	for (struct toml_item item; toml_next(&walk, &item);) {
		bool says = item.kind != TOML_BLANK && item.kind != TOML_COMMENT &&
			toml_below(item.path, path);
		bool is_value = item.kind == TOML_PAIR && strcmp(item.path, path) == 0;
		if (says && (has_value || (is_value && has_members)))
			return toml_complain(complaint, text, item.text.at,
				"%s is said for the second time, if comments of setup are counted",
				path);
		has_value |= is_value;
		has_members |= says;
	}
	return 0;
}

static int restore(struct bytes text, struct buf *out, struct complaint *complaint)
{
	int error = toml_restore(text, out, complaint);
	if (!error)
		error = check_once(buf_bytes(out), "notify", complaint);
	for (size_t i = 0; !error && i < COUNT; i++) {
		error = check_once(buf_bytes(out), exporters[i].path, complaint);
		if (!error)
			error = check_once(buf_bytes(out), contents[i], complaint);
	}
	return error;
}

static int add_config(
	const struct wish *wish, struct bytes text, struct buf *out, struct complaint *complaint)
{
	struct draft draft = { .complaint = complaint };
	buf_init(&draft.text, TOML_MAX_BYTES, NULL);
	draft.error = restore(text, &draft.text, complaint);
	if (!draft.error)
		set_all(&draft, wish);
	if (!draft.error) {
		struct bytes fresh = buf_bytes(&draft.text),
			     said = agree(text, fresh) ? text : fresh;
		buf_append(out, said.at, said.len);
	}
	buf_done(&draft.text);
	if (draft.error == -E2BIG)
		return complain(complaint, "it would be larger than %d bytes", TOML_MAX_BYTES);
	return draft.error ? draft.error : out->error;
}

static int remove_config(const char *url, struct bytes text, struct bytes before, struct buf *out,
	struct complaint *complaint)
{
	struct buf restored;
	(void)url, (void)before; /* the text itself says what is ours and what was before */
	buf_init(&restored, TOML_MAX_BYTES, NULL);
	int error = restore(text, &restored, complaint);
	if (!error)
		buf_append(out, restored.at, restored.len);
	buf_done(&restored);
	return error ? error : out->error;
}

/* ---- hooks.json, of Claude Code's form ---- */

static const char *const events[] = { "SessionStart", "UserPromptSubmit", "PreToolUse",
	"PostToolUse", "PermissionRequest", "SubagentStart", "SubagentStop", "Stop", "SessionEnd",
	NULL };
static const struct json_settings hooks = { NULL, events, "codex" };

static int add_hooks(
	const struct wish *wish, struct bytes text, struct buf *out, struct complaint *complaint)
{
	return json_settings_add(&hooks, wish, text, out, complaint);
}

static int remove_hooks(const char *url, struct bytes text, struct bytes before, struct buf *out,
	struct complaint *complaint)
{
	return json_settings_remove(&hooks, url, text, before, out, complaint);
}

/* ---- what they say ---- */

static const char mend[] = "tollgate setup codex --apply";

struct look {
	const struct home *home;
	const char *url;
	struct findings *findings;
	struct bytes config;
};

static void add(const struct look *look, enum finding_kind kind, const char *what)
{
	findings_add(look->findings, kind, tool_codex.name, mend, "%s", what);
}

/* Where the exporter of a signal sends to over this transport. False: it does not. */
static bool read_endpoint(const struct look *look, const char *exporter, const char *transport,
	char ret_endpoint[ENDPOINT_MAX])
{
	char path[TOML_PATH_MAX];
	struct bytes value;
	struct buf endpoint;
	snprintf(path, sizeof path, "otel.%s.%s.endpoint", exporter, transport);
	buf_init(&endpoint, ENDPOINT_MAX, NULL);
	bool is_there = toml_find(look->config, path, &value) && toml_string(value, &endpoint);
	buf_append(&endpoint, "", 1);
	if (is_there)
		snprintf(ret_endpoint, ENDPOINT_MAX, "%s",
			endpoint.error ? "" : (const char *)endpoint.at);
	buf_done(&endpoint);
	return is_there;
}

static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	return path ? path : "";
}

/* Spans and metrics may go to whom one likes; what comes here has to have its path. */
static void inspect_paths(const struct look *look)
{
	static const char *const signals[][2] = { { "exporter", "/v1/logs" },
		{ "metrics_exporter", "/v1/metrics" }, { "trace_exporter", "/v1/traces" } };
	char endpoint[ENDPOINT_MAX], path[ENDPOINT_MAX];
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		snprintf(path, sizeof path, "%s%s", path_of(look->url), signals[i][1]);
		if (read_endpoint(look, signals[i][0], "otlp-http", endpoint) &&
			inspection_meets(endpoint, look->url) &&
			strcmp(path_of(endpoint), path) != 0) {
			findings_add(look->findings, FINDING_SIGNAL_PATH_MISSING, tool_codex.name,
				mend, "The endpoint of otel.%s has to be %s%s.", signals[i][0],
				look->url, signals[i][1]);
			return;
		}
	}
}

/* Returns whether logs are sent to somebody. */
static bool inspect_exporters(const struct look *look, bool *ret_is_on)
{
	char endpoint[ENDPOINT_MAX];
	bool has_others = read_endpoint(look, "trace_exporter", "otlp-http", endpoint) ||
		read_endpoint(look, "metrics_exporter", "otlp-http", endpoint);
	bool is_grpc = read_endpoint(look, "exporter", "otlp-grpc", endpoint);
	bool is_http = !is_grpc && read_endpoint(look, "exporter", "otlp-http", endpoint);
	*ret_is_on = is_grpc || is_http || has_others;
	if (is_grpc)
		add(look, FINDING_PROTOCOL_GRPC, "Its logs go out as otlp-grpc.");
	else if (is_http && !inspection_meets(endpoint, look->url))
		inspection_add_elsewhere(
			look->findings, tool_codex.name, "Its logs go", endpoint, look->url, mend);
	else if (is_http)
		inspect_paths(look);
	else if (has_others)
		add(look, FINDING_LOGS_OFF,
			"It sends spans or metrics, but otel.exporter, which is for logs, is off.");
	return is_grpc || is_http;
}

static bool runs_us(struct bytes notify)
{
	struct buf command;
	buf_init(&command, TOML_MAX_BYTES, NULL);
	bool runs = read_notify(notify, &command) && is_ours(&command);
	buf_done(&command);
	return runs;
}

/* Of what runs us: of hooks.json, else of notify. Either of them says when a turn is over. */
static bool find_program(const struct look *look, const json_t *settings, struct buf *program)
{
	struct bytes notify, word;
	struct toml_list words;
	if (inspection_find_hook(settings, tool_codex.name, program))
		return true;
	return toml_find(look->config, "notify", &notify) && runs_us(notify) &&
		toml_list_begin(notify, &words) && toml_list_next(&words, &word) &&
		toml_string(word, program);
}

static void inspect_hooks(const struct look *look)
{
	char path[TOOL_PATH_MAX];
	struct buf program;
	json_t *settings = NULL;
	if (tool_path(&tool_codex, look->home, &tool_codex.files[1], path) < 0 ||
		!inspection_read_json(&tool_codex, path, look->findings, &settings))
		return;
	buf_init(&program, TOML_MAX_BYTES, NULL);
	if (!find_program(look, settings, &program))
		add(look, FINDING_HOOKS_MISSING, "Neither notify nor hooks.json runs Tollgate.");
	else if (!inspection_can_run(look->home, buf_bytes(&program)))
		findings_add(look->findings, FINDING_HOOK_NOT_FOUND, tool_codex.name, NULL,
			"%.*s, which its hooks run, is not there or not in PATH.", (int)program.len,
			(const char *)program.at);
	buf_done(&program);
	json_decref(settings);
}

static void inspect_config(const struct look *look, bool *ret_is_on)
{
	if (!inspect_exporters(look, ret_is_on))
		return;
	if (!is_true(look->config, contents[0]))
		add(look, FINDING_PROMPTS_REDACTED, "otel.log_user_prompt is not true.");
	inspect_hooks(look);
}

static void inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on)
{
	char path[TOOL_PATH_MAX];
	struct buf text;
	struct complaint complaint = { 0 };
	*ret_is_on = false;
	if (!tool_is_used(&tool_codex, home))
		return;
	buf_init(&text, TOML_MAX_BYTES, NULL);
	int error = inspection_read(&tool_codex, 0, home, path, &text);
	struct look look = { home, url, findings, buf_bytes(&text) };
	if (!error)
		error = toml_check(look.config, &complaint);
	if (!error)
		inspect_config(&look, ret_is_on);
	else
		inspection_add_unreadable(findings, tool_codex.name, path, error, &complaint);
	*ret_is_on |= error < 0; /* it may be */
	buf_done(&text);
}

const struct tool tool_codex = {
	.name = "codex",
	.title = "Codex",
	.directory = ".codex",
	.directory_variable = "CODEX_HOME",
	.sessions = "sessions/*/*/*",
	.files = { { "config.toml", add_config, remove_config },
		{ "hooks.json", add_hooks, remove_hooks } },
	.after = "Start Codex anew, and tell it to trust the new hooks when it asks.",
	.inspect = inspect,
};
