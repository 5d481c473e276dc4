/*
 * What Claude Code says in its hooks: whole texts where its logs withhold or cut them, and when it
 * waits. A hook has no time of its own, and no hook is always there.
 */
#include "dialects/claude_code.h"
#include "dialects/saying.h"

static const struct bytes nothing;

static struct bytes text_of(const json_t *object, const char *name, struct events *events)
{
	return member_as_sent(object, name, events->arena);
}

static struct event event_of(const json_t *payload, enum event_kind kind, struct events *events)
{
	return (struct event){
		.kind = kind,
		.cli = &dialect_claude_code.cli,
		.session = text_of(payload, "session_id", events),
		.turn = text_of(payload, "prompt_id", events),
		.agent = text_of(payload, "agent_id", events),
		.tool = text_of(payload, "tool_use_id", events),
	};
}

static void read_place(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_PLACE, events);
	event.text.text = text_of(payload, "cwd", events);
	if (event.text.text.len)
		events_add(events, &event);
}

static void name_agent(const struct event *of, struct bytes agent, struct bytes type,
	struct bytes answer, struct events *events)
{
	struct event event = {
		.kind = EVENT_AGENT_NAMED,
		.cli = of->cli,
		.session = of->session,
		.agent = agent,
		.tool = of->tool,
		.name = type,
		.output.text = answer,
	};
	events_add(events, &event);
}

static void read_prompt(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_PROMPT_NAMED, events);
	event.text.text = text_of(payload, "prompt", events);
	bool is_notification =
		claude_code_is_notification(event.text.text, &event.agent, &event.tool);
	events_add(events, &event);
	if (is_notification)
		name_agent(&event, event.agent, nothing, nothing, events);
	read_place(payload, events);
}

static void read_tool(const json_t *payload, struct events *events)
{
	const json_t *response = json_object_get(payload, "tool_response");
	struct event event = event_of(payload, EVENT_TOOL_SAID, events);
	event.name = text_of(payload, "tool_name", events);
	event.input.text = text_of(payload, "tool_input", events);
	event.output.text = text_of(payload, "tool_response", events);
	events_add(events, &event);
	if (member_text(response, "agentId").len)
		name_agent(&event, text_of(response, "agentId", events),
			text_of(response, "agentType", events), nothing, events);
}

static void read_failed_tool(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_TOOL_SAID, events);
	event.name = text_of(payload, "tool_name", events);
	event.input.text = text_of(payload, "tool_input", events);
	event.error = text_of(payload, "error", events);
	event.ending = json_is_true(json_object_get(payload, "is_interrupt")) ? ENDING_INTERRUPTED :
										ENDING_FAILED;
	events_add(events, &event);
}

/* Compaction runs in agents without a type, of which nothing else is ever said. */
static void read_agent(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_AGENT_NAMED, events);
	struct bytes type = text_of(payload, "agent_type", events);
	if (type.len)
		name_agent(&event, event.agent, type,
			text_of(payload, "last_assistant_message", events), events);
}

static void read_permission(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_WAITING, events);
	event.name = text_of(payload, "tool_name", events);
	events_add(events, &event);
}

/* "Claude needs your permission to use Bash" */
static struct bytes tool_of_question(struct bytes question)
{
	static const char before[] = "permission to use ";
	const uint8_t *found = memmem(question.at, question.len, before, strlen(before));
	if (!found)
		return question;
	found += strlen(before);
	return (struct bytes){ found, (size_t)(bytes_end(question) - found) };
}

static void read_notification(const json_t *payload, struct events *events)
{
	struct bytes type = member_text(payload, "notification_type");
	struct event event = event_of(payload, EVENT_WAITING, events);
	if (bytes_are(type, "permission_prompt"))
		event.name = tool_of_question(text_of(payload, "message", events));
	else if (!bytes_start_with(type, "idle"))
		return;
	events_add(events, &event);
}

/* Subagents and commands in the background go on after the answer. */
static void read_stop(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_TURN_END, events);
	event.output.text = text_of(payload, "last_assistant_message", events);
	event.is_background = json_array_size(json_object_get(payload, "background_tasks")) > 0;
	events_add(events, &event);
}

/* What it says last is then the failure in words. */
static void read_failed_stop(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_TURN_END, events);
	event.ending = ENDING_FAILED;
	event.error_type = text_of(payload, "error", events);
	event.error = text_of(payload, "last_assistant_message", events);
	events_add(events, &event);
}

static void read_session_end(const json_t *payload, struct events *events)
{
	struct event event = event_of(payload, EVENT_SESSION_END, events);
	events_add(events, &event);
}

static const struct {
	const char *name;
	void (*read)(const json_t *payload, struct events *events);
} hooks[] = {
	{ "SessionStart", read_place },
	{ "UserPromptSubmit", read_prompt },
	{ "PreToolUse", read_tool },
	{ "PostToolUse", read_tool },
	{ "PostToolUseFailure", read_failed_tool },
	{ "PermissionRequest", read_permission },
	{ "Notification", read_notification },
	{ "SubagentStart", read_agent },
	{ "SubagentStop", read_agent },
	{ "Stop", read_stop },
	{ "StopFailure", read_failed_stop },
	{ "SessionEnd", read_session_end },
};

void claude_code_read_hook(const json_t *payload, struct events *events)
{
	struct bytes name = member_text(payload, "hook_event_name");
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (bytes_are(name, hooks[i].name))
			hooks[i].read(payload, events);
}
