/* Who is let in at the doors, and what those are told who are not. */
#include "stories/story.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/exposition.h"
#include "support/http_peer.h"

#define GOOD "tg-a-good-key-of-the-default-project"
#define OTHER "tg-another-good-key"
#define TEAM "tg-a-good-key-of-team-a"
#define WRONG "tg-a-wrong-key-that-nobody-gave-out"
#define BEARER(key) "Authorization: Bearer " key "\r\n"
/* STORY_PUBLIC_KEY and the key of another, pk-team-a:sk-lf-story */
#define SWAPPED "Authorization: Basic cGstdGVhbS1hOnNrLWxmLXN0b3J5\r\n"
#define FROM_ELSEWHERE "X-Forwarded-For: 192.0.2.7\r\n"

enum { BAD_LOGINS = 10000, MEMORY_SLACK_BYTES = 4 << 20, ANSWER_MAX_BYTES = 256 << 10 };

static struct story story;

static void begin(void)
{
	story_begin(&story);
}

static void end(void)
{
	story_end(&story);
}

TestSuite(access, .init = begin, .fini = end, .timeout = 180);

static const char *path_of(const char *name)
{
	static char path[SCRATCH_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", story.directory, name);
	return path;
}

static void write_file(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void write_file(const char *name, const char *format, ...)
{
	FILE *file = fopen(path_of(name), "we");
	va_list args;
	cr_assert_not_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	cr_assert_eq(fclose(file), 0);
}

/* SHA-256 of the keys above. */
#define GOOD_LINE "ci sha256:c53992ab986f7806be12f6773c674876ebde4db153411fd6b7ef89fa8a2f0776\n"
#define OTHER_LINE \
	"laptop sha256:ef7a0a44eee0ea50275335652205d4232cee22e8b3bf66d81269f04eb9eac6ce\n"
#define TEAM_LINE "team sha256:d63e9cd1f2933a7139bce256bb50f1190d93d53d074028e0e2bdfeeeb762cebf\n"

static void write_keys(const char *lines)
{
	write_file("keys", "# of the default project\n%s", lines);
}

static void write_secret(const char *name, const char *secret)
{
	write_file(name, "%s\n", secret);
	cr_assert_eq(chmod(path_of(name), 0600), 0);
}

/* Both destinations and a second project. */
static void write_config(void)
{
	write_file("team-keys", "%s", TEAM_LINE);
	write_secret("team-secret", "sk-team-a");
	write_secret("secret", STORY_SECRET_KEY);
	write_file("own.json",
		"{ \"listen\": \"127.0.0.1:0\", \"state_directory\": \"%1$s/state\",\n"
		"  \"shutdown_timeout_ms\": 2000, \"access\": { \"keys_file\": \"%1$s/keys\",\n"
		"    \"origins\": [\"https://app.example.com\"], \"hosts\": [\"gw.example.com\"] },\n"
		"  \"projects\": { \"team-a\": { \"public_key\": \"pk-team-a\",\n"
		"    \"secret_key_file\": \"%1$s/team-secret\",\n"
		"    \"gateway_keys_file\": \"%1$s/team-keys\" } },\n"
		"  \"destinations\": {\n"
		"    \"langfuse\": { \"type\": \"langfuse\", \"endpoint\": \"%2$s\", \"public_key\": \"%3$s\",\n"
		"      \"secret_key_file\": \"%1$s/secret\", \"batch_timeout_ms\": 10 },\n"
		"    \"tempo\": { \"type\": \"otlp\", \"endpoint\": \"%4$s\", \"batch_timeout_ms\": 10 } } }\n",
		story.directory, fake_destination_url(story.langfuse), STORY_PUBLIC_KEY,
		fake_destination_url(story.tempo));
}

static void serve(const char *const *settings)
{
	static const char *const none[] = { NULL };
	write_config();
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "serve", "--config",
			path_of("own.json"), NULL },
		.environment = settings ? settings : none,
		.directory = story.directory,
	};
	int error = daemon_start(&story.daemon, &start);
	if (error < 0)
		cr_assert_fail("the daemon does not listen: %s", daemon_log(&story.daemon));
}

static const char *const nobody[] = { "TOLLGATE_ACCESS_ANONYMOUS=nobody", NULL };

/* ---- the doors ---- */

struct answer {
	int status;
	char text[ANSWER_MAX_BYTES]; /* all of it */
	const char *body;
};

static struct answer *read_answer(int fd)
{
	static struct answer answer;
	size_t len = 0;
	for (ssize_t got; (got = read(fd, answer.text + len, sizeof answer.text - 1 - len)) > 0;)
		len += (size_t)got;
	answer.text[len] = '\0';
	const char *end = strstr(answer.text, "\r\n\r\n");
	cr_assert(
		sscanf(answer.text, "HTTP/1.1 %d", &answer.status) == 1 && end, "%s", answer.text);
	answer.body = end + 4;
	return &answer;
}

/* A request on a connection of its own; its answer stays until the next. `headers` has its line ends. */
static const struct answer *ask(const char *method, const char *path, const char *headers)
{
	struct peer peer;
	bool has_body = strcmp(method, "POST") == 0;
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	peer_printf(&peer, "%s %s HTTP/1.1\r\nConnection: close\r\n%s%s%s\r\n%s", method, path,
		strstr(headers, "Host:") ? "" : "Host: localhost\r\n", headers,
		has_body ? "Content-Type: application/json\r\nContent-Length: 2\r\n" : "",
		has_body ? "{}" : "");
	const struct answer *answer = read_answer(peer.fd);
	peer_close(&peer);
	return answer;
}

static const struct door {
	const char *method, *path;
	const char *refusal; /* how its body begins */
} doors[] = {
	{ "POST", "/v1/traces", "{\"code\":16,\"message\":\"" },
	{ "POST", "/v1/logs", "{\"code\":16,\"message\":\"" },
	{ "POST", "/v1/metrics", "{\"code\":16,\"message\":\"" },
	{ "POST", "/api/public/otel/v1/traces", "{\"code\":16,\"message\":\"" },
	{ "POST", "/api/public/otel/v1/metrics", "{\"code\":16,\"message\":\"" },
	{ "POST", "/hooks/claude-code", "{\"error\":\"" },
	{ "POST", "/hooks/codex", "{\"error\":\"" },
	{ "POST", "/hooks/gemini", "{\"error\":\"" },
	{ "GET", "/metrics", "{\"code\":16,\"message\":\"" },
};
enum { DOOR_COUNT = sizeof doors / sizeof *doors };

static void expect_all(const char *headers, int status)
{
	for (size_t i = 0; i < DOOR_COUNT; i++) {
		const struct answer *answer = ask(doors[i].method, doors[i].path, headers);
		cr_expect_eq(answer->status, status, "%s with %s: %s", doors[i].path, headers,
			answer->text);
	}
}

static void expect_challenge(const char *headers)
{
	for (size_t i = 0; i < DOOR_COUNT; i++) {
		const struct answer *answer = ask(doors[i].method, doors[i].path, headers);
		const char *refusal = doors[i].refusal;
		cr_expect_eq(answer->status, 401, "%s with %s: %s", doors[i].path, headers,
			answer->text);
		cr_expect_eq(strncmp(answer->body, refusal, strlen(refusal)), 0, "%s: %s",
			doors[i].path, answer->text);
		cr_expect(strstr(answer->text, "\r\nWWW-Authenticate: Basic realm=\"tollgate\""),
			"%s", answer->text);
		cr_expect(strstr(answer->text, "\r\nWWW-Authenticate: Bearer realm=\"tollgate\""),
			"%s", answer->text);
	}
}

/* Of people who monitor, and of browsers that follow a link to Langfuse's pages. */
static void expect_open(const char *headers)
{
	cr_expect_eq(ask("GET", "/healthz", headers)->status, 200);
	cr_expect_eq(ask("GET", "/readyz", headers)->status, 200);
	int status = ask("GET", "/project/p/traces/t", headers)->status;
	cr_expect(status != 401 && status != 403, "%d", status);
}

Test(access, on_this_machine_no_key_is_needed_but_a_wrong_one_is_refused)
{
	write_keys(GOOD_LINE);
	serve(NULL);
	expect_all("", 200);
	expect_all(BEARER(GOOD), 200);
	expect_all(BEARER(TEAM), 200);
	expect_challenge(BEARER(WRONG));
	expect_challenge(SWAPPED);
	expect_challenge(BEARER(GOOD) BEARER(GOOD));
	expect_challenge(FROM_ELSEWHERE);
	expect_all(FROM_ELSEWHERE BEARER(GOOD), 200);
	expect_open(FROM_ELSEWHERE);
	expect_open(BEARER(WRONG));
	story_stop(&story);
}

Test(access, where_nobody_comes_without_a_key_every_door_asks_for_one)
{
	write_keys(GOOD_LINE);
	serve(nobody);
	expect_challenge("");
	expect_challenge(BEARER(OTHER));
	expect_all(BEARER(GOOD), 200);
	expect_all("Authorization: " STORY_AUTHORIZATION "\r\n", 200);
	expect_open("");
	int status = ask("OPTIONS", "/v1/traces", "")->status;
	cr_expect_eq(status, 405, "%d", status);
	story_stop(&story);
}

static size_t post_spans(const char *path, const char *headers, uint64_t first)
{
	struct payload payload;
	struct peer peer;
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, first), 0);
	payload_stamp(&payload, payload.request.at, first);
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	peer_printf(&peer,
		"POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/x-protobuf\r\n"
		"Content-Length: %zu\r\n\r\n",
		path, headers, payload.request.len);
	peer_send(&peer, payload.request.at, payload.request.len);
	cr_expect_eq(peer_reply(&peer).status, 200, "%s", path);
	peer_close(&peer);
	size_t count = payload.span_count;
	payload_done(&payload);
	return count;
}

Test(access, spans_under_langfuses_own_path_are_delivered_and_metrics_forgotten)
{
	write_keys(GOOD_LINE);
	serve(nobody);
	size_t spans = post_spans("/api/public/otel/v1/traces", BEARER(GOOD), 0);
	story_expect_each_once(story.tempo, 0, (unsigned)spans);
	story_expect_each_once(story.langfuse, 0, (unsigned)spans);
	const struct answer *answer = ask("POST", "/api/public/otel/v1/metrics", BEARER(GOOD));
	cr_expect_str_eq(answer->body, "{\"message\":\"OK\"}");
	story_stop(&story);
}

Test(access, a_browser_from_elsewhere_is_refused_and_a_page_of_ours_is_not)
{
	write_keys(GOOD_LINE);
	serve(NULL);
	expect_all("Origin: https://evil.example\r\n", 403);
	expect_all("Origin: https://evil.example\r\n" BEARER(GOOD), 403);
	expect_all("Origin: null\r\n", 403);
	expect_all("Origin: http://localhost:3000\r\nOrigin: http://localhost\r\n", 403);
	expect_all("Origin: http://localhost:3000\r\n", 200);
	expect_all("Origin: https://app.example.com\r\n", 200);
	expect_all("Host: evil.example\r\n", 403);
	expect_all("Host: evil.example\r\n" BEARER(GOOD), 200);
	expect_all("Host: gw.example.com\r\n", 200);
	expect_all("Host: [::1]:4318\r\n", 200);
	const struct answer *answer = ask("POST", "/v1/traces", "Origin: https://evil.example\r\n");
	cr_expect_eq(strncmp(answer->body, "{\"code\":7,", 10), 0, "%s", answer->text);
	cr_expect_null(strstr(answer->text, "WWW-Authenticate"));
	cr_expect_eq(ask("OPTIONS", "/v1/traces", "Origin: https://evil.example\r\n")->status, 403);
	story_stop(&story);
}

/* ---- many who try ---- */

static double refused(void)
{
	return exposition_value(ask("GET", "/metrics", BEARER(GOOD))->body,
		"tollgate_requests_refused_total{reason=\"unauthorized\"}");
}

/* Each another one: near the good one, of the right length, empty, and long. */
static void write_bad_login(unsigned n, char header[8192])
{
	int len = snprintf(header, 8192, "Authorization: %s ", n % 2 ? "Bearer" : "Basic");
	switch (n % 5) {
	case 0:
		snprintf(header + len, 128, "%s%u\r\n", GOOD, n);
		break;
	case 1:
		snprintf(header + len, 128, "%.*s\r\n", (int)(n % (sizeof GOOD - 1)), GOOD);
		break;
	case 2:
		snprintf(header + len, 128, "Y2k6%08xAAAA\r\n", n);
		break;
	case 3:
		snprintf(header + len, 16, "\r\n");
		break;
	default:
		memset(header + len, 'a' + (int)(n % 26), 3000);
		strcpy(header + len + 3000, "\r\n");
	}
}

static bool try_login(struct peer *peer, const char *header)
{
	static const char line[] = "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\nContent-Length: 2\r\n";
	peer_send_text(peer, line);
	peer_send_text(peer, header);
	peer_send_text(peer, "\r\n{}");
	int status = peer_reply(peer).status;
	cr_assert(status == 401 || status == 200, "%d after %s", status, header);
	return status == 200;
}

static void expect_no_key_in_the_log(void)
{
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "tg-"), "%s", log);
	cr_expect_null(strstr(log, "Y2k6"), "%s", log);
	cr_expect_null(strstr(log, "aaaa"), "%s", log);
	char *first = strstr(log, "event=request_refused status=401");
	cr_expect_not_null(first, "%s", log);
	cr_expect(!first || !strstr(first + 1, "event=request_refused status=401"), "%s", log);
	free(log);
}

/* A sanitizer keeps little of what is freed, so that memory can be counted. */
static const char *const counted[] = { "TOLLGATE_ACCESS_ANONYMOUS=nobody",
	"ASAN_OPTIONS=quarantine_size_mb=1", NULL };

Test(access, ten_thousand_bad_logins_let_nobody_in_and_hold_nobody_up)
{
	char header[8192];
	struct peer bad, good;
	uint64_t before = 0, longest_ms = 0;
	write_keys(GOOD_LINE);
	serve(counted);
	cr_assert(peer_open(&bad, (unsigned)story.daemon.port));
	cr_assert(peer_open(&good, (unsigned)story.daemon.port));
	for (unsigned n = 0; n < BAD_LOGINS; n++) {
		write_bad_login(n, header);
		cr_assert_not(try_login(&bad, header), "%s", header);
		if (n % 100 != 99)
			continue;
		uint64_t begin_ms = clock_monotonic_ms();
		cr_assert(try_login(&good, BEARER(GOOD)));
		uint64_t took_ms = clock_monotonic_ms() - begin_ms;
		longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
		if (n == BAD_LOGINS / 10 - 1)
			before = daemon_anonymous_bytes(&story.daemon);
	}
	peer_close(&bad);
	peer_close(&good);
	uint64_t after = daemon_anonymous_bytes(&story.daemon);
	cr_expect_lt(longest_ms, 5000, "%llu ms", (unsigned long long)longest_ms);
	cr_expect_lt(after, before + MEMORY_SLACK_BYTES, "%llu bytes after %llu",
		(unsigned long long)after, (unsigned long long)before);
	cr_expect_eq(refused(), BAD_LOGINS);
	story_stop(&story);
	expect_no_key_in_the_log();
}

/* ---- keys that come and go ---- */

static void reload(const char *words)
{
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, words);
}

Test(access, sighup_takes_a_new_key_in_and_an_old_one_out)
{
	write_keys(GOOD_LINE);
	serve(nobody);
	story_expect_log(&story, "event=keys_loaded gateway_keys=2");
	write_keys(OTHER_LINE OTHER_LINE);
	reload("event=reload_failed file=");
	expect_all(BEARER(GOOD), 200);
	expect_challenge(BEARER(OTHER));
	write_keys("# nobody any more\n");
	reload("event=keys_loaded gateway_keys=1");
	expect_challenge(BEARER(GOOD));
	write_keys(OTHER_LINE "\n" GOOD_LINE);
	reload("event=keys_loaded gateway_keys=3");
	expect_all(BEARER(OTHER), 200);
	expect_all(BEARER(GOOD), 200);
	expect_all(BEARER(TEAM), 200);
	write_keys(OTHER_LINE);
	write_secret("secret", "sk-lf-rotated");
	reload("event=reloaded changed=destinations.langfuse.secret_key");
	expect_challenge(BEARER(GOOD));
	expect_challenge("Authorization: " STORY_AUTHORIZATION "\r\n");
	story_stop(&story);
	char *log = daemon_log(&story.daemon);
	cr_expect_null(strstr(log, "tg-"), "%s", log);
	free(log);
}

Test(access, a_key_that_the_command_makes_lets_in)
{
	char *said, header[256];
	write_keys("");
	serve(nobody);
	cr_assert_eq(story_command(&story, &said, "key", "--append", path_of("keys"), "ci", NULL),
		0, "%s", said);
	snprintf(header, sizeof header, "Authorization: Bearer %.*s\r\n", (int)strcspn(said, "\n"),
		said);
	free(said);
	expect_challenge(header);
	reload("event=keys_loaded gateway_keys=2");
	expect_all(header, 200);
	story_stop(&story);
}

/* ---- listening to others ---- */

static void expect_start(const char *const *settings, int status, const char *words)
{
	int ended = story_start_refused(&story, settings);
	char *log = daemon_log(&story.daemon);
	cr_expect_eq(ended, status, "%d: %s", ended, log);
	cr_expect(strstr(log, words), "%s", log);
	free(log);
}

Test(access, others_are_not_listened_to_without_a_key)
{
	static const char no_key[] =
		"which others reach, and there is no key that they could show: set access.keys_file";
	static const char *const any[] = { "TOLLGATE_LISTEN=0.0.0.0:0", "LANGFUSE_ENABLED=false",
		NULL };
	expect_start(any, 2, no_key);
	cr_expect_neq(access(path_of("state"), F_OK), 0, "nothing was started");
	char *said;
	cr_expect_eq(story_command(
			     &story, &said, "config", "--check", "--set", "listen=[::]:4318", NULL),
		2);
	cr_expect(strstr(said, no_key), "%s", said);
	free(said);
}

/* An address that no machine has, so that nobody is listened to. */
Test(access, that_everyone_may_come_must_be_said_and_is_said_again)
{
	static const char *const everyone[] = { "TOLLGATE_LISTEN=192.0.2.1:0",
		"TOLLGATE_ACCESS_ANONYMOUS=everyone", NULL };
	expect_start(everyone, 1, "level=warning event=open_to_everyone listen=192.0.2.1:0 why=");
}

Test(access, a_mistake_in_a_file_of_keys_keeps_the_daemon_from_starting)
{
	char words[SCRATCH_PATH_MAX + 128], setting[SCRATCH_PATH_MAX + 64], *said;
	write_keys(GOOD_LINE "laptop " OTHER "\n");
	snprintf(setting, sizeof setting, "access.keys_file=%s", path_of("keys"));
	cr_expect_eq(story_command(&story, &said, "config", "--check", "--set", setting, NULL), 2);
	snprintf(words, sizeof words, "tollgate: %s:3: a line must be a name and the key's hash",
		path_of("keys"));
	cr_expect_eq(strncmp(said, words, strlen(words)), 0, "%s", said);
	cr_expect_null(strstr(said, OTHER), "%s", said);
	free(said);
}
