/*
 * The judge itself: what was observed at Langfuse, example for example. Source: facts about Langfuse, whose
 * sections are named between the tests.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/langfuse_rules.h"
#include "support/one_span.h"

#define SENT(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The one observation of a span with these attributes. */
static json_t *observed(const char *const *attributes)
{
	struct bytes bytes = one_span("name", attributes);
	oracle_request *request = oracle_decode(bytes);
	json_t *verdict = langfuse_ingest(request);
	json_t *observation =
		json_incref(json_array_get(json_object_get(verdict, "observations"), 0));
	cr_assert_str_eq(json_string_value(json_object_get(verdict, "fate")), "taken");
	json_decref(verdict);
	oracle_free(request);
	free((void *)bytes.at);
	return observation;
}

/* One column of it, as compact JSON. */
static void expect(const char *const *attributes, const char *column, const char *wanted)
{
	json_t *observation = observed(attributes);
	char *got =
		json_dumps(json_object_get(observation, column), JSON_ENCODE_ANY | JSON_COMPACT);
	cr_expect_str_eq(got ? got : "(none)", wanted, "%s with %s", column, attributes[0]);
	free(got);
	json_decref(observation);
}

/* ---- 2.1: types ---- */

Test(langfuse_rules, a_type_is_known_in_lower_case_alone)
{
	expect(SENT("langfuse.observation.type=generation"), "type", "\"GENERATION\"");
	expect(SENT("langfuse.observation.type=GENERATION"), "type", "\"SPAN\"");
	expect(SENT("langfuse.observation.type=GENERATION", "openinference.span.kind=TOOL"), "type",
		"\"TOOL\"");
}

Test(langfuse_rules, a_kind_is_known_in_upper_case_alone_and_not_every_one)
{
	expect(SENT("openinference.span.kind=LLM"), "type", "\"GENERATION\"");
	expect(SENT("openinference.span.kind=llm"), "type", "\"SPAN\"");
	expect(SENT("openinference.span.kind=RERANKER"), "type", "\"SPAN\"");
	expect(SENT("openinference.span.kind=UNKNOWN", "llm.model_name=m"), "type",
		"\"GENERATION\"");
}

Test(langfuse_rules, types_have_their_precedence)
{
	expect(SENT("langfuse.observation.type=span", "openinference.span.kind=LLM"), "type",
		"\"SPAN\"");
	expect(SENT("openinference.span.kind=CHAIN", "gen_ai.operation.name=chat"), "type",
		"\"CHAIN\"");
	expect(SENT("gen_ai.operation.name=execute_tool", "model=m"), "type", "\"TOOL\"");
	expect(SENT("gen_ai.operation.name=acompletion", "gen_ai.tool.call.id=c"), "type",
		"\"TOOL\"");
	expect(SENT("gen_ai.operation.name=acompletion", "gen_ai.request.model=m"), "type",
		"\"GENERATION\"");
	expect(SENT("ai.operationId=ai.streamText.doStream"), "type", "\"GENERATION\"");
	expect(SENT("model=m"), "type", "\"GENERATION\"");
	expect(SENT("http.method=GET"), "type", "\"SPAN\"");
}

/* ---- 0, 1.2: what poisons a request ---- */

static const char *fate(void (*change)(oracle_request *request))
{
	static char text[16];
	struct bytes bytes = one_span("name", SENT("a=b"));
	oracle_request *request = oracle_decode(bytes);
	change(request);
	json_t *verdict = langfuse_ingest(request);
	snprintf(text, sizeof text, "%s", json_string_value(json_object_get(verdict, "fate")));
	cr_expect(strcmp(text, "taken") == 0 ||
		json_array_size(json_object_get(verdict, "observations")) == 0);
	json_decref(verdict);
	oracle_free(request);
	free((void *)bytes.at);
	return text;
}

static void change_nothing(oracle_request *request)
{
}

static void take_value(oracle_request *request)
{
	oracle_attribute *attribute = oracle_span_at(request, 0)->attributes[0];
	otlp__any_value__free_unpacked(attribute->value, NULL);
	attribute->value = NULL;
}

static void empty_value(oracle_request *request)
{
	oracle_attribute *attribute = oracle_span_at(request, 0)->attributes[0];
	otlp__any_value__free_unpacked(attribute->value, NULL);
	attribute->value = calloc(1, sizeof *attribute->value);
	otlp__any_value__init(attribute->value);
}

static void take_id(oracle_request *request)
{
	oracle_span *span = oracle_span_at(request, 0);
	free(span->span_id.data);
	span->span_id = (ProtobufCBinaryData){ 0 };
}

static void shorten_id(oracle_request *request)
{
	oracle_span_at(request, 0)->span_id.len = 4;
}

Test(langfuse_rules, one_attribute_without_a_value_loses_the_request)
{
	cr_expect_str_eq(fate(change_nothing), "taken");
	cr_expect_str_eq(fate(take_value), "lost");
	cr_expect_str_eq(fate(empty_value), "taken");
}

Test(langfuse_rules, one_span_without_an_id_has_the_request_refused)
{
	cr_expect_str_eq(fate(take_id), "refused");
	cr_expect_str_eq(fate(shorten_id), "taken");
}

static json_t *traces_of(void (*change)(oracle_request *request), const char *const *attributes)
{
	struct bytes bytes = one_span("name", attributes);
	oracle_request *request = oracle_decode(bytes);
	change(request);
	json_t *verdict = langfuse_ingest(request);
	json_t *traces = langfuse_traces(json_object_get(verdict, "observations"));
	json_t *trace = json_incref(json_object_iter_value(json_object_iter(traces)));
	json_decref(traces);
	json_decref(verdict);
	oracle_free(request);
	free((void *)bytes.at);
	return trace;
}

static void give_zero_parent(oracle_request *request)
{
	oracle_span_at(request, 0)->parent_span_id = (ProtobufCBinaryData){ 8, calloc(8, 1) };
}

Test(langfuse_rules, a_parent_of_zeros_leaves_the_trace_without_name_and_text)
{
	const char *const *sent = SENT("langfuse.observation.input=hi", "session.id=s");
	json_t *whole = traces_of(change_nothing, sent),
	       *headless = traces_of(give_zero_parent, sent);
	cr_expect_str_eq(json_string_value(json_object_get(whole, "name")), "name");
	cr_expect_str_eq(json_string_value(json_object_get(whole, "input")), "hi");
	cr_expect(json_is_null(json_object_get(headless, "root_id")));
	cr_expect(json_is_null(json_object_get(headless, "name")));
	cr_expect(json_is_null(json_object_get(headless, "input")));
	cr_expect_str_eq(json_string_value(json_object_get(headless, "session_id")), "s");
	json_decref(whole);
	json_decref(headless);
}

Test(langfuse_rules, the_legacy_path_drops_an_observation_with_a_value_of_another_type)
{
	const char *start = "langfuse.observation.completion_start_time";
	char text[1100], long_name[1100];
	static const struct {
		const char *value, *dropped;
	} starts[] = { { "2026-05-28T20:26:41.500Z", "null" },
		{ "\"2026-05-28T20:26:41+02:00\"", "null" },
		{ "2026-05-28 20:26:41", "\"its completion start is not ISO 8601\"" },
		{ "1779999999", "\"its completion start is not ISO 8601\"" } };
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "%s=%s", start, starts[i].value);
		expect(SENT(text), "dropped", starts[i].dropped);
	}
	expect(SENT("langfuse.version:=3"), "dropped", "\"its version is no text\"");
	expect(SENT("langfuse.observation.status_message:=3"), "dropped",
		"\"its status message is no text\"");
	const char *type = "langfuse.observation.type=generation";
	const char *name = "langfuse.observation.prompt.name=p",
		   *why = "\"its prompt has no whole number as version\"";
	expect(SENT(type, name), "dropped", why);
	expect(SENT(type, name, "langfuse.observation.prompt.version=new"), "dropped", why);
	expect(SENT(type, name, "langfuse.observation.prompt.version:=2"), "dropped", "null");
	expect(SENT("langfuse.observation.type=agent", name), "dropped", "null");
	memset(long_name, 'x', sizeof long_name);
	memcpy(long_name, "langfuse.trace.name=", 20);
	long_name[20 + 1001] = '\0';
	expect(SENT(long_name), "dropped", "\"its trace's name is longer than 1,000 characters\"");
}

/* ---- 2: columns ---- */

Test(langfuse_rules, session_and_user_come_from_the_span_by_several_names)
{
	expect(SENT("session.id=a", "langfuse.session.id=b"), "session_id", "\"b\"");
	expect(SENT("gen_ai.conversation.id=c"), "session_id", "\"c\"");
	expect(SENT("ai.telemetry.metadata.sessionId=d"), "session_id", "\"d\"");
	expect(SENT("enduser.id=x", "user.email=y"), "user_id", "null");
	expect(SENT("ai.telemetry.metadata.userId=u"), "user_id", "\"u\"");
}

Test(langfuse_rules, tags_come_in_four_forms)
{
	expect(SENT("langfuse.trace.tags=[\"a\",\"b\"]"), "tags", "[\"a\",\"b\"]");
	expect(SENT("tag.tags=a, b ,c"), "tags", "[\"a\",\"b\",\"c\"]");
	expect(SENT("langfuse.tags=solo"), "tags", "[\"solo\"]");
	expect(SENT("a=b"), "tags", "null");
}

Test(langfuse_rules, an_environment_is_made_to_fit_or_is_the_default)
{
	expect(SENT("langfuse.environment=Production"), "environment", "\"production\"");
	expect(SENT("deployment.environment=langfuse-staging"), "environment", "\"staging\"");
	expect(SENT("langfuse.environment=eu west"), "environment", "\"default\"");
	expect(SENT("a=b"), "environment", "\"default\"");
}

Test(langfuse_rules, a_level_is_known_in_any_case)
{
	expect(SENT("langfuse.observation.level=Warn"), "level", "\"WARNING\"");
	expect(SENT("langfuse.observation.level=fatal"), "level", "\"ERROR\"");
	expect(SENT("langfuse.observation.level=loud"), "level", "\"DEFAULT\"");
}

Test(langfuse_rules, a_name_is_the_spans_unless_a_tool_or_another_is_said)
{
	expect(SENT("langfuse.observation.name=x"), "name", "\"name\"");
	expect(SENT("gen_ai.tool.name=search"), "name", "\"search\"");
	expect(SENT("logfire.msg=running"), "name", "\"running\"");
	expect(SENT("ai.operationId=ai.generateText", "ai.telemetry.functionId=fn"), "name",
		"\"fn:ai.generateText\"");
}

Test(langfuse_rules, a_model_is_said_by_seven_names_in_this_order)
{
	expect(SENT("model=a", "gen_ai.request.model=b", "gen_ai.response.model=c"), "model",
		"\"c\"");
	expect(SENT("llm.model_name=a", "gen_ai.request.model=b"), "model", "\"b\"");
}

Test(langfuse_rules, one_side_that_is_said_hides_the_other_of_another_convention)
{
	const char *const *sent = SENT("langfuse.observation.output=o", "input.value=i");
	expect(sent, "input", "null");
	expect(sent, "output", "\"o\"");
	expect(SENT("input.value=i", "llm.input_messages.0.message.content=m"), "input", "\"i\"");
	expect(SENT("llm.input_messages.0.message.content=m"), "input", "\"m\"");
	expect(SENT("prompt=p", "input.value=i"), "input", "\"p\"");
	expect(SENT("langfuse.trace.input=t"), "input", "null");
}

/* ---- 3: usage ---- */

Test(langfuse_rules, cache_and_reasoning_are_taken_off_and_never_below_nothing)
{
	expect(SENT("gen_ai.usage.input_tokens:=100", "gen_ai.usage.output_tokens:=50",
		       "gen_ai.usage.cache_read.input_tokens:=60",
		       "gen_ai.usage.reasoning.output_tokens:=20"),
		"usage",
		"{\"input\":40,\"output\":30,\"input_cached_tokens\":60,\"output_reasoning_tokens\":20,"
		"\"total\":150}");
	expect(SENT("gen_ai.usage.input_tokens:=12", "gen_ai.usage.output_tokens:=14",
		       "gen_ai.usage.cache_read_input_tokens:=8192"),
		"usage", "{\"input\":0,\"output\":14,\"input_cached_tokens\":8192,\"total\":8206}");
}

Test(langfuse_rules, an_unknown_suffix_is_a_bucket_of_its_own)
{
	expect(SENT("gen_ai.usage.input_tokens:=10", "gen_ai.usage.cache_write.input_tokens:=4"),
		"usage", "{\"input\":10,\"cache_write.input_tokens\":4,\"total\":14}");
	expect(SENT("llm.token_count.prompt:=10", "llm.token_count.completion:=3",
		       "llm.token_count.total:=13", "llm.token_count.prompt_details.cache_read:=4"),
		"usage", "{\"input\":6,\"output\":3,\"total\":13,\"input_cached_tokens\":4}");
}

Test(langfuse_rules, usage_details_win_entirely)
{
	const char *sent = "gen_ai.usage.input_tokens:=7";
	expect(SENT(sent, "langfuse.observation.usage_details={\"input\":1}"), "usage",
		"{\"input\":1,\"total\":1}");
	expect(SENT(sent, "langfuse.observation.usage_details={}"), "usage", "{}");
	expect(SENT(sent, "langfuse.observation.usage_details={\"input\""), "usage",
		"{\"input\":7,\"total\":7}");
}

Test(langfuse_rules, what_is_no_count_is_left_out_of_usage_details)
{
	expect(SENT("langfuse.observation.usage_details={\"a\":1e3,\"b\":5.0,\"c\":\"7.9\",\"d\":1.5,"
		    "\"e\":-1,\"f\":null,\"g\":\"x\"}"),
		"usage", "{\"a\":1000,\"b\":5,\"c\":7,\"total\":1012}");
}

Test(langfuse_rules, the_shapes_of_openai_are_taken_apart_and_nothing_like_them)
{
	expect(SENT("langfuse.observation.usage_details={\"prompt_tokens\":1000,"
		    "\"completion_tokens\":300,\"total_tokens\":1300,"
		    "\"prompt_tokens_details\":{\"cached_tokens\":400},"
		    "\"completion_tokens_details\":{\"reasoning_tokens\":100}}"),
		"usage",
		"{\"input\":600,\"input_cached_tokens\":400,\"output\":200,"
		"\"output_reasoning_tokens\":100,\"total\":1300}");
	expect(SENT("langfuse.observation.usage_details={\"input_tokens\":10,\"output_tokens\":3,"
		    "\"total_tokens\":13}"),
		"usage", "{\"input\":10,\"output\":3,\"total\":13}");
	expect(SENT("langfuse.observation.usage_details={\"prompt_tokens\":1000,"
		    "\"completion_tokens\":300,\"total_tokens\":1300,\"extra\":1}"),
		"usage",
		"{\"prompt_tokens\":1000,\"completion_tokens\":300,\"total_tokens\":1300,\"extra\":1,"
		"\"total\":2601}");
}

/* ---- 3.3: cost ---- */

#define COST "langfuse.observation.cost_details="

Test(langfuse_rules, a_cost_needs_a_total_beside_any_other_key)
{
	expect(SENT(COST "{\"input\":0.1,\"output\":0.2}"), "total_cost", "\"0.3\"");
	expect(SENT(COST "{\"input\":0.1,\"output\":0.2,\"input_cached_tokens\":0.1}"),
		"total_cost", "null");
	expect(SENT(COST "{\"input\":0.1,\"input_cached_tokens\":0.1,\"total\":0.2}"), "total_cost",
		"\"0.2\"");
	expect(SENT(COST "{\"total\":0}"), "total_cost", "\"0\"");
	expect(SENT(COST "{\"input\":\"0.1\",\"output\":0.2}"), "total_cost", "\"0.2\"");
}

Test(langfuse_rules, an_amount_is_read_digit_for_digit)
{
	expect(SENT(COST "{\"a\\\":\":0.000000000000001,\"total\" : 123456.123456789012345}"),
		"cost", "{\"a\\\":\":\"0.000000000000001\",\"total\":\"123456.123456789012345\"}");
	expect(SENT(COST "{\"total\":1.5e-5}"), "total_cost", "\"0.000015\"");
}

Test(langfuse_rules, two_attributes_of_others_are_a_total_too)
{
	expect(SENT("gen_ai.usage.cost~=0.25"), "total_cost", "\"0.25\"");
	expect(SENT("llm.cost.total~=0.003"), "total_cost", "\"0.003\"");
	expect(SENT("llm.cost.prompt~=0.003"), "total_cost", "null");
	expect(SENT("gen_ai.usage.cost~=0.25", COST "{\"total\":1}"), "total_cost", "\"1\"");
}

Test(langfuse_rules, langfuse_prices_what_has_a_model_and_no_cost)
{
	const char *agent = "openinference.span.kind=AGENT", *model = "gen_ai.request.model=gpt-4o",
		   *text = "input.value=hello";
	expect(SENT(agent, model, text), "is_priced_by_langfuse", "true");
	expect(SENT(model, "gen_ai.usage.input_tokens:=1"), "is_priced_by_langfuse", "true");
	expect(SENT(agent, text), "is_priced_by_langfuse", "false");
	expect(SENT(agent, "model=anthropic/Claude-Opus-5", text), "is_priced_by_langfuse", "true");
	expect(SENT(agent, "model=rerank-v3.5", text), "is_priced_by_langfuse", "false");
	expect(SENT(agent, "model=rerank-v3.5", "gen_ai.usage.input_tokens:=1"),
		"is_priced_by_langfuse", "true");
	expect(SENT(agent, model), "is_priced_by_langfuse", "false");
	expect(SENT(model, text, COST "{}"), "is_priced_by_langfuse", "true");
	expect(SENT(model, text, COST "{\"total\":0}"), "is_priced_by_langfuse", "false");
}

Test(langfuse_rules, an_agents_operation_loses_model_usage_and_cost)
{
	static const char *const names[] = { "gen_ai.operation.name=invoke_agent",
		"gen_ai.operation.name=agent_step" };
	for (size_t i = 0; i < 2; i++) {
		const char *const *sent = SENT(names[i], "langfuse.observation.model.name=m",
			"langfuse.observation.usage_details={\"input\":1}", COST "{\"total\":1}");
		expect(sent, "model", "null");
		expect(sent, "usage", "{}");
		expect(sent, "total_cost", "null");
	}
}

/* ---- 2.2: traces ---- */

static json_t *row(const char *id, const char *parent, int start, const char *cost)
{
	return json_pack("{s:s, s:s, s:s?, s:i, s:s, s:n, s:s?, s:{s:i}, s:s?, s:n, s:n}",
		"trace_id", "t", "id", id, "parent_id", parent, "start_ns", start, "name", id,
		"trace_name", "session_id", start > 2 ? NULL : id, "usage", "input", 10,
		"total_cost", cost, "input", "output");
}

Test(langfuse_rules, a_trace_sums_every_row_parents_and_all)
{
	json_t *rows = json_pack("[o, o, o]", row("call", "root", 2, "0.1"),
		row("root", NULL, 1, "0.1"), row("tool", "root", 3, NULL));
	json_t *traces = langfuse_traces(rows), *trace = json_object_get(traces, "t");
	cr_expect_str_eq(json_string_value(json_object_get(trace, "total_cost")), "0.2");
	cr_expect_eq(
		json_integer_value(json_object_get(json_object_get(trace, "usage"), "input")), 30);
	cr_expect_str_eq(json_string_value(json_object_get(trace, "name")), "root");
	cr_expect_str_eq(json_string_value(json_object_get(trace, "root_id")), "root");
	/* The newest that says one. */
	cr_expect_str_eq(json_string_value(json_object_get(trace, "session_id")), "call");
	json_decref(traces);
	json_decref(rows);
}

Test(langfuse_rules, money_is_counted_in_whole_femtodollars)
{
	static const char *const texts[] = { "0", "0.000000000000001", "12.5", "-3",
		"99999999999999999999.999999999999999" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		__int128 fusd;
		cr_assert(decimal_read(texts[i], &fusd));
		json_t *back = decimal_json(fusd);
		cr_expect_str_eq(json_string_value(back), texts[i]);
		json_decref(back);
	}
	__int128 fusd;
	cr_expect_not(decimal_read("", &fusd));
	cr_expect_not(decimal_read("1x", &fusd));
	cr_expect_not(decimal_read("1e99", &fusd));
}
