/*
 * Two projects behind one gateway: each caller gets to its own and to nothing else, whatever is done to keys, paths
 * and the framing of requests; and no key is ever where somebody might read it.
 */
#include "stories/story.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/http_peer.h"

enum {
	AUTHORIZATION_MAX = 512,
	TARGET_MAX = 256,
	TOLD_MAX_BYTES = 64 << 20,
	CROWD = 8,
	CROWD_REQUESTS = 100,
	OPEN_FILES = 16,
};

/* Langfuse has one project more, whose keys nobody gave to the gateway. */
enum { OURS, THEIRS, STRANGER, PROJECTS };

static const struct fake_project projects[PROJECTS] = {
	[OURS] = { "default", STORY_PUBLIC_KEY, STORY_SECRET_KEY },
	[THEIRS] = { "team-b", "pk-lf-team-b", "sk-lf-planted-team-b" },
	[STRANGER] = { "stranger", "pk-lf-stranger", "sk-lf-planted-stranger" },
};

static struct story story;
static char keys[STRANGER][64]; /* gateway keys of the first two */
static struct buf told;         /* all that any caller was answered */

/* ---- who calls ---- */

static const char *bearer(const char *key)
{
	static char text[AUTHORIZATION_MAX];
	snprintf(text, sizeof text, "Bearer %s", key);
	return text;
}

static const char *basic(const char *user, const char *password)
{
	static char text[AUTHORIZATION_MAX] = "Basic ";
	char pair[AUTHORIZATION_MAX / 2];
	int len = snprintf(pair, sizeof pair, "%s:%s", user, password);
	EVP_EncodeBlock((unsigned char *)text + 6, (const unsigned char *)pair, len);
	return text;
}

static void path_of(char path[SCRATCH_PATH_MAX], const char *name)
{
	cr_assert_lt(
		snprintf(path, SCRATCH_PATH_MAX, "%s/%s", story.directory, name), SCRATCH_PATH_MAX);
}

/* A key as `tollgate key` makes it, whose line is in the file. */
static void make_key(char key[64], const char *file)
{
	char path[SCRATCH_PATH_MAX], *said;
	path_of(path, file);
	cr_assert_eq(story_command(&story, &said, "key", "--append", path, "caller", NULL), 0);
	cr_assert_eq(sscanf(said, "%63s", key), 1, "%s", said);
	free(said);
}

static void write_secret(const char *name, const char *secret)
{
	char path[SCRATCH_PATH_MAX];
	path_of(path, name);
	FILE *file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert_eq(fchmod(fileno(file), 0600), 0);
	fputs(secret, file);
	cr_assert_eq(fclose(file), 0);
}

static void begin(void)
{
	static char further[2048];
	story_begin(&story);
	story.is_tempo_off = true;
	story.front = fake_langfuse_start(
		&(struct fake_langfuse_options){ .projects = projects, .project_count = PROJECTS });
	make_key(keys[OURS], "keys");
	make_key(keys[THEIRS], "keys-b");
	write_secret("secret-b", projects[THEIRS].secret_key);
	snprintf(further, sizeof further,
		"\"access\": { \"anonymous\": \"nobody\", \"keys_file\": \"%1$s/keys\" },\n"
		"\"projects\": { \"team-b\": { \"public_key\": \"%2$s\",\n"
		"  \"secret_key_file\": \"%1$s/secret-b\", \"gateway_keys_file\": \"%1$s/keys-b\" } },\n"
		"\"proxy\": { \"answer_timeout_ms\": 1000 },\n",
		story.directory, projects[THEIRS].public_key);
	story.further = further;
	buf_init(&told, TOLD_MAX_BYTES, NULL);
	story_start(&story, NULL);
}

static void end(void)
{
	story_end(&story);
	buf_done(&told);
}

TestSuite(isolation, .init = begin, .fini = end, .timeout = 180);

/* ---- what they ask ---- */

static void remember(const struct peer_reply *reply)
{
	buf_text(&told, reply->head);
	buf_append(&told, reply->body, reply->body_len);
}

/* A request on a connection of its own. `lines` end with CR LF each; NULL: none. */
static struct peer_reply ask_with(
	const char *method, const char *target, const char *lines, const char *body)
{
	struct peer peer;
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	peer_printf(&peer,
		"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, target, lines ? lines : "", strlen(body), body);
	struct peer_reply reply = peer_reply(&peer);
	remember(&reply);
	peer_close(&peer);
	return reply;
}

static struct peer_reply ask(
	const char *method, const char *target, const char *authorization, const char *body)
{
	char line[AUTHORIZATION_MAX + 32] = "";
	if (authorization)
		snprintf(line, sizeof line, "Authorization: %s\r\n", authorization);
	return ask_with(method, target, line, body);
}

static struct peer_reply get(const char *target, const char *authorization)
{
	return ask("GET", target, authorization, "");
}

static const struct fake_arrival *last_arrival(void)
{
	size_t count = fake_langfuse_arrival_count(story.front);
	return count ? fake_langfuse_arrival(story.front, count - 1) : NULL;
}

static void expect_reaches(const char *authorization, const char *project)
{
	char id[TARGET_MAX];
	struct peer_reply reply = get("/api/public/projects", authorization);
	snprintf(id, sizeof id, "{\"data\":[{\"id\":\"%s\"", project);
	cr_expect_eq(reply.status, 200, "%s: %s", project, reply.head);
	cr_expect(strstr(reply.body, id), "%s", reply.body);
	cr_expect_str_eq(last_arrival()->project, project);
}

/* ---- each to its own ---- */

Test(isolation, each_caller_reaches_its_own_project)
{
	for (int i = OURS; i <= THEIRS; i++) {
		const struct fake_project *project = &projects[i];
		expect_reaches(bearer(keys[i]), project->name);
		expect_reaches(basic("anybody", keys[i]), project->name);
		expect_reaches(basic(project->public_key, keys[i]), project->name);
		expect_reaches(basic(project->public_key, project->secret_key), project->name);
	}
}

Test(isolation, what_one_has_the_other_does_not_see)
{
	fake_langfuse_write_prompt(story.front, "default", "same", "of ours");
	fake_langfuse_write_prompt(story.front, "team-b", "same", "of theirs");
	fake_langfuse_write_prompt(story.front, "team-b", "secret plan", "of theirs alone");
	struct peer_reply ours = get("/api/public/v2/prompts/same", bearer(keys[OURS]));
	struct peer_reply theirs = get("/api/public/v2/prompts/same", bearer(keys[THEIRS]));
	cr_expect(strstr(ours.body, "of ours") && strstr(theirs.body, "of theirs"));
	cr_expect_eq(get("/api/public/v2/prompts/secret%20plan", bearer(keys[OURS])).status, 404);

	cr_expect_eq(
		ask("POST", "/api/public/v2/datasets", bearer(keys[THEIRS]), "{\"name\":\"set\"}")
			.status,
		200);
	cr_expect_eq(get("/api/public/v2/datasets/set", bearer(keys[THEIRS])).status, 200);
	cr_expect_eq(get("/api/public/v2/datasets/set", bearer(keys[OURS])).status, 404);
}

Test(isolation, a_copy_of_a_prompt_is_shown_to_its_own_project_alone)
{
	fake_langfuse_write_prompt(story.front, "default", "same", "of ours");
	fake_langfuse_write_prompt(story.front, "team-b", "same", "of theirs");
	fake_langfuse_write_prompt(story.front, "team-b", "theirs", "of theirs alone");
	for (int i = OURS; i <= THEIRS; i++)
		cr_assert_eq(get("/api/public/v2/prompts/same", bearer(keys[i])).status, 200);
	cr_assert_eq(get("/api/public/v2/prompts/theirs", bearer(keys[THEIRS])).status, 200);

	fake_langfuse_leave(story.front);
	struct peer_reply ours = get("/api/public/v2/prompts/same", bearer(keys[OURS]));
	struct peer_reply theirs = get("/api/public/v2/prompts/same", bearer(keys[THEIRS]));
	cr_expect(strstr(ours.body, "of ours"), "%s", ours.body);
	cr_expect(strstr(theirs.body, "of theirs"), "%s", theirs.body);
	cr_expect_eq(get("/api/public/v2/prompts/theirs", bearer(keys[THEIRS])).status, 200);
	struct peer_reply none = get("/api/public/v2/prompts/theirs", bearer(keys[OURS]));
	cr_expect_eq(none.status, 502);
	cr_expect_null(strstr(none.body, "of theirs"));
}

Test(isolation, what_was_kept_goes_to_the_project_of_who_posted_it)
{
	static const char *const ids[] = { "ours", "theirs" };
	char body[128];
	fake_langfuse_leave(story.front);
	for (int i = OURS; i <= THEIRS; i++) {
		snprintf(body, sizeof body, "{\"id\":\"%s\",\"name\":\"n\",\"value\":1}", ids[i]);
		cr_expect_eq(ask("POST", "/api/public/scores", bearer(keys[i]), body).status, 200);
	}
	daemon_kill(&story.daemon);
	fake_langfuse_return(story.front);
	story_start(&story, NULL);
	for (int i = OURS; i <= THEIRS; i++) {
		const char *name = projects[i].name;
		cr_expect(fake_langfuse_wait_count(
			story.front, name, FAKE_SCORE, 1, STORY_PATIENCE_MS));
		cr_expect_eq(fake_langfuse_times(story.front, name, FAKE_SCORE, ids[i]), 1);
		cr_expect_eq(fake_langfuse_times(story.front, name, FAKE_SCORE, ids[!i]), 0);
	}
}

/* Many at once, and each connection is used by both in turns. */
static void *crowd(void *arg)
{
	struct peer *peer = arg;
	for (int i = 0; i < CROWD_REQUESTS; i++) {
		char line[AUTHORIZATION_MAX];
		snprintf(line, sizeof line, "Authorization: Bearer %s", keys[i % 2]);
		peer_printf(peer,
			"GET /api/public/projects?of=%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n",
			projects[i % 2].name, line);
		if (peer_reply(peer).status != 200)
			return "not 200";
	}
	return NULL;
}

Test(isolation, a_crowd_on_shared_connections_is_not_mixed_up)
{
	static struct peer peers[CROWD];
	pthread_t threads[CROWD];
	void *wrong;
	for (int i = 0; i < CROWD; i++) {
		cr_assert(peer_open(&peers[i], (unsigned)story.daemon.port));
		cr_assert_eq(pthread_create(&threads[i], NULL, crowd, &peers[i]), 0);
	}
	for (int i = 0; i < CROWD; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
		peer_close(&peers[i]);
	}
	cr_expect_eq(fake_langfuse_arrival_count(story.front), CROWD * CROWD_REQUESTS);
	for (size_t i = 0; i < CROWD * CROWD_REQUESTS; i++) {
		const struct fake_arrival *arrival = fake_langfuse_arrival(story.front, i);
		cr_expect_str_eq(strchr(arrival->target, '=') + 1, arrival->project);
	}
}

/* ---- keys that are none ---- */

/* All that is passed through, each in its own way. */
static const struct {
	const char *method, *target;
} doors[] = {
	{ "GET", "/api/public/projects" },
	{ "POST", "/api/public/otel/v1/traces" },
	{ "POST", "/api/public/otel/v1/metrics" },
	{ "POST", "/api/public/ingestion" },
	{ "POST", "/api/public/scores" },
	{ "GET", "/api/public/v2/prompts/same" },
	{ "POST", "/api/public/media" },
	{ "GET", "/api/public/mcp" },
	{ "DELETE", "/api/public/datasets/a/runs/b" },
	{ "POST", "/v1/traces" },
};
enum { DOORS = sizeof doors / sizeof *doors };

/* At one door after the other; at all of them is tested with the first. */
static void expect_refused(const char *lines)
{
	static unsigned next;
	unsigned count = next == 0 ? DOORS : 1;
	for (unsigned i = 0; i < count; i++, next++) {
		const char *method = doors[next % DOORS].method;
		const char *target = doors[next % DOORS].target;
		struct peer_reply reply = ask_with(method, target, lines, "{}");
		cr_expect_eq(reply.status, 401, "%s %s with %s: %d", method, target, lines,
			reply.status);
	}
}

static void expect_no_key(const char *authorization)
{
	char line[AUTHORIZATION_MAX + 32];
	snprintf(line, sizeof line, "Authorization: %s\r\n", authorization);
	expect_refused(line);
}

/* Every beginning of it, it with a letter more, and with each letter changed. */
static void expect_no_variant(const char *key, void (*expect)(const char *variant))
{
	char variant[AUTHORIZATION_MAX / 2];
	size_t len = strlen(key);
	for (size_t i = 0; i < len; i++) {
		snprintf(variant, sizeof variant, "%.*s", (int)i, key);
		expect(variant);
		strcpy(variant, key);
		variant[i] = variant[i] == 'x' ? 'y' : 'x';
		expect(variant);
	}
	snprintf(variant, sizeof variant, "%sx", key);
	expect(variant);
}

static void expect_no_bearer(const char *key)
{
	expect_no_key(bearer(key));
}

static void expect_no_password(const char *key)
{
	expect_no_key(basic("anybody", key));
}

static void expect_no_secret(const char *secret)
{
	expect_no_key(basic(projects[OURS].public_key, secret));
}

static void expect_no_public_key(const char *public_key)
{
	expect_no_key(basic(public_key, projects[OURS].secret_key));
}

Test(isolation, a_key_that_is_not_whole_opens_no_door)
{
	expect_refused("");
	expect_no_variant(keys[OURS], expect_no_bearer);
	expect_no_variant(keys[THEIRS], expect_no_password);
	expect_no_variant(projects[OURS].secret_key, expect_no_secret);
	expect_no_variant(projects[OURS].public_key, expect_no_public_key);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
	expect_reaches(bearer(keys[OURS]), "default");
}

Test(isolation, keys_in_the_wrong_place_open_no_door)
{
	/* What stands before the key and behind it. */
	static const char *const forms[][2] = {
		{ "Cookie: Authorization=Bearer ", "" },
		{ "X-Api-Key: ", "" },
		{ "Proxy-Authorization: Bearer ", "" },
		{ "x-langfuse-public-key: ", "" },
		{ "Authorization: ", "" },
		{ "Authorization: Token ", "" },
		{ "Authorization: Bearer, ", "" },
		{ "Authorization: Bearer \"", "\"" },
		{ "Authorization: Bearer x ", "" },
		{ "Authorization: Bearer ", " x" },
		{ "Authorization : Bearer ", "" },
		{ "Authorization: Basic ", "" },
	};
	const char *ours = projects[OURS].public_key, *theirs = projects[THEIRS].public_key;
	char lines[2 * AUTHORIZATION_MAX];
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct peer_reply reply;
		snprintf(lines, sizeof lines, "%s%s%s\r\n", forms[i][0], keys[OURS], forms[i][1]);
		reply = ask_with("GET", "/api/public/projects", lines, "");
		cr_expect(
			reply.status == 401 || reply.status == 400, "%s: %d", lines, reply.status);
	}
	snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n",
		keys[OURS], keys[THEIRS]);
	expect_refused(lines);
	expect_no_key(basic(ours, projects[THEIRS].secret_key));
	expect_no_key(basic(theirs, projects[OURS].secret_key));
	expect_no_key(basic(theirs, keys[OURS]));
	expect_no_key(basic(ours, keys[THEIRS]));
	expect_no_key(basic(keys[OURS], ""));
	expect_no_key(bearer(ours));
	expect_no_key(bearer(projects[OURS].secret_key));
	expect_no_key(basic(projects[STRANGER].public_key, projects[STRANGER].secret_key));
	snprintf(lines, sizeof lines, "/api/public/projects?key=%s&authorization=Bearer%%20%s",
		keys[OURS], keys[OURS]);
	cr_expect_eq(get(lines, NULL).status, 401);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

/* ---- paths ---- */

Test(isolation, no_trick_with_a_path_gets_further_than_the_gateway)
{
	static const char *const malformed[] = { "//api/public/projects", "/api//public/projects",
		"/api/public//projects", "/api/public/../private", "/api/public/..",
		"/api/public/./projects", "/api/public/%2e%2e/private", "/api/public/.%2E",
		"/api/public/%2e/x", "/x/../api/public/projects", "/api/public/%00",
		"/api/public/a%zz", "/api/public/v2/prompts/a%2F..%2Fb",
		"/api/public/v2/prompts/..%2fx", "/api/public/v2/prompts/a%5C..", "/api/public/%",
		"/api/public/%2", "/api/public/a\\..\\b", "/api/public/a#b", "/api/public/\x7f",
		"/api/public/\xc3\xa9", "http://127.0.0.1/api/public/projects",
		"HTTP://elsewhere.example/api/public/x", "api/public/projects", "*",
		"?/api/public/projects" };
	static const char *const elsewhere[] = { "/api/private", "/api/publicity/projects",
		"/API/public/projects", "/api%2Fpublic/projects", "/api/public%2Fprojects",
		"/storage/x" };
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
		cr_expect_eq(get(malformed[i], bearer(keys[OURS])).status, 400, "%s", malformed[i]);
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		cr_expect_eq(get(elsewhere[i], bearer(keys[OURS])).status, 404, "%s", elsewhere[i]);
	cr_expect_eq(fake_langfuse_arrival_count(story.front), 0);
}

Test(isolation, an_escaped_slash_or_line_stays_escaped_on_its_way)
{
	static const char *const targets[] = { "/api/public/v2/prompts/a%2Fb%2f...%2Fc%5Cd",
		"/api/public/x%0d%0aX-Injected:%20yes", "/api/public/x?a=/../..//b" };
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		get(targets[i], bearer(keys[THEIRS]));
		cr_assert_eq(fake_langfuse_arrival_count(story.front), i + 1);
		cr_expect_str_eq(last_arrival()->target, targets[i]);
		cr_expect_str_eq(last_arrival()->project, "team-b");
		cr_expect_null(fake_arrival_header(last_arrival(), "X-Injected"));
	}
}

/* ---- one request inside another ---- */

#define INNER "GET /api/public/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Ways to be of two opinions about where a body ends: the lines of the framing, and the body. */
static const struct {
	const char *framing, *body;
} opinions[] = {
	{ "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" INNER },
	{ "Content-Length: 0\r\nContent-Length: 63\r\n", INNER },
	{ "Content-Length: 63\r\nContent-Length: 0\r\n", INNER },
	{ "Content-Length: 0, 63\r\n", INNER },
	{ "Content-Length: +0\r\n", INNER },
	{ "Content-Length: 0x0\r\n", INNER },
	{ "Content-Length: -1\r\n", INNER },
	{ "Content-Length: 0 0\r\n", INNER },
	{ "Content-Length: 18446744073709551616\r\n", INNER },
	{ "Content-Length: 63\r\nTransfer-Encoding : chunked\r\n", "0\r\n\r\n" INNER },
	{ "Content-Length: 63\r\nTransfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" INNER },
	{ "Content-Length: 63\r\nX: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" INNER },
	{ "Content-Length: 63\r\nX: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" INNER },
	{ "Transfer-Encoding: \x0b"
	  "chunked\r\n",
		"0\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked\r\n", "3f\r\n" INNER "\r\n0\r\n\r\n" },
	{ "Transfer-Encoding: chunked\r\n", "0;ext=\"\r\n" INNER "\"\r\n\r\n" },
	{ "Transfer-Encoding: chunked\r\n", "0\nx\r\n\r\n" INNER },
	{ "Transfer-Encoding: chunked\r\n", "-1\r\n" INNER "\r\n0\r\n\r\n" },
	{ "Transfer-Encoding: chunked\r\n", "10000000000000000\r\n" INNER "\r\n0\r\n\r\n" },
	{ "Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 63\r\n\r\n" INNER },
	{ "Connection: Transfer-Encoding, Authorization\r\nTransfer-Encoding: chunked\r\n",
		"3f\r\n" INNER "\r\n0\r\n\r\n" },
	{ "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"
	  "Content-Length: 0\r\n",
		INNER },
	{ "Expect: 100-continue\r\nContent-Length: 63\r\n", INNER },
	{ "Content-Length: 63\r\n", INNER },
};

/* The inner request has no key, so that nobody lets it pass as what it is. */
static void try_to_smuggle(const char *method, const char *target, size_t n)
{
	static struct peer peer;
	struct peer_reply reply;
	cr_assert(peer_open(&peer, (unsigned)story.daemon.port));
	peer_printf(&peer, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n%s\r\n%s",
		method, target, bearer(keys[OURS]), opinions[n].framing, opinions[n].body);
	shutdown(peer.fd, SHUT_WR);
	while ((reply = peer_reply(&peer)).status > 0)
		remember(&reply);
	peer_close(&peer);
}

Test(isolation, no_request_comes_through_inside_another)
{
	static const struct {
		const char *method, *target;
	} outer[] = { { "POST", "/api/public/stand-in/sink" }, { "POST", "/api/public/ingestion" },
		{ "GET", "/api/public/stand-in/sink" }, { "POST", "/api/public/otel/v1/traces" } };
	for (size_t i = 0; i < sizeof opinions / sizeof *opinions; i++)
		for (size_t o = 0; o < sizeof outer / sizeof *outer; o++)
			try_to_smuggle(outer[o].method, outer[o].target, i);
	for (size_t i = 0; i < fake_langfuse_arrival_count(story.front); i++) {
		const struct fake_arrival *arrival = fake_langfuse_arrival(story.front, i);
		cr_expect_null(strstr(arrival->target, "smuggled"));
		cr_expect_str_eq(arrival->project, "default");
	}
	/* Whoever comes next on the connections to Langfuse gets an answer of their own. */
	for (int i = 0; i < 10; i++)
		expect_reaches(bearer(keys[THEIRS]), "team-b");
}

/* ---- where keys are ---- */

static const char *planted[] = {
	STORY_SECRET_KEY,
	"sk-lf-planted-team-b",
	"sk-lf-planted-stranger",
	keys[OURS],
	keys[THEIRS],
	/* Pairs as they travel: of both projects, and of a caller. */
	NULL,
	NULL,
	NULL,
};
enum { PLANTED = sizeof planted / sizeof *planted };

static void expect_no_keys(const void *text, size_t len, const char *where)
{
	for (size_t i = 0; i < PLANTED; i++)
		cr_expect_null(memmem(text, len, planted[i], strlen(planted[i])),
			"key %zu is in %s", i, where);
}

static void expect_no_keys_in_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fstat(fd, &status), 0);
	if (status.st_size) {
		void *text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		cr_assert_neq(text, MAP_FAILED);
		expect_no_keys(text, (size_t)status.st_size, path);
		munmap(text, (size_t)status.st_size);
	}
	close(fd);
}

/* All of the story but the two files in which keys belong. */
static int visit(const char *path, const struct stat *status, int type, struct FTW *at)
{
	const char *name = path + at->base;
	if (type == FTW_F && S_ISREG(status->st_mode) && strcmp(name, "config.json") != 0 &&
		strcmp(name, "secret-b") != 0)
		expect_no_keys_in_file(path);
	return 0;
}

static void expect_no_keys_in_command(const char *command, const char *argument)
{
	char *said;
	story_command(&story, &said, command, argument, NULL);
	expect_no_keys(said, strlen(said), command);
	free(said);
}

static void expect_no_keys_in_process(void)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/%d/cmdline", story.daemon.child.pid);
	FILE *file = fopen(path, "re");
	cr_assert_not_null(file);
	size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	cr_assert_gt(len, 0);
	expect_no_keys(text, len, path);
}

/* Every door with every key, with whatever comes of it. */
static void use_all_keys(void)
{
	char target[TARGET_MAX];
	for (unsigned i = 0; i < DOORS; i++)
		for (int who = OURS; who < PROJECTS; who++) {
			const struct fake_project *project = &projects[who];
			const char *key = who < STRANGER ? keys[who] : project->secret_key;
			snprintf(target, sizeof target, "/api/public/projects?key=%s", key);
			ask("GET", target, bearer(key), "");
			ask(doors[i].method, doors[i].target, bearer(key), "{\"id\":\"x\"}");
			ask(doors[i].method, doors[i].target, basic("anybody", key), "[{}]");
			ask(doors[i].method, doors[i].target,
				basic(project->public_key, project->secret_key), "{\"batch\":[]}");
			ask("BREW", key, key, key);
		}
}

Test(isolation, keys_are_nowhere_but_in_their_files)
{
	char pairs[3][AUTHORIZATION_MAX];
	for (int i = OURS; i <= THEIRS; i++)
		strcpy(pairs[i], basic(projects[i].public_key, projects[i].secret_key));
	strcpy(pairs[2], basic("anybody", keys[OURS]));
	for (size_t i = 0; i < 3; i++)
		planted[PLANTED - 3 + i] = pairs[i] + strlen("Basic ");

	fake_langfuse_write_prompt(story.front, "default", "same", "of ours");
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ .status = 401 });
	use_all_keys();
	fake_langfuse_trouble(story.front, &(struct fake_trouble){ 0 });
	use_all_keys();
	fake_langfuse_leave(story.front);
	use_all_keys();
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded");
	expect_no_keys_in_process();
	expect_no_keys_in_command("status", "--json");
	expect_no_keys_in_command("verify", "--json");
	expect_no_keys_in_command("spool", "dead");
	story_stop(&story);
	expect_no_keys(told.at, told.len, "an answer");
	cr_expect_gt(told.len, 1000);
	cr_expect_eq(nftw(story.directory, visit, OPEN_FILES, FTW_PHYS), 0);
}
