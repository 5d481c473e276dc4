/*
 * Messages in the shapes of every API and framework, flattened; and what is no message, left alone.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "pricing/price.h"
#include "support/enriched_span.h"
#include "support/fixture.h"
#include "support/oracle.h"

static void expect(const char *const *attributes, const char *const *expected)
{
	expect_request(one_span_of(NULL, "chat", attributes), true, expected);
}

static const char chat[] = "gen_ai.operation.name=chat";

#define IN "llm.input_messages."
#define OUT "llm.output_messages."
#define CALL "message.tool_calls.0.tool_call."

Test(messages, of_genai_have_parts)
{
	expect(SENT(chat,
		       "gen_ai.input.messages=[{\"role\":\"user\",\"parts\":["
		       "{\"type\":\"text\",\"content\":\"look\"},"
		       "{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://x/i.png\"},"
		       "{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":\"image/png\","
		       "\"content\":\"aGk=\"},"
		       "{\"type\":\"file\",\"modality\":\"document\",\"file_id\":\"f\"}]},"
		       "{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\","
		       "\"response\":{\"t\":7}},{\"type\":\"tool_call_response\",\"id\":\"c2\","
		       "\"result\":\"ok\"}]}]"),
		EXPECTED(IN "0.message.role=user", IN "0.message.content",
			IN "0.message.contents.0.message_content.text=look",
			IN "0.message.contents.1.message_content.type=image",
			IN "0.message.contents.1.message_content.image.image.url=https://x/i.png",
			IN "0.message.contents.2.message_content.image.image.url="
			   "data:image/png;base64,aGk=",
			IN "0.message.contents.3.message_content.type=file",
			IN "0.message.contents.3.message_content.text={\"type\":\"file\","
			   "\"modality\":\"document\",\"file_id\":\"f\"}",
			IN "1.message.role=tool", IN "1.message.tool_call_id=c1",
			IN "1.message.content={\"t\":7}", IN "2.message.tool_call_id=c2",
			IN "2.message.content=ok", IN "3.message.role"));
}

Test(messages, of_openai_have_content_and_calls)
{
	expect(SENT(chat,
		       "gen_ai.prompt=[{\"role\":\"system\",\"content\":\"be kind\"},"
		       "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},"
		       "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/i.png\"}}]},"
		       "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
		       "\"type\":\"function\",\"function\":{\"name\":\"get\",\"arguments\":\"{}\"}}]},"
		       "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"name\":\"get\","
		       "\"content\":\"7\"}]",
		       "gen_ai.completion={\"choices\":[{\"index\":0,\"message\":"
		       "{\"role\":\"assistant\",\"content\":\"cold\"}}]}"),
		EXPECTED(IN "0.message.content=be kind",
			IN "1.message.contents.0.message_content.text=look",
			IN "1.message.contents.1.message_content.image.image.url=https://x/i.png",
			IN "2.message.role=assistant", IN "2.message.content", IN "2." CALL "id=c1",
			IN "2." CALL "function.name=get", IN "2." CALL "function.arguments={}",
			IN "3.message.role=tool", IN "3.message.tool_call_id=c1",
			IN "3.message.name=get", IN "3.message.content=7", IN "4.message.role",
			OUT "0.message.content=cold", OUT "1.message.role"));
}

Test(messages, of_openais_responses_stand_beside_calls_and_results)
{
	expect(SENT(chat,
		       "input.value=[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
		       "\"text\":\"weather?\"}]},{\"type\":\"function_call\",\"call_id\":\"c1\","
		       "\"name\":\"get\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\","
		       "\"call_id\":\"c1\",\"output\":\"7\"}]",
		       "output.value=[{\"type\":\"message\",\"role\":\"assistant\",\"content\":"
		       "[{\"type\":\"output_text\",\"text\":\"cold\"}]}]"),
		EXPECTED(IN "0.message.content=weather?", IN "1." CALL "id=c1",
			IN "1." CALL "function.name=get", IN "2.message.role=tool",
			IN "2.message.tool_call_id=c1", IN "2.message.content=7",
			IN "3.message.role", OUT "0.message.content=cold"));
}

Test(messages, of_vercel_have_typed_content)
{
	expect(SENT("ai.operationId=ai.generateText.doGenerate",
		       "ai.prompt.messages=[{\"role\":\"system\",\"content\":\"S\"},"
		       "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},"
		       "{\"role\":\"assistant\",\"content\":[{\"type\":\"reasoning\","
		       "\"text\":\"hm\"},{\"type\":\"tool-call\",\"toolCallId\":\"c1\","
		       "\"toolName\":\"get\",\"input\":{\"a\":1}}]},"
		       "{\"role\":\"tool\",\"content\":[{\"type\":\"tool-result\","
		       "\"toolCallId\":\"c1\",\"toolName\":\"get\",\"output\":"
		       "{\"type\":\"text\",\"value\":\"7\"}},{\"type\":\"tool-result\","
		       "\"toolCallId\":\"c2\",\"result\":{\"t\":8}}]}]",
		       "ai.response.toolCalls=[{\"toolCallId\":\"c3\",\"toolName\":\"put\","
		       "\"args\":\"{\\\"b\\\":2}\"}]"),
		EXPECTED(IN "0.message.content=S", IN "1.message.content=hi",
			IN "2.message.contents.0.message_content.type=reasoning",
			IN "2.message.contents.0.message_content.text=hm", IN "2." CALL "id=c1",
			IN "2." CALL "function.name=get",
			IN "2." CALL "function.arguments={\"a\":1}", IN "3.message.role=tool",
			IN "3.message.tool_call_id=c1", IN "3.message.content=7",
			IN "4.message.tool_call_id=c2", IN "4.message.content={\"t\":8}",
			IN "5.message.role", OUT "0.message.role=assistant", OUT "0." CALL "id=c3",
			OUT "0." CALL "function.name=put",
			OUT "0." CALL "function.arguments={\"b\":2}"));
}

Test(messages, of_anthropic_have_blocks)
{
	expect(SENT(chat,
		       "gen_ai.prompt={\"system\":[{\"type\":\"text\",\"text\":\"be kind\"}],"
		       "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"user\","
		       "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c1\","
		       "\"content\":\"7\"},{\"type\":\"text\",\"text\":\"and?\"},"
		       "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
		       "\"media_type\":\"image/png\",\"data\":\"aGk=\"}}]}]}",
		       "gen_ai.completion={\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
		       "\"thinking\":\"hm\",\"signature\":\"x\"},{\"type\":\"text\",\"text\":\"so\"},"
		       "{\"type\":\"tool_use\",\"id\":\"c2\",\"name\":\"get\","
		       "\"input\":{\"a\":1}}]}"),
		EXPECTED(IN "0.message.role=system", IN "0.message.content=be kind",
			IN "1.message.content=hi", IN "2.message.role=tool",
			IN "2.message.tool_call_id=c1", IN "2.message.content=7",
			IN "3.message.role=user",
			IN "3.message.contents.0.message_content.text=and?",
			IN "3.message.contents.1.message_content.image.image.url="
			   "data:image/png;base64,aGk=",
			OUT "0.message.contents.0.message_content.type=reasoning",
			OUT "0.message.contents.0.message_content.text=hm",
			OUT "0.message.contents.1.message_content.text=so", OUT "0." CALL "id=c2",
			OUT "0." CALL "function.arguments={\"a\":1}"));
}

Test(messages, of_gemini_have_parts_without_types)
{
	expect(SENT(chat,
		       "gen_ai.input.messages=[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},"
		       "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"aGk=\"}}]},"
		       "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c0\","
		       "\"name\":\"get\",\"response\":{\"output\":\"7\"}}}]}]",
		       "gen_ai.output.messages=[{\"role\":\"model\",\"parts\":[{\"text\":\"hm\","
		       "\"thought\":true}]},{\"role\":\"model\",\"parts\":[{\"text\":\"so\","
		       "\"thought\":false}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":"
		       "{\"name\":\"get\",\"args\":{\"a\":1},\"id\":\"c1\"},"
		       "\"thoughtSignature\":\"x\"}]}]"),
		EXPECTED(IN "0.message.contents.0.message_content.text=a",
			IN "0.message.contents.1.message_content.image.image.url="
			   "data:image/png;base64,aGk=",
			IN "1.message.role=tool", IN "1.message.tool_call_id=c0",
			IN "1.message.content={\"output\":\"7\"}", IN "2.message.role",
			OUT "0.message.role=model",
			OUT "0.message.contents.0.message_content.type=reasoning",
			OUT "1.message.content=so", OUT "2." CALL "id=c1",
			OUT "2." CALL "function.name=get",
			OUT "2." CALL "function.arguments={\"a\":1}"));
	expect(SENT(chat,
		       "gen_ai.prompt={\"contents\":[{\"role\":\"user\",\"parts\":"
		       "[{\"text\":\"hi\"}]}]}",
		       "gen_ai.completion={\"candidates\":[{\"content\":{\"role\":\"model\","
		       "\"parts\":[{\"text\":\"hello\"}]},\"finishReason\":\"STOP\"}]}"),
		EXPECTED(IN "0.message.content=hi", OUT "0.message.role=model",
			OUT "0.message.content=hello"));
}

Test(messages, instructions_are_the_first)
{
	static const char *const instructions[] = {
		"gen_ai.system_instructions=[{\"type\":\"text\",\"content\":\"be kind\"}]",
		"gen_ai.system_instructions= [ {\"type\":\"text\",\"content\":\"be kind\"} ] ",
		"gen_ai.system_instructions={\"type\":\"text\",\"content\":\"be kind\"}",
		"gen_ai.system_instructions={\"parts\":[{\"text\":\"be kind\"}]}",
		"gen_ai.system_instructions=\"be kind\"",
		"gen_ai.system_instructions=be kind",
	};
	static const char *const messages[] = {
		"gen_ai.input.messages=[{\"role\":\"user\",\"content\":\"hi\"}]",
		"gen_ai.input.messages= [ {\"role\":\"user\",\"content\":\"hi\"} ] ",
		"gen_ai.input.messages={\"role\":\"user\",\"content\":\"hi\"}",
	};
	for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
		for (size_t m = 0; m < sizeof messages / sizeof *messages; m++)
			expect(SENT(chat, instructions[i], messages[m]),
				EXPECTED("input.mime_type=application/json",
					IN "0.message.role=system", IN "0.message.content=be kind",
					IN "1.message.role=user", IN "1.message.content=hi",
					IN "2.message.role"));
	expect(SENT(chat, instructions[0], "gen_ai.input.messages= [ ] "),
		EXPECTED(IN "0.message.content=be kind", IN "1.message.role"));
	expect(SENT(chat, instructions[0], "gen_ai.input.messages=[{\"role\":\"us"),
		EXPECTED("input.value=[{\"role\":\"us", IN "0.message.role"));
}

Test(messages, that_are_none_are_left_alone)
{
	expect(SENT(chat,
		       "gen_ai.input.messages=[{\"role\":\"user\",\"parts\":[{\"te...[truncated]",
		       "gen_ai.output.messages={\"role\":"),
		EXPECTED("input.value=[{\"role\":\"user\",\"parts\":[{\"te...[truncated]",
			"input.mime_type=text/plain", IN "0.message.role", OUT "0.message.role"));
	expect(SENT(chat, "gen_ai.prompt=what is 2+2?", "gen_ai.completion=4"),
		EXPECTED(IN "0.message.role", OUT "0.message.role=assistant",
			OUT "0.message.content=4", OUT "1.message.role"));
	expect(SENT(chat, "gen_ai.input.messages=[1,null,{},[],{\"a\":1}]",
		       "gen_ai.output.messages=[]"),
		EXPECTED(IN "0.message.role", OUT "0.message.role"));
	expect(SENT(chat, "gen_ai.input.messages:=12", "gen_ai.output.messages="),
		EXPECTED("input.value=12", IN "0.message.role", OUT "0.message.role"));
	expect(SENT(chat,
		       "gen_ai.input.messages=[{\"role\":7,\"parts\":[1,{\"type\":[]},"
		       "{\"type\":\"tool_call\"},{\"type\":\"image\"}]}]"),
		EXPECTED(IN "0.message.role=7", IN "0." CALL "function.arguments={}"));
}

Test(messages, keep_their_role_whatever_their_content_is)
{
	expect(SENT(chat,
		       "gen_ai.prompt=[{\"role\":\"user\",\"content\":{\"text\":\"hi\"}},"
		       "{\"type\":\"tool_result\",\"tool_use_id\":\"c1\",\"content\":{\"a\":1}}]"),
		EXPECTED(IN "0.message.role=user", IN "0.message.content={\"text\":\"hi\"}",
			IN "1.message.role=tool", IN "1.message.content={\"a\":1}"));
}

Test(messages, that_came_flattened_stay_as_they_came)
{
	expect(SENT(chat, "llm.input_messages.0.message.content=own",
		       "gen_ai.input.messages=[{\"role\":\"user\",\"content\":\"hi\"}]"),
		EXPECTED(IN "0.message.content=own", IN "0.message.role"));
}

Test(messages, of_other_kinds_of_spans_are_not_flattened)
{
	expect(SENT("gen_ai.operation.name=invoke_agent",
		       "gen_ai.input.messages=[{\"role\":\"user\",\"content\":\"hi\"}]"),
		EXPECTED("input.value=[{\"role\":\"user\",\"content\":\"hi\"}]",
			IN "0.message.role"));
	expect_enriched(NULL, "chat",
		SENT(chat, "gen_ai.input.messages=[{\"role\":\"user\",\"content\":\"hi\"}]"),
		EXPECTED(IN "0.message.role"));
}

Test(messages, are_flattened_as_they_are_where_input_is_something_else)
{
	expect(SENT(chat, "input.value=hi",
		       "gen_ai.input.messages=[{\"role\":\"user\",\"content\":\"hi there\"}]"),
		EXPECTED("input.value=hi", IN "0.message.content=hi there"));
}

Test(messages, that_came_as_events_have_their_calls)
{
	expect_request(
		sent_request(&(struct sent){ .name = "chat",
			.attributes = SENT(chat),
			.events = {
				{ "gen_ai.user.message", SENT("content=weather?") },
				{ "gen_ai.assistant.message",
					SENT("tool_calls=[{\"id\":\"c1\",\"type\":\"function\","
					     "\"function\":{\"name\":\"get\",\"arguments\":\"{}\"}}]") },
				{ "gen_ai.tool.message", SENT("id=c1", "content=7") },
				{ "gen_ai.choice",
					SENT("index:=0", "finish_reason=stop",
						"message={\"content\":\"cold\"}") },
				{ "gen_ai.choice", SENT("message=warm") },
			} }),
		true,
		EXPECTED(IN "0.message.role=user", IN "0.message.content=weather?",
			IN "1.message.role=assistant", IN "1." CALL "id=c1",
			IN "1." CALL "function.name=get", IN "2.message.role=tool",
			IN "2.message.tool_call_id=c1", IN "2.message.content=7",
			OUT "0.message.role=assistant", OUT "0.message.content=cold",
			OUT "1.message.content=warm"));
}

Test(messages, of_events_come_behind_those_of_attributes)
{
	expect_request(sent_request(&(struct sent){ .name = "chat",
			       .attributes = SENT(chat, "gen_ai.prompt=own"),
			       .events = { { "gen_ai.user.message", SENT("content=event") } } }),
		false, EXPECTED("input.value=own"));
	expect_request(sent_request(&(struct sent){ .name = "chat",
			       .attributes = SENT(chat),
			       .events = { { "gen_ai.client.inference.operation.details",
						   SENT("gen_ai.input.messages=[1]",
							   "gen_ai.output.messages=<REDACTED>") },
				       { "gen_ai.user.message", SENT("content=event") } } }),
		false, EXPECTED("input.value=[1]", "output.value"));
	expect_request(
		sent_request(&(struct sent){ .name = "chat",
			.attributes = SENT(chat),
			.events = { { "gen_ai.user.message", SENT("content=<REDACTED>") } } }),
		false, EXPECTED("input.value"));
}

Test(messages, tools_are_offered_in_one_shape)
{
	static const char *const definitions[] = {
		"[{\"type\":\"function\",\"function\":{\"name\":\"get\",\"parameters\":{}}}]",
		"[{\"type\":\"function\",\"name\":\"get\",\"parameters\":{}}]",
		"[{\"name\":\"get\",\"input_schema\":{}}]",
		"[{\"type\":\"function\",\"name\":\"get\",\"inputSchema\":{}}]",
		"[\"{\\\"type\\\":\\\"function\\\",\\\"name\\\":\\\"get\\\",\\\"parameters\\\":{}}\"]",
		"[{\"functionDeclarations\":[{\"name\":\"get\",\"parametersJsonSchema\":{}}]}]",
	};
	for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
		char sent[160];
		snprintf(sent, sizeof sent, "gen_ai.tool.definitions=%s", definitions[i]);
		expect(SENT(chat, sent),
			EXPECTED("llm.tools.0.tool.json_schema={\"type\":\"function\",\"function\":"
				 "{\"name\":\"get\",\"parameters\":{}}}",
				"llm.tools.1.tool.json_schema"));
	}
	expect(SENT(chat,
		       "gen_ai.tool.definitions=[{\"type\":\"web_search\",\"name\":\"web\"},"
		       "\"no json\",{\"functionDeclarations\":[]}]"),
		EXPECTED("llm.tools.0.tool.json_schema={\"type\":\"web_search\",\"name\":\"web\"}",
			"llm.tools.1.tool.json_schema"));
	expect(SENT(chat, "gen_ai.tool.definitions={\"name\":", "gen_ai.request.model=m"),
		EXPECTED("llm.tools.0.tool.json_schema"));
}

/* A conversation of `count` messages of `bytes` each, numbered; enriched under these settings. */
static oracle_request *conversation(
	size_t count, size_t bytes, uint64_t max_messages, uint64_t max_bytes, struct arena *arena)
{
	struct config config = fixture_config();
	struct complaint complaint = { 0 };
	struct prices *prices;
	struct enriched enriched;
	struct buf text;
	config.content.flatten_messages = true;
	config.content.flatten_max_messages = max_messages;
	config.content.flatten_max_bytes = max_bytes;
	buf_init(&text, 64 << 20, NULL);
	buf_text(&text, "gen_ai.input.messages=[");
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s{\"role\":\"user\",\"content\":\"%0*zu\"}", i ? "," : "",
			(int)bytes, i);
	buf_append(&text, "]", 2);
	cr_assert_eq(prices_builtin(&prices, &complaint), 0);
	struct bytes request = one_span("chat", SENT(chat, (const char *)text.at));
	cr_assert_eq(enrich(request, &config, prices, arena, &enriched), 0);
	oracle_request *out = oracle_decode(enriched.plain);
	cr_assert_not_null(out);
	free((void *)request.at);
	buf_done(&text);
	prices_free(prices);
	return out;
}

static void expect_newest(const oracle_request *out, const char *first, const char *last,
	const char *last_key, const char *absent_key)
{
	const oracle_span *span = oracle_span_at(out, 0);
	const char *text = oracle_text(span, IN "0.message.content");
	cr_expect_str_eq(text ? text : "(absent)", first);
	text = oracle_text(span, last_key);
	cr_expect_str_eq(text ? text : "(absent)", last);
	cr_expect_null(oracle_find(span, absent_key));
}

Test(messages, of_a_long_conversation_the_newest_are_flattened)
{
	struct arena arena;
	arena_init(&arena, 32 << 20, NULL);
	oracle_request *out = conversation(1000, 4, 128, 1 << 20, &arena);
	expect_newest(out, "0872", "0999", IN "127.message.content", IN "128.message.content");
	oracle_free(out);
	out = conversation(3, 4, 128, 1 << 20, &arena);
	expect_newest(out, "0000", "0002", IN "2.message.content", IN "3.message.content");
	oracle_free(out);
	out = conversation(5, 4, 1, 1 << 20, &arena);
	expect_newest(out, "0004", "0004", IN "0.message.content", IN "1.message.content");
	oracle_free(out);
	arena_done(&arena);
}

Test(messages, beyond_the_budget_stay_behind)
{
	struct arena arena;
	arena_init(&arena, 32 << 20, NULL);
	/* Each takes 400 bytes and some for its own JSON: two go into a thousand. */
	oracle_request *out = conversation(10, 400, 128, 1000, &arena);
	const oracle_span *span = oracle_span_at(out, 0);
	cr_expect_not_null(oracle_find(span, IN "1.message.content"));
	cr_expect_null(oracle_find(span, IN "2.message.content"));
	cr_expect_eq(strtol(oracle_text(span, IN "1.message.content"), NULL, 10), 9);
	oracle_free(out);
	out = conversation(1, 2000, 128, 1000, &arena);
	cr_expect_null(oracle_find(oracle_span_at(out, 0), IN "0.message.content"));
	oracle_free(out);
	arena_done(&arena);
}
