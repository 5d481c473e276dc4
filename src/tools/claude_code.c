/* Claude Code: ~/.claude/settings.json, whose "env" it takes on at its start. */
#include "tools/inspection.h"
#include "tools/json_settings.h"

/*
 * Short intervals, so that a session that is killed loses little. Spans need two variables. A withheld
 * prompt is the default: that is said out loud only where the opposite is.
 */
static const struct json_setting rows[] = {
	{ "env", "CLAUDE_CODE_ENABLE_TELEMETRY", PART_ALWAYS, "\"1\"" },
	{ "env", "OTEL_METRICS_EXPORTER", PART_ALWAYS, "\"otlp\"" },
	{ "env", "OTEL_LOGS_EXPORTER", PART_ALWAYS, "\"otlp\"" },
	{ "env", "OTEL_TRACES_EXPORTER", PART_SPANS, "\"otlp\"", "\"none\"" },
	{ "env", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", PART_SPANS, "\"1\"", "\"0\"" },
	{ "env", "OTEL_EXPORTER_OTLP_PROTOCOL", PART_ALWAYS, "\"http/protobuf\"" },
	{ "env", "OTEL_EXPORTER_OTLP_ENDPOINT", PART_ALWAYS, NULL },
	{ "env", "OTEL_LOG_USER_PROMPTS", PART_CONTENT, "\"1\"", "\"0\"" },
	{ "env", "OTEL_LOG_TOOL_DETAILS", PART_CONTENT, "\"1\"", "\"0\"" },
	{ "env", "OTEL_METRIC_EXPORT_INTERVAL", PART_DEFAULT, "\"10000\"" },
	{ "env", "OTEL_LOGS_EXPORT_INTERVAL", PART_DEFAULT, "\"2000\"" },
	{ "env", "OTEL_TRACES_EXPORT_INTERVAL", PART_DEFAULT, "\"2000\"" },
	{ NULL },
};

const char *const claude_code_events[] = { "SessionStart", "UserPromptSubmit", "PreToolUse",
	"PostToolUse", "PostToolUseFailure", "PermissionRequest", "Notification", "SubagentStop",
	"Stop", "StopFailure", "SessionEnd", NULL };

static const struct json_settings settings = { rows, claude_code_events, "claude-code" };

static int add(
	const struct wish *wish, struct bytes text, struct buf *out, struct complaint *complaint)
{
	return json_settings_add(&settings, wish, text, out, complaint);
}

static int take_out(const char *url, struct bytes text, struct bytes before, struct buf *out,
	struct complaint *complaint)
{
	return json_settings_remove(&settings, url, text, before, out, complaint);
}

const struct tool tool_claude_code = {
	.name = "claude-code",
	.title = "Claude Code",
	.directory = ".claude",
	.directory_variable = "CLAUDE_CONFIG_DIR",
	.sessions = "projects/*",
	.files = { { "settings.json", add, take_out } },
	.after = "Sessions that are open keep their settings: start Claude Code anew.",
	.inspect = claude_code_inspect,
};
