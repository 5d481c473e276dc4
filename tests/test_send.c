/* tollgate send against a small server that remembers what it was sent. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/commands.h"

enum { REQUESTS_MAX = 16 };

/* What the server answers to a path. */
struct reply {
	const char *path;
	unsigned status;
	const char *type;
	struct bytes body;
};

struct seen {
	char path[64], type[64], encoding[32], body[64];
	size_t body_len;
};

static const struct reply *replies; /* ends with a pathless one, which is for all others */
static struct seen seen[REQUESTS_MAX];
static size_t seen_count;
static struct MHD_Daemon *server;
static char url[64];
static char folder[] = "/tmp/tollgate-send-XXXXXX";

static void note_header(struct MHD_Connection *connection, const char *name, char *out, size_t size)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
	snprintf(out, size, "%s", value ? value : "-");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	struct seen *request = *state;
	if (!request) {
		if (seen_count == REQUESTS_MAX || strcmp(method, "POST") != 0)
			return MHD_NO;
		*state = request = &seen[seen_count++];
		snprintf(request->path, sizeof request->path, "%s", path);
		note_header(connection, "Content-Type", request->type, sizeof request->type);
		note_header(connection, "Content-Encoding", request->encoding,
			sizeof request->encoding);
		return MHD_YES;
	}
	if (*size) {
		size_t room = sizeof request->body - request->body_len;
		size_t kept = request->body_len >= sizeof request->body ? 0 :
			*size < room                                    ? *size :
									  room;
		memcpy(request->body + request->body_len, data, kept);
		request->body_len += *size;
		*size = 0;
		return MHD_YES;
	}
	const struct reply *reply = replies;
	while (reply->path && strcmp(reply->path, path) != 0)
		reply++;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		reply->body.len, (void *)reply->body.at, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type", reply->type);
	enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static void begin(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	server = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&any, MHD_OPTION_END);
	cr_assert(server);
	snprintf(url, sizeof url, "http://127.0.0.1:%u",
		(unsigned)MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port);
	cr_assert(mkdtemp(folder));
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void end(void)
{
	char command[64];
	MHD_stop_daemon(server);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	cr_assert(system(command) == 0);
}

TestSuite(send, .init = begin, .fini = end);

static char *in_folder(const char *name)
{
	static char paths[4][128];
	static size_t next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof *paths, "%s/%s", folder, name);
	return path;
}

static char *write_file(const char *name, const char *text)
{
	char *path = in_folder(name);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	cr_assert(fclose(file) == 0);
	return path;
}

#define SEND(...) commands_run((char *[]){ "tollgate", "send", __VA_ARGS__, NULL })

static const struct reply all_taken[] = { { NULL, 200, "application/x-protobuf" } };

/* As a server that has no door for logs and metrics. */
static const struct reply traces_only[] = {
	{ "/v1/traces", 200, "application/x-protobuf" },
	{ NULL, 404, "application/x-protobuf", BYTES("\x12\x10logs come later\n") },
};

Test(send, a_capture_is_posted_in_its_recorded_order_with_its_headers)
{
	replies = traces_only;
	write_file("a.pb", "A");
	write_file("b.json", "BB");
	write_file("c.pb", "CCC");
	write_file("manifest.json",
		"[{\"seq\": 3, \"signal\": \"traces\", \"file\": \"c.pb\","
		"  \"path\": \"/opentelemetry.proto.collector.trace.v1.TraceService/Export\", \"headers\": {}},"
		" {\"seq\": 1, \"signal\": \"logs\", \"file\": \"a.pb\", \"path\": \"/v1/logs\","
		"  \"headers\": {\"content-type\": \"application/x-protobuf\", \"content-encoding\": \"gzip\"}},"
		" {\"seq\": 2, \"signal\": \"traces\", \"file\": \"b.json\", \"path\": \"/v1/traces\","
		"  \"headers\": {\"Content-Type\": \"application/json\", \"X-Other\": \"1\"}}]");
	cr_expect_eq(SEND(folder, "--to", url), EXIT_DONE);
	fflush(stdout);
	cr_expect_stdout_eq_str("a.pb  not taken (404: logs come later)\n"
				"b.json  taken (200)\n"
				"c.pb  taken (200)\n"
				"3 requests: 2 taken, 1 not taken, 0 failed; 0 items rejected\n");
	static const struct seen wanted[] = {
		{ "/v1/logs", "application/x-protobuf", "gzip", "A", 1 },
		{ "/v1/traces", "application/json", "-", "BB", 2 },
		{ "/v1/traces", "application/x-protobuf", "-", "CCC", 3 },
	};
	cr_assert_eq(seen_count, 3);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_str_eq(seen[i].path, wanted[i].path);
		cr_expect_str_eq(seen[i].type, wanted[i].type);
		cr_expect_str_eq(seen[i].encoding, wanted[i].encoding);
		cr_expect_eq(seen[i].body_len, wanted[i].body_len);
		cr_expect_str_eq(seen[i].body, wanted[i].body);
	}
}

Test(send, hooks_are_posted_at_their_recorded_places)
{
	write_file("1.pb", "one");
	write_file("2.pb", "two");
	write_file("manifest.json",
		"[{\"seq\":1,\"signal\":\"logs\",\"file\":\"1.pb\",\"time\":\"2026-11-20T20:23:20.176Z\"},"
		"{\"seq\":2,\"signal\":\"logs\",\"file\":\"2.pb\",\"time\":\"2026-11-20T20:23:22.000Z\"}]");
	write_file("hooks.jsonl",
		"{\"t_ns\":\"1795206203000000000\",\"payload\":{\"hook_event_name\":\"Stop\","
		"\"transcript_path\":\"/home/dev/.claude/x.jsonl\"}}\n"
		"{\"t_ns\":\"1795206200175000000\",\"payload\":{\"hook_event_name\":\"BeforeAgent\","
		"\"transcript_path\":\"/home/dev/.gemini/x.json\"}}\n");
	write_file("hooks-http.jsonl",
		"{\"time\":\"2026-11-20T20:23:21.000Z\",\"path\":\"/elsewhere\",\"payload\":{"
		"\"hook_event_name\":\"Stop\",\"transcript_path\":\"/home/dev/.claude/x.jsonl\"}}");
	write_file("notify.jsonl",
		"{\"t_ns\":\"1795206201500000000\",\"argc\":1,\"payload\":{\"thread-id\":\"t\"}}\n");
	static const char *const paths[] = { "/hooks/gemini", "/v1/logs", "/hooks/claude-code",
		"/hooks/codex", "/v1/logs", "/hooks/claude-code" };
	replies = all_taken;
	cr_expect_eq(SEND(folder, "--to", url), EXIT_DONE);
	cr_assert_eq(seen_count, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(seen[i].path, paths[i], "%zu: %s", i, seen[i].path);
	cr_expect_str_eq(seen[0].type, "application/json");
	cr_expect_str_eq(seen[3].body, "{\"thread-id\":\"t\"}");
	unlink(in_folder("hooks.jsonl"));
	write_file("hooks.jsonl", "{\"payload\":{}}\n");
	cr_expect_eq(SEND(folder, "--to", url), EXIT_FAILED, "whose hook it is must be known");
	unlink(in_folder("hooks.jsonl"));
	write_file("hooks.jsonl", "{\n");
	cr_expect_eq(SEND(folder, "--to", url), EXIT_FAILED);
}

Test(send, the_name_of_a_file_says_what_it_is)
{
	replies = all_taken;
	cr_expect_eq(SEND(write_file("0001-logs.pb", "x"), write_file("metrics.json.gz", "y"),
			     "--to", url, write_file("unnamed.pb", "z")),
		EXIT_DONE);
	cr_assert_eq(seen_count, 3);
	cr_expect_str_eq(seen[0].path, "/v1/logs");
	cr_expect_str_eq(seen[0].type, "application/x-protobuf");
	cr_expect_str_eq(seen[1].path, "/v1/metrics");
	cr_expect_str_eq(seen[1].type, "application/json");
	cr_expect_str_eq(seen[1].encoding, "gzip");
	cr_expect_str_eq(seen[2].path, "/v1/traces");
}

Test(send, signal_says_what_a_file_is)
{
	replies = all_taken;
	cr_expect_eq(
		SEND("--signal=metrics", write_file("0001-logs.pb", "x"), "--to", url), EXIT_DONE);
	cr_expect_str_eq(seen[0].path, "/v1/metrics");
}

Test(send, the_variable_says_where_to)
{
	replies = all_taken;
	setenv("TOLLGATE_URL", url, 1);
	cr_expect_eq(SEND(write_file("traces.pb", "x")), EXIT_DONE);
	cr_expect_eq(seen_count, 1);
}

Test(send, a_partial_success_is_told)
{
	static const struct reply partial[] = {
		{ NULL, 200, "application/x-protobuf",
			BYTES("\x0a\x0c\x08\x03\x12\x08"
			      "no ids\x1b\n") },
	};
	replies = partial;
	cr_expect_eq(SEND(write_file("traces.pb", "x"), "--to", url), EXIT_DONE);
	fflush(stdout);
	cr_expect_stdout_eq_str("traces.pb  taken (200, 3 rejected: no ids)\n"
				"1 requests: 1 taken, 0 not taken, 0 failed; 3 items rejected\n");
}

Test(send, a_refused_trace_is_a_failure_and_the_rest_is_still_sent)
{
	static const struct reply broken[] = {
		{ "/v1/traces", 404, "text/plain", BYTES("nobody here") },
		{ "/v1/logs", 400, "application/json",
			BYTES("{\"code\": 3, \"message\": \"bad field\"}") },
		{ NULL, 200, "application/json", BYTES("{}") },
	};
	replies = broken;
	cr_expect_eq(SEND(write_file("traces.pb", "x"), write_file("logs.pb", "x"),
			     write_file("metrics.pb", "x"), "--to", url),
		EXIT_FAILED);
	fflush(stdout);
	cr_expect_stdout_eq_str("traces.pb  failed (404: nobody here)\n"
				"logs.pb  failed (400: bad field)\n"
				"metrics.pb  taken (200)\n"
				"3 requests: 1 taken, 0 not taken, 2 failed; 0 items rejected\n");
}

Test(send, a_closed_port_is_a_failure)
{
	cr_expect_eq(SEND(write_file("traces.pb", "x"), "--to", "http://127.0.0.1:1"), EXIT_FAILED);
	fflush(stdout);
	cr_expect_stdout_eq_str("traces.pb  failed (Couldn't connect to server)\n"
				"1 requests: 0 taken, 0 not taken, 1 failed; 0 items rejected\n");
}

Test(send, a_body_over_the_limit_is_not_read)
{
	char *path = write_file("traces.pb", "");
	cr_assert(truncate(path, (64 << 20) + 1) == 0);
	cr_expect_eq(SEND(path, "--to", url), EXIT_FAILED);
	fflush(stdout);
	cr_expect_stdout_eq_str("traces.pb  failed (larger than 67108864 bytes)\n"
				"1 requests: 0 taken, 0 not taken, 1 failed; 0 items rejected\n");
	cr_expect_eq(seen_count, 0);
}

Test(send, a_manifest_cannot_lead_out_of_its_folder)
{
	static const char *const names[] = { "../secret.pb", "/etc/passwd", "..", "link.pb",
		"missing.pb", "" };
	char text[256];
	cr_assert(symlink("/etc/passwd", in_folder("link.pb")) == 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(text, sizeof text,
			"[{\"seq\": 1, \"signal\": \"traces\", \"file\": \"%s\"}]", names[i]);
		write_file("manifest.json", text);
		cr_expect_eq(SEND(folder, "--to", url), EXIT_FAILED, "%s", names[i]);
	}
	cr_expect_eq(seen_count, 0);
}

Test(send, what_is_no_manifest_is_told)
{
	static const char *const texts[] = { "{}", "[]", "[", "[1]", "[{\"file\": \"a.pb\"}]" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_file("manifest.json", texts[i]);
		cr_expect_eq(SEND(folder, "--to", url), EXIT_FAILED, "%s", texts[i]);
	}
	cr_expect_eq(SEND("/no/such/folder", "--to", url), EXIT_FAILED);
	cr_expect_eq(seen_count, 0);
}

Test(send, wrong_usage_is_answered_with_the_nearest_word)
{
	cr_expect_eq(SEND("--too", url, "x"), EXIT_USAGE);
	cr_expect_eq(SEND("x", "--to"), EXIT_USAGE);
	cr_expect_eq(SEND("x", "--signal", "spans"), EXIT_USAGE);
	cr_expect_eq(commands_run((char *[]){ "tollgate", "send", NULL }), EXIT_USAGE);
	cr_expect_eq(commands_run((char *[]){ "tollgate", "sned", NULL }), EXIT_USAGE);
	cr_expect_eq(commands_run((char *[]){ "tollgate", NULL }), EXIT_USAGE);
	fflush(stderr);
	cr_expect_stderr_eq_str("tollgate: send has no flag --too; the nearest is --to\n"
				"tollgate: --to needs a value: --to URL\n"
				"tollgate: --signal must be traces, logs or metrics, not spans\n"
				"tollgate: send needs a file or a folder\n"
				"tollgate: there is no command sned; the nearest is send\n"
				"tollgate: which command? \"tollgate help\" lists them\n");
}

Test(answer, garbage_from_a_server_leaves_no_words)
{
	static const struct bytes bodies[] = { BYTES("\x0a\xff"), BYTES("\x0a\x7f\x08"),
		BYTES("\xff\xff\xff\xff"), BYTES("{"), BYTES("[1]"),
		BYTES("{\"partialSuccess\": 3}"), BYTES("") };
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct answer answer;
		answer_read(200, "application/x-protobuf", bodies[i], &answer);
		cr_expect_eq(answer.rejected, 0);
		cr_expect_str_eq(answer.message, "");
		answer_read(200, "application/json; charset=utf-8", bodies[i], &answer);
		cr_expect_eq(answer.rejected, 0);
		cr_expect_str_eq(answer.message, "");
	}
}

Test(answer, numbers_in_json_may_be_strings)
{
	struct answer answer;
	answer_read(200, "application/json",
		bytes_of(
			"{\"partialSuccess\": {\"rejectedSpans\": \"7\", \"errorMessage\": \"too old\"}}"),
		&answer);
	cr_expect_eq(answer.rejected, 7);
	cr_expect_str_eq(answer.message, "too old");
}
