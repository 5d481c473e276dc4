/* The generator and the sink judge everything else here, so first they are judged themselves. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bench/inflate.h"
#include "bench/load.h"
#include "bench/rig.h"
#include "bench/sink.h"
#include "otlp/json.h"
#include "support/daemon.h"
#include "support/spans.h"

static struct tally *acknowledged, *received;
static struct load_report *load_report;
static struct sink_report *sink_report;
static struct child sink;
static int port;

static void begin(void)
{
	acknowledged = tally_new(1000000);
	received = tally_new(1000000);
	load_report = load_report_new();
	sink_report = sink_report_new();
	struct sink_job job = { listener_open(&port), received, sink_report };
	cr_assert_geq(job.listener, 0);
	cr_assert_eq(child_start(&sink, sink_run, &job), 0);
	close(job.listener);
}

static void end(void)
{
	child_kill(&sink);
	tally_free(acknowledged);
	tally_free(received);
	load_report_free(load_report);
	sink_report_free(sink_report);
}

static struct load_job job_of(enum payload_case payload, uint64_t spans)
{
	return (struct load_job){ .port = port,
		.payload = payload,
		.connections = 4,
		.seed = 1,
		.spans = spans,
		.acknowledged = acknowledged,
		.report = load_report };
}

TestSuite(harness, .init = begin, .fini = end, .timeout = 60);

Test(harness, every_span_of_each_case_arrives_once)
{
	uint64_t first = 0;
	for (int which = 0; which < PAYLOAD_CASE_COUNT; which++) {
		struct load_job job = job_of(which, payload_case_spans(which) * 50);
		job.first = first;
		cr_assert_eq(load_run(&job), 0);
		first += job.spans;
	}
	struct tally_difference difference = tally_compare(acknowledged, received);
	cr_expect_eq(acknowledged->spans, first);
	cr_expect_eq(received->distinct, first);
	cr_expect_eq(received->strangers, 0);
	cr_expect_eq(difference.lost, 0);
	cr_expect_eq(difference.duplicated, 0);
	cr_expect_eq(sink_report->malformed, 0);
	cr_expect_eq(load_report->failed, 0);
	cr_expect_eq(load_report->latency.samples, load_report->requests);
}

Test(harness, what_is_lost_and_what_comes_twice_is_seen)
{
	struct load_job job = job_of(PAYLOAD_TINY, 100);
	cr_assert_eq(load_run(&job), 0);
	job.spans = 10;
	cr_assert_eq(load_run(&job), 0);
	tally_mark(acknowledged, 100);
	tally_mark(acknowledged, 101);

	struct tally_difference difference = tally_compare(acknowledged, received);
	cr_expect_eq(difference.duplicated, 10);
	cr_expect_eq(difference.lost, 2);
}

static void *sink_recovers(void *unused)
{
	while (sink_report->refused < 4)
		usleep(1000);
	sink_report->answer = 200;
	return NULL;
}

Test(harness, a_refused_request_is_sent_again_with_the_same_ids)
{
	pthread_t thread;
	sink_report->answer = 503;
	cr_assert_eq(pthread_create(&thread, NULL, sink_recovers, NULL), 0);
	struct load_job job = job_of(PAYLOAD_TINY, 100);
	cr_assert_eq(load_run(&job), 0);
	pthread_join(thread, NULL);

	cr_expect_geq(load_report->refused, 4);
	cr_expect_eq(received->spans, 100);
	cr_expect_eq(received->distinct, 100);
}

Test(harness, a_paced_generator_keeps_its_pace)
{
	struct load_job job = job_of(PAYLOAD_TINY, 500);
	job.spans_per_second = 1000;
	uint64_t before_ns = monotonic_ns();
	cr_assert_eq(load_run(&job), 0);
	/* 100 requests at 200 a second: the last is due after 495 ms. */
	cr_expect_geq(monotonic_ns() - before_ns, UINT64_C(495000000));
}

Test(harness, a_generator_that_ends_with_its_server_keeps_what_was_answered)
{
	struct load_job job = job_of(PAYLOAD_TINY, 1000000);
	struct child load;
	job.ends_with_server = true;
	cr_assert_eq(child_start(&load, load_child, &job), 0);
	while (load_report->requests < 100)
		usleep(1000);
	child_kill(&sink);
	cr_expect_eq(child_wait(&load, 10000), 0);
	cr_expect_geq(acknowledged->distinct, 500);
	cr_expect_eq(tally_compare(acknowledged, received).lost, 0);
}

/* Prose gives 2.0 to 2.8 at level 1; the repeated attribute names of short spans give more. */
Test(harness, texts_compress_as_prose_does)
{
	static const struct {
		double least, most;
	} ratios[] = {
		[PAYLOAD_SMALL] = { 4, 5.5 },
		[PAYLOAD_LARGE] = { 2, 2.8 },
		[PAYLOAD_TINY] = { 2.5, 4 },
		[PAYLOAD_VOCABULARIES] = { 3, 4.5 },
		[PAYLOAD_OTHERS] = { 3.5, 5 },
	};
	for (int which = 0; which < PAYLOAD_CASE_COUNT; which++) {
		struct payload payload;
		cr_assert_eq(payload_init(&payload, which, 7), 0);
		payload_stamp(&payload, payload.request.at, 1);
		uLongf len = compressBound(payload.request.len);
		uint8_t *compressed = malloc(len);
		cr_assert_eq(
			compress2(compressed, &len, payload.request.at, payload.request.len, 1),
			Z_OK);
		double ratio = (double)payload.request.len / (double)len;
		cr_log_info("%s: %zu bytes, gzip ratio %.2f", payload_case_name(which),
			payload.request.len, ratio);
		cr_expect_geq(ratio, ratios[which].least);
		cr_expect_leq(ratio, ratios[which].most);
		cr_expect_eq(spans_count(buf_bytes(&payload.request)), payload.span_count);
		free(compressed);
		payload_done(&payload);
	}
}

Test(harness, a_payload_in_json_is_the_same_request)
{
	for (int which = 0; which < PAYLOAD_CASE_COUNT; which++) {
		struct payload payload;
		struct buf protobuf, back;
		struct complaint complaint = { 0 };
		buf_init(&protobuf, 1 << 24, NULL);
		buf_init(&back, 1 << 24, NULL);
		cr_assert_eq(payload_init(&payload, which, 7), 0);
		payload_stamp(&payload, payload.request.at, 1);
		buf_append(&protobuf, payload.request.at, payload.request.len);
		cr_assert_eq(payload_to_json(&payload), 0);
		payload_stamp(&payload, payload.request.at, 1);
		cr_assert_eq(json_to_request(buf_bytes(&payload.request), SIGNAL_TRACES, 100, &back,
				     &complaint),
			0, "%s", complaint.text);
		cr_expect(bytes_equal(buf_bytes(&back), buf_bytes(&protobuf)), "%s",
			payload_case_name(which));
		payload_done(&payload);
		buf_done(&protobuf);
		buf_done(&back);
	}
}

static void append_member(struct buf *out, const char *text)
{
	z_stream stream = { .next_in = (Bytef *)text, .avail_in = (uInt)strlen(text) };
	uint8_t *at = buf_reserve(out, 4096);
	deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	stream.next_out = at;
	stream.avail_out = 4096;
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out->len += stream.total_out;
	deflateEnd(&stream);
}

Test(harness, all_members_of_a_gzip_body_are_read_and_a_torn_one_is_refused)
{
	struct buf body, out;
	buf_init(&body, 1 << 20, NULL);
	buf_init(&out, 1 << 20, NULL);
	for (int i = 0; i < 20; i++)
		append_member(&body, i % 3 ? "ab" : "");
	cr_expect(inflate_all(buf_bytes(&body), &out));
	cr_expect_eq(out.len, 26);
	cr_expect_not(inflate_all((struct bytes){ body.at, body.len - 3 }, &out));
	body.at[body.len - 6] ^= 1;
	cr_expect_not(inflate_all(buf_bytes(&body), &out));
	buf_done(&body);
	buf_done(&out);
}

static atomic_bool is_enough;

/* In sizes of which the sanitizer's allocator gives nearly each one out under a lock. */
static void *take_memory(void *unused)
{
	while (!is_enough)
		for (size_t size = 300; size < 60000; size = 2 * size + 100) {
			void *volatile memory = malloc(size);
			free(memory);
		}
	return NULL;
}

/*
 * At the fork one of them may hold that lock, and nobody in the child gives it back. The environment is long,
 * so that a child which copies it asks for these sizes.
 */
Test(harness, a_program_starts_while_threads_take_memory)
{
	enum { THREADS = 2, STARTS = 20, PATH_BYTES = 60000 };
	static char path[PATH_BYTES];
	char directory[SCRATCH_PATH_MAX];
	pthread_t threads[THREADS];
	int status = 0;
	cr_assert_eq(scratch_make(directory), 0);
	memset(path, ':', PATH_BYTES - 1);
	setenv("PATH", path, 1);
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_memory, NULL), 0);
	for (unsigned i = 0; i < STARTS && status == 0; i++) {
		struct daemon program;
		struct daemon_start start = {
			.arguments = (const char *const[]){ "/bin/true", NULL },
			.environment = (const char *const[]){ NULL },
			.directory = directory,
		};
		cr_assert_eq(daemon_spawn(&program, &start), 0);
		status = child_wait(&program.child, DAEMON_START_MS);
		child_kill(&program.child);
	}
	is_enough = true;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	scratch_remove(directory);
	cr_expect_eq(status, 0, "it ends with %d", status);
}

Test(rig, a_measured_phase_accounts_for_every_span, .timeout = 120)
{
	static const char *const settings[] = { NULL };
	struct rig rig;
	struct figures figures = { 0 };
	struct phase phase = {
		.payload = PAYLOAD_SMALL,
		.connections = 4,
		.spans = 20000,
		.is_drained = true,
	};
	int error = rig_open(&rig, &gateways[0], true, settings, 20000);
	if (error == 0)
		error = rig_start(&rig);
	if (error == 0)
		error = rig_run(&rig, &phase, &figures);
	struct tally_difference difference =
		error == 0 ? rig_compare(&rig) : (struct tally_difference){ 0 };
	rig_close(&rig);
	cr_assert_eq(error, 0);
	cr_expect_eq(figures.acknowledged, 20000);
	cr_expect_eq(figures.delivered[0], 20000);
	cr_expect_eq(figures.delivered[1], 20000);
	cr_expect_eq(difference.lost, 0);
	cr_expect_eq(difference.duplicated, 0);
	cr_expect_gt(figures.cpu_seconds, 0);
	cr_expect_gt(figures.seconds, 0);
	cr_expect_gt(figures.anonymous_peak_bytes, 0);
	cr_expect_gt(figures.p50_ms, 0);
	cr_expect_geq(figures.p99_ms, figures.p50_ms);
}
