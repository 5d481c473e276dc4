#include "receive/otlp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zstd.h>

#include "access/access.h"
#include "base/counters.h"
#include "base/files.h"
#include "batch.h"
#include "config/config.h"
#include "http/compression.h"
#include "support/http_peer.h"
#include "dialects/dialect.h"
#include "pipeline.h"
#include "receive/hooks.h"
#include "spool/spool.h"

TestSuite(receive, .timeout = 120);

enum { MEGABYTE = 1 << 20 };

/* What stands behind the door: a pipeline that does as it is told, and remembers what came. */
static struct {
	int accept_error;
	int commit_error;
	int spool_status;
	bool at_once;
	uint32_t spans, rejected;
	const char *why;
	struct buf request;
	char lane[LANE_NAME_MAX + 1];
	struct batch seen;
	const struct dialect *dialect; /* of a hook */
} behind;

/* What stands before it. */
static struct {
	unsigned status; /* 0: lets in */
	const struct caller *caller;
} guard;

static unsigned admit(struct http_request *request, void *owner, const char **ret_why,
	const struct http_header **ret_headers)
{
	static const struct http_header challenge[] = { { "WWW-Authenticate", "Basic" },
		{ NULL, NULL } };
	(void)owner;
	http_request_set_caller(request, guard.caller);
	*ret_why = "not you";
	*ret_headers = guard.status == 401 ? challenge : NULL;
	return guard.status;
}

static void *commit(void *batch)
{
	((struct batch *)batch)->committed(batch, behind.commit_error);
	return NULL;
}

static int keep(struct batch *batch, struct bytes request)
{
	if (behind.accept_error)
		return behind.accept_error;
	behind.request.len = 0;
	buf_append(&behind.request, request.at, request.len);
	snprintf(behind.lane, sizeof behind.lane, "%s", batch->lane);
	batch->span_count = behind.spans;
	batch->rejected_count = behind.rejected;
	batch->rejected_why = behind.why;
	if (!arena_alloc(&batch->arena, 100000))
		return -ENOMEM;
	behind.seen = *batch;
	if (behind.at_once) {
		commit(batch);
		return 0;
	}
	pthread_t writer;
	pthread_create(&writer, NULL, commit, batch);
	pthread_detach(writer);
	return 0;
}

int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	(void)pipeline;
	behind.dialect = NULL;
	return keep(batch, request);
}

int pipeline_accept_hook(struct pipeline *pipeline, struct batch *batch,
	const struct dialect *dialect, struct bytes payload)
{
	(void)pipeline;
	behind.dialect = dialect;
	return keep(batch, payload);
}

int spool_status(struct spool *spool)
{
	(void)spool;
	return behind.spool_status;
}

/* One door, one server, one connection to it. */
struct house {
	struct config config;
	struct budget budget;
	struct otlp_door door;
	struct hook_doors hooks;
	struct http_route routes[OTLP_ROUTE_COUNT + HOOK_ROUTE_COUNT];
	struct http_server *server;
	struct peer peer;
};

static void house_open(struct house *house)
{
	memset(&behind, 0, sizeof behind);
	memset(&guard, 0, sizeof guard);
	buf_init(&behind.request, 16 * MEGABYTE, NULL);
	behind.spans = 3;
	house->config = (struct config){
		.limits = { .max_body_bytes = MEGABYTE,
			.max_decompressed_bytes = 2 * MEGABYTE,
			.max_request_memory_bytes = 4 * MEGABYTE,
			.max_depth = 100 },
		.sessions = { .enabled = true, .max_hook_bytes = 64 << 10 },
	};
	house->budget = (struct budget){ .limit_bytes = 16 * MEGABYTE };
	house->door = (struct otlp_door){ .config = &house->config, .budget = &house->budget };
	house->hooks = (struct hook_doors){ .config = &house->config, .budget = &house->budget };
	receive_otlp_routes(&house->door, house->routes);
	receive_hooks_routes(&house->hooks, house->routes + OTLP_ROUTE_COUNT);
	const struct http_server_options options = {
		.listen = "127.0.0.1:0",
		.routes = house->routes,
		.route_count = OTLP_ROUTE_COUNT + HOOK_ROUTE_COUNT,
		.threads = 2,
		.max_connections = 64,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = house->config.limits.max_body_bytes,
		.budget = &house->budget,
		.admit = admit,
		.refuse = receive_otlp_refuse,
	};
	struct complaint complaint = { 0 };
	cr_assert_eq(
		http_server_start(&options, &house->server, &complaint), 0, "%s", complaint.text);
	cr_assert(peer_open(&house->peer, http_server_port(house->server)));
}

static void house_close(struct house *house)
{
	peer_close(&house->peer);
	http_server_free(house->server);
	buf_done(&behind.request);
	cr_expect_eq(house->budget.used_bytes, 0, "%zu", house->budget.used_bytes);
}

static struct peer_reply post(
	struct house *house, const char *path, const char *headers, struct bytes body)
{
	cr_assert(peer_printf(&house->peer,
		"POST %s HTTP/1.1\r\nHost: t\r\n%s\r\nContent-Length: %zu\r\n\r\n", path, headers,
		body.len));
	peer_send(&house->peer, body.at, body.len);
	return peer_reply(&house->peer);
}

static struct peer_reply post_traces(struct house *house, const char *headers, struct bytes body)
{
	return post(house, "/v1/traces", headers, body);
}

#define PROTOBUF "Content-Type: application/x-protobuf"
static const struct bytes hello = BYTES("hello");

/* A google.rpc.Status in protobuf: the code, then a message that has `part` in it. */
static void expect_status(
	const struct peer_reply *reply, int status, unsigned code, const char *part)
{
	cr_expect_eq(reply->status, status, "%d instead of %d", reply->status, status);
	cr_expect(reply_has(reply, "Content-Type", "application/x-protobuf"));
	cr_expect_gt(reply->body_len, 4);
	cr_expect_eq(reply->body[0], 0x08);
	cr_expect_eq((unsigned char)reply->body[1], code, "code %d", reply->body[1]);
	cr_expect_eq(reply->body[2], 0x12);
	cr_expect(strstr(reply->body + 4, part), "%s", reply->body + 4);
}

static void expect_json_status(
	const struct peer_reply *reply, int status, unsigned code, const char *part)
{
	char start[32];
	snprintf(start, sizeof start, "{\"code\":%u,\"message\":\"", code);
	cr_expect_eq(reply->status, status, "%d instead of %d", reply->status, status);
	cr_expect(reply_has(reply, "Content-Type", "application/json"));
	cr_expect_eq(strncmp(reply->body, start, strlen(start)), 0, "%s", reply->body);
	cr_expect(strstr(reply->body, part), "%s", reply->body);
}

static void append_fixture(struct buf *to, const char *name)
{
	char path[512];
	const char *source = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/fixtures/otlp/encodings/%s", source ? source : ".",
		name);
	cr_assert_eq(file_read(path, to), 0, "%s", path);
}

static struct buf fixture(const char *name)
{
	struct buf file;
	buf_init(&file, MEGABYTE, NULL);
	append_fixture(&file, name);
	return file;
}

static uint64_t refused(void)
{
	return counter_sum(COUNTER_REFUSED_MALFORMED, COUNTER_REFUSED_STOPPING);
}

Test(receive, a_stored_batch_is_200_with_an_empty_body)
{
	struct house house;
	house_open(&house);
	for (int at_once = 0; at_once < 2; at_once++) {
		behind.at_once = at_once;
		struct peer_reply reply = post_traces(&house, PROTOBUF, hello);
		cr_expect_eq(reply.status, 200);
		cr_expect_eq(reply.body_len, 0);
		cr_expect(reply_has(&reply, "Content-Type", "application/x-protobuf"));
		cr_expect(bytes_are(buf_bytes(&behind.request), "hello"));
	}
	cr_expect_str_eq(behind.lane, "default");
	cr_expect_eq(behind.seen.signal, SIGNAL_TRACES);
	cr_expect_gt(behind.seen.received_ns, 0);
	cr_expect_eq(counter_read(COUNTER_REQUESTS_RECEIVED), 2);
	cr_expect_eq(refused(), 0);
	house_close(&house);
}

Test(receive, an_empty_request_is_a_success)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post_traces(&house, PROTOBUF, (struct bytes){ NULL, 0 });
	cr_expect_eq(reply.status, 200);
	cr_expect_eq(behind.request.len, 0);
	house_close(&house);
}

Test(receive, rejected_spans_are_a_partial_success_that_says_how_many_and_why)
{
	struct house house;
	house_open(&house);
	behind.rejected = 300;
	behind.why = "no ids";
	struct peer_reply reply = post_traces(&house, PROTOBUF, hello);
	cr_expect_eq(reply.status, 200);
	cr_expect_eq(reply.body_len, 13);
	cr_expect_eq(memcmp(reply.body, "\x0a\x0b\x08\xac\x02\x12\x06no ids", 13), 0);
	house_close(&house);
}

Test(receive, content_types_are_read_without_case_and_parameters)
{
	static const char types[][80] = { "application/x-protobuf", "Application/X-Protobuf",
		"application/x-protobuf; charset=utf-8", " application/x-protobuf ;x=y" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		char header[512];
		snprintf(header, sizeof header, "content-type: %s", types[i]);
		struct peer_reply reply = post_traces(&house, header, hello);
		cr_expect_eq(reply.status, 200, "%s", types[i]);
		cr_expect(reply_has(&reply, "Content-Type", "application/x-protobuf"));
	}
	struct peer_reply reply = post_traces(&house, "Content-Type: application/protobuf", hello);
	cr_expect_eq(reply.status, 200);
	cr_expect(reply_has(&reply, "Content-Type", "application/protobuf"));
	house_close(&house);
}

Test(receive, other_content_types_are_415_and_name_the_known_in_json)
{
	static const char types[][80] = { "Content-Type: APPLICATION/JSONL",
		"Content-Type: application/json, text/plain", "Content-Type: text/plain",
		"Content-Type: application/x-protobuf2", "X: y", "Content-Type:" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct peer_reply reply = post_traces(&house, types[i], hello);
		expect_json_status(&reply, 415, 2, "application/x-protobuf or application/json");
	}
	cr_expect_eq(counter_read(COUNTER_REQUESTS_RECEIVED), 6);
	cr_expect_eq(refused(), 6);
	house_close(&house);
}

#define JSON "Content-Type: application/json"
static const struct bytes one_schema = BYTES("{\"resourceSpans\":[{\"schemaUrl\":\"s\"}]}");
static const struct bytes one_schema_in_protobuf = BYTES("\x0a\x03\x1a\x01s");

Test(receive, json_goes_on_as_protobuf_and_is_answered_in_json)
{
	static const char types[][80] = { JSON, "Content-Type: APPLICATION/JSON",
		"Content-Type: application/json; charset=utf-8",
		"Content-Type: application/json ; x" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct peer_reply reply = post_traces(&house, types[i], one_schema);
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(reply.body, "{}");
		cr_expect(reply_has(&reply, "Content-Type", "application/json"));
		cr_expect(bytes_equal(buf_bytes(&behind.request), one_schema_in_protobuf));
	}
	behind.rejected = 300;
	behind.why = "no ids";
	struct peer_reply reply = post_traces(&house, JSON, one_schema);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body,
		"{\"partialSuccess\":{\"rejectedSpans\":\"300\",\"errorMessage\":\"no ids\"}}");
	house_close(&house);
}

Test(receive, an_empty_json_object_is_a_success_and_an_empty_json_body_is_none)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post_traces(&house, JSON, bytes_of("{}"));
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, "{}");
	cr_expect_eq(behind.request.len, 0);
	reply = post_traces(&house, JSON, bytes_of(""));
	expect_json_status(&reply, 400, 3, "the body is empty");
	house_close(&house);
}

Test(receive, json_that_is_no_request_is_400_with_the_place)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post_traces(
		&house, JSON, bytes_of("{\"resourceSpans\":[{},{\"schemaUrl\":[\"secret\"]}]}"));
	expect_json_status(
		&reply, 400, 3, "resourceSpans[1].schemaUrl: must be a string (offset 34)");
	cr_expect_null(strstr(reply.body, "secret"));
	reply = post_traces(&house, JSON, hello);
	expect_json_status(&reply, 400, 3, "must be an object");
	house.config.limits.max_depth = 1;
	reply = post_traces(&house, JSON, one_schema);
	expect_json_status(&reply, 400, 3, "resourceSpans[0]: is nested deeper");
	house_close(&house);
}

static struct buf padded_json(size_t bytes)
{
	struct buf text;
	buf_init(&text, 2 * MEGABYTE, NULL);
	buf_append(&text, one_schema.at, one_schema.len);
	memset(buf_reserve(&text, bytes - text.len), ' ', bytes - text.len);
	text.len = bytes;
	return text;
}

Test(receive, json_is_limited_as_protobuf_is)
{
	struct house house;
	house_open(&house);
	house.config.limits.max_decompressed_bytes = 1000;
	struct buf fits = padded_json(1000), exceeds = padded_json(1001), gzip;
	buf_init(&gzip, MEGABYTE, NULL);
	gzip_compress(buf_bytes(&exceeds), &gzip);
	cr_expect_eq(post_traces(&house, JSON, buf_bytes(&fits)).status, 200);
	struct peer_reply reply = post_traces(&house, JSON, buf_bytes(&exceeds));
	expect_json_status(&reply, 413, 2, "bytes");
	reply = post_traces(&house, JSON "\r\nContent-Encoding: gzip", buf_bytes(&gzip));
	expect_json_status(&reply, 413, 2, "bytes");

	buf_done(&fits);
	buf_done(&exceeds);
	buf_done(&gzip);
	house_close(&house);
}

Test(receive, without_memory_for_the_protobuf_it_is_503_and_then_it_works_again)
{
	struct house house;
	house_open(&house);
	struct buf text = padded_json(1000);
	size_t held = house.budget.limit_bytes - 1500; /* room for the body alone */
	cr_assert_eq(budget_take(&house.budget, held), 0);
	struct peer_reply reply = post_traces(&house, JSON, buf_bytes(&text));
	expect_json_status(&reply, 503, 14, "memory");
	budget_give(&house.budget, held);
	cr_expect_eq(post_traces(&house, JSON, buf_bytes(&text)).status, 200);
	buf_done(&text);
	house_close(&house);
}

Test(receive, gzip_is_taken_in_any_spelling_and_number_of_members)
{
	static const char spellings[][40] = { "gzip", "GZIP", "x-gzip", " gzip " };
	struct house house;
	house_open(&house);
	struct buf plain = fixture("ok.pb"), gzip = fixture("ok.pb.gz"),
		   members = fixture("ok.pb.two-members.gz");
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		char headers[512];
		snprintf(
			headers, sizeof headers, PROTOBUF "\r\nContent-Encoding: %s", spellings[i]);
		cr_expect_eq(post_traces(&house, headers, buf_bytes(&gzip)).status, 200);
		cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
		cr_expect_eq(post_traces(&house, headers, buf_bytes(&members)).status, 200);
		cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
	}
	buf_done(&plain);
	buf_done(&gzip);
	buf_done(&members);
	house_close(&house);
}

Test(receive, identity_and_an_empty_content_encoding_are_no_encoding)
{
	static const char *const headers[] = { PROTOBUF "\r\nContent-Encoding: identity",
		PROTOBUF "\r\nContent-Encoding: Identity", PROTOBUF "\r\nContent-Encoding:" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		cr_expect_eq(post_traces(&house, headers[i], hello).status, 200, "%s", headers[i]);
	house_close(&house);
}

Test(receive, deflate_and_zstd_are_taken_for_both_encodings)
{
	struct house house;
	house_open(&house);
	struct buf plain = fixture("ok.pb"), zlib = fixture("ok.pb.zlib"),
		   raw = fixture("ok.pb.rawdeflate");
	cr_expect_eq(post_traces(&house, PROTOBUF "\r\nContent-Encoding: deflate", buf_bytes(&zlib))
			     .status,
		200);
	cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
	cr_expect_eq(post_traces(&house, PROTOBUF "\r\nContent-Encoding: Deflate", buf_bytes(&raw))
			     .status,
		200);
	cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
	uint8_t zstd[256];
	size_t len = ZSTD_compress(zstd, sizeof zstd, one_schema.at, one_schema.len, 1);
	cr_expect_eq(
		post_traces(&house, JSON "\r\nContent-Encoding: zstd", (struct bytes){ zstd, len })
			.status,
		200);
	cr_expect(bytes_equal(buf_bytes(&behind.request), one_schema_in_protobuf));
	struct peer_reply reply = post_traces(
		&house, JSON "\r\nContent-Encoding: zstd", (struct bytes){ zstd, len - 1 });
	expect_json_status(&reply, 400, 3, "the zstd data of the body is damaged");
	buf_done(&plain);
	buf_done(&zlib);
	buf_done(&raw);
	house_close(&house);
}

Test(receive, unknown_content_encodings_are_415_and_name_the_known)
{
	static const char *const unknown[] = { "br", "gzip, gzip", "gzip , gzip", "gzip gzip",
		"deflate,zstd", "identity, gzip", "gzipped", "zlib", "snappy" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		char headers[512];
		snprintf(headers, sizeof headers, PROTOBUF "\r\nContent-Encoding: %s", unknown[i]);
		struct peer_reply reply = post_traces(&house, headers, hello);
		expect_status(&reply, 415, 2, "gzip, deflate and zstd");
	}
	house_close(&house);
}

Test(receive, damaged_gzip_and_undecodable_bodies_are_400)
{
	static const char *const names[] = { "bad-crc.gz", "truncated.gz", "trailing-junk.gz",
		"ok.pb.zlib", "ok.pb" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buf body = fixture(names[i]);
		struct peer_reply reply = post_traces(
			&house, PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&body));
		expect_status(&reply, 400, 3, "gzip");
		buf_done(&body);
	}
	behind.accept_error = -EBADMSG;
	struct peer_reply reply = post_traces(&house, PROTOBUF, hello);
	expect_status(&reply, 400, 3, "ExportTraceServiceRequest");
	house_close(&house);
}

/* A bomb is 100 MiB from 100 kB: what the process holds stays at the limit for one body. */
Test(receive, what_is_too_large_is_413_before_and_after_decompression)
{
	struct house house;
	house_open(&house);
	struct buf bomb = fixture("bomb-100MiB.gz");
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	struct peer_reply reply =
		post_traces(&house, PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&bomb));
	expect_status(&reply, 413, 2, "bytes");
	getrusage(RUSAGE_SELF, &after);
	cr_expect_lt(after.ru_maxrss - before.ru_maxrss, 16 * 1024, "%ld kB more",
		after.ru_maxrss - before.ru_maxrss);
	buf_done(&bomb);

	struct buf body;
	buf_init(&body, 2 * MEGABYTE, NULL);
	memset(buf_reserve(&body, MEGABYTE + 1), 'x', MEGABYTE + 1);
	body.len = MEGABYTE;
	cr_expect_eq(post_traces(&house, PROTOBUF, buf_bytes(&body)).status, 200);
	body.len = MEGABYTE + 1;
	reply = post_traces(&house, PROTOBUF, buf_bytes(&body));
	expect_status(&reply, 413, 2, "larger");
	buf_done(&body);

	behind.accept_error = -E2BIG;
	reply = post_traces(&house, PROTOBUF, hello);
	expect_status(&reply, 413, 2, "spans");
	house_close(&house);
}

Test(receive, whatever_may_pass_is_503_with_retry_after)
{
	static const int errors[] = { -ENOMEM, -ENOSPC, -EIO, -ESHUTDOWN, -EPERM };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		for (int committing = 0; committing < 2; committing++) {
			behind.accept_error = committing ? 0 : errors[i];
			behind.commit_error = committing ? errors[i] : 0;
			struct peer_reply reply = post_traces(&house, PROTOBUF, hello);
			expect_status(&reply, 503, 14, "");
			cr_expect(reply_has(&reply, "Retry-After", "5"));
		}
	}
	cr_expect_eq(counter_read(COUNTER_REFUSED_OVERLOADED), 2);
	cr_expect_eq(counter_read(COUNTER_REFUSED_DISK_FULL), 2);
	cr_expect_eq(counter_read(COUNTER_REFUSED_DISK_ERROR), 4);
	cr_expect_eq(counter_read(COUNTER_REFUSED_STOPPING), 2);
	cr_expect_eq(refused(), 10);
	house_close(&house);
}

Test(receive, a_full_disk_is_told_before_the_body_is_sent)
{
	struct house house;
	house_open(&house);
	behind.spool_status = -ENOSPC;
	peer_send_text(&house.peer,
		"POST /v1/traces HTTP/1.1\r\nHost: t\r\n" PROTOBUF
		"\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
	struct peer_reply reply = peer_reply(&house.peer);
	expect_status(&reply, 503, 14, "full");
	cr_expect(reply_has(&reply, "Retry-After", "5"));
	house_close(&house);
}

Test(receive, without_memory_for_the_inflated_body_it_is_503_and_then_it_works_again)
{
	struct house house;
	house_open(&house);
	struct buf bomb = fixture("bomb-100MiB.gz"), gzip = fixture("ok.pb.gz");
	cr_assert_eq(budget_take(&house.budget, 15 * MEGABYTE), 0);
	struct peer_reply reply =
		post_traces(&house, PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&bomb));
	expect_status(&reply, 503, 14, "memory");
	budget_give(&house.budget, 15 * MEGABYTE);
	reply = post_traces(&house, PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&gzip));
	cr_expect_eq(reply.status, 200);
	buf_done(&bomb);
	buf_done(&gzip);
	house_close(&house);
}

Test(receive, a_batch_goes_to_the_lane_of_its_caller)
{
	static const struct caller team = { "team-a", false };
	struct house house;
	house_open(&house);
	guard.caller = &team;
	cr_expect_eq(post_traces(&house, PROTOBUF, hello).status, 200);
	cr_expect_str_eq(behind.lane, "team-a");
	guard.caller = NULL;
	cr_expect_eq(post(&house, "/hooks/codex", JSON, bytes_of("{}")).status, 200);
	cr_expect_str_eq(behind.lane, "default");
	guard.caller = &team;
	cr_expect_eq(post(&house, "/hooks/codex", JSON, bytes_of("{}")).status, 200);
	cr_expect_str_eq(behind.lane, "team-a");
	house_close(&house);
}

Test(receive, who_is_not_let_in_is_told_so_in_the_form_of_the_door)
{
	struct house house;
	house_open(&house);
	guard.status = 401;
	struct peer_reply reply = post_traces(&house, PROTOBUF, hello);
	expect_status(&reply, 401, 16, "not you");
	cr_expect(reply_has(&reply, "WWW-Authenticate", "Basic"));
	reply = post(&house, "/v1/logs", JSON, bytes_of("{}"));
	expect_json_status(&reply, 401, 16, "not you");
	reply = post(&house, "/hooks/codex", JSON, bytes_of("{}"));
	cr_expect_eq(reply.status, 401);
	cr_expect_str_eq(reply.body, "{\"error\":\"not you\"}");
	cr_expect(reply_has(&reply, "WWW-Authenticate", "Basic"));
	guard.status = 403;
	reply = post_traces(&house, PROTOBUF, hello);
	expect_status(&reply, 403, 7, "not you");
	cr_expect_eq(counter_read(COUNTER_REFUSED_UNAUTHORIZED), 3);
	cr_expect_eq(counter_read(COUNTER_REFUSED_FORBIDDEN), 1);
	cr_expect_eq(refused(), 4);
	house_close(&house);
}

Test(receive, under_langfuses_path_traces_are_taken_and_metrics_forgotten)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post(&house, "/api/public/otel/v1/traces", PROTOBUF, hello);
	cr_expect_eq(reply.status, 200);
	cr_expect(bytes_are(buf_bytes(&behind.request), "hello"));
	behind.request.len = 0;
	reply = post(&house, "/api/public/otel/v1/metrics", PROTOBUF, hello);
	cr_expect_eq(reply.status, 200);
	cr_expect(reply_has(&reply, "Content-Type", "application/json"));
	cr_expect_str_eq(reply.body, "{\"message\":\"OK\"}");
	cr_expect_eq(behind.request.len, 0);
	cr_expect_eq(counter_read(COUNTER_REQUESTS_RECEIVED), 2);
	reply = post(&house, "/api/public/otel/v1/traces", PROTOBUF, hello);
	cr_expect_eq(reply.status, 200, "the connection is still of use");
	house_close(&house);
}

Test(receive, other_paths_and_methods_say_where_telemetry_goes)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post(&house, "/v1/traces/x", "X: y", hello);
	expect_json_status(&reply, 404, 12, "POST /v1/traces, /v1/logs and /v1/metrics");
	peer_send_text(&house.peer, "GET /v1 HTTP/1.1\r\nHost: t\r\n\r\n");
	reply = peer_reply(&house.peer);
	expect_json_status(&reply, 404, 12, "POST /v1/traces");
	static const char *const paths[] = { "/v1/traces", "/v1/logs", "/v1/metrics" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		peer_printf(&house.peer, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", paths[i]);
		reply = peer_reply(&house.peer);
		expect_json_status(&reply, 405, 2, "method");
		cr_expect(reply_has(&reply, "Allow", "POST"));
	}
	reply = post(&house, "/v1/traces/", PROTOBUF, hello);
	cr_expect_eq(reply.status, 200);
	house_close(&house);
}

Test(receive, logs_and_metrics_are_taken_as_traces_are)
{
	static const struct {
		const char *path;
		enum signal signal;
		const char *json, *protobuf, *partial, *mistake;
	} doors[] = {
		{ "/v1/logs", SIGNAL_LOGS, "{\"resourceLogs\":[{\"schemaUrl\":\"s\"}]}",
			"\x0a\x03\x1a\x01s", "{\"partialSuccess\":{\"rejectedLogRecords\":\"2\"}}",
			"ExportLogsServiceRequest" },
		{ "/v1/metrics/", SIGNAL_METRICS, "{\"resourceMetrics\":[{\"schemaUrl\":\"s\"}]}",
			"\x0a\x03\x1a\x01s", "{\"partialSuccess\":{\"rejectedDataPoints\":\"2\"}}",
			"ExportMetricsServiceRequest" },
	};
	struct house house;
	house_open(&house);
	struct buf plain = fixture("ok.pb"), gzip = fixture("ok.pb.gz");
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		const char *path = doors[i].path;
		behind.rejected = 0;
		struct peer_reply reply =
			post(&house, path, PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&gzip));
		cr_expect_eq(reply.status, 200);
		cr_expect_eq(reply.body_len, 0);
		cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
		cr_expect_eq(behind.seen.signal, doors[i].signal);
		behind.rejected = 2;
		reply = post(&house, path, JSON, bytes_of(doors[i].json));
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(reply.body, doors[i].partial);
		cr_expect(bytes_are(buf_bytes(&behind.request), doors[i].protobuf));
		reply = post(&house, path, "Content-Type: text/plain", hello);
		expect_json_status(&reply, 415, 2, "application/x-protobuf or application/json");
		behind.accept_error = -EBADMSG;
		reply = post(&house, path, PROTOBUF, hello);
		expect_status(&reply, 400, 3, doors[i].mistake);
		behind.accept_error = 0;
	}
	buf_done(&plain);
	buf_done(&gzip);
	house_close(&house);
}

Test(receive, the_root_takes_what_says_what_it_is)
{
	static const struct {
		const char *text;
		enum signal signal;
	} cases[] = {
		{ "{\"resourceSpans\":[{\"schemaUrl\":\"s\"}]}", SIGNAL_TRACES },
		{ "{\"resourceLogs\":[{\"schemaUrl\":\"s\"}]}", SIGNAL_LOGS },
		{ " {\"other\":[{}],\"resourceMetrics\":[{\"schemaUrl\":\"s\"}]}", SIGNAL_METRICS },
	};
	struct house house;
	house_open(&house);
	struct buf plain = fixture("ok.pb"), gzip = fixture("ok.pb.gz");
	cr_expect_eq(post(&house, "/", PROTOBUF, buf_bytes(&plain)).status, 200);
	cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
	cr_expect_eq(
		post(&house, "/", PROTOBUF "\r\nContent-Encoding: gzip", buf_bytes(&gzip)).status,
		200);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect_eq(post(&house, "/", JSON, bytes_of(cases[i].text)).status, 200);
		cr_expect(bytes_equal(buf_bytes(&behind.request), one_schema_in_protobuf));
		cr_expect_eq(behind.seen.signal, cases[i].signal);
	}
	buf_done(&plain);
	buf_done(&gzip);
	house_close(&house);
}

Test(receive, the_root_refuses_all_else_and_says_where_telemetry_goes)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply = post(&house, "/", PROTOBUF, hello);
	expect_status(&reply, 404, 12, "POST /v1/traces");
	reply = post(&house, "/", PROTOBUF, bytes_of(""));
	expect_status(&reply, 404, 12, "POST /v1/traces");
	reply = post(&house, "/", "Content-Type: text/plain", one_schema);
	expect_json_status(&reply, 404, 12, "POST /v1/traces");
	reply = post(&house, "/", JSON, bytes_of("{\"resourceProfiles\":[{}]}"));
	expect_json_status(&reply, 404, 12, "POST /v1/traces");
	reply = post(&house, "/", JSON, bytes_of("{\"resourceSpans\":[7]}"));
	expect_json_status(&reply, 400, 3, "resourceSpans[0]: must be an object");
	peer_send_text(&house.peer, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
	reply = peer_reply(&house.peer);
	expect_json_status(&reply, 405, 2, "method");
	cr_expect(reply_has(&reply, "Allow", "POST"));
	house_close(&house);
}

/* ---- hooks ---- */

static void expect_error(const struct peer_reply *reply, int status, const char *part)
{
	cr_expect_eq(reply->status, status, "%d instead of %d", reply->status, status);
	cr_expect(reply_has(reply, "Content-Type", "application/json"));
	cr_expect_eq(strncmp(reply->body, "{\"error\":\"", 10), 0, "%s", reply->body);
	cr_expect(strstr(reply->body, part), "%s", reply->body);
}

static const struct bytes stop_hook = BYTES(" {\"hook_event_name\":\"Stop\",\"n\":[1]}\n");

Test(receive, a_hook_is_answered_with_nothing_to_do_once_it_is_stored)
{
	static const struct {
		const char *path, *cli;
	} doors[] = {
		{ "/hooks/claude-code", "claude-code" },
		{ "/hooks/codex/", "codex" },
		{ "/hooks/gemini", "gemini" },
	};
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		struct peer_reply reply = post(&house, doors[i].path, i ? "X: y" : JSON, stop_hook);
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(reply.body, "{}");
		cr_expect(reply_has(&reply, "Content-Type", "application/json"));
		cr_expect(bytes_equal(buf_bytes(&behind.request), stop_hook));
		cr_assert_not_null(behind.dialect);
		cr_expect_str_eq(behind.dialect->cli.name, doors[i].cli);
		cr_expect_eq(behind.seen.signal, SIGNAL_LOGS);
		cr_expect_str_eq(behind.seen.lane, "default");
		cr_expect_gt(behind.seen.received_ns, 0);
	}
	cr_expect_eq(counter_read(COUNTER_REQUESTS_RECEIVED), 3);
	house_close(&house);
}

Test(receive, what_is_no_hook_is_refused_in_words)
{
	static const char *const bodies[] = { "", "[]", "7", "{", "{}{}", "{\"a\":}", "\"secret\"",
		"{\"a\":\"\xff\"}" };
	struct house house;
	house_open(&house);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct peer_reply reply = post(&house, "/hooks/codex", JSON, bytes_of(bodies[i]));
		expect_error(&reply, 400, "one JSON object");
		cr_expect_null(strstr(reply.body, "secret"));
	}
	struct peer_reply reply = post(&house, "/hooks/cursor", JSON, stop_hook);
	expect_error(&reply, 404, "/hooks/claude-code, /hooks/codex or /hooks/gemini");
	peer_send_text(&house.peer, "GET /hooks/codex HTTP/1.1\r\nHost: t\r\n\r\n");
	reply = peer_reply(&house.peer);
	expect_error(&reply, 405, "method");
	cr_expect(reply_has(&reply, "Allow", "POST"));
	reply = post(&house, "/hooks/codex", "Via: 1.1 tollgate", stop_hook);
	expect_error(&reply, 508, "Tollgate");
	cr_expect_eq(refused(), sizeof bodies / sizeof *bodies + 3);
	house_close(&house);
}

static struct buf nested(unsigned depth)
{
	struct buf text;
	buf_init(&text, MEGABYTE, NULL);
	for (unsigned i = 0; i < depth; i++)
		buf_text(&text, "{\"a\":");
	buf_text(&text, "1");
	for (unsigned i = 0; i < depth; i++)
		buf_text(&text, "}");
	return text;
}

Test(receive, a_hook_has_bounds)
{
	struct house house;
	house_open(&house);
	struct buf deep = nested(64), deeper = nested(65);
	cr_expect_eq(post(&house, "/hooks/gemini", JSON, buf_bytes(&deep)).status, 200);
	struct peer_reply reply = post(&house, "/hooks/gemini", JSON, buf_bytes(&deeper));
	expect_error(&reply, 400, "64 levels");
	house.config.sessions.max_hook_bytes = deep.len - 1;
	reply = post(&house, "/hooks/gemini", JSON, buf_bytes(&deep));
	expect_error(&reply, 413, "sessions.max_hook_bytes");
	buf_done(&deep);
	buf_done(&deeper);
	house_close(&house);
}

Test(receive, a_hook_that_cannot_be_stored_may_come_again)
{
	struct house house;
	house_open(&house);
	behind.commit_error = -EIO;
	struct peer_reply reply = post(&house, "/hooks/codex", JSON, stop_hook);
	expect_error(&reply, 503, "written");
	cr_expect(reply_has(&reply, "Retry-After", "5"));
	behind.commit_error = 0;
	behind.spool_status = -ENOSPC;
	reply = post(&house, "/hooks/codex", JSON, stop_hook);
	expect_error(&reply, 503, "full");
	house_close(&house);
}

/* A CLI must not be disturbed by a setting of ours. */
Test(receive, without_sessions_a_hook_is_answered_and_not_kept)
{
	struct house house;
	house_open(&house);
	house.config.sessions.enabled = false;
	behind.spool_status = -ENOSPC;
	struct peer_reply reply = post(&house, "/hooks/codex", JSON, stop_hook);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, "{}");
	cr_expect_eq(behind.request.len, 0);
	cr_expect_eq(counter_read(COUNTER_HOOKS_RECEIVED), 1);
	house_close(&house);
}

Test(receive, what_we_sent_ourselves_is_508)
{
	struct house house;
	house_open(&house);
	struct peer_reply reply =
		post_traces(&house, PROTOBUF "\r\nVia: 1.1 proxy, 1.1 tollgate", hello);
	expect_status(&reply, 508, 2, "Tollgate");
	reply = post_traces(&house, PROTOBUF "\r\nVia: 1.1 proxy", hello);
	cr_expect_eq(reply.status, 200);
	house_close(&house);
}

Test(receive, a_chunked_gzip_body_is_the_same_as_a_sized_one)
{
	struct house house;
	house_open(&house);
	struct buf plain = fixture("ok.pb"), gzip = fixture("ok.pb.gz");
	peer_send_text(&house.peer,
		"POST /v1/traces HTTP/1.1\r\nHost: t\r\n" PROTOBUF
		"\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t i = 0; i < gzip.len; i++) {
		peer_send_text(&house.peer, "1\r\n");
		peer_send(&house.peer, gzip.at + i, 1);
		peer_send_text(&house.peer, "\r\n");
	}
	peer_send_text(&house.peer, "0\r\n\r\n");
	cr_expect_eq(peer_reply(&house.peer).status, 200);
	cr_expect(bytes_equal(buf_bytes(&behind.request), buf_bytes(&plain)));
	buf_done(&plain);
	buf_done(&gzip);
	house_close(&house);
}
