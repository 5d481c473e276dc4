/* Gemini CLI: ~/.gemini/settings.json, in which comments are allowed. */
#include "tools/inspection.h"
#include "tools/json_settings.h"

/* It sends its spans whatever "traces" says. With "outfile" it writes there and sends nothing. */
static const struct json_setting rows[] = {
	{ "telemetry", "enabled", PART_ALWAYS, "true" },
	{ "telemetry", "target", PART_ALWAYS, "\"local\"" },
	{ "telemetry", "otlpProtocol", PART_ALWAYS, "\"http\"" },
	{ "telemetry", "otlpEndpoint", PART_ALWAYS, NULL },
	{ "telemetry", "logPrompts", PART_CONTENT, "true", "false", .is_on_by_default = true },
	{ "telemetry", "outfile", PART_NEVER, "\"\"", "\"\"" },
	{ NULL },
};

const char *const gemini_events[] = { "SessionStart", "BeforeAgent", "AfterAgent", "Notification",
	"SessionEnd", NULL };

static const struct json_settings settings = { rows, gemini_events, "gemini" };

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

const struct tool tool_gemini = {
	.name = "gemini",
	.title = "Gemini CLI",
	.directory = ".gemini",
	.sessions = "tmp/*/chats",
	.files = { { "settings.json", add, take_out } },
	.after = "Sessions that are open keep their settings: start Gemini CLI anew.",
	.inspect = gemini_inspect,
};
