/* What the settings of Claude Code say of its telemetry, with the environment for what they leave open. */
#include "tools/inspection.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/environment.h"
#include "tools/settings_trees.h"

enum { NAME_MAX_BYTES = 64, MEND_MAX = TOOL_PATH_MAX + 128 };

static const char mend[] = "tollgate setup claude-code --apply";

struct look {
	const struct home *home;
	const char *url;
	struct findings *findings;
	struct settings_trees trees;
};

/* What is sent where, in the order in which it matters. */
static const struct {
	const char *name, *title, *path;
} signals[] = {
	{ "LOGS", "log events", "/v1/logs" },
	{ "TRACES", "spans", "/v1/traces" },
	{ "METRICS", "metrics", "/v1/metrics" },
};
enum { LOGS, TRACES, METRICS, COUNT };

/*
 * A variable as Claude Code has it; NULL: unset.
 *
 *   ret_path  of the file that sets it; left alone for the environment. May be NULL
 */
static const char *variable(const struct look *look, const char *name, const char **ret_path)
{
	const json_t *value = settings_trees_find(&look->trees, "env", name, ret_path);
	if (json_is_integer(value) || json_is_boolean(value))
		return json_is_true(value) || json_integer_value(value) ? "1" : "0";
	const char *text = json_string_value(value);
	return text ? text : environment_value(look->home->environment, name);
}

static bool is_word(const char *value, const char *const words[4])
{
	for (size_t i = 0; value && i < 4; i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool is_on(const struct look *look, const char *name)
{
	static const char *const words[] = { "1", "true", "yes", "on" };
	return is_word(variable(look, name, NULL), words);
}

static bool is_off(const struct look *look, const char *name)
{
	static const char *const words[] = { "0", "false", "no", "off" };
	return is_word(variable(look, name, NULL), words);
}

static bool has_beta(const struct look *look)
{
	return is_on(look, "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA") ||
		is_on(look, "ENABLE_ENHANCED_TELEMETRY_BETA");
}

static bool exports(const struct look *look, int signal)
{
	char name[NAME_MAX_BYTES];
	snprintf(name, sizeof name, "OTEL_%s_EXPORTER", signals[signal].name);
	const char *exporters = variable(look, name, NULL);
	return exporters && strstr(exporters, "otlp") && (signal != TRACES || has_beta(look));
}

static void add(const struct look *look, enum finding_kind kind, const char *what)
{
	findings_add(look->findings, kind, tool_claude_code.name, mend, "%s", what);
}

/*
 * OTEL_EXPORTER_OTLP_<SIGNAL>_<WHAT>, else the one of all signals.
 *
 *   ret_name  the variable that holds
 */
static const char *otlp_variable(const struct look *look, int signal, const char *what,
	char ret_name[NAME_MAX_BYTES], const char **ret_path)
{
	snprintf(ret_name, NAME_MAX_BYTES, "OTEL_EXPORTER_OTLP_%s_%s", signals[signal].name, what);
	const char *value = variable(look, ret_name, ret_path);
	if (value)
		return value;
	snprintf(ret_name, NAME_MAX_BYTES, "OTEL_EXPORTER_OTLP_%s", what);
	return variable(look, ret_name, ret_path);
}

static bool is_for_all_signals(const char *name)
{
	return strcmp(name, "OTEL_EXPORTER_OTLP_ENDPOINT") == 0;
}

/* Setup writes the variable of all signals into the person's own file, where it wins over the environment. */
static void add_elsewhere(const struct look *look, int signal, const char *name,
	const char *endpoint, const char *path)
{
	char what[128], own_mend[MEND_MAX], own_path[TOOL_PATH_MAX];
	int error = tool_path(&tool_claude_code, look->home, &tool_claude_code.files[0], own_path);
	bool is_setups =
		is_for_all_signals(name) && (!path || (!error && strcmp(path, own_path) == 0));
	snprintf(what, sizeof what, "By %s its %s go", name, signals[signal].title);
	snprintf(own_mend, sizeof own_mend, "Take %s out of %s.", name,
		path ? path : "the environment");
	inspection_add_elsewhere(look->findings, tool_claude_code.name, what, endpoint, look->url,
		is_setups ? mend : own_mend);
}

/* A signal's own endpoint is used as it is written. */
static bool lacks_path(const char *name, const char *endpoint, int signal)
{
	const char *host = strstr(endpoint, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	return !is_for_all_signals(name) && (!path || strcmp(path, signals[signal].path) != 0);
}

/* Whether it arrives; the first mistake is enough. */
static bool inspect_export(const struct look *look, int signal)
{
	char name[NAME_MAX_BYTES], own_mend[MEND_MAX];
	const char *path = NULL;
	const char *protocol = otlp_variable(look, signal, "PROTOCOL", name, &path);
	if (protocol && strcmp(protocol, "grpc") == 0) {
		findings_add(look->findings, FINDING_PROTOCOL_GRPC, tool_claude_code.name, mend,
			"By %s its %s go out as grpc.", name, signals[signal].title);
		return false;
	}
	path = NULL;
	const char *endpoint = otlp_variable(look, signal, "ENDPOINT", name, &path);
	if (!endpoint)
		endpoint = "http://localhost:4318";
	if (!inspection_meets(endpoint, look->url)) {
		add_elsewhere(look, signal, name, endpoint, path);
		return false;
	}
	if (lacks_path(name, endpoint, signal)) {
		snprintf(own_mend, sizeof own_mend, "Set %s to %s%s.", name, look->url,
			signals[signal].path);
		findings_add(look->findings, FINDING_SIGNAL_PATH_MISSING, tool_claude_code.name,
			own_mend, "%s has to be %s%s.", name, look->url, signals[signal].path);
		return false;
	}
	return true;
}

static void inspect_signals(const struct look *look)
{
	bool has[COUNT];
	for (int signal = 0; signal < COUNT; signal++)
		has[signal] = exports(look, signal);
	for (int signal = 0; signal < COUNT; signal++)
		if (has[signal] && !inspect_export(look, signal))
			break;
	if (!has[LOGS])
		add(look, FINDING_LOGS_OFF, "OTEL_LOGS_EXPORTER is not otlp.");
	else if (!has[TRACES])
		add(look, FINDING_TRACES_OFF,
			has_beta(look) ? "OTEL_TRACES_EXPORTER is not otlp." :
					 "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA is not 1.");
}

static void inspect_content(const struct look *look)
{
	if (!is_on(look, "OTEL_LOG_USER_PROMPTS"))
		add(look, FINDING_PROMPTS_REDACTED, "OTEL_LOG_USER_PROMPTS is not 1.");
	if (!is_on(look, "OTEL_LOG_TOOL_DETAILS"))
		add(look, FINDING_TOOL_DETAILS_OFF, "OTEL_LOG_TOOL_DETAILS is not 1.");
	if (is_off(look, "OTEL_METRICS_INCLUDE_SESSION_ID"))
		findings_add(look->findings, FINDING_SESSION_ID_OFF, tool_claude_code.name, NULL,
			"OTEL_METRICS_INCLUDE_SESSION_ID is off, which holds for log events and "
			"spans too.");
}

void claude_code_inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on)
{
	static const char *const local[] = { "settings.local.json", "settings.json", NULL };
	struct look look = { .home = home, .url = url, .findings = findings };
	*ret_is_on = false;
	if (!tool_is_used(&tool_claude_code, home))
		return;
	bool is_read = settings_trees_read(&look.trees, &tool_claude_code, home, local, findings);
	/* What cannot be read does not say that it is off. */
	*ret_is_on = !is_read ||
		(is_on(&look, "CLAUDE_CODE_ENABLE_TELEMETRY") &&
			(exports(&look, LOGS) || exports(&look, TRACES) ||
				exports(&look, METRICS)));
	if (is_read && *ret_is_on) {
		inspect_signals(&look);
		inspect_content(&look);
		settings_trees_inspect_hooks(
			&look.trees, &tool_claude_code, home, claude_code_events, findings);
	}
	settings_trees_done(&look.trees);
}
