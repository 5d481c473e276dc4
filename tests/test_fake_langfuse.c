/* The stand-in Langfuse keeps to what it stands for, or tests against it would prove nothing. */
#include "support/fake_langfuse.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/http_peer.h"

#define PAIR_A "Authorization: Basic cGstYTpzay1h\r\n" /* pk-a:sk-a */
#define PAIR_B "Authorization: Basic cGstYjpzay1i\r\n"

enum { PATIENCE_MS = 20000, MANY = 512 };

static struct fake_langfuse *fake;
static struct peer peer;

static void begin(void)
{
	static const struct fake_project projects[] = { { "a", "pk-a", "sk-a" },
		{ "b", "pk-b", "sk-b" } };
	fake = fake_langfuse_start(
		&(struct fake_langfuse_options){ .projects = projects, .project_count = 2 });
	cr_assert(peer_open(&peer, fake_langfuse_port(fake)));
}

static void end(void)
{
	peer_close(&peer);
	fake_langfuse_stop(fake);
}

TestSuite(fake_langfuse, .init = begin, .fini = end, .timeout = 60);

static struct peer_reply ask(
	const char *method, const char *target, const char *headers, const char *body)
{
	cr_assert(peer_printf(&peer,
		"%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, target, headers, strlen(body), body));
	return peer_reply(&peer);
}

Test(fake_langfuse, each_project_has_its_own_prompts)
{
	fake_langfuse_write_prompt(fake, "a", "chat/be kind", "of a");
	struct peer_reply reply = ask("GET", "/api/public/v2/prompts/chat%2Fbe%20kind", PAIR_A, "");
	cr_expect_eq(reply.status, 200);
	cr_expect(strstr(reply.body, "\"prompt\":\"of a\""), "%s", reply.body);
	cr_expect_eq(ask("GET", "/api/public/v2/prompts/chat%2Fbe%20kind", PAIR_B, "").status, 404);
	cr_expect_eq(ask("GET", "/api/public/v2/prompts/chat/be%20kind", PAIR_A, "").status, 404);
	cr_expect_eq(ask("GET", "/api/public/v2/prompts/chat%2Fbe%20kind", "", "").status, 401);
	cr_expect_eq(fake_langfuse_arrival_count(fake), 4);
	cr_expect_str_eq(fake_langfuse_arrival(fake, 1)->project, "b");
	cr_expect_null(fake_langfuse_arrival(fake, 3)->project);
}

Test(fake_langfuse, a_label_is_of_one_version)
{
	fake_langfuse_write_prompt(fake, "a", "p", "one");
	fake_langfuse_write_prompt(fake, "a", "p", "two");
	struct peer_reply reply = ask("GET", "/api/public/v2/prompts/p", PAIR_A, "");
	cr_expect(strstr(reply.body, "\"prompt\":\"two\""), "%s", reply.body);
	reply = ask("GET", "/api/public/v2/prompts/p?version=1", PAIR_A, "");
	cr_expect(strstr(reply.body, "\"labels\":[]"), "%s", reply.body);
}

Test(fake_langfuse, events_are_answered_one_by_one)
{
	fake_langfuse_refuse_event(fake, "e2", 400);
	struct peer_reply reply = ask("POST", "/api/public/ingestion", PAIR_A,
		"{\"batch\":[{\"id\":\"e1\",\"type\":\"score-create\",\"timestamp\":\"t\",\"body\":{\"id\":\"s1\"}},"
		"{\"id\":\"e2\",\"type\":\"trace-create\",\"timestamp\":\"t\",\"body\":{}},{\"id\":\"e3\"}]}");
	cr_expect_eq(reply.status, 207);
	cr_expect(strstr(reply.body, "\"successes\":[{\"id\":\"e1\",\"status\":201}]"));
	cr_expect(strstr(reply.body, "{\"id\":\"e2\",\"status\":400"));
	cr_expect(strstr(reply.body, "{\"id\":\"e3\",\"status\":400"));
	cr_expect_eq(fake_langfuse_times(fake, "a", FAKE_EVENT, "e1"), 1);
	cr_expect_eq(fake_langfuse_times(fake, "a", FAKE_EVENT, "e2"), 0);
	cr_expect_eq(fake_langfuse_times(fake, "a", FAKE_SCORE, "s1"), 1);
	cr_expect_eq(fake_langfuse_count(fake, "b", FAKE_EVENT), 0);
}

Test(fake_langfuse, spans_are_counted_by_id)
{
	static const char spans[] =
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
		"\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\"}]}]}]}";
	cr_expect_eq(ask("POST", "/api/public/otel/v1/traces", PAIR_A, spans).status, 200);
	cr_expect_eq(ask("POST", "/api/public/otel/v1/traces", PAIR_A, spans).status, 200);
	cr_expect_eq(fake_langfuse_times(fake, "a", FAKE_SPAN, "0102030405060708"), 2);
	cr_expect_eq(fake_langfuse_count(fake, "a", FAKE_SPAN), 1);
}

Test(fake_langfuse, media_is_uploaded_once)
{
	static const char medium[] =
		"{\"sha256Hash\":\"ab+/cdefghijklmnopqrstuvwxyz\",\"contentType\":\"text/plain\"}";
	struct peer_reply reply = ask("POST", "/api/public/media", PAIR_A, medium);
	cr_expect(strstr(reply.body, "/storage/ab-_cdefghijklmnopqrst\""), "%s", reply.body);
	cr_expect_eq(ask("PUT", "/storage/ab-_cdefghijklmnopqrst", "", "x").status, 200);
	reply = ask("POST", "/api/public/media", PAIR_A, medium);
	cr_expect(strstr(reply.body, "\"uploadUrl\":null"), "%s", reply.body);
}

Test(fake_langfuse, is_away_and_back_with_all_that_it_knew)
{
	struct peer other;
	fake_langfuse_write_prompt(fake, "a", "p", "one");
	fake_langfuse_leave(fake);
	cr_expect(peer_is_closed(&peer));
	cr_expect_not(peer_open(&other, fake_langfuse_port(fake)));
	fake_langfuse_return(fake);
	peer_close(&peer);
	cr_assert(peer_open(&peer, fake_langfuse_port(fake)));
	cr_expect_eq(ask("GET", "/api/public/v2/prompts/p", PAIR_A, "").status, 200);
}

Test(fake_langfuse, hangs_until_the_trouble_is_over)
{
	fake_langfuse_trouble(fake, &(struct fake_trouble){ .is_hanging = true });
	cr_assert(peer_send_text(&peer, "GET /api/public/health HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(fake_langfuse_wait_arrivals(fake, 1, PATIENCE_MS));
	cr_expect_eq(peer_reply_within(&peer, 200).status, -1);
	fake_langfuse_trouble(fake, &(struct fake_trouble){ 0 });
	cr_expect_eq(peer_reply(&peer).status, 200);
}

Test(fake_langfuse, is_in_trouble_where_it_is_told_to_be)
{
	fake_langfuse_trouble(fake,
		&(struct fake_trouble){
			.below = "/api/public/v2", .status = 429, .retry_after = "3" });
	struct peer_reply reply = ask("GET", "/api/public/v2/prompts/p", PAIR_A, "");
	cr_expect_eq(reply.status, 429);
	cr_expect(reply_has(&reply, "Retry-After", "3"));
	cr_expect_eq(ask("GET", "/api/public/projects", PAIR_A, "").status, 200);
}

Test(fake_langfuse, notices_who_leaves_a_stream)
{
	cr_assert(peer_send_text(&peer,
		"GET /api/public/stand-in/events?interval_ms=60000 HTTP/1.1\r\nHost: x\r\n" PAIR_A
		"\r\n"));
	cr_assert(fake_langfuse_wait_open(fake, 1, PATIENCE_MS));
	peer_close(&peer);
	cr_expect(fake_langfuse_wait_open(fake, 0, PATIENCE_MS));
}

Test(fake_langfuse, echoes_in_chunks)
{
	struct peer_reply reply = ask("POST", "/api/public/stand-in/echo?status=202",
		PAIR_A "x_echo_a: 1\r\n", "to and fro");
	cr_expect_eq(reply.status, 202);
	cr_expect(reply_has(&reply, "x_echo_a", "1"));
	cr_expect(reply_has(&reply, "Transfer-Encoding", "chunked"));
}

Test(fake_langfuse, has_room_for_many)
{
	static struct peer peers[MANY];
	for (int i = 0; i < MANY; i++)
		cr_assert(peer_open(&peers[i], fake_langfuse_port(fake)));
	for (int i = 0; i < MANY; i++)
		cr_assert(peer_send_text(
			&peers[i], "GET /api/public/health HTTP/1.1\r\nHost: x\r\n\r\n"));
	for (int i = 0; i < MANY; i++)
		cr_expect_eq(peer_reply(&peers[i]).status, 200);
	for (int i = 0; i < MANY; i++)
		peer_close(&peers[i]);
}
