/*
 * What holds for every request, not only for those that somebody thought of: over all fixtures and vectors,
 * and over thousands of mutations of them, which are the same in every run. The judges are the generated
 * protobuf code and Langfuse's rules.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "pricing/price.h"
#include "support/corpus.h"
#include "support/effort.h"
#include "support/fixture.h"
#include "support/langfuse_rules.h"

enum { MUTATIONS = EFFORT(8000), LARGEST_BYTES = 100000, ARENA_BYTES = 64 << 20 };

TestSuite(properties, .timeout = 600);

/* ---- cases ---- */

/* A request before and after. */
struct specimen {
	char name[128];
	struct bytes input, plain, langfuse; /* langfuse is plain where both are one */
	oracle_request *in, *out, *shown;    /* the same decoded; `in` without what was rejected */
	json_t *observations;                /* of `shown` */
};

/* What does not hold for it, in words; NULL when all does. */
typedef const char *property(const struct specimen *specimen);

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

static int run_enrich(struct bytes input, struct arena *arena, struct enriched *ret)
{
	struct config config = fixture_config();
	return enrich(input, &config, prices(), arena, ret);
}

/* 1 when the property does not hold; says so. */
static unsigned examine(const char *name, struct bytes input, property *holds)
{
	struct arena arena;
	struct enriched enriched;
	unsigned wrong = 0;
	arena_init(&arena, ARENA_BYTES, NULL);
	int error = run_enrich(input, &arena, &enriched);
	if (error == -EINVAL) {
		fprintf(stderr, "%s: contradicts itself\n", name);
		wrong = 1;
	}
	if (!error) {
		struct specimen specimen = { .input = input, .plain = enriched.plain };
		snprintf(specimen.name, sizeof specimen.name, "%s", name);
		specimen.langfuse = enriched.langfuse.at ? enriched.langfuse : enriched.plain;
		specimen.in = oracle_decode(input);
		specimen.out = oracle_decode(specimen.plain);
		specimen.shown = oracle_decode(specimen.langfuse);
		if (specimen.in)
			oracle_drop_rejected(specimen.in);
		if (specimen.in && specimen.out && specimen.shown) {
			json_t *verdict = langfuse_ingest(specimen.shown);
			specimen.observations = json_object_get(verdict, "observations");
			const char *why = holds(&specimen);
			if (why)
				fprintf(stderr, "%s: %s\n", name, why);
			wrong = why != NULL;
			json_decref(verdict);
		}
		oracle_free(specimen.in);
		oracle_free(specimen.out);
		oracle_free(specimen.shown);
	}
	arena_done(&arena);
	return wrong;
}

/* ---- mutations ---- */

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Every attribute of every request, to be put where it was not. */
struct pool {
	const oracle_attribute **attributes;
	const Otlp__InstrumentationScope **scopes;
	size_t attribute_count, scope_count;
};

static void fill_pool(struct pool *pool, const oracle_request *request)
{
	for (size_t r = 0; r < request->n_resource_spans; r++)
		for (size_t s = 0; s < request->resource_spans[r]->n_scope_spans; s++)
			if (request->resource_spans[r]->scope_spans[s]->scope) {
				pool->scopes = realloc(pool->scopes,
					(pool->scope_count + 1) * sizeof *pool->scopes);
				pool->scopes[pool->scope_count++] =
					request->resource_spans[r]->scope_spans[s]->scope;
			}
	for (size_t i = 0; i < oracle_span_count(request); i++) {
		const oracle_span *span = oracle_span_at(request, i);
		pool->attributes = realloc(pool->attributes,
			(pool->attribute_count + span->n_attributes) * sizeof *pool->attributes);
		for (size_t a = 0; a < span->n_attributes; a++)
			pool->attributes[pool->attribute_count++] = span->attributes[a];
	}
}

static oracle_attribute *copy_attribute(const oracle_attribute *attribute)
{
	size_t len = otlp__key_value__get_packed_size(attribute);
	uint8_t *bytes = malloc(len + 1);
	otlp__key_value__pack(attribute, bytes);
	oracle_attribute *copy = otlp__key_value__unpack(NULL, len, bytes);
	free(bytes);
	return copy;
}

static void add_attribute(oracle_span *span, const oracle_attribute *attribute)
{
	span->attributes =
		realloc(span->attributes, (span->n_attributes + 1) * sizeof(oracle_attribute *));
	span->attributes[span->n_attributes++] = copy_attribute(attribute);
}

static void remove_attribute(oracle_span *span, size_t n)
{
	otlp__key_value__free_unpacked(span->attributes[n], NULL);
	span->attributes[n] = span->attributes[--span->n_attributes];
}

static void replace_bytes(ProtobufCBinaryData *bytes, const void *from, size_t len)
{
	free(bytes->data);
	*bytes = (ProtobufCBinaryData){ len, malloc(len + 1) };
	if (len)
		memcpy(bytes->data, from, len);
}

/* Another value of any type, or none; counts above all, small and large. */
static void change_value(oracle_attribute *attribute, uint64_t *random)
{
	static const int64_t counts[] = { 0, 1, 7, 100, 272001, 1000000, -5, INT64_MAX };
	static const char *const texts[] = { "", "12", " 7 ", "x", "0.25", "[\"a\",\"b\"]",
		"{\"input\":3}", "{\"total\":1}", "LLM", "agent", "chat", "invoke_agent", "gpt-4o",
		"claude-opus-5-5", "text-embedding-3-small", "anthropic" };
	if (attribute->value)
		otlp__any_value__free_unpacked(attribute->value, NULL);
	attribute->value = NULL;
	if (draw(random) % 16 == 0)
		return;
	Otlp__AnyValue *value = attribute->value = malloc(sizeof *value);
	otlp__any_value__init(value);
	switch (draw(random) % 8) {
	case 0:
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = draw(random) % 2;
		break;
	case 1:
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = (double)(draw(random) % 1000) / 64;
		break;
	case 2:
	case 3: {
		const char *text = texts[draw(random) % (sizeof texts / sizeof *texts)];
		value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		value->string_value = (ProtobufCBinaryData){ 0 };
		replace_bytes(&value->string_value, text, strlen(text));
		break;
	}
	default:
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = draw(random) % 4 ?
			(int64_t)(draw(random) % 20000) :
			counts[draw(random) % (sizeof counts / sizeof *counts)];
	}
}

static void change_status(oracle_span *span, uint64_t *random)
{
	if (span->status) {
		span->status->code = (Otlp__StatusCode)(draw(random) % 3);
		return;
	}
	span->status = malloc(sizeof *span->status);
	otlp__status__init(span->status);
	span->status->code = OTLP__STATUS_CODE__STATUS_CODE_ERROR;
}

static void mutate_span(oracle_span *span, const struct pool *pool, uint64_t *random)
{
	static const uint8_t zeros[8];
	size_t any = span->n_attributes ? draw(random) % span->n_attributes : 0;
	const oracle_attribute *other = pool->attributes[draw(random) % pool->attribute_count];
	switch (draw(random) % (span->n_attributes ? 10 : 4)) {
	case 0:
	case 1:
	case 2:
		add_attribute(span, other);
		break;
	case 3:
		if (draw(random) % 4 == 0)
			replace_bytes(&span->parent_span_id, zeros, sizeof zeros);
		else
			change_status(span, random);
		break;
	case 4:
	case 5:
		remove_attribute(span, any);
		break;
	case 6:
		replace_bytes(&span->attributes[any]->key, other->key.data, other->key.len);
		break;
	default:
		change_value(span->attributes[any], random);
	}
}

static void mutate_scope(oracle_request *request, const struct pool *pool, uint64_t *random)
{
	for (size_t r = 0; r < request->n_resource_spans; r++)
		for (size_t s = 0; s < request->resource_spans[r]->n_scope_spans; s++) {
			Otlp__InstrumentationScope *scope =
				request->resource_spans[r]->scope_spans[s]->scope;
			const Otlp__InstrumentationScope *other =
				pool->scopes[draw(random) % pool->scope_count];
			if (!scope || draw(random) % 8)
				continue;
			replace_bytes(&scope->name, other->name.data, other->name.len);
			replace_bytes(&scope->version, other->version.data, other->version.len);
		}
}

static struct bytes mutated(struct bytes input, const struct pool *pool, uint64_t *random)
{
	oracle_request *request = oracle_decode(input);
	size_t spans = oracle_span_count(request);
	for (size_t left = 1 + draw(random) % 6; left && spans; left--)
		mutate_span(oracle_span_at(request, draw(random) % spans), pool, random);
	mutate_scope(request, pool, random);
	size_t len = otlp__export_trace_service_request__get_packed_size(request);
	uint8_t *bytes = malloc(len + 1);
	otlp__export_trace_service_request__pack(request, bytes);
	oracle_free(request);
	return (struct bytes){ bytes, len };
}

/*
 * Every request of the corpus as it is, and mutations of it. The test fails with the first twenty for which it
 * does not hold.
 */
static void check(property *holds)
{
	struct corpus corpus = corpus_of_all();
	struct bytes *inputs = calloc(corpus.count, sizeof *inputs);
	oracle_request **decoded = calloc(corpus.count, sizeof(oracle_request *));
	struct pool pool = { 0 };
	unsigned wrong = 0;
	uint64_t random = 20261117;
	for (size_t i = 0; i < corpus.count; i++) {
		inputs[i] = corpus_protobuf(&corpus.requests[i]);
		if (inputs[i].len <= LARGEST_BYTES)
			decoded[i] = oracle_decode(inputs[i]);
		if (decoded[i]) {
			wrong += examine(corpus.requests[i].name, inputs[i], holds);
			fill_pool(&pool, decoded[i]);
		}
	}
	for (size_t i = 0; i < MUTATIONS && wrong < 20; i++) {
		size_t n = draw(&random) % corpus.count;
		char name[128];
		if (!decoded[n])
			continue;
		snprintf(name, sizeof name, "%s, mutation %zu", corpus.requests[n].name, i);
		struct bytes input = mutated(inputs[n], &pool, &random);
		wrong += examine(name, input, holds);
		free((void *)input.at);
	}
	for (size_t i = 0; i < corpus.count; i++) {
		oracle_free(decoded[i]);
		free((void *)inputs[i].at);
	}
	free(pool.attributes);
	free(pool.scopes);
	free(decoded);
	free(inputs);
	corpus_free(&corpus);
	cr_assert_eq(wrong, 0, "%u requests, of which it does not hold", wrong);
}

/* ---- what is asked of a span ---- */

/* Words for a complaint about one span. */
static const char *about(const struct specimen *specimen, size_t n, const char *what)
{
	static char text[256];
	const oracle_span *span = oracle_span_at(specimen->out, n);
	snprintf(text, sizeof text, "span %zu, %.*s: %s", n, (int)span->name.len,
		(const char *)span->name.data, what);
	return text;
}

static bool has_value(const oracle_span *span, const char *key)
{
	const oracle_attribute *found = oracle_find(span, key);
	return found && found->value &&
		found->value->value_case != OTLP__ANY_VALUE__VALUE__NOT_SET &&
		(found->value->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE ||
			found->value->string_value.len);
}

static bool is_added(const struct specimen *specimen, size_t n, const char *key)
{
	return !has_value(oracle_span_at(specimen->in, n), key) &&
		has_value(oracle_span_at(specimen->out, n), key);
}

/* What kind of span a reader takes it for: OpenInference's word where it is one, else Langfuse's. */
static const char *kind_of(const oracle_span *span)
{
	static const struct {
		const char *kind, *type;
	} kinds[] = { { "LLM", "generation" }, { "EMBEDDING", "embedding" }, { "AGENT", "agent" },
		{ "CHAIN", "chain" }, { "TOOL", "tool" }, { "RETRIEVER", "retriever" },
		{ "GUARDRAIL", "guardrail" }, { "EVALUATOR", "evaluator" }, { "RERANKER", NULL },
		{ "PROMPT", NULL } };
	const char *said = oracle_text(span, "openinference.span.kind");
	const char *type = oracle_text(span, "langfuse.observation.type");
	for (size_t i = 0; said && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(said, kinds[i].kind) == 0)
			return kinds[i].kind;
	for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds && kinds[i].type; i++)
		if (strcmp(type, kinds[i].type) == 0)
			return kinds[i].kind;
	return "";
}

/* Its sender writes kind and type as no reader knows them, so that only names tell what it is. */
static bool is_unreadable(const oracle_span *span)
{
	return !*kind_of(span) && has_value(span, "langfuse.observation.type") &&
		has_value(span, "openinference.span.kind");
}

static bool is_call(const oracle_span *span)
{
	return strcmp(kind_of(span), "LLM") == 0 || strcmp(kind_of(span), "EMBEDDING") == 0;
}

/* A step of its own kind, whose figures would be its children's. */
static bool is_step(const oracle_span *span)
{
	return *kind_of(span) && !is_call(span);
}

/* The JSON object that enrichment added under this name; NULL when it did not. */
static json_t *added_object(const struct specimen *specimen, size_t n, const char *key)
{
	const char *text = oracle_text(oracle_span_at(specimen->out, n), key);
	json_t *object = text && is_added(specimen, n, key) ? json_loads(text, 0, NULL) : NULL;
	return object;
}

/* ---- the properties ---- */

static const char *only_calls_cost(const struct specimen *specimen)
{
	static const char *const figures[] = { "langfuse.observation.cost_details",
		"langfuse.observation.usage_details", "langfuse.observation.model.name",
		"llm.cost.prompt", "llm.cost.completion", "llm.cost.total",
		"llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total" };
	for (size_t i = 0; i < oracle_span_count(specimen->out); i++) {
		const oracle_span *span = oracle_span_at(specimen->out, i);
		if (is_call(span) || is_unreadable(span))
			continue;
		for (size_t f = 0; f < sizeof figures / sizeof *figures; f++)
			if (is_added(specimen, i, figures[f]))
				return about(specimen, i, figures[f]);
	}
	return NULL;
}

Test(properties, no_span_but_a_model_call_gets_model_usage_or_cost)
{
	check(only_calls_cost);
}

/* A sender that tells Langfuse itself what a step cost is believed. */
static bool is_told(const oracle_span *span)
{
	return oracle_find(span, "langfuse.observation.cost_details") ||
		oracle_find(span, "langfuse.observation.usage_details") ||
		oracle_find(span, "langfuse.observation.model.name");
}

static const char *calls_are_all_that_a_trace_costs(const struct specimen *specimen)
{
	for (size_t i = 0; i < oracle_span_count(specimen->shown); i++) {
		const json_t *row = json_array_get(specimen->observations, i);
		bool is_free = json_is_null(json_object_get(row, "total_cost"));
		if (is_added(specimen, i, "langfuse.observation.cost_details") && is_free)
			return about(specimen, i, "Langfuse does not see what the call cost");
		if (!is_step(oracle_span_at(specimen->out, i)) ||
			is_told(oracle_span_at(specimen->in, i)))
			continue;
		if (!is_free)
			return about(specimen, i, "a step has a cost in Langfuse");
		if (json_object_size(json_object_get(row, "usage")))
			return about(specimen, i, "a step has usage in Langfuse");
		if (json_is_true(json_object_get(row, "is_priced_by_langfuse")))
			return about(specimen, i, "Langfuse would price a step");
	}
	return NULL;
}

Test(properties, a_trace_costs_in_langfuse_what_its_model_calls_cost)
{
	check(calls_are_all_that_a_trace_costs);
}

static const char *first_difference(const char *copy, oracle_request *before, oracle_request *after)
{
	static char text[256];
	for (size_t i = 0; i < oracle_span_count(before) && i < oracle_span_count(after); i++) {
		const oracle_span *a = oracle_span_at(before, i), *b = oracle_span_at(after, i);
		for (size_t n = 0; n < a->n_attributes || n < b->n_attributes; n++) {
			const oracle_attribute *at =
				n < b->n_attributes ? b->attributes[n] : a->attributes[n];
			if (n < a->n_attributes && n < b->n_attributes &&
				oracle_same_attribute(a->attributes[n], at))
				continue;
			snprintf(text, sizeof text, "span %zu of %s changes again: %.*s", i, copy,
				(int)at->key.len, (const char *)at->key.data);
			return text;
		}
	}
	return "something outside of the spans' attributes changes again";
}

/* Where a copy changes when it comes in again; NULL when it stays, byte for byte. */
static const char *changes_again(struct bytes copy, bool is_langfuse)
{
	struct arena arena;
	struct enriched enriched;
	const char *why = NULL;
	arena_init(&arena, ARENA_BYTES, NULL);
	cr_assert_eq(run_enrich(copy, &arena, &enriched), 0);
	struct bytes again =
		is_langfuse && enriched.langfuse.at ? enriched.langfuse : enriched.plain;
	if (!bytes_equal(again, copy)) {
		oracle_request *before = oracle_decode(copy), *after = oracle_decode(again);
		why = first_difference(
			is_langfuse ? "Langfuse's copy" : "the plain copy", before, after);
		oracle_free(before);
		oracle_free(after);
	}
	arena_done(&arena);
	return why;
}

static const char *twice_is_once(const struct specimen *specimen)
{
	const char *why = changes_again(specimen->plain, false);
	return why ? why : changes_again(specimen->langfuse, true);
}

Test(properties, enriching_twice_is_enriching_once)
{
	check(twice_is_once);
}

static const char *nothing_is_lost(const struct specimen *specimen)
{
	const char *why;
	oracle_only_added(specimen->input, specimen->plain, &why);
	return why;
}

Test(properties, no_attribute_is_lost_or_changed_in_the_plain_copy)
{
	check(nothing_is_lost);
}

static bool has_sent_total(const oracle_span *span)
{
	static const char *const totals[] = { "llm.token_count.total", "gen_ai.usage.total_tokens",
		"llm.usage.total_tokens", "ai.usage.totalTokens", "mlflow.chat.tokenUsage",
		"ai.usage.tokens" };
	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
		if (oracle_find(span, totals[i]))
			return true;
	return false;
}

/* Over the corpus as it is a sent total has to hold too; a mutation may contradict itself. */
static const char *buckets_add_up(const struct specimen *specimen)
{
	bool is_mutation = strstr(specimen->name, "mutation") != NULL;
	const char *why = NULL;
	for (size_t i = 0; i < oracle_span_count(specimen->out) && !why; i++) {
		json_t *usage = added_object(specimen, i, "langfuse.observation.usage_details");
		json_t *units;
		const char *key;
		int64_t sum = 0;
		bool is_bounded = true;
		json_object_foreach(usage, key, units) {
			int64_t count = json_integer_value(units);
			is_bounded &= count < INT64_C(1) << 53;
			if (count < 0 || !json_is_integer(units))
				why = about(specimen, i, "a bucket is no count");
			if (is_bounded && strcmp(key, "total") != 0)
				sum += count;
		}
		json_t *total = json_object_get(usage, "total");
		if (total && is_bounded && sum != json_integer_value(total) &&
			!(is_mutation && has_sent_total(oracle_span_at(specimen->in, i))))
			why = about(specimen, i, "buckets do not add up to the total");
		json_decref(usage);
	}
	return why;
}

Test(properties, buckets_add_up_to_the_providers_total)
{
	check(buckets_add_up);
}

static const char *parts_add_up(const struct specimen *specimen)
{
	for (size_t i = 0; i < oracle_span_count(specimen->out); i++) {
		const oracle_span *span = oracle_span_at(specimen->out, i);
		const json_t *row = json_array_get(specimen->observations, i);
		const json_t *cost = json_object_get(row, "cost"), *total;
		const char *source = oracle_text(span, "tollgate.cost.source"), *key;
		__int128 sum = 0;
		json_t *part;
		if (!is_added(specimen, i, "langfuse.observation.cost_details"))
			continue;
		total = json_object_get(cost, "total");
		if (!total)
			continue; /* Langfuse does not see it; asked above */
		json_object_foreach((json_t *)cost, key, part) {
			if (decimal_at(cost, key) < 0)
				return about(specimen, i, "a part of the cost is negative");
			if (strcmp(key, "total") != 0)
				sum += decimal_at(cost, key);
		}
		bool is_ours = !source || strcmp(source, "sender") != 0;
		if (is_ours && json_object_size(cost) > 1 && sum != decimal_at(cost, "total"))
			return about(specimen, i, "parts of the cost do not add up to its total");
	}
	return NULL;
}

Test(properties, parts_of_a_cost_add_up_to_the_femtodollar)
{
	check(parts_add_up);
}

static const char *nothing_is_negative(const struct specimen *specimen)
{
	static const char *const counts[] = { "llm.token_count.prompt",
		"llm.token_count.completion", "llm.token_count.total",
		"llm.token_count.prompt_details.cache_read",
		"llm.token_count.prompt_details.cache_write",
		"llm.token_count.completion_details.reasoning", "gen_ai.usage.input_tokens",
		"gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
		"gen_ai.usage.cache_creation.input_tokens",
		"gen_ai.usage.reasoning.output_tokens" };
	static const char *const costs[] = { "llm.cost.prompt", "llm.cost.completion",
		"llm.cost.total" };
	for (size_t i = 0; i < oracle_span_count(specimen->out); i++) {
		const oracle_span *span = oracle_span_at(specimen->out, i);
		for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
			if (is_added(specimen, i, counts[c]) &&
				oracle_find(span, counts[c])->value->int_value < 0)
				return about(specimen, i, counts[c]);
		for (size_t c = 0; c < sizeof costs / sizeof *costs; c++)
			if (is_added(specimen, i, costs[c]) &&
				!(oracle_find(span, costs[c])->value->double_value >= 0))
				return about(specimen, i, costs[c]);
	}
	return NULL;
}

Test(properties, nothing_that_is_counted_or_paid_is_negative)
{
	check(nothing_is_negative);
}

static const char *langfuse_takes_it(const struct specimen *specimen)
{
	size_t i;
	json_t *observation;
	json_t *verdict = langfuse_ingest(specimen->shown);
	const char *why = json_string_value(json_object_get(verdict, "why"));
	static char text[256];
	if (why)
		why = strcpy(text, why);
	json_decref(verdict);
	json_array_foreach(specimen->observations, i, observation) {
		const char *parent = json_string_value(json_object_get(observation, "parent_id"));
		const char *dropped = json_string_value(json_object_get(observation, "dropped"));
		if (dropped)
			why = about(specimen, i, dropped);
		if (parent && strspn(parent, "0") == strlen(parent))
			why = about(specimen, i, "its parent is none");
	}
	return why;
}

Test(properties, langfuse_never_gets_what_it_would_lose)
{
	check(langfuse_takes_it);
}
