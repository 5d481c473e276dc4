/* What Claude Code says in its own spans (CLAUDE_CODE_ENHANCED_TELEMETRY_BETA). */
#include "dialects/claude_code.h"
#include "dialects/saying.h"

static const struct {
	const char *name;
	enum role role;
} roles[] = {
	{ "claude_code.interaction", ROLE_TURN },
	{ "claude_code.llm_request", ROLE_CALL },
	{ "claude_code.tool", ROLE_TOOL },
	{ "claude_code.tool.execution", ROLE_EXECUTION },
	{ "claude_code.tool.blocked_on_user", ROLE_WAIT },
};

static enum role role_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (bytes_are(name, roles[i].name))
			return roles[i].role;
	return ROLE_OTHER;
}

static void read_turn(const struct attributes *attributes, struct event *event)
{
	event->text = claude_code_prompt(said_text(attributes, "user_prompt"));
	event->text_length = said_count_or_0(attributes, "user_prompt_length");
	claude_code_is_notification(event->text.text, &event->agent, &event->tool);
}

static void read_call(const struct attributes *attributes, struct event *event)
{
	said_ms(attributes, "ttft_ms", &event->first_token_ns);
	event->model = said_text(attributes, "model");
	event->side = claude_code_side(said_text(attributes, "query_source_safe"));
	event->tokens = claude_code_tokens(attributes);
	event->tier = claude_code_tier(said_text(attributes, "speed"));
	event->status_code = said_count_or_0(attributes, "status_code");
	event->attempts = said_count_or_0(attributes, "attempt");
}

static void read_wait(const struct attributes *attributes, struct event *event)
{
	event->wait_ns = event->native.end_ns - event->native.start_ns;
	event->is_by_person = claude_code_is_by_person(said_text(attributes, "source"));
	if (bytes_are(said_text(attributes, "decision"), "reject"))
		event->ending = ENDING_REJECTED;
}

void claude_code_read_span(
	const struct span *span, const struct source *source, struct events *events)
{
	const struct attributes *attributes = &span->attributes;
	struct event event = event_of_span(span, source);
	event.cli = &dialect_claude_code.cli;
	event.session = said_text(attributes, "session.id");
	event.agent = said_text(attributes, "agent_id");
	event.call = said_text(attributes, "request_id");
	event.tool = said_text(attributes, "tool_use_id");
	event.name = said_text(attributes, "tool_name");
	event.error = said_text(attributes, "error");
	event.error_type = said_text(attributes, "error_class");
	event.native.role = role_of(span->name);
	if (said_flag(attributes, "success") == 0)
		event.ending = ENDING_FAILED;
	switch (event.native.role) {
	case ROLE_TURN:
		read_turn(attributes, &event);
		break;
	case ROLE_CALL:
		read_call(attributes, &event);
		break;
	case ROLE_WAIT:
		read_wait(attributes, &event);
		break;
	case ROLE_TOOL:
	case ROLE_EXECUTION:
	case ROLE_OTHER:
		break;
	}
	events_add(events, &event);
}
