/* In front of Langfuse: what SDKs send passes through as it came, and is kept when Langfuse is away. */
#include "stories/story.h"

#include <curl/curl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "http/compression.h"
#include "support/exposition.h"
#include "support/http_peer.h"

enum {
	MEGABYTE = 1 << 20,
	ANSWER_MAX_BYTES = 64 * MEGABYTE,
	TEXT_MAX = 1024,
};

/* Two pairs of what the story calls its project: before and after they are changed. */
static const struct fake_project projects[] = {
	{ "story", STORY_PUBLIC_KEY, STORY_SECRET_KEY },
	{ "changed", STORY_PUBLIC_KEY, "sk-lf-other" },
};

static struct story story;

static void begin(void)
{
	story_begin(&story);
	story.front = fake_langfuse_start(
		&(struct fake_langfuse_options){ .projects = projects, .project_count = 2 });
	story.further = "\"proxy\": { \"answer_timeout_ms\": 1000, \"silence_timeout_ms\": 2000 },";
}

static void end(void)
{
	story_end(&story);
}

TestSuite(proxy, .init = begin, .fini = end, .timeout = 120);

/* ---- a client ---- */

struct question {
	const char *method, *target;
	const char *const *headers; /* lines, NULL at the end; NULL: none */
	struct bytes body;          /* .at NULL: none */
	bool is_chunked;
};

struct answer {
	int status;
	struct buf head, body; /* ended by NUL */
};

static size_t append(void *from, size_t size, size_t count, void *to)
{
	buf_append(to, from, size * count);
	return size * count;
}

static size_t send_body(char *to, size_t size, size_t count, void *arg)
{
	struct bytes *left = arg;
	size_t some = left->len < size * count ? left->len : size * count;
	memcpy(to, left->at, some);
	*left = (struct bytes){ left->at + some, left->len - some };
	return some;
}

static void answer_done(struct answer *answer)
{
	buf_done(&answer->head);
	buf_done(&answer->body);
}

static struct answer ask(struct question question)
{
	struct answer answer = { 0 };
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	char url[TEXT_MAX];
	long status = 0;
	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", story.daemon.port, question.target);
	buf_init(&answer.head, MEGABYTE, NULL);
	buf_init(&answer.body, ANSWER_MAX_BYTES, NULL);
	for (const char *const *line = question.headers; line && *line; line++)
		headers = curl_slist_append(headers, *line);
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STORY_PATIENCE_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, append);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.head);
	if (question.body.at) {
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_body);
		curl_easy_setopt(curl, CURLOPT_READDATA, &question.body);
		if (question.is_chunked)
			headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
		else
			curl_easy_setopt(
				curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)question.body.len);
	}
	if (strcmp(question.method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, question.method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer.status = code == CURLE_OK ? (int)status : -(int)code;
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	buf_append(&answer.head, "", 1);
	buf_append(&answer.body, "", 1);
	cr_assert_eq(answer.head.error + answer.body.error, 0);
	return answer;
}

static struct answer get(const char *target)
{
	return ask((struct question){ .method = "GET", .target = target });
}

static struct answer post(const char *target, const char *json)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	return ask((struct question){
		.method = "POST", .target = target, .headers = headers, .body = bytes_of(json) });
}

static const char *body_of(const struct answer *answer)
{
	return (const char *)answer->body.at;
}

/* Whether there is exactly this line among the headers. */
static bool has_line(const struct answer *answer, const char *line)
{
	char whole[TEXT_MAX + 8];
	snprintf(whole, sizeof whole, "\r\n%s\r\n", line);
	return strcasestr((const char *)answer->head.at, whole);
}

static void expect_status(struct answer *answer, int status)
{
	cr_expect_eq(answer->status, status, "%d instead of %d: %s", answer->status, status,
		body_of(answer));
	answer_done(answer);
}

/* An error in Langfuse's form, that may pass or not. */
static void expect_error(struct answer answer, int status, const char *word, bool may_pass)
{
	json_t *json = json_loads(body_of(&answer), 0, NULL);
	const char *message = json_string_value(json_object_get(json, "message"));
	cr_expect_eq(answer.status, status, "%d instead of %d: %s", answer.status, status,
		body_of(&answer));
	cr_expect(message && strstr(message, word), "%s", body_of(&answer));
	cr_expect(json_is_string(json_object_get(json, "error")));
	cr_expect_eq(has_line(&answer, "Retry-After: 5"), may_pass);
	json_decref(json);
	answer_done(&answer);
}

static const struct fake_arrival *last_arrival(void)
{
	size_t count = fake_langfuse_arrival_count(story.front);
	cr_assert_gt(count, 0);
	return fake_langfuse_arrival(story.front, count - 1);
}

/* ---- as it came ---- */

Test(proxy, the_target_arrives_byte_for_byte)
{
	static const char *const targets[] = { "/api/public/v2/prompts/a%2Fb%20c?label=x%26y&v=%e4",
		"/api/public/v2/datasets/%41%7e~b?",
		"/api/public/stand-in/echo?status=200&a=/../b//c", "/api/public/stand-in/echo/?x" };
	story_start(&story, NULL);
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct answer answer = get(targets[i]);
		cr_expect_gt(answer.status, 0);
		answer_done(&answer);
		cr_expect_str_eq(last_arrival()->target, targets[i]);
	}
}

Test(proxy, any_method_passes_with_its_body_and_without_one)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "PURGE" };
	story_start(&story, NULL);
	for (size_t i = 0; i < 2 * sizeof methods / sizeof *methods; i++) {
		struct answer answer = ask((struct question){ .method = methods[i / 2],
			.target = "/api/public/stand-in/echo?status=201",
			.body = bytes_of(i % 2 ? "words" : NULL) });
		cr_expect_eq(answer.status, 201, "%s: %d", methods[i / 2], answer.status);
		cr_expect_str_eq(body_of(&answer), i % 2 ? "words" : "", "%s", methods[i / 2]);
		answer_done(&answer);
		cr_expect_str_eq(last_arrival()->method, methods[i / 2]);
	}
	struct answer answer = ask((struct question){
		.method = "HEAD", .target = "/api/public/stand-in/source?bytes=12345" });
	cr_expect(has_line(&answer, "Content-Length: 12345"), "%s", answer.head.at);
	expect_status(&answer, 200);
	cr_expect_str_eq(last_arrival()->method, "HEAD");
	for (int status = 204; status <= 304; status += 100) {
		char target[64];
		snprintf(target, sizeof target, "/api/public/stand-in/echo?status=%d", status);
		answer = get(target);
		expect_status(&answer, status);
	}
}

Test(proxy, what_would_show_our_key_does_not_pass)
{
	story_start(&story, NULL);
	expect_error(
		ask((struct question){ .method = "TRACE", .target = "/api/public/stand-in/echo" }),
		405, "not passed", false);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

Test(proxy, a_question_that_needs_no_key_gets_none)
{
	static const char *const headers[] = { "x-langfuse-public-key: pk-theirs", NULL };
	story_start(&story, NULL);
	struct answer answer = ask((struct question){
		.method = "OPTIONS", .target = "/api/public/traces", .headers = headers });
	answer_done(&answer);
	cr_expect_str_eq(last_arrival()->method, "OPTIONS");
	cr_expect_null(fake_arrival_header(last_arrival(), "Authorization"));
	cr_expect_null(fake_arrival_header(last_arrival(), "x-langfuse-public-key"));
}

Test(proxy, a_wrong_key_is_answered_in_the_words_of_langfuse)
{
	static const char *const headers[] = { "Authorization: Bearer wrong", NULL };
	story_start(&story, NULL);
	struct answer answer = ask((struct question){
		.method = "GET", .target = "/api/public/traces", .headers = headers });
	cr_expect(strcasestr((const char *)answer.head.at, "\r\nWWW-Authenticate: Bearer "));
	expect_error(answer, 401, "Invalid credentials. Confirm that", false);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

Test(proxy, headers_arrive_as_they_came_but_for_who_asks_and_how_it_travels)
{
	static const char *const headers[] = { "User-Agent: story",
		"Accept:", "x_langfuse_sdk_name: python", "X-Odd: a", "X-Odd: b",
		"x-langfuse-public-key: pk-theirs", "Connection: keep-alive, X-Hop", "X-Hop: 1",
		"TE: trailers", "Proxy-Authorization: Basic eA==", "Content-Type: text/odd",
		"Authorization: " STORY_AUTHORIZATION, NULL };
	char expected[TEXT_MAX], seen[TEXT_MAX] = "";
	story_start(&story, NULL);
	struct answer answer = ask((struct question){ .method = "POST",
		.target = "/api/public/stand-in/echo",
		.headers = headers,
		.body = bytes_of("words") });
	expect_status(&answer, 200);
	snprintf(expected, sizeof expected,
		"Host: 127.0.0.1:%u\nUser-Agent: story\nx_langfuse_sdk_name: python\nX-Odd: a\n"
		"X-Odd: b\nContent-Type: text/odd\nVia: 1.1 tollgate\n"
		"Authorization: " STORY_AUTHORIZATION "\n"
		"x-langfuse-public-key: " STORY_PUBLIC_KEY "\nContent-Length: 5\n",
		fake_langfuse_port(story.front));
	const struct fake_arrival *arrival = last_arrival();
	for (size_t i = 0; i < arrival->header_count; i++) {
		size_t len = strlen(seen);
		snprintf(seen + len, sizeof seen - len, "%s: %s\n", arrival->headers[i].name,
			arrival->headers[i].value);
	}
	cr_expect_str_eq(seen, expected);
	cr_expect_str_eq(arrival->project, "story");
}

static void expect_gate(const char *token)
{
	static const char *const theirs[] = { "x-gate: theirs", NULL };
	struct answer answer = ask((struct question){
		.method = "GET", .target = "/api/public/projects", .headers = theirs });
	expect_status(&answer, 200);
	unsigned seen = 0;
	const struct fake_arrival *arrival = last_arrival();
	for (size_t i = 0; i < arrival->header_count; i++)
		seen += strcasecmp(arrival->headers[i].name, "X-Gate") == 0;
	cr_expect_eq(seen, 1);
	cr_expect_str_eq(fake_arrival_header(arrival, "X-Gate"), token);
}

Test(proxy, headers_of_the_destination_go_with_every_request)
{
	story.langfuse_further = "\"headers\": { \"X-Gate\": \"open\" },";
	story_start(&story, NULL);
	expect_gate("open");
	story.langfuse_further = "\"headers\": { \"X-Gate\": \"sesame\" },";
	story_configure(&story);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded ");
	expect_gate("sesame");
}

Test(proxy, headers_of_the_answer_come_back_as_they_were)
{
	static const char *const headers[] = { "X-Echo-One: 1", "x_echo_two: a", "x_echo_two: b",
		NULL };
	story_start(&story, NULL);
	struct answer answer = ask((struct question){ .method = "GET",
		.target = "/api/public/stand-in/echo?status=418",
		.headers = headers });
	cr_expect(has_line(&answer, "X-Echo-One: 1"));
	cr_expect(has_line(&answer, "x_echo_two: a"));
	cr_expect(has_line(&answer, "x_echo_two: b"));
	cr_expect_null(strcasestr((const char *)answer.head.at, "authorization"));
	const char *date = strcasestr((const char *)answer.head.at, "\r\nDate:");
	cr_expect(date && !strcasestr(date + 1, "\r\nDate:"), "%s", answer.head.at);
	expect_status(&answer, 418);
}

Test(proxy, more_headers_than_pass_through_are_431)
{
	enum { HEADERS = 300 };
	static char lines[HEADERS][16];
	const char *headers[HEADERS + 1] = { NULL };
	for (unsigned i = 0; i < HEADERS; i++) {
		snprintf(lines[i], sizeof lines[i], "X-%u: 1", i);
		headers[i] = lines[i];
	}
	story_start(&story, NULL);
	expect_error(ask((struct question){
			     .method = "GET", .target = "/api/public/traces", .headers = headers }),
		431, "more headers", false);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

Test(proxy, a_pair_that_was_changed_is_used_after_sighup)
{
	char path[SCRATCH_PATH_MAX + 16];
	struct buf file;
	story_start(&story, NULL);
	struct answer answer = get("/api/public/projects");
	expect_status(&answer, 200);
	cr_expect_str_eq(last_arrival()->project, "story");

	snprintf(path, sizeof path, "%s/config.json", story.directory);
	buf_init(&file, MEGABYTE, NULL);
	cr_assert_eq(file_read(path, &file), 0);
	char *key = memmem(file.at, file.len, STORY_SECRET_KEY, strlen(STORY_SECRET_KEY));
	cr_assert(key);
	memcpy(key, "sk-lf-other", strlen(STORY_SECRET_KEY));
	cr_assert_eq(file_replace(path, buf_bytes(&file), 0600), 0);
	buf_done(&file);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded ");
	answer = get("/api/public/projects");
	expect_status(&answer, 200);
	cr_expect_str_eq(last_arrival()->project, "changed");
}

static void upload(bool is_chunked)
{
	char *words = malloc(8 * MEGABYTE);
	memset(words, 'w', 8 * MEGABYTE);
	story_start(&story, NULL);
	struct answer answer = ask((struct question){ .method = "PUT",
		.target = "/api/public/stand-in/sink",
		.body = { (const uint8_t *)words, 8 * MEGABYTE },
		.is_chunked = is_chunked });
	cr_expect(strstr(body_of(&answer), "8388608"), "%s", body_of(&answer));
	expect_status(&answer, 200);
	bool has_length = fake_arrival_header(last_arrival(), "Content-Length");
	cr_expect_eq(has_length, !is_chunked);
	free(words);
}

Test(proxy, a_large_body_with_a_length_passes)
{
	upload(false);
}

Test(proxy, a_large_body_in_chunks_passes)
{
	upload(true);
}

Test(proxy, a_large_answer_passes)
{
	story_start(&story, NULL);
	struct answer answer = get("/api/public/stand-in/source?bytes=20000000");
	cr_expect_eq(answer.body.len - 1, 20000000);
	cr_expect(has_line(&answer, "Content-Length: 20000000"));
	expect_status(&answer, 200);
}

/* ---- as it comes ---- */

/* Reads until `text` was received. */
static bool peer_sees(struct peer *peer, const char *text)
{
	for (;;) {
		if (memmem(peer->received, peer->len, text, strlen(text)))
			return true;
		if (peer->len == sizeof peer->received)
			return false;
		struct timeval patience = { .tv_sec = STORY_PATIENCE_MS / 1000 };
		setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		ssize_t got = recv(
			peer->fd, peer->received + peer->len, sizeof peer->received - peer->len, 0);
		if (got <= 0)
			return false;
		peer->len += (size_t)got;
	}
}

static void peer_ask(struct peer *peer, const char *target)
{
	cr_assert(peer_open(peer, (unsigned)story.daemon.port));
	peer_printf(peer, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
}

Test(proxy, an_event_is_here_long_before_the_next_one_is_sent)
{
	struct peer peer;
	story_start(&story, NULL);
	peer_ask(&peer, "/api/public/stand-in/events?interval_ms=3600000");
	cr_expect(peer_sees(&peer, "data:"));
	peer_close(&peer);
}

Test(proxy, a_stream_may_be_silent_longer_than_other_requests)
{
	struct peer peer;
	story.further = "\"proxy\": { \"silence_timeout_ms\": 1000 },";
	story_start(&story, NULL);
	peer_ask(&peer, "/api/public/stand-in/events?events=2&interval_ms=3500");
	cr_expect(peer_sees(&peer, "\r\n0\r\n\r\n"), "%.*s", (int)peer.len, peer.received);
	peer_close(&peer);
}

Test(proxy, a_client_that_leaves_ends_its_stream_at_langfuse)
{
	struct peer peer;
	story_start(&story, NULL);
	peer_ask(&peer, "/api/public/stand-in/events?interval_ms=3600000");
	cr_assert(peer_sees(&peer, "data:"));
	cr_assert(fake_langfuse_wait_open(story.front, 1, STORY_PATIENCE_MS));
	peer_close(&peer);
	cr_expect(fake_langfuse_wait_open(story.front, 0, STORY_PATIENCE_MS));
}

Test(proxy, a_client_that_leaves_before_the_answer_ends_its_request_at_langfuse)
{
	struct peer peer;
	story.further = "\"proxy\": { \"silence_timeout_ms\": 3600000 },";
	story_start(&story, NULL);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .is_hanging = true });
	peer_ask(&peer, "/api/public/traces");
	cr_assert(fake_langfuse_wait_open(story.front, 1, STORY_PATIENCE_MS));
	peer_close(&peer);
	cr_expect(fake_langfuse_wait_open(story.front, 0, STORY_PATIENCE_MS));
}

Test(proxy, a_client_that_reads_nothing_holds_up_its_own_answer_alone)
{
	struct peer peer;
	story_start(&story, NULL);
	uint64_t before = daemon_anonymous_bytes(&story.daemon);
	peer_ask(&peer, "/api/public/stand-in/source?bytes=200000000");
	cr_assert(fake_langfuse_wait_open(story.front, 1, STORY_PATIENCE_MS));
	for (unsigned i = 0; i < 20; i++) {
		struct answer answer = get("/api/public/projects");
		expect_status(&answer, 200);
	}
	story_post_spans(&story, 0, 100);
	uint64_t after = daemon_anonymous_bytes(&story.daemon);
	cr_expect_lt(after, before + 32 * MEGABYTE, "%llu and then %llu",
		(unsigned long long)before, (unsigned long long)after);
	peer_close(&peer);
	cr_expect(fake_langfuse_wait_open(story.front, 0, STORY_PATIENCE_MS));
}

Test(proxy, two_hundred_streams_do_not_stop_the_other_doors)
{
	enum { STREAMS = 200 };
	static struct peer peers[STREAMS];
	story_start(&story, NULL);
	for (unsigned i = 0; i < STREAMS; i++)
		peer_ask(&peers[i], "/api/public/mcp?interval_ms=3600000");
	for (unsigned i = 0; i < STREAMS; i++)
		cr_assert(peer_sees(&peers[i], "data:"));
	story_post_spans(&story, 0, 500);
	struct answer answer = get("/api/public/projects");
	expect_status(&answer, 200);
	for (unsigned i = 0; i < STREAMS; i++)
		peer_close(&peers[i]);
	cr_expect(fake_langfuse_wait_open(story.front, 0, STORY_PATIENCE_MS));
}

Test(proxy, a_daemon_that_stops_ends_its_streams)
{
	struct peer peer;
	story.further = NULL;
	story_start(&story, NULL);
	peer_ask(&peer, "/api/public/stand-in/events?interval_ms=3600000");
	cr_assert(peer_sees(&peer, "data:"));
	fake_langfuse_trouble(story.front,
		&(struct fake_trouble){ .below = "/api/public/traces", .is_hanging = true });
	struct peer waiting;
	peer_ask(&waiting, "/api/public/traces");
	cr_assert(fake_langfuse_wait_open(story.front, 2, STORY_PATIENCE_MS));
	story_stop(&story);
	cr_expect(peer_is_closed(&peer));
	struct peer_reply reply = peer_reply(&waiting);
	cr_expect_eq(reply.status, 503);
	cr_expect(strstr(reply.body, "stopping"), "%s", reply.body);
	peer_close(&peer);
	peer_close(&waiting);
}

/* ---- errors ---- */

Test(proxy, a_langfuse_that_is_away_is_502_in_its_own_form)
{
	story_start(&story, NULL);
	fake_langfuse_leave(story.front);
	expect_error(get("/api/public/traces"), 502, "cannot be reached", true);
	expect_error(post("/api/public/v2/prompts", "{}"), 502, "cannot be reached", true);
	fake_langfuse_return(story.front);
	struct answer answer = get("/api/public/projects");
	expect_status(&answer, 200);
}

Test(proxy, a_langfuse_that_does_not_answer_is_504)
{
	story_start(&story, NULL);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .is_hanging = true });
	expect_error(get("/api/public/traces"), 504, "in time", true);
}

Test(proxy, errors_of_langfuse_are_its_own)
{
	story_start(&story, NULL);
	fake_langfuse_trouble(
		story.front, &(struct fake_trouble){ .status = 429, .retry_after = "17" });
	struct answer answer = get("/api/public/traces");
	cr_expect(has_line(&answer, "Retry-After: 17"));
	cr_expect(strstr(body_of(&answer), "rate_limited"), "%s", body_of(&answer));
	expect_status(&answer, 429);
}

Test(proxy, more_requests_than_are_allowed_at_once_are_503)
{
	struct peer peer;
	story.further = "\"proxy\": { \"max_connections\": 1 },";
	story_start(&story, NULL);
	peer_ask(&peer, "/api/public/stand-in/events?interval_ms=3600000");
	cr_assert(peer_sees(&peer, "data:"));
	expect_error(get("/api/public/traces"), 503, "as many requests", true);
	peer_close(&peer);
}

Test(proxy, a_request_of_our_own_is_508)
{
	static const char *const via[] = { "Via: 1.1 tollgate", NULL };
	story_start(&story, NULL);
	expect_error(ask((struct question){
			     .method = "GET", .target = "/api/public/traces", .headers = via }),
		508, "Tollgate", false);
	expect_error(ask((struct question){ .method = "POST",
			     .target = "/api/public/ingestion",
			     .headers = via,
			     .body = bytes_of("{}") }),
		508, "Tollgate", false);
}

Test(proxy, without_langfuse_it_says_what_to_set)
{
	static const char *const settings[] = { "TOLLGATE_PROXY_ENABLED=false", NULL };
	story_start(&story, settings);
	expect_error(get("/api/public/traces"), 404, "proxy.enabled", false);
	expect_error(post("/api/public/scores", "{}"), 404, "proxy.enabled", false);
	expect_error(get("/project/a"), 404, "proxy.enabled", false);
}

/* ---- pages ---- */

Test(proxy, links_to_the_user_interface_lead_to_langfuse)
{
	static const char *const targets[] = { "/project/a/traces/b%2Fc?x=1", "/trace/a", "/auth",
		"/auth/sign-in?targetPath=%2Fproject", "/project" };
	char line[TEXT_MAX];
	story_start(&story, NULL);
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct answer answer = get(targets[i]);
		snprintf(line, sizeof line, "Location: %s%s", fake_langfuse_url(story.front),
			targets[i]);
		cr_expect(has_line(&answer, line), "%s", answer.head.at);
		expect_status(&answer, 302);
	}
	struct answer answer = post("/project/a", "{}");
	cr_expect(has_line(&answer, "Allow: GET, HEAD"));
	expect_status(&answer, 405);
	answer = get("/projects");
	expect_status(&answer, 404);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

/* ---- prompts ---- */

static void expect_copy(const char *target, const char *word, const char *warning)
{
	struct answer answer = get(target);
	cr_expect(strstr(body_of(&answer), word), "%s", body_of(&answer));
	cr_expect(strcasestr((const char *)answer.head.at, "\r\nAge: "), "%s", answer.head.at);
	cr_expect(has_line(&answer, warning), "%s", answer.head.at);
	cr_expect(has_line(&answer, "Content-Type: application/json"));
	expect_status(&answer, 200);
}

Test(proxy, a_prompt_is_answered_from_its_copy_while_langfuse_is_away)
{
	static const char target[] = "/api/public/v2/prompts/a%2Fb";
	static const char *const compressed[] = { "Accept-Encoding: br", NULL };
	static const char stale[] = "Warning: 110 - \"Response is Stale\"";
	static const char failed[] = "Warning: 111 - \"Revalidation Failed\"";
	story_start(&story, NULL);
	fake_langfuse_write_prompt(story.front, "story", "a/b", "be brief");
	struct answer answer =
		ask((struct question){ .method = "GET", .target = target, .headers = compressed });
	cr_expect_null(fake_arrival_header(last_arrival(), "Accept-Encoding"));
	cr_expect(strstr(body_of(&answer), "be brief"), "%s", body_of(&answer));
	cr_expect_null(strcasestr((const char *)answer.head.at, "\r\nWarning:"));
	expect_status(&answer, 200);

	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .status = 429 });
	expect_copy(target, "be brief", stale);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .status = 500 });
	expect_copy(target, "be brief", stale);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .is_hanging = true });
	expect_copy(target, "be brief", failed);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	fake_langfuse_leave(story.front);
	expect_copy(target, "be brief", failed);
	story_stop(&story);
	story_start(&story, NULL);
	expect_copy(target, "be brief", failed);
	expect_error(get("/api/public/v2/prompts/another"), 502, "cannot be reached", true);
	expect_error(get("/api/public/traces"), 502, "cannot be reached", true);

	fake_langfuse_return(story.front);
	fake_langfuse_write_prompt(story.front, "story", "a/b", "be long");
	answer = get(target);
	cr_expect(strstr(body_of(&answer), "be long"), "%s", body_of(&answer));
	expect_status(&answer, 200);
}

Test(proxy, a_prompt_that_is_gone_has_no_copy)
{
	static const char target[] = "/api/public/v2/prompts/a";
	story_start(&story, NULL);
	fake_langfuse_write_prompt(story.front, "story", "a", "be brief");
	struct answer answer = get(target);
	expect_status(&answer, 200);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .status = 404 });
	answer = get(target);
	expect_status(&answer, 404);
	fake_langfuse_leave(story.front);
	expect_error(get(target), 502, "cannot be reached", true);
}

/* ---- events and scores ---- */

static void batch_of(char json[TEXT_MAX], const char *id)
{
	snprintf(json, TEXT_MAX,
		"{\"batch\":[{\"id\":\"%s\",\"type\":\"trace-create\",\"timestamp\":"
		"\"2026-08-22T12:00:00.000Z\",\"body\":{\"id\":\"t-%s\"}}],\"metadata\":{}}",
		id, id);
}

static struct answer post_event(const char *id)
{
	char json[TEXT_MAX];
	batch_of(json, id);
	return post("/api/public/ingestion", json);
}

static void expect_taken(const char *id)
{
	struct answer answer = post_event(id);
	json_t *json = json_loads(body_of(&answer), 0, NULL);
	json_t *successes = json_object_get(json, "successes");
	json_t *success = json_array_get(successes, 0);
	cr_expect_eq(json_array_size(successes), 1, "%s", body_of(&answer));
	cr_expect_str_eq(json_string_value(json_object_get(success, "id")), id);
	cr_expect_eq(json_integer_value(json_object_get(success, "status")), 201);
	cr_expect_eq(json_array_size(json_object_get(json, "errors")), 0);
	json_decref(json);
	expect_status(&answer, 207);
}

static double stored_requests(void)
{
	char *page;
	story_get(&story, "/metrics", &page);
	double stored = exposition_value(
		page, "tollgate_proxy_requests_total{family=\"ingestion\",ended=\"stored\"}");
	free(page);
	return stored;
}

/* All that came, by their ids, each once, in this order. */
static void expect_order(enum fake_kind kind, const char *const *ids, size_t count)
{
	cr_assert(fake_langfuse_wait_count(story.front, "story", kind, count, STORY_PATIENCE_MS));
	json_t *order = fake_langfuse_order(story.front, "story", kind);
	cr_expect_eq(json_array_size(order), count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(json_string_value(json_array_get(order, i)), ids[i]);
	json_decref(order);
}

static void live_through_trouble(const struct fake_trouble *trouble)
{
	static const char *const ids[] = { "e-1", "e-2", "e-3", "e-4" };
	story_start(&story, NULL);
	/* Passed through, once it is known that nothing waits from before. */
	expect_taken(ids[0]);
	cr_assert(fake_langfuse_wait_count(story.front, "story", FAKE_EVENT, 1, STORY_PATIENCE_MS));
	if (trouble)
		fake_langfuse_trouble(story.front, trouble);
	else
		fake_langfuse_leave(story.front);
	expect_taken(ids[1]);
	expect_taken(ids[2]);
	if (trouble)
		fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	else
		fake_langfuse_return(story.front);
	expect_taken(ids[3]);
	expect_order(FAKE_EVENT, ids, 4);

	/* What waited is gone; once that is known here, nothing is kept any more. */
	double before, stored = stored_requests();
	cr_expect_geq(stored, 2);
	char id[16];
	unsigned tries = 0;
	do {
		before = stored;
		snprintf(id, sizeof id, "later-%u", tries);
		expect_taken(id);
		stored = stored_requests();
	} while (stored > before && ++tries < 100);
	cr_expect_eq(stored, before);
}

Test(proxy, events_are_kept_while_nobody_listens)
{
	live_through_trouble(NULL);
}

Test(proxy, events_are_kept_while_langfuse_limits_their_rate)
{
	live_through_trouble(&(struct fake_trouble){ .status = 429, .retry_after = "1" });
}

Test(proxy, events_are_kept_while_langfuse_has_a_fault)
{
	live_through_trouble(&(struct fake_trouble){ .status = 500 });
}

Test(proxy, events_are_kept_while_langfuse_hangs)
{
	live_through_trouble(&(struct fake_trouble){ .is_hanging = true });
}

/* A lane that is refused is tried slowly, until somebody mends it. */
Test(proxy, events_are_kept_while_the_key_is_refused)
{
	static const char *const ids[] = { "e-1", "e-2" };
	story_start(&story, NULL);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .status = 401 });
	expect_taken(ids[0]);
	story_stop(&story);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	story_start(&story, NULL);
	expect_taken(ids[1]);
	expect_order(FAKE_EVENT, ids, 2);
}

Test(proxy, events_that_were_kept_arrive_after_a_restart)
{
	static const char *const ids[] = { "e-1", "e-2", "e-3" };
	story_start(&story, NULL);
	fake_langfuse_leave(story.front);
	expect_taken(ids[0]);
	expect_taken(ids[1]);
	daemon_kill(&story.daemon);
	fake_langfuse_return(story.front);
	story_start(&story, NULL);
	expect_taken(ids[2]);
	expect_order(FAKE_EVENT, ids, 3);
}

Test(proxy, events_on_their_way_are_kept_when_the_daemon_stops)
{
	static const char *const ids[] = { "e-1" };
	struct peer peer;
	char json[TEXT_MAX];
	story.further = "\"proxy\": { \"answer_timeout_ms\": 3600000 },";
	story_start(&story, NULL);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .is_hanging = true });
	batch_of(json, ids[0]);
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	peer_printf(&peer,
		"POST /api/public/ingestion HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		strlen(json), json);
	cr_assert(fake_langfuse_wait_open(story.front, 1, STORY_PATIENCE_MS));
	story_stop(&story);
	struct peer_reply reply = peer_reply(&peer);
	cr_expect_eq(reply.status, 207, "%d: %s", reply.status, reply.body);
	peer_close(&peer);
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	story_start(&story, NULL);
	expect_order(FAKE_EVENT, ids, 1);
}

Test(proxy, a_batch_that_comes_compressed_passes_and_is_kept)
{
	static const char *const ids[] = { "e-1", "e-2" };
	static const char *const headers[] = { "Content-Encoding: gzip", NULL };
	char json[TEXT_MAX];
	story_start(&story, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct buf body;
		buf_init(&body, MEGABYTE, NULL);
		batch_of(json, ids[i]);
		cr_assert_eq(gzip_compress(bytes_of(json), &body), 0);
		struct answer answer = ask((struct question){ .method = "POST",
			.target = "/api/public/ingestion",
			.headers = headers,
			.body = buf_bytes(&body) });
		expect_status(&answer, 207);
		buf_done(&body);
		cr_assert(fake_langfuse_wait_arrivals(story.front, 1, STORY_PATIENCE_MS));
		cr_expect_null(fake_arrival_header(last_arrival(), "Content-Encoding"));
		if (i == 0)
			fake_langfuse_leave(story.front);
	}
	fake_langfuse_return(story.front);
	expect_order(FAKE_EVENT, ids, 2);
	struct answer answer = ask((struct question){ .method = "POST",
		.target = "/api/public/ingestion",
		.headers = headers,
		.body = bytes_of("no gzip") });
	cr_expect(strstr(body_of(&answer), "gzip"), "%s", body_of(&answer));
	expect_status(&answer, 400);
}

Test(proxy, what_langfuse_refuses_is_refused)
{
	story_start(&story, NULL);
	struct answer answer = post("/api/public/ingestion", "no JSON");
	cr_expect(strstr(body_of(&answer), "Invalid request data"), "%s", body_of(&answer));
	expect_status(&answer, 400);
	fake_langfuse_leave(story.front);
	expect_error(post("/api/public/ingestion", "no JSON"), 502, "cannot be reached", true);
}

Test(proxy, what_finds_no_room_on_the_disk_is_503_and_what_passes_needs_none)
{
	static const char *const full[] = { "TOLLGATE_SPOOL_MIN_FREE_BYTES=1024TiB", NULL };
	char json[TEXT_MAX];
	story_start(&story, full);
	int status;
	do { /* until it is known that nothing waits from before */
		struct answer answer = post_event("e-1");
		status = answer.status;
		answer_done(&answer);
	} while (status == 503);
	cr_assert_eq(status, 207);
	fake_langfuse_leave(story.front);
	batch_of(json, "e-2");
	expect_error(post("/api/public/ingestion", json), 503, "disk buffer is full", true);
	expect_error(post("/api/public/scores", "{\"name\":\"n\",\"value\":1}"), 503,
		"disk buffer is full", true);
	fake_langfuse_return(story.front);
	expect_taken("e-3");
	static const char *const ids[] = { "e-1", "e-3" };
	expect_order(FAKE_EVENT, ids, 2);
}

Test(proxy, a_body_over_its_limit_is_413)
{
	char *words = malloc(2 * MEGABYTE);
	memset(words, ' ', 2 * MEGABYTE);
	story.further = "\"proxy\": { \"max_events_bytes\": \"1MiB\" },";
	story_start(&story, NULL);
	for (int is_chunked = 0; is_chunked < 2; is_chunked++)
		expect_error(ask((struct question){ .method = "POST",
				     .target = "/api/public/ingestion",
				     .body = { (const uint8_t *)words, 2 * MEGABYTE },
				     .is_chunked = is_chunked }),
			413, "max_events_bytes", false);
	free(words);
}

static void read_id(struct answer *answer, char id[TEXT_MAX])
{
	json_t *json = json_loads(body_of(answer), 0, NULL);
	const char *found = json_string_value(json_object_get(json, "id"));
	cr_assert(found, "%s", body_of(answer));
	snprintf(id, TEXT_MAX, "%s", found);
	json_decref(json);
}

Test(proxy, a_score_without_an_id_gets_one_that_is_told)
{
	static const char score[] = "{\"traceId\":\"t\",\"name\":\"n\",\"value\":1}";
	char passed[TEXT_MAX], kept[TEXT_MAX];
	story_start(&story, NULL);
	struct answer answer = post("/api/public/scores", score);
	read_id(&answer, passed);
	expect_status(&answer, 200);
	fake_langfuse_leave(story.front);
	answer = post("/api/public/scores", score);
	read_id(&answer, kept);
	expect_status(&answer, 200);
	fake_langfuse_return(story.front);
	const char *const ids[] = { passed, kept };
	expect_order(FAKE_SCORE, ids, 2);
}

/* ---- what is told of it ---- */

/* A request is counted once it is over, which whoever has its answer may know first. */
static void wait_metric(const char *sample, double wanted)
{
	double value;
	unsigned tries = 0;
	do {
		char *page;
		usleep(1000);
		story_get(&story, "/metrics", &page);
		value = exposition_value(page, sample);
		free(page);
	} while (!(value >= wanted) && ++tries < 10000);
	cr_expect_eq(value, wanted, "%s", sample);
}

Test(proxy, the_page_for_monitors_tells_what_became_of_requests)
{
	char *page;
	static const char *const sdk[] = { "Content-Type: application/json",
		"x-langfuse-sdk-name: python", "x_langfuse_sdk_version: 2.60.3", NULL };
	char json[TEXT_MAX];
	story_start(&story, NULL);
	struct answer answer = get("/api/public/projects");
	expect_status(&answer, 200);
	batch_of(json, "e-1");
	answer = ask((struct question){ .method = "POST",
		.target = "/api/public/ingestion",
		.headers = sdk,
		.body = bytes_of(json) });
	expect_status(&answer, 207);
	fake_langfuse_leave(story.front);
	expect_error(get("/api/public/traces"), 502, "cannot be reached", true);
	wait_metric("tollgate_proxy_requests_total{family=\"reads\",ended=\"failed\"}", 1);
	story_get(&story, "/metrics", &page);
	static const char *const lines[] = {
		"tollgate_proxy_requests_total{family=\"reads\",ended=\"passed\"} 1\n",
		"tollgate_proxy_last_status{family=\"reads\"} 200\n",
		"tollgate_ingestion_trace_events_total 1\n",
		"tollgate_ingestion_trace_batches_total{sdk=\"python 2.60.3\"} 1\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		cr_expect(strstr(page, lines[i]), "%s", lines[i]);
	free(page);
	story_expect_log(&story, "event=proxy_failed family=reads status=0 why=");
}

Test(proxy, keys_are_in_no_log_and_no_answer)
{
	static const char *const headers[] = { "Authorization: " STORY_AUTHORIZATION, NULL };
	story_start(&story, NULL);
	struct answer answer = ask((struct question){ .method = "GET",
		.target = "/api/public/traces?secret=s-3-cr-t",
		.headers = headers });
	cr_expect_null(strstr((const char *)answer.head.at, "c2stbGY"));
	cr_expect_null(strstr(body_of(&answer), "c2stbGY"));
	answer_done(&answer);
	fake_langfuse_leave(story.front);
	expect_error(ask((struct question){ .method = "GET",
			     .target = "/api/public/traces?secret=s-3-cr-t",
			     .headers = headers }),
		502, "cannot be reached", true);
	story_stop(&story);
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, STORY_SECRET_KEY));
	cr_expect_null(strstr(log, "c2stbGY"));
	cr_expect_null(strstr(log, "s-3-cr-t"));
	free(log);
}
