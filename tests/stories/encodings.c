/* Whatever a sender writes and however it packs it: the destinations get the same spans. */
#include "stories/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "http/compression.h"
#include "support/fixture.h"
#include "support/oracle.h"

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

TestSuite(encodings, .init = begin, .fini = end, .timeout = 120);

static const char *const vectors[] = { "02-openinference-llm", "03-genai-chat-latest",
	"05-genai-structured-messages", "21-claude-code", "22-claude-code-error", "31-kvlist-bytes",
	"36-full-message", "38-unicode" };
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static struct bytes vector(const char *id, const char *suffix)
{
	char path[128];
	snprintf(path, sizeof(path), "otlp/valid/%s.%s", id, suffix);
	return fixture(path);
}

/* As a client packs a body for this Content-Encoding. */
static struct buf packed(const char *coding, struct bytes plain)
{
	struct buf out;
	buf_init(&out, 1 << 20, NULL);
	uint8_t *to = buf_reserve(&out, 1 << 18);
	if (!coding) {
		buf_append(&out, plain.at, plain.len);
	} else if (strcmp(coding, "gzip") == 0) {
		cr_assert_eq(gzip_compress(plain, &out), 0);
	} else if (strcmp(coding, "deflate") == 0) {
		uLongf len = 1 << 18;
		cr_assert_eq(compress(to, &len, plain.at, plain.len), Z_OK);
		out.len = len;
	} else {
		out.len = ZSTD_compress(to, 1 << 18, plain.at, plain.len, 3);
		cr_assert_not(ZSTD_isError(out.len));
	}
	return out;
}

/* Posts a request of its own and returns what came of it, as the generated code writes it. */
static struct buf passed_on(struct fake_destination *destination, const char *path,
	const char *type, const char *coding, struct bytes request)
{
	size_t before = fake_destination_request_count(destination);
	struct buf body = packed(coding, request), out;
	struct story_answer answer = story_send(&story, path, type, coding, buf_bytes(&body));
	cr_assert_eq(answer.status, 200, "%s %s", type, coding ? coding : "plain");
	cr_expect_str_eq(answer.content_type, type);
	cr_assert(fake_destination_wait_requests(destination, before + 1, STORY_PATIENCE_MS));
	oracle_request *decoded =
		oracle_decode(fake_destination_request(destination, before)->body);
	cr_assert_not_null(decoded);
	buf_init(&out, 1 << 24, NULL);
	uint8_t *to =
		buf_reserve(&out, otlp__export_trace_service_request__get_packed_size(decoded));
	out.len = otlp__export_trace_service_request__pack(decoded, to);
	oracle_free(decoded);
	buf_done(&body);
	return out;
}

static void compare_ways(struct fake_destination *destination)
{
	static const char *const ways[] = { NULL, "gzip", "deflate", "zstd" };
	for (size_t v = 0; v < VECTORS; v++) {
		struct bytes protobuf = vector(vectors[v], "pb"), json = vector(vectors[v], "json");
		struct buf wanted = passed_on(
			destination, "/v1/traces", "application/x-protobuf", NULL, protobuf);
		for (size_t c = 0; c < 4; c++) {
			const char *path = c % 2 ? "/" : "/v1/traces";
			struct buf got =
				passed_on(destination, path, "application/json", ways[c], json);
			cr_expect(bytes_equal(buf_bytes(&got), buf_bytes(&wanted)),
				"%s in JSON, %s", vectors[v], ways[c] ? ways[c] : "plain");
			buf_done(&got);
		}
		struct buf got = passed_on(
			destination, "/", "application/x-protobuf", ways[v % 4], protobuf);
		cr_expect(bytes_equal(buf_bytes(&got), buf_bytes(&wanted)), "%s", vectors[v]);
		buf_done(&got);
		buf_done(&wanted);
		free((void *)protobuf.at);
		free((void *)json.at);
	}
}

Test(encodings, json_and_protobuf_in_every_coding_become_the_same_spans)
{
	story_start(&story, NULL);
	compare_ways(story.tempo);
}

Test(encodings, langfuse_gets_the_same_too)
{
	story_start(&story, NULL);
	compare_ways(story.langfuse);
}
