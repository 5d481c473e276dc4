/*
 * Whatever instrumented a span, Langfuse shows its type, session, user, model, tokens and cost correctly,
 * once: one trace for each vocabulary goes through the daemon, and a judge with Langfuse's own rules looks
 * at what it would have received. Beside each trace lies what it must see: columns by span and by trace, true
 * for anything that is not empty, costs worked out by hand with their arithmetic.
 */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/corpus.h"
#include "support/fixture.h"
#include "support/langfuse_rules.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
	story.is_sessions_off = true; /* what the door makes of a span */
}

static void end(void)
{
	story_end(&story);
}

TestSuite(vocabularies, .init = begin, .fini = end, .timeout = 300);

static struct story_answer post(const struct corpus_request *request)
{
	return story_send(&story, "/v1/traces",
		request->is_json ? "application/json" : "application/x-protobuf", NULL,
		request->body);
}

/* Adds what Langfuse makes of one request that it received; the test fails when it would not take it. */
static void judge(const struct fake_request *received, json_t *observations, const char *name)
{
	size_t i;
	json_t *observation;
	oracle_request *request = oracle_decode(received->body);
	cr_assert_not_null(request, "%s", name);
	json_t *verdict = langfuse_ingest(request);
	const char *fate = json_string_value(json_object_get(verdict, "fate"));
	const char *why = json_string_value(json_object_get(verdict, "why"));
	cr_expect_str_eq(fate, "taken", "%s: %s, %s", name, fate, why ? why : "");
	json_array_foreach(json_object_get(verdict, "observations"), i, observation) {
		const char *dropped = json_string_value(json_object_get(observation, "dropped"));
		const char *parent = json_string_value(json_object_get(observation, "parent_id"));
		const char *span = json_string_value(json_object_get(observation, "name"));
		cr_expect_null(dropped, "%s: %s is dropped: %s", name, span, dropped);
		cr_expect(!parent || strspn(parent, "0") != strlen(parent),
			"%s: %s has a parent that is none", name, span);
	}
	json_array_extend(observations, json_object_get(verdict, "observations"));
	json_decref(verdict);
	oracle_free(request);
}

/* Sends one request and returns all that Langfuse sees of it. */
static json_t *observed(const struct corpus_request *request, size_t spans)
{
	json_t *observations = json_array();
	size_t seen = fake_destination_request_count(story.langfuse);
	cr_assert_eq(post(request).status, 200, "%s", request->name);
	while (json_array_size(observations) < spans) {
		cr_assert(
			fake_destination_wait_requests(story.langfuse, seen + 1, STORY_PATIENCE_MS),
			"%s", request->name);
		judge(fake_destination_request(story.langfuse, seen++), observations,
			request->name);
	}
	return observations;
}

/* ---- expectations ---- */

static json_t *without_zeros(const json_t *counts)
{
	json_t *left = json_object(), *count;
	const char *key;
	json_object_foreach((json_t *)counts, key, count)
		if (json_integer_value(count))
			json_object_set(left, key, count);
	return left;
}

/* A bucket of none is as good as no bucket. */
static bool same_counts(const json_t *got, const json_t *wanted)
{
	json_t *left = without_zeros(got), *right = without_zeros(wanted);
	bool is_same = json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return is_same;
}

/* `true` stands for anything that is not empty; all else has to be equal. */
static bool matches(const json_t *got, const json_t *wanted)
{
	json_t *any = json_object_iter_value(json_object_iter((json_t *)wanted));
	if (json_is_integer(any))
		return same_counts(got, wanted);
	if (json_is_true(wanted) && !json_is_boolean(got))
		return json_is_string(got) && json_string_length(got) > 0;
	return json_equal(got, wanted);
}

static unsigned compare(
	const char *name, const char *what, const json_t *got, const json_t *expected)
{
	unsigned wrong = 0;
	const char *column;
	json_t *wanted;
	json_object_foreach((json_t *)expected, column, wanted) {
		if (strcmp(column, "of") == 0 || strcmp(column, "arithmetic") == 0 ||
			matches(json_object_get(got, column), wanted))
			continue;
		char *is = json_dumps(json_object_get(got, column), JSON_ENCODE_ANY | JSON_COMPACT);
		char *should = json_dumps(wanted, JSON_ENCODE_ANY | JSON_COMPACT);
		fprintf(stderr, "%s: %s: %s is %.200s and should be %s\n", name, what, column,
			is ? is : "missing", should);
		free(is);
		free(should);
		wrong++;
	}
	return wrong;
}

static json_t *by_id(const json_t *observations)
{
	json_t *object = json_object(), *observation;
	size_t i;
	json_array_foreach((json_t *)observations, i, observation)
		json_object_set(
			object, json_string_value(json_object_get(observation, "id")), observation);
	return object;
}

static json_t *expectation(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%.*s.expected.json", (int)(strlen(name) - strlen(".json")),
		name);
	struct bytes text = fixture(path);
	json_t *expected = json_loadb((const char *)text.at, text.len, 0, NULL);
	cr_assert_not_null(expected, "%s", path);
	free((void *)text.at);
	return expected;
}

static unsigned check(const struct corpus_request *request)
{
	unsigned wrong = 0;
	const char *id;
	json_t *wanted, *expected = expectation(request->name);
	json_t *spans = json_object_get(expected, "observations");
	json_t *observations = observed(request, json_object_size(spans));
	json_t *got = by_id(observations), *traces = langfuse_traces(observations);
	cr_expect_eq(json_object_size(got), json_object_size(spans), "%s", request->name);
	json_object_foreach(spans, id, wanted) {
		char what[128];
		snprintf(what, sizeof what, "%s %s",
			json_string_value(json_object_get(wanted, "of")), id);
		wrong += compare(request->name, what, json_object_get(got, id), wanted);
	}
	json_object_foreach(json_object_get(expected, "traces"), id, wanted)
		wrong += compare(request->name, "trace", json_object_get(traces, id), wanted);
	json_decref(traces);
	json_decref(got);
	json_decref(observations);
	json_decref(expected);
	return wrong;
}

static unsigned check_all(bool is_json)
{
	unsigned wrong = 0;
	struct corpus corpus = corpus_of_vocabularies();
	story_start(&story, NULL);
	for (size_t i = 0; i < corpus.count; i++) {
		struct corpus_request request = corpus.requests[i];
		struct bytes protobuf = corpus_protobuf(&request);
		if (!is_json) {
			request.body = protobuf;
			request.is_json = false;
		}
		wrong += check(&request);
		free((void *)protobuf.at);
	}
	cr_expect(corpus.count >= 17);
	corpus_free(&corpus);
	return wrong;
}

Test(vocabularies, langfuse_shows_each_as_it_should_from_json)
{
	unsigned wrong = check_all(true);
	cr_assert_eq(wrong, 0, "%u expectations do not hold", wrong);
}

Test(vocabularies, langfuse_shows_each_as_it_should_from_protobuf)
{
	unsigned wrong = check_all(false);
	cr_assert_eq(wrong, 0, "%u expectations do not hold", wrong);
}

/* ---- all else that a door accepts ---- */

/* protobuf-c does not read groups, and could not judge them. */
static bool is_readable(const struct corpus_request *request)
{
	struct bytes protobuf = corpus_protobuf(request);
	oracle_request *decoded = oracle_decode(protobuf);
	bool is_readable = decoded != NULL;
	oracle_free(decoded);
	free((void *)protobuf.at);
	return is_readable;
}

Test(vocabularies, langfuse_never_gets_a_batch_that_it_would_lose)
{
	struct corpus corpus = corpus_of_all();
	json_t *observations = json_array();
	story_start(&story, NULL);
	for (size_t i = 0; i < corpus.count; i++) {
		if (!is_readable(&corpus.requests[i]))
			continue;
		struct story_answer answer = post(&corpus.requests[i]);
		cr_expect(answer.status == 200 || answer.status == 400, "%s: %d",
			corpus.requests[i].name, answer.status);
	}
	struct story_books books = story_verify_sent(&story, "langfuse", 0);
	for (size_t i = 0; i < fake_destination_request_count(story.langfuse); i++)
		judge(fake_destination_request(story.langfuse, i), observations, "a request");
	cr_expect(json_array_size(observations) > 150);
	cr_expect_eq(books.dead, 0);
	cr_expect_eq(books.rejected, 0);
	json_decref(observations);
	corpus_free(&corpus);
}

Test(vocabularies, what_is_no_model_call_has_neither_cost_nor_a_model_to_be_priced_by)
{
	struct corpus corpus = corpus_of_vocabularies();
	json_t *observations = json_array(), *observation;
	size_t at, spans = 0;
	story_start(&story, NULL);
	for (size_t i = 0; i < corpus.count; i++) {
		cr_expect_eq(post(&corpus.requests[i]).status, 200);
		json_t *expected = expectation(corpus.requests[i].name);
		spans += json_object_size(json_object_get(expected, "observations"));
		json_decref(expected);
	}
	cr_assert(fake_destination_wait_spans(story.langfuse, spans, STORY_PATIENCE_MS));
	for (size_t i = 0; i < fake_destination_request_count(story.langfuse); i++)
		judge(fake_destination_request(story.langfuse, i), observations, "a request");
	json_array_foreach(observations, at, observation) {
		const char *type = json_string_value(json_object_get(observation, "type"));
		if (strcmp(type, "GENERATION") == 0 || strcmp(type, "EMBEDDING") == 0)
			continue;
		const char *name = json_string_value(json_object_get(observation, "name"));
		cr_expect(json_is_null(json_object_get(observation, "total_cost")), "%s %s", type,
			name);
		cr_expect(json_is_false(json_object_get(observation, "is_priced_by_langfuse")),
			"%s %s", type, name);
	}
	json_decref(observations);
	corpus_free(&corpus);
}
