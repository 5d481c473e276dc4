/* What Claude Code says. */
#include "dialects/dialect.h"
#include "dialects/saying.h"

static bool owns_scope(struct bytes name)
{
	return bytes_start_with(name, "com.anthropic.claude_code.");
}

static void read_log(
	const struct log_record *record, const struct source *source, struct events *events)
{
}

static void read_span(const struct span *span, const struct source *source, struct events *events)
{
}

static void read_hook(const json_t *payload, struct events *events)
{
}

const struct dialect dialect_claude_code = {
	.cli = { .name = "claude-code",
		.title = "Claude Code",
		.system = "anthropic",
		.provider = "anthropic" },
	.native = NATIVE_COMPLETE,
	.owns_scope = owns_scope,
	.read_log = read_log,
	.read_span = read_span,
	.read_hook = read_hook,
};
