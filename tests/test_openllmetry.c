/*
 * What becomes of spans of OpenLLMetry (Traceloop), beyond what vector 12 of test_enrich.c says.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "pricing/price.h"
#include "proto/otlp_trace.pb-c.h"
#include "support/enriched_span.h"
#include "support/fixture.h"
#include "support/oracle.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched("opentelemetry.instrumentation.openai.v1", "step", sent, expected);
}

Test(openllmetry, each_step_has_its_kind)
{
	static const struct {
		const char *attribute, *kind;
	} kinds[] = {
		{ "traceloop.span.kind=workflow", "CHAIN" },
		{ "traceloop.span.kind=task", "CHAIN" },
		{ "traceloop.span.kind=agent", "AGENT" },
		{ "traceloop.span.kind=tool", "TOOL" },
		{ "traceloop.span.kind=llm", "LLM" },
		{ "llm.request.type=chat", "LLM" },
		{ "llm.request.type=completion", "LLM" },
		{ "llm.request.type=text_completion", "LLM" },
		{ "llm.request.type=embedding", "EMBEDDING" },
		{ "llm.request.type=rerank", "RERANKER" },
		{ "llm.request.type=arerank", "RERANKER" },
		{ "llm.request.type=atext_completion", "LLM" },
		{ "llm.request.type=aembedding", "EMBEDDING" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char kind[64];
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i].kind);
		expect(SENT(kinds[i].attribute), EXPECTED(kind));
	}
	expect(SENT("traceloop.span.kind=unknown", "llm.request.type=chat"),
		EXPECTED("openinference.span.kind=LLM"));
	expect(SENT("traceloop.span.kind=unknown"), EXPECTED("openinference.span.kind"));
	expect(SENT("traceloop.span.kind:=1", "llm.request.type@=chat"),
		EXPECTED("openinference.span.kind", "langfuse.observation.type"));
}

Test(openllmetry, its_kind_comes_before_vercels_and_behind_genais)
{
	expect(SENT("traceloop.span.kind=workflow", "ai.operationId=ai.generateText"),
		EXPECTED("openinference.span.kind=CHAIN"));
	expect(SENT("traceloop.span.kind=workflow", "gen_ai.operation.name=invoke_agent"),
		EXPECTED("openinference.span.kind=AGENT"));
}

Test(openllmetry, association_properties_are_session_user_and_tags_of_every_span)
{
	static const char *const sessions[] = { "session_id", "sessionId", "conversation_id",
		"thread_id" };
	for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
		char sent[96];
		snprintf(sent, sizeof sent, "traceloop.association.properties.%s=s", sessions[i]);
		expect(SENT(sent),
			EXPECTED("session.id=s", "langfuse.session.id=s", "gen_ai.conversation.id",
				"openinference.span.kind"));
	}
	expect(SENT("traceloop.association.properties.user_id=u"),
		EXPECTED("user.id=u", "langfuse.user.id=u"));
	expect(SENT("traceloop.association.properties.userId=u", "llm.user=other"),
		EXPECTED("langfuse.user.id=u"));
	expect(SENT("llm.user=u", "gen_ai.user=other"), EXPECTED("langfuse.user.id=u"));
	expect(SENT("gen_ai.user=u"), EXPECTED("langfuse.user.id=u"));
	expect(SENT("traceloop.association.properties.tags=a, b"),
		EXPECTED("langfuse.trace.tags@=a,b", "tag.tags@=a,b"));
}

Test(openllmetry, indexed_messages_become_messages)
{
	expect(SENT("llm.request.type=chat", "gen_ai.prompt.0.role=user",
		       "gen_ai.prompt.0.content=weather?",
		       "gen_ai.prompt.1.tool_calls.0.arguments={\"city\":\"Paris\"}",
		       "gen_ai.prompt.1.tool_calls.0.name=get",
		       "gen_ai.prompt.1.tool_calls.0.id=c1",
		       "gen_ai.prompt.1.tool_calls.1.name=other", "gen_ai.prompt.1.role=assistant",
		       "gen_ai.prompt.2.role=tool", "gen_ai.prompt.2.tool_call_id=c1",
		       "gen_ai.prompt.2.content=7 degrees", "gen_ai.completion.0.content=cold"),
		EXPECTED(
			"input.value=["
			"{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"weather?\"}]},"
			"{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c1\","
			"\"name\":\"get\",\"arguments\":\"{\\\"city\\\":\\\"Paris\\\"}\"},"
			"{\"type\":\"tool_call\",\"name\":\"other\"}]},"
			"{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\","
			"\"response\":\"7 degrees\"}]}]",
			"input.mime_type=application/json",
			"output.value=[{\"role\":\"assistant\",\"parts\":"
			"[{\"type\":\"text\",\"content\":\"cold\"}]}]"));
}

Test(openllmetry, indexed_messages_come_in_any_order)
{
	expect(SENT("llm.request.type=chat", "gen_ai.prompt.10.content=k",
		       "gen_ai.prompt.2.content=c", "gen_ai.prompt.0.content=a"),
		EXPECTED("input.value=["
			 "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"a\"}]},"
			 "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"c\"}]},"
			 "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"k\"}]}]"));
}

Test(openllmetry, what_only_begins_like_an_indexed_message_is_none)
{
	expect(SENT("llm.request.type=chat", "gen_ai.prompt.name=greeting",
		       "gen_ai.prompt.version:=2", "gen_ai.prompt.0.content=a"),
		EXPECTED("input.value=[{\"role\":\"user\",\"parts\":"
			 "[{\"type\":\"text\",\"content\":\"a\"}]}]",
			"langfuse.observation.prompt.name=greeting"));
	expect(SENT("llm.request.type=chat", "gen_ai.prompt.name=greeting"),
		EXPECTED("input.value", "langfuse.observation.prompt.name"));
}

Test(openllmetry, redacted_messages_keep_their_calls_alone)
{
	expect(SENT("llm.request.type=chat", "gen_ai.completion.0.content=<REDACTED>",
		       "gen_ai.completion.0.tool_calls.0.name=get"),
		EXPECTED("output.value=[{\"role\":\"assistant\",\"parts\":"
			 "[{\"type\":\"tool_call\",\"name\":\"get\"}]}]"));
}

Test(openllmetry, content_has_an_order)
{
	const char *kind = "llm.request.type=chat", *indexed = "gen_ai.prompt.0.content=indexed";
	expect(SENT(kind, indexed, "gen_ai.prompt=whole"), EXPECTED("input.value=whole"));
	expect(SENT(kind, indexed, "gen_ai.input.messages=[]"), EXPECTED("input.value=[]"));
	expect(SENT(kind, indexed, "input.value=sent"), EXPECTED("input.value=sent"));
	expect(SENT(kind, indexed, "traceloop.entity.input=entity"),
		EXPECTED("input.value=[{\"role\":\"user\",\"parts\":"
			 "[{\"type\":\"text\",\"content\":\"indexed\"}]}]"));
	expect(SENT(kind, "traceloop.entity.input=entity", "traceloop.entity.output=[1]"),
		EXPECTED("input.value=entity", "output.value=[1]"));
}

Test(openllmetry, a_tool_is_unwrapped)
{
	const char *kind = "traceloop.span.kind=tool";
	expect(SENT(kind, "traceloop.entity.name=get_weather",
		       "traceloop.entity.input={\"inputs\": {\"city\":\"Paris\"}, \"tags\":[]}",
		       "traceloop.entity.output={\"output\":\"7 \\\"degrees\\\"\"}"),
		EXPECTED("tool.name=get_weather", "gen_ai.tool.name=get_weather",
			"gen_ai.operation.name=execute_tool", "input.value={\"city\":\"Paris\"}",
			"tool.parameters={\"city\":\"Paris\"}", "output.value=7 \"degrees\"",
			"output.mime_type=text/plain", "agent.name"));
	expect(SENT(kind, "traceloop.entity.input={\"args\":[1]}", "traceloop.entity.output=7"),
		EXPECTED("input.value={\"args\":[1]}", "output.value=7", "tool.name"));
	expect(SENT(kind, "traceloop.entity.input={\"inputs\":", "traceloop.entity.output="),
		EXPECTED("input.value={\"inputs\":", "tool.parameters", "output.value"));
	expect(SENT(kind, "traceloop.entity.input={\"inputs\":{}}",
		       "gen_ai.tool.call.arguments={\"a\":1}", "traceloop.entity.name=entity",
		       "gen_ai.tool.name=own"),
		EXPECTED("input.value={\"a\":1}", "tool.name=own"));
}

Test(openllmetry, an_entity_names_what_it_is)
{
	expect(SENT("traceloop.span.kind=agent", "traceloop.entity.name=planner"),
		EXPECTED("agent.name=planner", "gen_ai.agent.name=planner", "tool.name"));
	expect(SENT("traceloop.span.kind=workflow", "traceloop.entity.name=flow"),
		EXPECTED("agent.name", "tool.name", "openinference.span.kind=CHAIN"));
	expect(SENT("traceloop.entity.name=flow", "traceloop.workflow.name=flow"),
		EXPECTED("openinference.span.kind"));
}

Test(openllmetry, tokens_of_older_names_are_counted)
{
	expect(SENT("llm.request.type=chat", "gen_ai.request.model=gpt-4o",
		       "llm.usage.prompt_tokens:=20", "llm.usage.completion_tokens:=5",
		       "llm.usage.reasoning_tokens:=2", "llm.usage.total_tokens:=25"),
		EXPECTED("llm.token_count.prompt:=20", "llm.token_count.completion:=5",
			"llm.token_count.total:=25",
			"llm.token_count.completion_details.reasoning:=2"));
	expect(SENT("llm.request.type=chat", "gen_ai.usage.input_tokens:=1",
		       "llm.usage.prompt_tokens:=20"),
		EXPECTED("llm.token_count.prompt:=1"));
	expect(SENT("llm.request.type=chat", "llm.usage.prompt_tokens:=-1",
		       "llm.usage.completion_tokens=many", "llm.usage.total_tokens~=nan"),
		EXPECTED("llm.token_count.prompt", "llm.token_count.completion",
			"llm.token_count.total", "langfuse.observation.usage_details"));
}

Test(openllmetry, a_workflow_has_no_tokens_of_its_own)
{
	expect(SENT("traceloop.span.kind=workflow", "gen_ai.request.model=gpt-4o",
		       "llm.usage.prompt_tokens:=20", "llm.usage.completion_tokens:=5"),
		EXPECTED("llm.token_count.prompt", "langfuse.observation.usage_details",
			"langfuse.observation.model.name", "llm.cost.total"));
}

Test(openllmetry, a_call_ends_for_a_reason_and_has_parameters)
{
	const char *kind = "llm.request.type=chat";
	expect(SENT(kind, "gen_ai.completion.0.finish_reason=tool_calls"),
		EXPECTED("llm.finish_reason=tool_calls"));
	expect(SENT(kind, "llm.response.finish_reason=stop",
		       "gen_ai.completion.0.finish_reason=length"),
		EXPECTED("llm.finish_reason=stop"));
	expect(SENT(kind, "gen_ai.request.model=m", "llm.frequency_penalty~=0.5",
		       "llm.presence_penalty~=0.25", "llm.top_k:=3",
		       "llm.chat.stop_sequences@=a,b"),
		EXPECTED("llm.invocation_parameters={\"model\":\"m\",\"top_k\":3,"
			 "\"presence_penalty\":0.25,\"frequency_penalty\":0.5,"
			 "\"stop_sequences\":[\"a\",\"b\"]}"));
}

Test(openllmetry, a_managed_prompt_is_linked)
{
	expect(SENT("llm.request.type=chat", "traceloop.prompt.key=joke",
		       "traceloop.prompt.version=3", "traceloop.prompt.template=Tell {{what}}",
		       "traceloop.prompt.template_variables={\"what\":\"a joke\"}"),
		EXPECTED("langfuse.observation.prompt.name=joke",
			"langfuse.observation.prompt.version:=3",
			"llm.prompt_template.template=Tell {{what}}",
			"llm.prompt_template.variables={\"what\":\"a joke\"}"));
	expect(SENT("traceloop.span.kind=task", "traceloop.prompt.key=joke",
		       "traceloop.prompt.version:=3"),
		EXPECTED(
			"langfuse.observation.prompt.name", "langfuse.observation.prompt.version"));
}

/* A span with `count` prompts that are sent from the last to the first. */
static struct bytes many_prompts(size_t count)
{
	Otlp__KeyValue *key_values = calloc(count, sizeof *key_values);
	Otlp__KeyValue **pointers = calloc(count, sizeof *pointers);
	char(*names)[48] = calloc(count, sizeof *names);
	Otlp__AnyValue text = OTLP__ANY_VALUE__INIT;
	Otlp__Span span = OTLP__SPAN__INIT, *spans[] = { &span };
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes[] = { &scope };
	Otlp__ResourceSpans resource = OTLP__RESOURCE_SPANS__INIT, *resources[] = { &resource };
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	cr_assert(key_values && pointers && names);
	text.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	text.string_value = (ProtobufCBinaryData){ 4, (uint8_t *)"chat" };
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(
			names[i], sizeof names[i], "gen_ai.prompt.%zu.content", count - 1 - i);
		otlp__key_value__init(&key_values[i]);
		key_values[i].key = (ProtobufCBinaryData){ (size_t)len, (uint8_t *)names[i] };
		key_values[i].value = &text;
		pointers[i] = &key_values[i];
	}
	key_values[0].key = (ProtobufCBinaryData){ 16, (uint8_t *)"llm.request.type" };
	span.attributes = pointers;
	span.n_attributes = count;
	span.trace_id = (ProtobufCBinaryData){ 16, (uint8_t *)"0123456789abcdef" };
	span.span_id = (ProtobufCBinaryData){ 8, (uint8_t *)"01234567" };
	scope.spans = spans;
	resource.scope_spans = scopes;
	request.resource_spans = resources;
	scope.n_spans = resource.n_scope_spans = request.n_resource_spans = 1;
	size_t len = otlp__export_trace_service_request__get_packed_size(&request);
	uint8_t *at = malloc(len);
	cr_assert_not_null(at);
	otlp__export_trace_service_request__pack(&request, at);
	free(names);
	free(pointers);
	free(key_values);
	return (struct bytes){ at, len };
}

Test(openllmetry, ten_thousand_prompts_are_bounded)
{
	struct config config = fixture_config();
	struct bytes request = many_prompts(10000);
	struct prices *prices;
	struct complaint complaint = { 0 };
	struct enriched enriched;
	struct arena arena;
	config.content.flatten_messages = true;
	arena_init(&arena, 32 << 20, NULL);
	cr_assert_eq(prices_builtin(&prices, &complaint), 0);
	cr_assert_eq(enrich(request, &config, prices, &arena, &enriched), 0);
	oracle_request *out = oracle_decode(enriched.plain);
	const oracle_span *span = oracle_span_at(out, 0);
	const char *input = oracle_text(span, "input.value");
	cr_assert_not_null(input);
	cr_expect(strlen(input) < 1 << 20, "%zu", strlen(input));
	cr_expect_not_null(oracle_find(span, "llm.input_messages.127.message.content"));
	cr_expect_null(oracle_find(span, "llm.input_messages.128.message.content"));
	oracle_free(out);
	arena_done(&arena);
	prices_free(prices);
	free((void *)request.at);
}
