/* What a user sees on the first day: data arrives, priced and repaired, and mistakes are named. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/oracle.h"

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(first_contact, .init = begin, .fini = end, .timeout = 120);

/* The first span of this id in anything that the destination received, decoded; freed with *ret_owner. */
static oracle_span *received(
	struct fake_destination *destination, const char *hex, oracle_request **ret_owner)
{
	size_t requests = fake_destination_request_count(destination);
	for (size_t n = 0; n < requests; n++) {
		oracle_request *request =
			oracle_decode(fake_destination_request(destination, n)->body);
		for (size_t i = 0; request && i < oracle_span_count(request); i++) {
			oracle_span *span = oracle_span_at(request, i);
			char id[17] = "";
			for (size_t b = 0; b < span->span_id.len && b < 8; b++)
				snprintf(id + 2 * b, 3, "%02x", span->span_id.data[b]);
			if (strcmp(id, hex) == 0) {
				*ret_owner = request;
				return span;
			}
		}
		oracle_free(request);
	}
	*ret_owner = NULL;
	return NULL;
}

static void expect_text(const oracle_span *span, const char *key, const char *wanted)
{
	const char *text = oracle_text(span, key);
	cr_expect(text && strcmp(text, wanted) == 0, "%s is %s, not %s", key,
		text ? text : "missing", wanted);
}

static const char *header(struct fake_destination *destination, const char *name)
{
	const char *value = fake_request_header(fake_destination_request(destination, 0), name);
	return value ? value : "";
}

/* `tollgate send FOLDER --to URL`, its exit status. */
static int send_folder(const char *folder)
{
	char url[64], home[SCRATCH_PATH_MAX + 16];
	struct daemon command;
	char sender[SCRATCH_PATH_MAX];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", story.daemon.port);
	cr_assert_eq(scratch_make(sender), 0);
	snprintf(home, sizeof(home), "HOME=%s", sender);
	struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "send", folder, "--to", url,
			NULL },
		.environment = (const char *const[]){ home, NULL },
		.directory = sender,
	};
	cr_assert_eq(daemon_spawn(&command, &start), 0);
	int status = child_wait(&command.child, DAEMON_START_MS);
	if (status != 0) {
		char *log = daemon_log(&command);
		cr_log_error("%s", log);
		free(log);
	}
	child_kill(&command.child);
	scratch_remove(sender);
	return status;
}

/* The two model calls of the captured session, worked out by hand from the price of claude-opus-5-5. */
static const struct {
	const char *id, *usage, *cost;
} calls[] = {
	{ "06bcda30775983fb",
		"{\"input\":12,\"output\":71,\"input_cached_tokens\":8192,\"input_cache_creation_5m\":2048,\"total\":10323}",
		"{\"input\":0.000048,\"output\":0.00142,\"input_cached_tokens\":0.0016384,"
		"\"input_cache_creation_5m\":0.01024,\"total\":0.0133464}" },
	{ "a8de480c0e729148",
		"{\"input\":13,\"output\":17,\"input_cached_tokens\":10240,\"input_cache_creation_5m\":256,\"total\":10526}",
		"{\"input\":0.000052,\"output\":0.00034,\"input_cached_tokens\":0.002048,"
		"\"input_cache_creation_5m\":0.00128,\"total\":0.00372}" },
};

Test(first_contact, a_captured_session_reaches_both_destinations_once_with_its_exact_cost)
{
	static const char *const others[] = { "81aef470b7c71db2", "6ad361e18a6dd4c6",
		"4e8d67c4363db0d3", "1ccdeea95f6807f9" };
	char folder[4096];
	snprintf(folder, sizeof(folder), "%s/tests/fixtures/captures/claude/b-tool",
		getenv("srcdir") ? getenv("srcdir") : ".");
	story_start(&story, NULL);
	cr_assert_eq(send_folder(folder), 0);

	struct fake_destination *destinations[] = { story.langfuse, story.tempo };
	for (size_t d = 0; d < 2; d++) {
		cr_assert(fake_destination_wait_spans(destinations[d], 6, STORY_PATIENCE_MS));
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			oracle_request *owner;
			const oracle_span *span = received(destinations[d], calls[i].id, &owner);
			cr_assert_not_null(span);
			expect_text(span, "langfuse.observation.type", "generation");
			expect_text(span, "langfuse.observation.model.name", "claude-opus-5-5");
			expect_text(span, "langfuse.observation.usage_details", calls[i].usage);
			expect_text(span, "langfuse.observation.cost_details", calls[i].cost);
			oracle_free(owner);
		}
		/* Nothing that is no model call may carry tokens or money: it would be counted twice. */
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			oracle_request *owner;
			const oracle_span *span = received(destinations[d], others[i], &owner);
			cr_assert_not_null(span);
			cr_expect_null(oracle_find(span, "langfuse.observation.usage_details"));
			cr_expect_null(oracle_find(span, "langfuse.observation.cost_details"));
			cr_expect_null(oracle_find(span, "langfuse.observation.model.name"));
			oracle_free(owner);
		}
	}
	story_stop(&story);
	cr_expect_eq(fake_destination_span_count(story.langfuse), 6);
	cr_expect_eq(fake_destination_span_count(story.tempo), 6);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
	cr_expect_eq(fake_destination_duplicate_count(story.tempo), 0);
}

Test(first_contact, each_destination_is_addressed_in_its_own_way)
{
	story_start(&story, NULL);
	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.langfuse, 0, 5);
	story_expect_each_once(story.tempo, 0, 5);

	cr_expect_str_eq(
		fake_destination_request(story.langfuse, 0)->path, "/api/public/otel/v1/traces");
	cr_expect_str_eq(header(story.langfuse, "Authorization"), STORY_AUTHORIZATION);
	cr_expect_str_eq(header(story.langfuse, "x-langfuse-ingestion-version"), "4");
	cr_expect_str_eq(fake_destination_request(story.tempo, 0)->path, "/v1/traces");
	cr_expect_str_empty(header(story.tempo, "Authorization"));
	cr_expect_str_empty(header(story.tempo, "x-langfuse-ingestion-version"));
	struct fake_destination *destinations[] = { story.langfuse, story.tempo };
	for (size_t d = 0; d < 2; d++) {
		cr_expect_str_eq(fake_destination_request(destinations[d], 0)->method, "POST");
		cr_expect_str_eq(header(destinations[d], "Content-Type"), "application/x-protobuf");
		cr_expect_str_eq(header(destinations[d], "Content-Encoding"), "gzip");
		cr_expect_neq(strstr(header(destinations[d], "Via"), "tollgate"), NULL);
	}
}

/*
 * Fields of a Span as text: good, with an attribute without value, with a parent of zeros, with a list of
 * pairs as a value, and without an id.
 */
/* clang-format off */
#define TRACE_ID "\x0a\x10" "0123456789abcdef"
#define SPAN_ID(n) "\x12\x08" "span-00" n
#define NAME "\x2a\x04" "work"
#define TIMES "\x39" "\0\0\0\0\0\0\xe9\x18" "\x41" "\0\0\0\0\0\1\xe9\x18"
#define ZERO_PARENT "\x22\x08" "\0\0\0\0\0\0\0\0"
#define VALUELESS "\x4a\x07" "\x0a\x05" "empty"
#define PAIRS "\x4a\x19" "\x0a\x05" "pairs" "\x12\x10" "\x32\x0e" "\x0a\x0c" "\x0a\x03" "one" \
	"\x12\x05" "\x0a\x03" "two"
#define UNKNOWN_FIELD "\xc2\x3e\x05" "other"
/* clang-format on */

static void add_span(struct buf *scope, struct bytes span)
{
	uint8_t head[] = { 0x12, (uint8_t)span.len };
	cr_assert_lt(span.len, 128);
	buf_append(scope, head, sizeof(head));
	buf_append(scope, span.at, span.len);
}

static void wrap(struct buf *out, uint8_t tag, const struct buf *message)
{
	uint8_t head[] = { tag, (uint8_t)(message->len | 0x80), (uint8_t)(message->len >> 7) };
	buf_append(out, head, sizeof(head));
	buf_append(out, message->at, message->len);
}

Test(first_contact,
	what_langfuse_would_lose_is_repaired_for_it_alone_and_good_spans_are_not_held_up)
{
	static const struct bytes spans[] = {
		BYTES(TRACE_ID SPAN_ID("1") NAME TIMES UNKNOWN_FIELD),
		BYTES(TRACE_ID SPAN_ID("2") NAME TIMES VALUELESS),
		BYTES(TRACE_ID SPAN_ID("3") NAME TIMES ZERO_PARENT),
		BYTES(TRACE_ID SPAN_ID("4") NAME TIMES PAIRS),
		BYTES(TRACE_ID NAME TIMES),
	};
	struct buf scope, resource, request;
	buf_init(&scope, 4096, NULL);
	buf_init(&resource, 4096, NULL);
	buf_init(&request, 4096, NULL);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		add_span(&scope, spans[i]);
	wrap(&resource, 0x12, &scope);
	wrap(&request, 0x0a, &resource);

	story_start(&story, NULL);
	cr_expect_eq(story_post(&story, buf_bytes(&request)).status, 200);
	cr_assert(fake_destination_wait_spans(story.langfuse, 4, STORY_PATIENCE_MS));
	cr_assert(fake_destination_wait_spans(story.tempo, 4, STORY_PATIENCE_MS));

	const char *why = "";
	struct bytes plain = fake_destination_request(story.tempo, 0)->body;
	cr_expect(
		oracle_only_added(buf_bytes(&request), plain, &why), "the copy for Tempo: %s", why);
	cr_expect_neq(memmem(plain.at, plain.len, UNKNOWN_FIELD, strlen(UNKNOWN_FIELD)), NULL);
	cr_expect_eq(fake_destination_lost_count(story.langfuse), 0);
	struct fake_destination *destinations[] = { story.langfuse, story.tempo };
	for (size_t d = 0; d < 2; d++) {
		oracle_request *owner;
		const oracle_span *span = received(destinations[d], "7370616e2d303032", &owner);
		cr_assert_not_null(span);
		cr_expect_eq(oracle_find(span, "empty") != NULL, d == 1);
		oracle_free(owner);
		span = received(destinations[d], "7370616e2d303033", &owner);
		cr_assert_not_null(span);
		cr_expect_eq(span->parent_span_id.len, d == 1 ? 8 : 0);
		oracle_free(owner);
		span = received(destinations[d], "7370616e2d303034", &owner);
		cr_assert_not_null(span);
		if (d == 0)
			expect_text(span, "pairs", "{\"one\":\"two\"}");
		else
			cr_expect_null(oracle_text(span, "pairs"));
		oracle_free(owner);
	}
	buf_done(&scope);
	buf_done(&resource);
	buf_done(&request);
}

Test(first_contact, a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on)
{
	char other[SCRATCH_PATH_MAX], state[SCRATCH_PATH_MAX + 8], config[SCRATCH_PATH_MAX + 16];
	struct daemon second;
	story_start(&story, NULL);
	cr_assert_eq(scratch_make(other), 0);
	snprintf(state, sizeof(state), "%s/state", story.directory);
	snprintf(config, sizeof(config), "%s/config.json", story.directory);
	struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "serve", "--config", config,
			NULL },
		.environment = (const char *const[]){ NULL },
		.directory = other,
	};
	cr_assert_eq(daemon_spawn(&second, &start), 0);
	int status = child_wait(&second.child, DAEMON_START_MS);
	cr_expect_gt(status, 0);
	cr_expect_lt(status, 128);
	char *log = daemon_log(&second);
	cr_expect_neq(strstr(log, state), NULL, "which directory is in use is not said: %s", log);
	free(log);
	child_kill(&second.child);
	scratch_remove(other);

	story_post_spans(&story, 0, 5);
	story_expect_each_once(story.tempo, 0, 5);
}

Test(first_contact, a_daemon_that_would_send_to_itself_is_refused)
{
	char listen[64], endpoint[64];
	int port = port_reserve();
	snprintf(listen, sizeof(listen), "TOLLGATE_LISTEN=127.0.0.1:%d", port);
	snprintf(endpoint, sizeof(endpoint), "TOLLGATE_TEMPO_ENDPOINT=http://localhost:%d", port);
	int status = story_start_refused(&story, (const char *const[]){ listen, endpoint, NULL });
	char *log = daemon_log(&story.daemon);
	cr_expect_gt(status, 0);
	cr_expect_lt(status, 128);
	cr_expect_neq(strstr(log, "tempo"), NULL, "which destination it is is not said: %s", log);
	free(log);
}

static struct fake_answer refuse_all(const struct fake_request *request, void *unused)
{
	return (struct fake_answer){ .status = 400 };
}

/* Refused at the door, refused by a destination, set aside: each says so, at every level. */
Test(first_contact, neither_prompts_nor_keys_reach_the_log)
{
	struct bytes spans = fixture("captures/claude/b-tool/0003-traces.pb");
	fake_destination_rule(story.tempo, refuse_all, NULL);
	story_start(&story, (const char *const[]){ "TOLLGATE_LOG_LEVEL=debug", NULL });
	cr_expect_eq(story_post(&story, spans).status, 200);
	cr_expect_eq(story_post(&story, (struct bytes)BYTES("Please run echo hi")).status, 400);
	story_expect_log(&story, "event=dead_letter destination=tempo");
	story_stop(&story);
	char *log = daemon_log(&story.daemon);
	cr_expect_not_null(strstr(log, "event=stopped"), "the log is whole");
	cr_expect_null(strstr(log, "echo"), "%s", log);
	cr_expect_null(strstr(log, STORY_SECRET_KEY), "%s", log);
	cr_expect_null(strstr(log, &STORY_AUTHORIZATION[strlen("Basic ")]), "%s", log);
	free(log);
	free((void *)spans.at);
}
