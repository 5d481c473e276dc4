/*
 * Codex: ~/.codex/config.toml for its telemetry and for notify, ~/.codex/hooks.json for its hooks. It reads no OTEL_*
 * variable, and takes the address of each signal as it is written.
 */
#include "tools/tool.h"

#include <errno.h>

#include "tools/toml_text.h"

static const char hook_words[] = "tollgate hook codex";

static const struct {
	const char *path, *endpoint;
	const char *signal_path; /* behind the gateway's URL */
} exporters[] = {
	{ "otel.exporter", "otel.exporter.otlp-http.endpoint", "/v1/logs" },
	{ "otel.metrics_exporter", "otel.metrics_exporter.otlp-http.endpoint", "/v1/metrics" },
};
static const char *const contents[] = { "otel.log_user_prompt", "otel.log_agent_responses" };

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

/* The words of a command, with blanks between. False: not all of them are texts. */
static bool read_command(struct bytes value, struct buf *command)
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
	return true;
}

static bool runs_us(const struct buf *command)
{
	return command->len && memmem(command->at, command->len, hook_words, strlen(hook_words));
}

/* The person's own program comes behind ours, which runs it. */
static void write_notify(const struct wish *wish, struct bytes own, struct buf *value)
{
	struct toml_list words;
	const char *between = ", \"--\", ";
	buf_text(value, "[");
	buf_json_string(value, bytes_of(wish->program));
	buf_text(value, ", \"hook\", \"codex\"");
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
	bool is_said = toml_find(text, "notify", &own);
	bool is_command = is_said && read_command(own, &command);
	if (is_said && !is_command)
		draft->error = toml_complain(draft->complaint, text, own.at,
			"notify has to be a list of texts: a program and its arguments");
	else if (!runs_us(&command)) {
		write_notify(wish, own, &value);
		draft_set(draft, "notify", &value);
	}
	buf_done(&command);
	buf_done(&value);
}

static void set_all(struct draft *draft, const struct wish *wish)
{
	if (wish->has_hooks)
		set_notify(draft, wish);
	for (size_t i = 0; !draft->error && i < sizeof exporters / sizeof *exporters; i++)
		set_exporter(draft, wish, i);
	for (size_t i = 0; !draft->error && i < sizeof contents / sizeof *contents; i++)
		set_content(draft, wish, contents[i]);
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
	for (size_t i = 0; i < 2; i++)
		is_same = is_same && agree_on(one, other, exporters[i].endpoint) &&
			agree_on(one, other, contents[i]);
	return is_same;
}

static int add_config(
	const struct wish *wish, struct bytes text, struct buf *out, struct complaint *complaint)
{
	struct draft draft = { .complaint = complaint };
	buf_init(&draft.text, TOML_MAX_BYTES, NULL);
	draft.error = toml_restore(text, &draft.text, complaint);
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
	(void)url, (void)before; /* the text itself says what is ours and what was before */
	return toml_restore(text, out, complaint);
}
