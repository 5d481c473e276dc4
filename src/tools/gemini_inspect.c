/* What the settings of Gemini CLI say of its telemetry, and what the environment makes of them. */
#include "tools/inspection.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/environment.h"
#include "tools/settings_trees.h"

static const char mend[] = "tollgate setup gemini --apply";

struct look {
	const struct home *home;
	const char *url;
	struct findings *findings;
	struct settings_trees trees;
};

/* Variables win over files; they say "true" where files say true. NULL: neither says anything. */
static const char *value_of(const struct look *look, const char *variable, const char *name)
{
	const char *said = environment_value(look->home->environment, variable);
	const json_t *value = settings_trees_find(&look->trees, "telemetry", name, NULL);
	if (said)
		return said;
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	return json_string_value(value);
}

static bool is_true(const char *value)
{
	return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* The first one that leads elsewhere; NULL: none does. */
static const char *find_override(const struct look *look)
{
	static const char *const names[] = { "OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *said = environment_value(look->home->environment, names[i]);
		if (said && !inspection_meets(said, look->url))
			return names[i];
	}
	return NULL;
}

static void add(const struct look *look, enum finding_kind kind, const char *what)
{
	findings_add(look->findings, kind, tool_gemini.name, mend, "%s", what);
}

static void add_elsewhere(const struct look *look, const char *where)
{
	findings_add(look->findings, FINDING_ENDPOINT_ELSEWHERE, tool_gemini.name, mend,
		"Its telemetry goes to %s, Tollgate is at %s.", where, look->url);
}

/* The first mistake is enough; a file wins over everything. */
static void inspect_export(const struct look *look)
{
	const char *outfile = value_of(look, "GEMINI_TELEMETRY_OUTFILE", "outfile");
	const char *target = value_of(look, "GEMINI_TELEMETRY_TARGET", "target");
	const char *protocol = value_of(look, "GEMINI_TELEMETRY_OTLP_PROTOCOL", "otlpProtocol");
	const char *endpoint = value_of(look, "GEMINI_TELEMETRY_OTLP_ENDPOINT", "otlpEndpoint");
	const char *override = find_override(look);
	char own_mend[128];
	if (!endpoint)
		endpoint = "http://localhost:4317";
	snprintf(own_mend, sizeof own_mend, "unset %s where Gemini CLI is started",
		override ? override : "");
	if (outfile && *outfile)
		add_elsewhere(look, "a file (outfile)");
	else if (target && strcmp(target, "local") != 0)
		add_elsewhere(look, "Google Cloud (target)");
	else if (override)
		findings_add(look->findings, FINDING_ENVIRONMENT_WINS, tool_gemini.name, own_mend,
			"%s is set, and leads elsewhere than its settings.", override);
	else if (!protocol || strcmp(protocol, "http") != 0)
		add(look, FINDING_PROTOCOL_GRPC,
			"otlpProtocol is not http: it speaks grpc, to port 4317 unless told otherwise.");
	else if (!inspection_meets(endpoint, look->url))
		inspection_add_elsewhere(look->findings, tool_gemini.name,
			"By otlpEndpoint its telemetry goes", endpoint, look->url, mend);
}

void gemini_inspect(
	const struct home *home, const char *url, struct findings *findings, bool *ret_is_on)
{
	static const char *const local[] = { "settings.json", NULL };
	struct look look = { .home = home, .url = url, .findings = findings };
	*ret_is_on = false;
	if (!tool_is_used(&tool_gemini, home))
		return;
	bool is_read = settings_trees_read(&look.trees, &tool_gemini, home, local, findings);
	/* What cannot be read does not say that it is off. */
	*ret_is_on = !is_read || is_true(value_of(&look, "GEMINI_TELEMETRY_ENABLED", "enabled"));
	if (is_read && *ret_is_on) {
		const char *prompts = value_of(&look, "GEMINI_TELEMETRY_LOG_PROMPTS", "logPrompts");
		inspect_export(&look);
		if (prompts && !is_true(prompts))
			add(&look, FINDING_PROMPTS_REDACTED, "logPrompts is false.");
		settings_trees_inspect_hooks(
			&look.trees, &tool_gemini, home, gemini_events, findings);
	}
	settings_trees_done(&look.trees);
}
