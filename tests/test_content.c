/* What a destination gets whose content is not full: names, values of every form, and nothing else changed. */
#include "export/content.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "enrich/enrich.h"
#include "pricing/price.h"
#include "support/content_judge.h"
#include "support/fixture.h"
#include "support/one_span.h"
#include "support/oracle.h"
#include "vocabularies/content_names.h"

static const struct destination_config none = { .content = CONTENT_NONE },
				       cut = { .content = CONTENT_CUT, .content_max_bytes = 64 };

static struct arena arena;
static oracle_request *decoded; /* of the last rewriting */

static void begin(void)
{
	arena_init(&arena, 256 << 20, NULL);
}

static void end(void)
{
	oracle_free(decoded);
	arena_done(&arena);
}

TestSuite(content, .init = begin, .fini = end);

/* Once, as the judge would have it, and again, which must change nothing. */
static struct bytes rewrite(const struct destination_config *config, struct bytes input)
{
	struct bytes output = { 0 }, again = { 0 };
	const char *why;
	cr_assert_eq(content_rewrite(config, input, &arena, &output), 0, "not well formed");
	cr_expect(content_judge(config, input, output, &why), "%s", why);
	cr_assert_eq(content_rewrite(config, output, &arena, &again), 0);
	cr_expect(bytes_equal(output, again), "twice is not once");
	return output;
}

/* The span of a request with these attributes, rewritten. */
static oracle_span *rewritten(
	const struct destination_config *config, const char *const *attributes)
{
	struct bytes input = one_span("chat", attributes);
	oracle_free(decoded);
	decoded = oracle_decode(rewrite(config, input));
	cr_assert_not_null(decoded);
	free((void *)input.at);
	return oracle_span_at(decoded, 0);
}

#define SPAN(config, ...) rewritten(config, (const char *const[]){ __VA_ARGS__, NULL })

static bool is_content(const char *name)
{
	return name_is_content(bytes_of(name));
}

/* ---- names ---- */

Test(content, every_name_of_the_mapping_that_holds_content_is_known)
{
	static const char *const names[] = { "langfuse.observation.input",
		"langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
		"input.value", "output.value", "gen_ai.input.messages", "gen_ai.output.messages",
		"gen_ai.system_instructions", "gen_ai.prompt", "gen_ai.completion",
		"gen_ai.prompt.0.content", "gen_ai.completion.12.content",
		"ai.telemetry.metadata.langfusePrompt",
		"gen_ai.completion.0.tool_calls.0.arguments", "ai.prompt", "ai.prompt.messages",
		"ai.prompt.tools", "ai.response.text", "ai.response.object",
		"ai.response.toolCalls", "ai.response.reasoning", "ai.toolCall.args",
		"ai.toolCall.result", "traceloop.entity.input", "traceloop.entity.output",
		"traceloop.prompt.template", "traceloop.prompt.template_variables",
		"traceloop.prompt.template_variables.name", "mlflow.spanInputs",
		"mlflow.spanOutputs", "pydantic_ai.all_messages", "all_messages_events",
		"final_result", "prompt", "request_data", "response_data",
		"gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "user_prompt",
		"gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "tool_arguments",
		"tool_response", "full_command", "file_path", "tool.parameters",
		"gen_ai.tool.definitions", "llm.input_messages.0.message.content",
		"llm.input_messages.3.message.contents.1.message_content.text",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
		"llm.prompts.0.prompt.text", "llm.choices.0.completion.text",
		"llm.tools.0.tool.json_schema", "llm.function_call", "llm.prompt_template.template",
		"llm.prompt_template.variables", "retrieval.documents.0.document.content",
		"retrieval.documents.7.document.content", "retrieval.documents.7.document.metadata",
		"gen_ai.retrieval.documents", "gen_ai.retrieval.query.text", "reranker.query",
		"reranker.input_documents.0.document.content",
		"embedding.embeddings.0.embedding.text", "embedding.embeddings.0.embedding.vector",
		"input", "output", "events", "lk.chat_ctx", "lk.pii.response.text", "genkit:input",
		"new_context", "system_reminders", "system_prompt_preview", "response.model_output",
		"tool_input", "llm.openai.messages", "llm.vertex_ai.contents",
		"llm.openai.stringified_raw_response", "process.command_args" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_expect(is_content(names[i]), "%s", names[i]);
}

Test(content, figures_names_and_ids_are_no_content)
{
	static const char *const names[] = { "", ".", "input.mime_type", "output.mime_type",
		"gen_ai.usage.input_tokens", "llm.token_count.prompt", "llm.token_count.completion",
		"llm.token_count.prompt_details.cache_read", "llm.cost.prompt", "llm.cost.total",
		"llm.cost.prompt_details.input", "llm.cost.completion_details.output",
		"langfuse.observation.usage_details", "langfuse.observation.cost_details",
		"langfuse.observation.type", "langfuse.observation.model.name",
		"langfuse.observation.level", "langfuse.observation.status_message",
		"langfuse.observation.metadata.customer", "langfuse.trace.name",
		"llm.invocation_parameters", "llm.finish_reason", "llm.model_name", "llm.system",
		"openinference.span.kind", "gen_ai.request.model", "gen_ai.response.id",
		"gen_ai.conversation.id", "gen_ai.prompt.name", "gen_ai.prompt.version",
		"gen_ai.prompt.0.role", "gen_ai.completion.0.finish_reason",
		"gen_ai.completion.0.tool_calls.0.name", "llm.input_messages.0.message.role",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
		"retrieval.documents.0.document.id", "retrieval.documents.0.document.score",
		"db.vector.query.top_k", "gen_ai.tool.name", "gen_ai.tool.call.id",
		"gen_ai.tool.description", "tool.name", "ai.usage.inputTokens",
		"ai.response.finishReason", "ai.toolCall.name", "ai.operationId",
		"traceloop.entity.name", "traceloop.prompt.key", "mlflow.spanType", "session.id",
		"user.id", "prompt.id", "user_prompt_length", "input_tokens", "output_tokens",
		"tool_name", "model", "exception.message", "error", "error.message",
		"process.command", "lk.function_tool.name", "llm.usage.total_tokens",
		"tollgate.cost.source" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_expect_not(is_content(names[i]), "%s", names[i]);
}

/* ---- none ---- */

Test(content, what_is_withheld_looks_different_from_what_is_absent)
{
	oracle_span *span = SPAN(&none, "input.value={\"secret\":1}",
		"output.value=", "langfuse.observation.output=secret",
		"gen_ai.input.messages=secret", "gen_ai.request.model=m",
		"gen_ai.usage.input_tokens:=12");
	cr_expect_str_eq(oracle_text(span, "input.value"), "[content withheld by tollgate]");
	cr_expect_str_eq(oracle_text(span, "output.value"), "", "nothing was there");
	cr_expect_str_eq(oracle_text(span, "langfuse.observation.output"), CONTENT_MARK);
	cr_expect_null(oracle_find(span, "langfuse.observation.input"));
	cr_expect_null(oracle_find(span, "gen_ai.input.messages"));
	cr_expect_str_eq(oracle_text(span, "gen_ai.request.model"), "m");
	cr_expect_eq(oracle_find(span, "gen_ai.usage.input_tokens")->value->int_value, 12);
	cr_expect_eq(span->n_attributes, 5);
}

Test(content, of_messages_the_roles_and_the_names_of_tools_stay)
{
	oracle_span *span = SPAN(&none, "llm.input_messages.0.message.role=user",
		"llm.input_messages.0.message.content=secret",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.name=look_up",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments={}",
		"gen_ai.prompt.0.role=user", "gen_ai.prompt.0.content=secret");
	cr_expect_eq(span->n_attributes, 3);
	cr_expect_str_eq(oracle_text(span, "llm.input_messages.0.message.role"), "user");
	cr_expect_str_eq(
		oracle_text(
			span, "llm.output_messages.0.message.tool_calls.0.tool_call.function.name"),
		"look_up");
	cr_expect_str_eq(oracle_text(span, "gen_ai.prompt.0.role"), "user");
}

Test(content, numbers_may_be_content_too)
{
	oracle_span *span = SPAN(&none, "input.value:=42", "gen_ai.tool.call.result~=0.5");
	cr_expect_str_eq(oracle_text(span, "input.value"), CONTENT_MARK);
	cr_expect_null(oracle_find(span, "gen_ai.tool.call.result"));
}

Test(content, a_form_that_it_no_longer_has_is_not_claimed)
{
	oracle_span *span = SPAN(&none, "input.mime_type=application/json", "input.value=[1]",
		"output.mime_type=application/json", "output.value=");
	cr_expect_str_eq(oracle_text(span, "input.mime_type"), "text/plain");
	cr_expect_str_eq(oracle_text(span, "output.mime_type"), "application/json");
	span = SPAN(&cut, "input.value=[1]", "input.mime_type=application/json",
		"output.value=[\"a long text that does not fit into sixty-four bytes, not at all\"]",
		"output.mime_type=application/json");
	cr_expect_str_eq(oracle_text(span, "input.mime_type"), "application/json");
	cr_expect_str_eq(oracle_text(span, "output.mime_type"), "text/plain");
}

Test(content, a_request_without_content_is_passed_on_as_it_lies)
{
	struct bytes output,
		input = one_span(
			"GET", (const char *const[]){ "http.method=GET", "input.value=", NULL });
	cr_assert_eq(content_rewrite(&none, input, &arena, &output), 0);
	cr_expect_eq(output.at, input.at);
	cr_expect_eq(output.len, input.len);
	free((void *)input.at);
}

/* ---- cut ---- */

static const char *cut_of(const char *text)
{
	char attribute[512];
	snprintf(attribute, sizeof attribute, "input.value=%s", text);
	return oracle_text(SPAN(&cut, attribute), "input.value");
}

Test(content, what_fits_stays_and_what_does_not_ends_in_a_mark)
{
	char text[66];
	memset(text, 'a', sizeof text);
	text[64] = '\0';
	cr_expect_str_eq(cut_of(text), text);
	text[64] = 'a';
	text[65] = '\0';
	const char *short_text = cut_of(text);
	cr_expect_str_eq(
		short_text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… [cut from 65 bytes]");
	cr_expect_eq(strlen(short_text), 64);
}

Test(content, no_character_is_cut_in_two)
{
	static const char *const characters[] = { "ä", "字", "🚪" };
	for (size_t c = 0; c < 3; c++)
		for (size_t before = 0; before < 4; before++) {
			char text[256] = "xxx";
			text[before] = '\0';
			while (strlen(text) < 100)
				strcat(text, characters[c]);
			const char *got = cut_of(text);
			cr_expect_leq(strlen(got), 64);
			cr_expect_geq(strlen(got), 61);
			cr_expect_eq(utf8_valid_bytes(bytes_of(got)), strlen(got), "%s", got);
			cr_expect(strstr(got, "… [cut from 10"), "%s", got);
		}
}

Test(content, bytes_that_are_no_text_are_cut_all_the_same)
{
	char text[101];
	memset(text, '\x80', 100);
	text[100] = '\0';
	cr_expect_eq(strlen(cut_of(text)), 64);
}

Test(content, facts_are_never_cut)
{
	const char *name = "llm.invocation_parameters={\"stop\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}";
	oracle_span *span = SPAN(&cut, name);
	cr_expect_str_eq(oracle_text(span, "llm.invocation_parameters"), strchr(name, '=') + 1);
}

/* ---- values, places and forms that one_span does not write ---- */

static Otlp__AnyValue string_value(const char *text)
{
	Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	return value;
}

static Otlp__KeyValue attribute_of(const char *key, Otlp__AnyValue *value)
{
	Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT;
	attribute.key = (ProtobufCBinaryData){ strlen(key), (uint8_t *)key };
	attribute.value = value;
	return attribute;
}

/* A request of one span, one resource and one scope. To be freed as .at. */
static struct bytes pack(
	Otlp__Span *span, Otlp__Resource *resource, Otlp__InstrumentationScope *scope)
{
	Otlp__Span *spans[] = { span };
	Otlp__ScopeSpans scope_spans = OTLP__SCOPE_SPANS__INIT, *scopes[] = { &scope_spans };
	Otlp__ResourceSpans resource_spans = OTLP__RESOURCE_SPANS__INIT,
			    *resources[] = { &resource_spans };
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	scope_spans.scope = scope;
	scope_spans.spans = spans;
	scope_spans.n_spans = 1;
	resource_spans.resource = resource;
	resource_spans.scope_spans = scopes;
	resource_spans.n_scope_spans = 1;
	request.resource_spans = resources;
	request.n_resource_spans = 1;
	size_t len = otlp__export_trace_service_request__get_packed_size(&request);
	uint8_t *at = malloc(len + 1);
	otlp__export_trace_service_request__pack(&request, at);
	return (struct bytes){ at, len };
}

static bool holds(struct bytes request, const char *text)
{
	return memmem(request.at, request.len, text, strlen(text));
}

static struct bytes span_with(const char *key, Otlp__AnyValue *value)
{
	Otlp__KeyValue attribute = attribute_of(key, value), *attributes[] = { &attribute };
	Otlp__Span span = OTLP__SPAN__INIT;
	span.attributes = attributes;
	span.n_attributes = 1;
	return pack(&span, NULL, NULL);
}

Test(content, structures_are_cut_as_their_json)
{
	enum { ITEMS = 40 };
	Otlp__AnyValue item = string_value("item"), list = OTLP__ANY_VALUE__INIT,
		       bytes = OTLP__ANY_VALUE__INIT;
	Otlp__AnyValue *items[ITEMS];
	Otlp__KeyValue member = attribute_of("member", &list), *members[] = { &member };
	Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
	Otlp__KeyValueList object = OTLP__KEY_VALUE_LIST__INIT;
	Otlp__AnyValue kvlist = OTLP__ANY_VALUE__INIT;
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = &item;
	array.values = items;
	array.n_values = ITEMS;
	list.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	list.array_value = &array;
	object.values = members;
	object.n_values = 1;
	kvlist.value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
	kvlist.kvlist_value = &object;
	bytes.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	bytes.bytes_value = (ProtobufCBinaryData){ 60,
		(uint8_t *)"012345678901234567890123456789"
			   "012345678901234567890123456789" };
	const struct {
		Otlp__AnyValue *value;
		const char *wanted;
	} cases[] = {
		{ &list,
			"[\"item\",\"item\",\"item\",\"item\",\"item\",\"ite… [cut from 281 bytes]" },
		{ &kvlist,
			"{\"member\":[\"item\",\"item\",\"item\",\"item\",\"… [cut from 292 bytes]" },
		{ &bytes, "\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5… [cut from 82 bytes]" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes input = span_with("gen_ai.input.messages", cases[i].value);
		oracle_free(decoded);
		decoded = oracle_decode(rewrite(&cut, input));
		cr_expect_str_eq(oracle_text(oracle_span_at(decoded, 0), "gen_ai.input.messages"),
			cases[i].wanted);
		cr_expect_not(holds(rewrite(&none, input), "gen_ai"));
		free((void *)input.at);
	}
	array.n_values = 8;
	struct bytes input = span_with("gen_ai.input.messages", &list);
	cr_expect_eq(rewrite(&cut, input).at, input.at, "what fits stays a structure");
	free((void *)input.at);
}

Test(content, events_links_scopes_and_resources_are_looked_at_as_well)
{
	Otlp__AnyValue secret = string_value("a secret"), zero = string_value("0"),
		       user = string_value("user");
	Otlp__KeyValue content = attribute_of("content", &secret),
		       role = attribute_of("role", &user), index = attribute_of("index", &zero),
		       system = attribute_of("gen_ai.system", &user),
		       prompt = attribute_of("gen_ai.prompt", &secret),
		       arguments = attribute_of("process.command_args", &secret);
	Otlp__KeyValue *message[] = { &content, &role, &index, &system, &prompt };
	Otlp__KeyValue *other[] = { &content, &prompt }, *one[] = { &prompt };
	Otlp__KeyValue *process[] = { &arguments, &system };
	Otlp__Span__Event said = OTLP__SPAN__EVENT__INIT, thrown = OTLP__SPAN__EVENT__INIT;
	Otlp__Span__Event *events[] = { &said, &thrown };
	Otlp__Span__Link link = OTLP__SPAN__LINK__INIT, *links[] = { &link };
	Otlp__Span span = OTLP__SPAN__INIT;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
	said.name = (ProtobufCBinaryData){ 19, (uint8_t *)"gen_ai.user.message" };
	said.attributes = message;
	said.n_attributes = 5;
	thrown.name = (ProtobufCBinaryData){ 3, (uint8_t *)"log" };
	thrown.attributes = other;
	thrown.n_attributes = 2;
	link.attributes = scope.attributes = one;
	link.n_attributes = scope.n_attributes = 1;
	resource.attributes = process;
	resource.n_attributes = 2;
	span.events = events;
	span.n_events = 2;
	span.links = links;
	span.n_links = 1;
	struct bytes input = pack(&span, &resource, &scope), output = rewrite(&none, input);
	decoded = oracle_decode(output);
	oracle_span *got = oracle_span_at(decoded, 0);
	cr_expect_eq(got->events[0]->n_attributes, 3, "role, index and system");
	cr_expect_eq(got->events[1]->n_attributes, 1, "what other events say is not known");
	cr_expect_eq(got->links[0]->n_attributes, 0);
	cr_expect_eq(decoded->resource_spans[0]->scope_spans[0]->scope->n_attributes, 0);
	cr_expect_eq(decoded->resource_spans[0]->resource->n_attributes, 1);
	free((void *)input.at);
}

/* Protobuf takes the last of two values: readers do not see the first one, but the wire has it. */
Test(content, what_hides_behind_another_value_is_withheld_too)
{
	static const uint8_t hidden[] = "\x0a\x27\x12\x25\x12\x23\x4a\x21"
					"\x0a\x0b"
					"input.value"
					"\x12\x08\x0a\x06"
					"secret"
					"\x12\x08\x0a\x06"
					"public";
	static const uint8_t empty[] = "\x0a\x1d\x12\x1b\x12\x19\x4a\x17"
				       "\x0a\x0b"
				       "input.value"
				       "\x12\x04\x7a\x02"
				       "se"
				       "\x12\x02\x0a\x00";
	struct bytes output = rewrite(&none, (struct bytes){ hidden, sizeof hidden - 1 });
	cr_expect(holds(output, CONTENT_MARK));
	cr_expect_not(holds(output, "secret"));
	output = rewrite(&none, (struct bytes){ empty, sizeof empty - 1 });
	cr_expect(holds(output, CONTENT_MARK));
	cr_expect_not(holds(output, "se\x12"));
}

/* ---- everything ---- */

static int is_request(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".pb") == 0 && !strstr(entry->d_name, "-logs") &&
		!strstr(entry->d_name, "-metrics");
}

static void each_vector(const char *folder, void (*check)(const char *name, struct bytes vector))
{
	char directory[512], path[800];
	struct dirent **entries;
	const char *srcdir = getenv("srcdir");
	snprintf(
		directory, sizeof directory, "%s/tests/fixtures/%s", srcdir ? srcdir : ".", folder);
	int count = scandir(directory, &entries, is_request, alphasort);
	cr_assert_gt(count, 0, "%s", directory);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		struct bytes vector = fixture(path);
		check(entries[i]->d_name, vector);
		free((void *)vector.at);
		free(entries[i]);
	}
	free(entries);
}

/* As the destination's other copy would have it, and after enrichment, which writes content as well. */
static void check_vector(const char *name, struct bytes vector)
{
	struct config config = fixture_config();
	struct complaint complaint;
	struct prices *prices;
	struct enriched enriched;
	config.content.flatten_messages = true;
	cr_assert_eq(prices_builtin(&prices, &complaint), 0);
	rewrite(&none, vector);
	rewrite(&cut, vector);
	if (enrich(vector, &config, prices, &arena, &enriched) == 0) {
		rewrite(&none, enriched.plain);
		rewrite(&cut, enriched.plain);
	}
	prices_free(prices);
}

Test(content, of_every_vector_only_content_changes)
{
	each_vector("otlp/valid", check_vector);
	each_vector("captures/claude/b-tool", check_vector);
}

static void check_hostile(const char *name, struct bytes vector)
{
	struct bytes output;
	const char *why;
	int error = content_rewrite(&none, vector, &arena, &output);
	cr_expect(error == 0 || error == -EBADMSG, "%s: %d", name, error);
	cr_expect(error || content_judge(&none, vector, output, &why), "%s: %s", name, why);
}

Test(content, malformed_requests_are_refused_and_unusual_ones_stay_what_they_are)
{
	each_vector("otlp/raw-pb", check_hostile);
}

/* Of each vector a thousand copies with a byte or two changed, some of them cut short. */
static void check_damaged(const char *name, struct bytes vector)
{
	uint8_t *copy = malloc(vector.len + 1);
	uint32_t seed = 1;
	for (int round = 0; round < 1000 && vector.len; round++) {
		memcpy(copy, vector.at, vector.len);
		size_t len = vector.len;
		for (int i = 0; i <= round % 3; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[seed / 7 % vector.len] = (uint8_t)(seed >> 24);
		}
		if (round % 5 == 0)
			len = seed / 3 % vector.len;
		struct arena own;
		struct bytes output, damaged = { copy, len };
		const struct destination_config *config = round % 2 ? &none : &cut;
		const char *why;
		arena_init(&own, CONTENT_WORK_BYTES + CONTENT_WORK_FACTOR * len, NULL);
		int error = content_rewrite(config, damaged, &own, &output);
		cr_assert(error == 0 || error == -EBADMSG, "%s: %d", name, error);
		cr_assert(
			error || content_judge(config, damaged, output, &why), "%s: %s", name, why);
		arena_done(&own);
	}
	free(copy);
}

Test(content, damage_never_makes_a_request_that_is_no_protobuf, .timeout = 120)
{
	each_vector("otlp/valid", check_damaged);
}

/* What takes the most memory per byte: events that hold nothing but the shortest content there is. */
static struct bytes densest(size_t count, const char *field, size_t field_bytes)
{
	struct buf buf;
	buf_init(&buf, 64 << 20, NULL);
	size_t span = count * field_bytes;
	const size_t sizes[] = { span + 8, span + 4, span };
	uint8_t *at = buf_reserve(&buf, span + 64), *to = at;
	static const uint8_t tags[] = { 0x0a, 0x12, 0x12 };
	for (size_t i = 0; i < 3; i++) {
		*to++ = tags[i];
		for (int shift = 0; shift < 14; shift += 7)
			*to++ = (uint8_t)(sizes[i] >> shift | 0x80);
		*to++ = (uint8_t)(sizes[i] >> 14);
		cr_assert_lt(sizes[i], 1 << 21);
	}
	for (size_t i = 0; i < count; i++, to += field_bytes)
		memcpy(to, field, field_bytes);
	return (struct bytes){ at, (size_t)(to - at) };
}

Test(content, the_densest_request_finds_room)
{
	static const char *const fields[] = {
		"\x5a\x0f\x1a\x0d\x0a\x05input\x12\x04\x0a\x02xx", /* an event */
		"\x6a\x0f\x22\x0d\x0a\x05input\x12\x04\x0a\x02xx", /* a link */
		"\x4a\x0d\x0a\x05input\x12\x04\x0a\x02xx",
		"\x4a\x13\x0a\x0binput.value\x12\x04\x0a\x02xx",
		"\x5a\x15\x1a\x13\x0a\x0binput.value\x12\x04\x0a\x02xx",
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		size_t field_bytes = strlen(fields[i]);
		struct bytes output, input = densest((1 << 16) + 1, fields[i], field_bytes);
		struct arena own;
		arena_init(&own, CONTENT_WORK_BYTES + CONTENT_WORK_FACTOR * input.len, NULL);
		cr_expect_eq(content_rewrite(&none, input, &own, &output), 0, "%zu", i);
		cr_expect_not(holds(output, "xx"));
		arena_done(&own);
		free((void *)input.at);
	}
}

Test(content, names_of_a_coding_session_lose_what_was_said)
{
	static const struct {
		const char *name, *without;
	} rows[] = {
		{ "Turn #12: Please run #3: echo hi", "Turn #12" },
		{ "Turn #2", "Turn #2" },
		{ "Turn #2 (continued)", "Turn #2 (continued)" },
		{ "tollgate #2: fix it", "tollgate #2" },
		{ "a: b #2: fix it", "a: b #2" },
		{ "Execute command: rm", "Execute command" },
		{ "Read file: secret: plans.txt", "Read file" },
		{ "LLM Call: gpt: 5 (1→2 tokens)", "LLM Call: gpt: 5 (1→2 tokens)" },
		{ "Tool: calendar", "Tool: calendar" },
		{ "Subagent: Explore", "Subagent: Explore" },
		{ "Command: /exit", "Command: /exit" },
		{ "claude_code.tool.execution", "claude_code.tool.execution" },
		{ "#1:", "#1:" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char trace_name[128];
		snprintf(trace_name, sizeof trace_name, "langfuse.trace.name=%s", rows[i].name);
		const char *const attributes[] = { trace_name, "turn.number=2", NULL };
		struct bytes input = one_span(rows[i].name, attributes);
		oracle_free(decoded);
		decoded = oracle_decode(rewrite(&none, input));
		oracle_span *span = oracle_span_at(decoded, 0);
		cr_expect_eq(span->name.len, strlen(rows[i].without), "%s", rows[i].name);
		cr_expect(span->name.len == 0 ||
			memcmp(span->name.data, rows[i].without, span->name.len) == 0);
		oracle_free(decoded);
		decoded = oracle_decode(rewrite(&cut, input));
		span = oracle_span_at(decoded, 0);
		cr_expect_eq(span->name.len, strlen(rows[i].name), "a part of it is a part");
		free((void *)input.at);
	}
	static const char *const others[] = { "langfuse.trace.name=Turn #2: words", NULL };
	struct bytes input = one_span("Turn #2: words", others);
	cr_expect(bytes_equal(rewrite(&none, input), input), "only sessions are named so");
	free((void *)input.at);
}
