/* tollgate env: what a shell or a CI job exports so that tools send here. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "cli/commands.h"
#include "cli/gateway.h"
#include "tools/tool.h"

enum { FLAG_URL, FLAG_FORMAT, FLAG_WITHOUT_CONTENT };
enum { FILE_MAX_BYTES = 64 << 10 };

static const struct flag flags[] = {
	[FLAG_URL] = { "--url", "URL",
		"Of the gateway; else $TOLLGATE_URL, else where the configuration listens." },
	[FLAG_FORMAT] = { "--format", "FORMAT", "For a shell where it is not said.",
		"sh dotenv github json" },
	[FLAG_WITHOUT_CONTENT] = { "--without-content", NULL,
		"Leaves prompts and inputs of tools where they are." },
	{ NULL },
};

/* ---- what each reads ---- */

/* Each gives {NAME: VALUE}, or null for what must not be set; NULL without memory. */

static json_t *make_otlp(const struct wish *wish)
{
	return json_pack("{s:s, s:s}", "OTEL_EXPORTER_OTLP_ENDPOINT", wish->url,
		"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
}

/* What `tollgate setup` would write into a new settings file. */
static bool write_settings(const struct tool *tool, const struct wish *wish, struct buf *text)
{
	struct complaint complaint = { 0 };
	buf_init(text, FILE_MAX_BYTES, NULL);
	return tool->files[0].add(wish, (struct bytes){ 0 }, text, &complaint) == 0 && !text->error;
}

static json_t *make_claude_code(const struct wish *wish)
{
	struct buf text;
	json_t *settings = write_settings(&tool_claude_code, wish, &text) ?
		json_loadb((const char *)text.at, text.len, 0, NULL) :
		NULL;
	json_t *variables = json_incref(json_object_get(settings, "env"));
	json_decref(settings);
	buf_done(&text);
	return variables;
}

/* Its variables win over Gemini CLI's settings, but those of OpenTelemetry win over both. */
static json_t *make_gemini(const struct wish *wish)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:n, s:n, s:n}",
		"GEMINI_TELEMETRY_ENABLED", "true", "GEMINI_TELEMETRY_TARGET", "local",
		"GEMINI_TELEMETRY_OTLP_PROTOCOL", "http", "GEMINI_TELEMETRY_OTLP_ENDPOINT",
		wish->url, "GEMINI_TELEMETRY_LOG_PROMPTS", wish->has_content ? "true" : "false",
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
}

static json_t *make_langfuse_sdk(const struct wish *wish)
{
	struct buf text;
	struct bytes rest, line; /* each ends with its line feed */
	json_t *variables = write_settings(&tool_langfuse_sdk, wish, &text) ? json_object() : NULL;
	for (rest = buf_bytes(&text); variables && lines_next(&rest, &line);) {
		const char *name = (const char *)line.at, *equals = memchr(name, '=', line.len);
		size_t len = equals ? (size_t)(equals - name) : 0;
		if (len)
			json_object_setn_new(variables, name, len,
				json_stringn(equals + 1, line.len - len - strlen("=\n")));
	}
	buf_done(&text);
	return variables;
}

static json_t *make_codex(const struct wish *wish)
{
	(void)wish;
	return json_object();
}

static const struct audience {
	const char *name, *sentence;
	bool is_apart; /* others' variables are in its way: only where it is named */
	json_t *(*make)(const struct wish *wish);
} audiences[] = {
	{ "otlp", "Any SDK of OpenTelemetry.", false, make_otlp },
	{ "claude-code", "Claude Code.", false, make_claude_code },
	{ "codex", "Codex reads no variables: tollgate setup codex.", false, make_codex },
	{ "gemini", "Gemini CLI.", true, make_gemini },
	{ "langfuse-sdk", "Langfuse's SDKs; the keys are a project's own, or a gateway key.", false,
		make_langfuse_sdk },
};
enum { AUDIENCES = sizeof audiences / sizeof *audiences };

/* ---- how it is written ---- */

static void put_quoted(const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:@%+,";
	if (!value[strspn(value, plain)]) {
		printf("%s", value);
		return;
	}
	putchar('\'');
	for (; *value; value++)
		printf(*value == '\'' ? "'\\''" : "%c", *value);
	putchar('\'');
}

static void put_shell(const char *name, const char *value)
{
	printf(value ? "export %s=" : "unset %s", name);
	if (value)
		put_quoted(value);
	printf("\n");
}

static void put_dotenv(const char *name, const char *value)
{
	printf(value ? "%s=" : "# without %s", name);
	if (value)
		put_quoted(value);
	printf("\n");
}

/* Lines for $GITHUB_ENV, which knows neither quotes nor comments. */
static void put_github(const char *name, const char *value)
{
	if (value)
		printf("%s=%s\n", name, value);
}

static const char *const formats[] = { "sh", "dotenv", "github", "json", NULL };
enum { FORMAT_JSON = 3 };
static const struct {
	bool has_comments;
	void (*put)(const char *name, const char *value);
} writers[FORMAT_JSON] = { { true, put_shell }, { true, put_dotenv }, { false, put_github } };

/* ---- the command ---- */

struct wanted {
	const char *url;
	int format;
	bool has_content;
	bool is_named[AUDIENCES];
	bool has_names;
};

static int read_arguments(struct arguments *arguments, struct wanted *wanted)
{
	const char *names[AUDIENCES + 1] = { NULL }, *value = NULL;
	for (size_t i = 0; i < AUDIENCES; i++)
		names[i] = audiences[i].name;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		int word = 0;
		if (argument == FLAG_URL)
			wanted->url = value;
		else if (argument == FLAG_FORMAT)
			wanted->format = word = word_find(formats, value, "--format");
		else if (argument == FLAG_WITHOUT_CONTENT)
			wanted->has_content = false;
		else if (argument == ARGUMENT_OPERAND &&
			(word = word_find(names, value, "env")) >= 0)
			wanted->has_names = wanted->is_named[word] = true;
		else if (argument != ARGUMENT_OPERAND)
			return arguments_refuse(arguments, argument, value);
		if (word < 0)
			return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/*
 * Adds to `all` what is not in it yet, and leaves that alone in `own`. 0, or -EINVAL after words to stderr: one
 * must not have what another needs.
 */
static int add_variables(const struct audience *audience, json_t *own, json_t *all)
{
	const char *name;
	json_t *value;
	void *next;
	json_object_foreach_safe(own, next, name, value)
	{
		const json_t *other = json_object_get(all, name);
		if (other && json_is_null(other) != json_is_null(value)) {
			fprintf(stderr,
				"tollgate: %s needs an environment of its own: %s would win over "
				"its settings, and the others need it\n",
				audience->name, name);
			return -EINVAL;
		}
		if (other)
			json_object_del(own, name);
		else
			json_object_set(all, name, value);
	}
	return 0;
}

static void put_variables(const struct audience *audience, json_t *own, int format)
{
	const char *name;
	json_t *value;
	if (writers[format].has_comments)
		printf("# %s\n", audience->sentence);
	json_object_foreach(own, name, value)
		writers[format].put(name, json_string_value(value));
}

/* Nothing is printed where they do not go together. */
static int put_chosen(
	const struct wanted *wanted, const struct wish *wish, json_t *owns[AUDIENCES], json_t *all)
{
	for (size_t i = 0; i < AUDIENCES; i++) {
		if (wanted->has_names ? !wanted->is_named[i] : audiences[i].is_apart)
			continue;
		owns[i] = audiences[i].make(wish);
		if (!owns[i]) {
			fprintf(stderr, "tollgate: no memory for the variables\n");
			return EXIT_FAILED;
		}
		if (add_variables(&audiences[i], owns[i], all) < 0)
			return EXIT_USAGE;
	}
	if (wanted->format == FORMAT_JSON) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		printf("\n");
		return EXIT_DONE;
	}
	for (size_t i = 0; i < AUDIENCES; i++)
		if (owns[i])
			put_variables(&audiences[i], owns[i], wanted->format);
	return EXIT_DONE;
}

static int run(struct arguments *arguments)
{
	char url[GATEWAY_URL_MAX];
	struct wanted wanted = { .has_content = true };
	int status = read_arguments(arguments, &wanted);
	if (status != EXIT_DONE)
		return status;
	if (gateway_find(wanted.url, url) < 0)
		return EXIT_USAGE;
	struct wish wish = { .url = url,
		.program = "tollgate",
		.has_content = wanted.has_content,
		.has_spans = true };
	json_t *owns[AUDIENCES] = { NULL }, *all = json_object();
	status = put_chosen(&wanted, &wish, owns, all);
	for (size_t i = 0; i < AUDIENCES; i++)
		json_decref(owns[i]);
	json_decref(all);
	return status;
}

const struct command command_env = {
	.name = "env",
	.sentence = "Prints what a shell or a CI job exports to send here.",
	.operands = "[TOOL...]",
	.values = "otlp claude-code codex gemini langfuse-sdk",
	.flags = flags,
	.manual =
		"`eval \"$(tollgate env)\"` in a shell, `tollgate env --format github >> \"$GITHUB_ENV\"` in a "
		"job of GitHub. Without a TOOL it is for all but `gemini`, which must not see the variables "
		"of OpenTelemetry that the others need. `tollgate setup` writes the same into a tool's own "
		"settings, and hooks, which have no variables.\n\n"
		"Where the gateway asks for a key, programs with OpenTelemetry need "
		"OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer KEY\" as well.",
	.run = run,
};
