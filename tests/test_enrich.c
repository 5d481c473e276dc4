/*
 * The wire walk against the vectors of every vocabulary, with the generated protobuf code as judge.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/counters.h"
#include "enrich/enrich.h"
#include "otlp/writer.h"
#include "pricing/price.h"
#include "support/fixture.h"
#include "support/oracle.h"

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

struct run {
	struct arena arena;
	struct enriched enriched;
	int error;
};

static struct run run(struct bytes request, const struct config *config)
{
	struct run run;
	arena_init(&run.arena, 64 << 20, NULL);
	run.error = enrich(request, config, prices(), &run.arena, &run.enriched);
	return run;
}

/* One attribute against {"type", "value"} of a vector. */
static const char *mismatch(const oracle_attribute *attribute, const json_t *expected)
{
	const char *type = json_string_value(json_object_get(expected, "type"));
	const json_t *wanted = json_object_get(expected, "value");
	if (!attribute || !attribute->value)
		return "is missing";
	const Otlp__AnyValue *value = attribute->value;
	if (strcmp(type, "int") == 0)
		return value->value_case == OTLP__ANY_VALUE__VALUE_INT_VALUE &&
				value->int_value == strtoll(json_string_value(wanted), NULL, 10) ?
			NULL :
			"is another int";
	if (strcmp(type, "double") == 0)
		return value->value_case == OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE &&
				fabs(value->double_value - json_number_value(wanted)) < 1e-12 ?
			NULL :
			"is another double";
	if (strcmp(type, "stringArray") == 0) {
		if (value->value_case != OTLP__ANY_VALUE__VALUE_ARRAY_VALUE ||
			value->array_value->n_values != json_array_size(wanted))
			return "is another list";
		for (size_t i = 0; i < json_array_size(wanted); i++) {
			const json_t *item = json_array_get(wanted, i);
			const Otlp__AnyValue *got = value->array_value->values[i];
			if (got->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE ||
				got->string_value.len != json_string_length(item) ||
				memcmp(got->string_value.data, json_string_value(item),
					got->string_value.len))
				return "has another item";
		}
		return NULL;
	}
	if (value->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE)
		return "is no string";
	if (strcmp(type, "json") == 0 && !json_is_string(wanted)) {
		json_t *got = json_loadb((const char *)value->string_value.data,
			value->string_value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		bool same = got && json_equal(got, wanted);
		json_decref(got);
		return same ? NULL : "is other JSON";
	}
	return value->string_value.len == json_string_length(wanted) &&
			memcmp(value->string_value.data, json_string_value(wanted),
				value->string_value.len) == 0 ?
		NULL :
		"is another text";
}

static int check_span(const char *id, const oracle_span *span, const json_t *expected)
{
	int wrong = 0;
	const char *key;
	json_t *value;
	size_t i;
	json_object_foreach(json_object_get(expected, "must"), key, value) {
		const char *why = mismatch(oracle_find(span, key), value);
		if (why) {
			const char *text = oracle_text(span, key);
			fprintf(stderr, "%s: %s: %s %s (%s)\n", id,
				json_string_value(json_object_get(expected, "name")), key, why,
				text ? text : "");
			wrong++;
		}
	}
	json_array_foreach(json_object_get(expected, "absent"), i, value) {
		if (oracle_find(span, json_string_value(value))) {
			fprintf(stderr, "%s: %s must be absent\n", id, json_string_value(value));
			wrong++;
		}
	}
	return wrong;
}

/* Spans 1 to 4 of 33-missing-ids are refused; expectations are numbered as sent. */
static int check_spans(
	const char *id, const json_t *expected, const oracle_request *out, size_t rejected)
{
	int wrong = 0;
	size_t i, at = 0;
	json_t *span;
	json_array_foreach(json_object_get(expected, "spans"), i, span) {
		if (rejected && i >= 1 && i <= rejected)
			continue;
		const oracle_span *got = oracle_span_at(out, at++);
		if (!got)
			wrong++;
		else
			wrong += check_span(id, got, span);
	}
	return wrong;
}

static const char *const vectors[] = {
	"01-no-attributes",
	"02-openinference-llm",
	"03-genai-chat-latest",
	"04-genai-chat-old",
	"05-genai-structured-messages",
	"06-genai-execute-tool",
	"08-genai-embeddings",
	"09-genai-retrieval",
	"10-genai-message-events",
	"12-traceloop-legacy-chat",
	"14-vercel-legacy",
	"15-vercel-v7-genai",
	"17-pydantic-ai",
	"19-litellm",
	"21-claude-code",
	"22-claude-code-error",
	"24-mcp",
	"25-unknown-kind",
	"27-string-numbers",
	"28-huge-ints",
	"30-empty-values",
	"31-kvlist-bytes",
	"32-deep-nesting",
	"33-missing-ids",
	"34-zero-times",
	"35-error-status",
	"36-full-message",
	"38-unicode",
	"39-provider-map",
	"40-empty-request",
	"42-explicit-langfuse",
	"43-strindex",
	"45-codex-internal",
	"47-tags-forms",
};

static int check_vector(const char *id)
{
	char path[128];
	snprintf(path, sizeof path, "otlp/valid/%s.pb", id);
	struct bytes input = fixture(path);
	snprintf(path, sizeof path, "otlp/valid/%s.expected.json", id);
	struct bytes text = fixture(path);
	json_t *expected = json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL, NULL);
	cr_assert_not_null(expected);

	struct config config = fixture_config();
	config.content.flatten_messages = true;
	struct run r = run(input, &config);
	cr_assert_eq(r.error, 0, "%s: %d", id, r.error);
	const json_t *partial =
		json_object_get(json_object_get(expected, "http"), "partialSuccess");
	size_t rejected = (size_t)json_integer_value(json_object_get(partial, "rejectedSpans"));
	cr_expect_eq(r.enriched.rejected_count, rejected, "%s", id);

	const char *why;
	int wrong = 0;
	if (!oracle_only_added(input, r.enriched.plain, &why)) {
		fprintf(stderr, "%s: %s\n", id, why);
		wrong++;
	}
	oracle_request *out = oracle_decode(r.enriched.plain);
	cr_assert_not_null(out);
	wrong += check_spans(id, expected, out, rejected);
	oracle_free(out);
	arena_done(&r.arena);
	json_decref(expected);
	free((void *)text.at);
	free((void *)input.at);
	return wrong;
}

Test(enrich, the_vectors_of_every_vocabulary_hold)
{
	int wrong = 0;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		wrong += check_vector(vectors[i]);
	cr_assert_eq(wrong, 0, "%d expectations do not hold", wrong);
}

Test(enrich, malformed_requests_get_their_verdict)
{
	struct bytes text = fixture("otlp/raw-pb/MANIFEST.json");
	json_t *manifest = json_loadb((const char *)text.at, text.len, 0, NULL), *item;
	size_t i;
	cr_assert(json_array_size(manifest) > 25);
	json_array_foreach(manifest, i, item) {
		char path[128];
		const char *id = json_string_value(json_object_get(item, "id"));
		const char *verdict = json_string_value(json_object_get(item, "verdict"));
		snprintf(path, sizeof path, "otlp/raw-pb/%s.pb", id);
		struct bytes input = fixture(path);
		struct config config = fixture_config();
		struct run r = run(input, &config);
		if (strcmp(verdict, "reject") == 0) {
			cr_expect_eq(r.error, -EBADMSG, "%s: %d", id, r.error);
		} else {
			const char *why;
			cr_expect_eq(r.error, 0, "%s: %d", id, r.error);
			cr_expect(oracle_only_added(input, r.enriched.plain, &why), "%s: %s", id,
				why);
			bool rejects = strcmp(verdict, "accept-span-rejected") == 0;
			cr_expect_eq(r.enriched.rejected_count > 0, rejects, "%s", id);
		}
		arena_done(&r.arena);
		free((void *)input.at);
	}
	json_decref(manifest);
	free((void *)text.at);
}

Test(enrich, logs_at_the_wrong_path_are_recognised)
{
	struct bytes input = fixture("otlp/raw-pb/p33-logs-as-traces.pb");
	struct config config = fixture_config();
	struct run r = run(input, &config);
	cr_assert_eq(r.error, 0);
	cr_expect(r.enriched.looks_like_logs);
	cr_expect_eq(r.enriched.span_count, 0);
	arena_done(&r.arena);
	free((void *)input.at);
}

Test(enrich, more_spans_than_allowed_are_too_much)
{
	struct bytes input = fixture("otlp/raw-pb/p29-many-empty-spans.pb");
	struct config config = fixture_config();
	config.limits.max_spans = 99999;
	struct run r = run(input, &config);
	cr_expect_eq(r.error, -E2BIG);
	arena_done(&r.arena);
	free((void *)input.at);
}

Test(enrich, a_nesting_limit_is_kept)
{
	struct bytes input = fixture("otlp/valid/32-deep-nesting.pb");
	struct config config = fixture_config();
	config.limits.max_depth = 80;
	struct run r = run(input, &config);
	cr_expect_eq(r.error, -EBADMSG);
	arena_done(&r.arena);
	free((void *)input.at);
}

Test(enrich, an_exhausted_arena_is_an_error_and_nothing_else)
{
	struct bytes input = fixture("otlp/valid/03-genai-chat-latest.pb");
	struct config config = fixture_config();
	struct arena arena;
	struct enriched enriched;
	arena_init(&arena, 1024, NULL);
	cr_expect_eq(enrich(input, &config, prices(), &arena, &enriched), -E2BIG);
	arena_done(&arena);

	struct budget budget = { .limit_bytes = 1024 };
	arena_init(&arena, 1 << 20, &budget);
	cr_expect_eq(enrich(input, &config, prices(), &arena, &enriched), -ENOMEM);
	arena_done(&arena);
	cr_expect_eq(budget.used_bytes, 0);
	free((void *)input.at);
}

/* A request with one span, put together by hand. */
struct builder {
	uint8_t span[4096], request[8192];
	size_t span_len;
};

static void put_field(struct builder *b, unsigned field, const void *at, size_t len)
{
	uint8_t *to = varint_put(b->span + b->span_len, field << 3 | WIRE_BYTES);
	to = varint_put(to, len);
	if (len)
		memcpy(to, at, len);
	b->span_len = (size_t)(to + len - b->span);
}

static void put_time(struct builder *b, unsigned field, uint64_t ns)
{
	b->span[b->span_len++] = (uint8_t)(field << 3 | WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		b->span[b->span_len++] = (uint8_t)(ns >> 8 * i);
}

static void begin_span(struct builder *b, const char *name)
{
	b->span_len = 0;
	put_field(b, 1, "0123456789abcdef", 16);
	put_field(b, 2, "01234567", 8);
	put_field(b, 5, name, strlen(name));
	put_time(b, 7, UINT64_C(1794873600000000000)); /* 2026-11-17 */
	put_time(b, 8, UINT64_C(1794873601000000000));
}

static void put_written(struct builder *b, struct bytes field)
{
	memcpy(b->span + b->span_len, field.at, field.len);
	b->span_len += field.len;
}

static void put_text(struct builder *b, const char *key, const char *text)
{
	struct arena arena;
	arena_init(&arena, 1 << 20, NULL);
	struct writer writer = { .arena = &arena };
	put_written(b, write_string(&writer, SPAN_ATTRIBUTES, bytes_of(key), bytes_of(text)));
	arena_done(&arena);
}

static void put_int(struct builder *b, const char *key, int64_t integer)
{
	struct arena arena;
	arena_init(&arena, 1 << 20, NULL);
	struct writer writer = { .arena = &arena };
	put_written(b, write_int(&writer, SPAN_ATTRIBUTES, bytes_of(key), integer));
	arena_done(&arena);
}

static struct bytes finish(struct builder *b)
{
	size_t scope = 1 + varint_size(b->span_len) + b->span_len;
	size_t resource = 1 + varint_size(scope) + scope;
	uint8_t *to = b->request;
	*to++ = 1 << 3 | WIRE_BYTES;
	to = varint_put(to, resource);
	*to++ = 2 << 3 | WIRE_BYTES;
	to = varint_put(to, scope);
	*to++ = 2 << 3 | WIRE_BYTES;
	to = varint_put(to, b->span_len);
	memcpy(to, b->span, b->span_len);
	return (struct bytes){ b->request, (size_t)(to + b->span_len - b->request) };
}

/* Enriches what the builder holds; the caller frees both. */
static oracle_request *enriched_request(
	struct builder *b, const struct config *config, struct run *r)
{
	*r = run(finish(b), config);
	cr_assert_eq(r->error, 0);
	oracle_request *out = oracle_decode(r->enriched.plain);
	cr_assert_not_null(out);
	return out;
}

static void expect_text(struct builder *b, const char *key, const char *wanted)
{
	struct config config = fixture_config();
	struct run r;
	oracle_request *out = enriched_request(b, &config, &r);
	const char *text = oracle_text(oracle_span_at(out, 0), key);
	if (wanted)
		cr_expect_str_eq(text ? text : "(absent)", wanted, "%s", key);
	else
		cr_expect_null(oracle_find(oracle_span_at(out, 0), key), "%s is %s", key,
			text ? text : "there");
	oracle_free(out);
	arena_done(&r.arena);
}

static void begin_claude_call(struct builder *b, const char *model)
{
	begin_span(b, "claude_code.llm_request");
	put_text(b, "model", model);
	put_int(b, "input_tokens", 12);
	put_int(b, "output_tokens", 14);
	put_int(b, "cache_read_tokens", 8192);
	put_int(b, "cache_creation_tokens", 2048);
}

Test(enrich, a_claude_call_costs_what_the_table_says_to_the_last_digit)
{
	struct builder b;
	begin_claude_call(&b, "claude-opus-5-5");
	expect_text(&b, "langfuse.observation.usage_details",
		"{\"input\":12,\"output\":14,\"input_cached_tokens\":8192,\"input_cache_creation\":2048,\"total\":10266}");
	/* 12 × 4, 14 × 20, 8192 × 0.2 and 2048 × 5 dollars per million */
	expect_text(&b, "langfuse.observation.cost_details",
		"{\"input\":0.000048,\"output\":0.00028,\"input_cached_tokens\":0.0016384,"
		"\"input_cache_creation\":0.01024,\"total\":0.0122064}");
	expect_text(&b, "tollgate.cost.status", "lower_bound");
}

Test(enrich, fast_mode_has_its_own_price)
{
	struct builder b;
	begin_span(&b, "claude_code.llm_request");
	put_text(&b, "model", "claude-opus-5-5");
	put_text(&b, "speed", "fast");
	put_int(&b, "input_tokens", 1000);
	put_int(&b, "output_tokens", 0);
	expect_text(&b, "langfuse.observation.cost_details", "{\"input\":0.008,\"total\":0.008}");
}

Test(enrich, an_unknown_model_costs_nothing_that_we_say_and_is_named)
{
	struct builder b;
	begin_claude_call(&b, "claude-nobody-knows");
	uint64_t before = counter_read(COUNTER_SPANS_UNKNOWN_MODEL);
	expect_text(&b, "langfuse.observation.cost_details", NULL);
	expect_text(&b, "llm.cost.total", NULL);
	expect_text(&b, "tollgate.cost.status", "unknown_model");
	cr_expect_eq(counter_read(COUNTER_SPANS_UNKNOWN_MODEL), before + 3);
}

Test(enrich, the_senders_cost_stands_where_our_table_knows_none)
{
	struct builder b;
	begin_span(&b, "chat");
	put_text(&b, "gen_ai.operation.name", "chat");
	put_text(&b, "gen_ai.request.model", "nobody-knows");
	put_int(&b, "gen_ai.usage.input_tokens", 5);
	put_text(&b, "gen_ai.usage.cost", "0.25");
	expect_text(&b, "langfuse.observation.cost_details", "{\"total\":0.25}");
	expect_text(&b, "tollgate.cost.source", "sender");
}

Test(enrich, a_cost_that_was_sent_for_langfuse_stays)
{
	struct builder b;
	begin_claude_call(&b, "claude-opus-5-5");
	put_text(&b, "langfuse.observation.cost_details", "{\"total\":7}");
	expect_text(&b, "langfuse.observation.cost_details", "{\"total\":7}");
	expect_text(&b, "llm.cost.total", NULL);
}

Test(enrich, a_failed_call_without_usage_costs_zero_so_that_its_text_is_not_priced)
{
	struct builder b;
	begin_span(&b, "claude_code.llm_request");
	put_text(&b, "model", "claude-opus-5-5");
	put_text(&b, "success", "false");
	put_text(&b, "error", "overloaded");
	expect_text(&b, "langfuse.observation.cost_details", "{\"total\":0}");
	expect_text(&b, "langfuse.observation.level", "ERROR");
	expect_text(&b, "langfuse.observation.status_message", "overloaded");
	expect_text(&b, "langfuse.observation.usage_details", NULL);
}

Test(enrich, only_model_calls_get_tokens_and_cost)
{
	struct builder b;
	begin_span(&b, "invoke_agent");
	put_text(&b, "gen_ai.operation.name", "invoke_agent");
	put_text(&b, "gen_ai.request.model", "gpt-4o");
	put_int(&b, "gen_ai.usage.input_tokens", 1000);
	put_int(&b, "gen_ai.usage.output_tokens", 1000);
	expect_text(&b, "langfuse.observation.usage_details", NULL);
	expect_text(&b, "langfuse.observation.cost_details", NULL);
	expect_text(&b, "langfuse.observation.model.name", NULL);
	expect_text(&b, "openinference.span.kind", "AGENT");
}

Test(enrich, the_first_token_time_is_iso_with_milliseconds)
{
	struct builder b;
	begin_claude_call(&b, "claude-opus-5-5");
	put_int(&b, "ttft_ms", 1234);
	expect_text(&b, "langfuse.observation.completion_start_time", "2026-11-17T00:00:01.234Z");
}

Test(enrich, a_kind_in_other_letter_case_is_put_right_in_place)
{
	struct builder b;
	begin_span(&b, "x");
	put_text(&b, "openinference.span.kind", "llm");
	expect_text(&b, "openinference.span.kind", "LLM");
	expect_text(&b, "langfuse.observation.type", "generation");
}

Test(enrich, configured_identity_fills_gaps_alone)
{
	char *tags[] = { "a", "b" };
	struct config config = fixture_config();
	config.identity.user_id = "me";
	config.identity.tags = tags;
	config.identity.tag_count = 2;
	config.identity.environment = "prod";
	config.identity.release = "r1";

	struct builder b;
	struct run r;
	begin_span(&b, "GET /");
	oracle_request *out = enriched_request(&b, &config, &r);
	const oracle_span *span = oracle_span_at(out, 0);
	cr_expect_str_eq(oracle_text(span, "user.id"), "me");
	cr_expect_str_eq(oracle_text(span, "langfuse.user.id"), "me");
	cr_expect_str_eq(oracle_text(span, "langfuse.environment"), "prod");
	cr_expect_str_eq(oracle_text(span, "langfuse.release"), "r1");
	cr_assert_not_null(oracle_find(span, "langfuse.trace.tags"));
	cr_expect_eq(oracle_find(span, "langfuse.trace.tags")->value->array_value->n_values, 2);
	oracle_free(out);
	arena_done(&r.arena);

	begin_span(&b, "GET /");
	put_text(&b, "user.id", "they");
	put_text(&b, "deployment.environment.name", "test");
	out = enriched_request(&b, &config, &r);
	span = oracle_span_at(out, 0);
	cr_expect_str_eq(oracle_text(span, "langfuse.user.id"), "they");
	cr_expect_null(oracle_find(span, "langfuse.environment"));
	oracle_free(out);
	arena_done(&r.arena);
}

/* KeyValue { key } — no value at all — as a field of the span. */
static void put_valueless(struct builder *b, const char *key)
{
	uint8_t key_value[64], *to = varint_put(key_value, 1 << 3 | WIRE_BYTES);
	to = varint_put(to, strlen(key));
	memcpy(to, key, strlen(key));
	put_field(b, SPAN_ATTRIBUTES, key_value, (size_t)(to + strlen(key) - key_value));
}

Test(enrich, what_langfuse_would_lose_is_repaired_in_its_copy_alone)
{
	static const uint8_t zero[8];
	struct builder b;
	begin_span(&b, "x");
	put_valueless(&b, "nothing");
	put_text(&b, "something", "here");
	put_field(&b, 4, zero, sizeof zero);
	struct bytes input = finish(&b);
	struct config config = fixture_config();
	struct run r = run(input, &config);
	cr_assert_eq(r.error, 0);

	cr_expect(bytes_equal(r.enriched.plain, input), "the plain copy is the input");
	cr_assert_not_null(r.enriched.langfuse.at);
	oracle_request *out = oracle_decode(r.enriched.langfuse);
	cr_assert_not_null(out);
	const oracle_span *span = oracle_span_at(out, 0);
	cr_expect_null(oracle_find(span, "nothing"));
	cr_expect_str_eq(oracle_text(span, "something"), "here");
	cr_expect_eq(span->parent_span_id.len, 0);
	oracle_free(out);
	arena_done(&r.arena);
}

Test(enrich, a_valueless_target_that_gets_a_value_needs_no_repair)
{
	struct builder b;
	begin_span(&b, "x");
	put_valueless(&b, "session.id");
	put_text(&b, "gen_ai.conversation.id", "s");
	struct bytes input = finish(&b);
	struct config config = fixture_config();
	struct run r = run(input, &config);
	cr_expect_null(r.enriched.langfuse.at);
	oracle_request *out = oracle_decode(r.enriched.plain);
	cr_expect_str_eq(oracle_text(oracle_span_at(out, 0), "session.id"), "s");
	oracle_free(out);
	arena_done(&r.arena);
}

/* An AnyValue with a member of another kind than this version knows, under the name of a target. */
Test(enrich, a_value_of_an_unknown_kind_is_neither_read_nor_replaced)
{
	static const uint8_t key_value[] = { 1 << 3 | WIRE_BYTES, 10, 's', 'e', 's', 's', 'i', 'o',
		'n', '.', 'i', 'd', 2 << 3 | WIRE_BYTES, 3, 12 << 3 | WIRE_BYTES, 1, 'x' };
	struct builder b;
	begin_span(&b, "x");
	put_text(&b, "gen_ai.conversation.id", "s");
	put_field(&b, SPAN_ATTRIBUTES, key_value, sizeof key_value);
	struct bytes input = finish(&b);
	struct config config = fixture_config();
	struct run r = run(input, &config);
	cr_assert_eq(r.error, 0);
	const char *why;
	cr_expect(oracle_only_added(input, r.enriched.plain, &why), "%s", why);
	oracle_request *out = oracle_decode(r.enriched.plain);
	const oracle_attribute *kept = oracle_find(oracle_span_at(out, 0), "session.id");
	cr_assert_not_null(kept);
	cr_expect_eq(kept->value->base.n_unknown_fields, 1);
	cr_expect_str_eq(oracle_text(oracle_span_at(out, 0), "langfuse.session.id"), "s");
	oracle_free(out);
	arena_done(&r.arena);
}

Test(enrich, a_valueless_attribute_of_an_event_is_repaired_too)
{
	uint8_t event[64], *to = event;
	struct builder b;
	begin_span(&b, "x");
	*to++ = 2 << 3 | WIRE_BYTES, *to++ = 1, *to++ = 'e';
	*to++ = 3 << 3 | WIRE_BYTES, *to++ = 3, *to++ = 1 << 3 | WIRE_BYTES, *to++ = 1, *to++ = 'k';
	put_field(&b, 11, event, (size_t)(to - event));
	struct config config = fixture_config();
	struct run r = run(finish(&b), &config);
	cr_assert_not_null(r.enriched.langfuse.at);
	oracle_request *out = oracle_decode(r.enriched.langfuse);
	cr_assert_eq(oracle_span_at(out, 0)->n_events, 1);
	cr_expect_eq(oracle_span_at(out, 0)->events[0]->n_attributes, 0);
	oracle_free(out);
	arena_done(&r.arena);
}

/* Events before attributes, each with something to repair: edits come in another order than the bytes. */
Test(enrich, fields_in_an_unusual_order_cost_no_more_than_others, .timeout = 20)
{
	enum { EACH = 20000 };
	static uint8_t span[EACH * 16 + 256], request[EACH * 16 + 512];
	static const uint8_t event[] = { 11 << 3 | WIRE_BYTES, 5, 3 << 3 | WIRE_BYTES, 3,
		1 << 3 | WIRE_BYTES, 1, 'k' };
	static const uint8_t valueless[] = { 9 << 3 | WIRE_BYTES, 3, 1 << 3 | WIRE_BYTES, 1, 'k' };
	struct builder b;
	begin_span(&b, "x");
	size_t len = b.span_len;
	memcpy(span, b.span, len);
	for (int i = 0; i < EACH; i++, len += sizeof event)
		memcpy(span + len, event, sizeof event);
	for (int i = 0; i < EACH; i++, len += sizeof valueless)
		memcpy(span + len, valueless, sizeof valueless);
	size_t scope = 1 + varint_size(len) + len, resource = 1 + varint_size(scope) + scope;
	uint8_t *to = request;
	*to++ = 1 << 3 | WIRE_BYTES;
	to = varint_put(to, resource);
	*to++ = 2 << 3 | WIRE_BYTES;
	to = varint_put(to, scope);
	*to++ = 2 << 3 | WIRE_BYTES;
	to = varint_put(to, len);
	memcpy(to, span, len);

	struct config config = fixture_config();
	struct run r = run((struct bytes){ request, (size_t)(to + len - request) }, &config);
	cr_assert_eq(r.error, 0);
	oracle_request *out = oracle_decode(r.enriched.langfuse);
	cr_assert_not_null(out);
	cr_expect_eq(oracle_span_at(out, 0)->n_attributes, 0);
	cr_assert_eq(oracle_span_at(out, 0)->n_events, EACH);
	for (int i = 0; i < EACH; i++)
		cr_assert_eq(oracle_span_at(out, 0)->events[i]->n_attributes, 0);
	oracle_free(out);
	arena_done(&r.arena);
}

Test(enrich, lists_of_pairs_and_bytes_are_text_in_langfuses_copy)
{
	struct bytes input = fixture("otlp/valid/31-kvlist-bytes.pb");
	struct config config = fixture_config();
	struct run r = run(input, &config);
	cr_assert_not_null(r.enriched.langfuse.at);
	oracle_request *out = oracle_decode(r.enriched.langfuse);
	const char *arguments = oracle_text(oracle_span_at(out, 0), "gen_ai.tool.call.arguments");
	cr_assert_not_null(arguments);
	cr_expect_str_eq(arguments,
		"{\"path\":\"/a\",\"n\":3,\"deep\":{\"on\":true,\"l\":[1,1.5,\"x\"]},\"bin\":\"AMO/\"}");
	oracle_free(out);
	arena_done(&r.arena);
	free((void *)input.at);
}

Test(enrich, a_captured_session_is_priced_call_by_call)
{
	struct bytes input = fixture("captures/claude/b-tool/0003-traces.pb");
	struct config config = fixture_config();
	struct run r = run(input, &config);
	const char *why;
	cr_assert_eq(r.error, 0);
	cr_expect(oracle_only_added(input, r.enriched.plain, &why), "%s", why);
	oracle_request *out = oracle_decode(r.enriched.plain);
	size_t calls = 0;
	for (size_t i = 0; i < oracle_span_count(out); i++) {
		const oracle_span *span = oracle_span_at(out, i);
		const char *kind = oracle_text(span, "openinference.span.kind");
		cr_expect_not_null(kind);
		cr_expect_not_null(oracle_text(span, "langfuse.session.id"));
		bool is_call = kind && strcmp(kind, "LLM") == 0;
		calls += is_call;
		cr_expect_eq(
			oracle_find(span, "langfuse.observation.cost_details") != NULL, is_call);
		cr_expect_eq(
			oracle_find(span, "langfuse.observation.usage_details") != NULL, is_call);
	}
	cr_expect_eq(calls, 2);
	oracle_free(out);
	arena_done(&r.arena);
	free((void *)input.at);
}
