#include "vocabularies/content_names.h"

#include "vocabularies/vocabulary.h"

/*
 * What no word or target states as content. With a dot at its end: all names that begin so. A list's name is
 * also that of its items, which are its name, a number, and what an item consists of.
 */
const char *const content_names[] = {
	"langfuse.trace.input",
	"langfuse.trace.output",
	"langfuse.experiment.item.expected_output",
	"llm.input_messages",
	"llm.output_messages",
	"llm.choices",
	"llm.completions",
	"llm.tools",
	"llm.function_call",
	"llm.prompt_template.template",
	"llm.prompt_template.variables",
	"tool.parameters",
	"tool.json_schema",
	"retrieval.documents",
	"retrieval.documents.0.document.content",
	"reranker.query",
	"reranker.input_documents",
	"reranker.output_documents",
	"embedding.embeddings",
	"embedding.text",
	"embedding.vector",
	"audio.url",
	"audio.transcript",
	"image.url",
	"gen_ai.completion",
	"gen_ai.event.content",
	"gen_ai.retrieval.query.text",
	"gen_ai.retrieval.documents",
	"gen_ai.memory.query.text",
	"gen_ai.memory.records",
	"gen_ai.evaluation.explanation",
	"ai.prompt",
	"ai.prompt.messages",
	"ai.prompt.tools",
	"ai.response.text",
	"ai.response.object",
	"ai.response.toolCalls",
	"ai.response.reasoning",
	"ai.response.files",
	"ai.response.body",
	"ai.result.text",
	"ai.result.object",
	"ai.result.toolCalls",
	"ai.toolCall.args",
	"ai.toolCall.result",
	"ai.schema",
	"ai.schema.description",
	"ai.value",
	"ai.values",
	"ai.embedding",
	"ai.embeddings",
	"ai.documents",
	"ai.telemetry.metadata.langfusePrompt",
	"ai.ranking",
	"llm.request.functions",
	"traceloop.entity.input",
	"traceloop.entity.output",
	"traceloop.prompt.template",
	"traceloop.prompt.template_variables",
	"traceloop.prompt.template_variables.",
	"mlflow.spanInputs",
	"mlflow.spanOutputs",
	"mlflow.chat.tools",
	"pydantic_ai.all_messages",
	"all_messages_events",
	"final_result",
	"model_request_parameters",
	"tool_arguments",
	"tool_response",
	"request_data",
	"response_data",
	"gcp.vertex.agent.llm_request",
	"gcp.vertex.agent.llm_response",
	"gcp.vertex.agent.tool_call_args",
	"gcp.vertex.agent.tool_response",
	"gcp.vertex.agent.data",
	"genkit:input",
	"genkit:output",
	"lk.chat_ctx",
	"lk.function_tool.arguments",
	"lk.function_tool.output",
	"lk.function_tools",
	"lk.input_text",
	"lk.instructions",
	"lk.response.function_calls",
	"lk.response.text",
	"lk.user_input",
	"lk.user_transcript",
	"lk.pii.",
	/* Claude Code. */
	"user_prompt",
	"new_context",
	"system_prompt_preview",
	"system_reminders",
	"full_command",
	"file_path",
	"tool_input",
	"response.model_output",
	/* Bare, and taken for content by Langfuse as well. */
	"prompt",
	"input",
	"output",
	"events",
	"tools",
	/* A resource's: where a CLI is given its prompt as an argument. */
	"process.command_args",
	"process.command_line",
	NULL,
};

static bool is_one_of(struct bytes name, const char *const *names)
{
	while (*names && !bytes_are(name, *names))
		names++;
	return *names;
}

/* Behind the last dot. */
static struct bytes leaf_of(struct bytes name)
{
	const uint8_t *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;
	return dot ? (struct bytes){ dot + 1, (size_t)(bytes_end(name) - dot - 1) } : name;
}

/* What says of an item of a list, or of a message, which one it is. */
static bool is_about(struct bytes leaf)
{
	static const char *const leaves[] = { "role", "id", "type", "name", "index",
		"finish_reason", "tool_call_id", "score", "mime_type", NULL };
	return is_one_of(leaf, leaves);
}

/* LiteLLM's raw request and response: each member as "llm.", the provider, and its own name. */
static bool is_raw(struct bytes name)
{
	static const char *const members[] = { "messages", "prompt", "input", "instructions",
		"system", "system_instruction", "systemInstruction", "content", "contents", "tools",
		"functions", "choices", "candidates", "output", "stringified_raw_response", NULL };
	struct bytes leaf = leaf_of(name);
	size_t before = name.len - leaf.len;
	return bytes_start_with(name, "llm.") && before > 5 && is_one_of(leaf, members) &&
		!memchr(name.at + 4, '.', before - 5);
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

bool name_is_content(struct bytes name)
{
	enum holding holding = name_holding(name);
	if (holding != HOLDS_UNSAID)
		return holding == HOLDS_CONTENT;
	for (size_t dot = 1; dot + 1 < name.len; dot++) {
		if (name.at[dot] != '.')
			continue;
		bool is_item = is_digit(name.at[dot + 1]);
		struct bytes stem = { name.at, is_item ? dot : dot + 1 };
		if (name_holding(stem) == HOLDS_CONTENT)
			return !is_item || !is_about(leaf_of(name));
	}
	return is_raw(name);
}

bool event_is_content(struct bytes event)
{
	static const char *const events[] = { "gen_ai.system.message", "gen_ai.system.instruction",
		"gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message",
		"gen_ai.choice", "gen_ai.content.prompt", "gen_ai.content.completion",
		"tool.output", NULL };
	return is_one_of(event, events);
}

bool name_is_content_of_event(struct bytes name)
{
	bool is_bare = !name.len || !memchr(name.at, '.', name.len);
	return name_is_content(name) || (is_bare && !is_about(name));
}
