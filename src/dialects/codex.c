/* What Codex says. */
#include "dialects/dialect.h"
#include "dialects/saying.h"

static bool owns_scope(struct bytes name)
{
	return bytes_start_with(name, "codex");
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

const struct dialect dialect_codex = {
	.cli = { .name = "codex", .title = "Codex", .system = "openai", .provider = "openai" },
	.native = NATIVE_REPLACE,
	.owns_scope = owns_scope,
	.read_log = read_log,
	.read_span = read_span,
	.read_hook = read_hook,
};
