/* What spool and verify print for an answer of the daemon, at 80 columns. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "cli/dead.h"
#include "cli/spool.h"
#include "cli/verify.h"

static struct terminal terminal = { .width = 80, .has_unicode = true };
static struct buf out;

static void begin(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TZ", "UTC", 1);
	tzset();
	buf_init(&out, 1 << 20, NULL);
}

static void end(void)
{
	buf_done(&out);
}

TestSuite(books, .init = begin, .fini = end);

/* Quotes in `text` are written as '. */
static json_t *json_of(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(copy, 0, &error);
	cr_assert(json, "%s", error.text);
	free(copy);
	return json;
}

static const char *printed(const char *answer,
	int (*print)(const json_t *answer, const struct terminal *terminal, struct buf *out))
{
	json_t *json = json_of(answer);
	cr_assert_eq(print(json, &terminal, &out), 0);
	json_decref(json);
	buf_append(&out, "", 1);
	out.len = 0;
	size_t columns = 0;
	for (const char *at = (const char *)out.at; *at; at++) {
		columns = *at == '\n' ? 0 : columns + ((*at & 0xc0) != 0x80);
		cr_expect_leq(columns, terminal.width, "%s", (const char *)out.at);
	}
	return (const char *)out.at;
}

#define DISK \
	"'spool': {'directory': '/var/lib/tollgate', 'kept_bytes': 13000000, 'max_bytes': 10737418240," \
	" 'disk_bytes': 201326592, 'segments': 3, 'free_bytes': 130000000000, 'refusing': %s}"
#define DISK_OPEN \
	"'spool': {'directory': '/var/lib/tollgate', 'kept_bytes': 13000000, 'max_bytes': 10737418240," \
	" 'disk_bytes': 201326592, 'segments': 3, 'free_bytes': 130000000000, 'refusing': null}"
#define NOW "'now_ns': 1700000600000000000"

Test(books, spool_says_what_waits_for_whom_and_why)
{
	cr_expect_str_eq(
		printed("{" NOW ", " DISK_OPEN ", 'destinations': ["
			"{'destination': 'langfuse', 'lane': 'default', 'waiting': 0, 'accepted': 123456,"
			" 'delivered': 123450, 'rejected': 2, 'dead': 4, 'dropped': 0, 'damaged': 0,"
			" 'records': 0, 'bytes': 0, 'oldest_ns': 0, 'in_flight': 0, 'held_since_ns': 0,"
			" 'failing_since_ns': 0, 'retried': 3, 'last_status': 200,"
			" 'last_success_ns': 1700000588000000000},"
			"{'destination': 'tempo', 'lane': 'other', 'waiting': 12345, 'accepted': 123456,"
			" 'delivered': 111111, 'rejected': 0, 'dead': 0, 'dropped': 0, 'damaged': 0,"
			" 'records': 17, 'bytes': 12345678, 'oldest_ns': 1700000000000000000, 'in_flight': 1,"
			" 'held_since_ns': 1700000480000000000, 'failing_since_ns': 1700000470000000000,"
			" 'failure_status': 401, 'failure_why': 'the key is not accepted', 'retried': 9,"
			" 'last_status': 401, 'last_success_ns': 1699990000000000000}]}",
			spool_print),
		"/var/lib/tollgate\n"
		"12.4 MiB kept of at most 10.0 GiB; 3 files, 192.0 MiB on disk; 121.1 GiB free\n"
		"\n"
		"destination  waiting  records     bytes  oldest  sending  answer  success\n"
		"langfuse           0                                         200     12 s\n"
		"tempo/other   12,345       17  11.8 MiB    10 m        1     401      2 h\n"
		"tempo/other is held for 2 m: 401, the key is not accepted\n"
		"\n"
		"destination  accepted  delivered  retried  rejected  dead  dropped  damaged\n"
		"langfuse      123,456    123,450        3         2     4        0        0\n"
		"tempo/other   123,456    111,111        9         0     0        0        0\n");
}

Test(books, spool_says_why_nothing_is_taken)
{
	char answer[1024];
	snprintf(answer, sizeof answer, "{" NOW ", " DISK ", 'destinations': []}", "'no space'");
	const char *said = printed(answer, spool_print);
	cr_expect(strstr(said, "\nNothing is taken now: no space.\n"), "%s", said);
	cr_expect(strstr(said, "\nNo destination: everything is kept until there is one.\n"), "%s",
		said);
}

Test(books, spool_fits_whatever_the_figures_are)
{
	printed("{" NOW ", " DISK_OPEN ", 'destinations': ["
		"{'destination': 'a-destination-with-a-very-long-na', 'lane': 'and-a-lane-of-its-own',"
		" 'waiting': 123456789012, 'accepted': 123456789012345, 'delivered': 123456789012345,"
		" 'rejected': 123456789012, 'dead': 123456789012, 'dropped': 123456789012,"
		" 'damaged': 123456789012, 'records': 123456789012, 'bytes': 1234567890123456,"
		" 'oldest_ns': 1, 'in_flight': 1000, 'held_since_ns': 1, 'failing_since_ns': 1,"
		" 'failure_status': 503, 'failure_why': 'words that go on and on and on, further than any line',"
		" 'retried': 123456789012, 'last_status': 503, 'last_success_ns': 1}]}",
		spool_print);
}

#define BOOKS(destination, waiting, difference) \
	"{'destination': '" destination "', 'lane': 'default', 'configured': true," \
	" 'waiting_before': 7, 'accepted': 12345, 'delivered': 12300, 'rejected': 0, 'dead': -1," \
	" 'dropped': 2, 'damaged': 0, 'waiting': " waiting ", 'difference': " difference "}"

Test(books, verify_says_what_adds_up_and_what_does_not)
{
	cr_expect_str_eq(printed("{'adds_up': false, 'since_ns': 1700000040000000000," NOW
				 ", 'records_damaged': 2, 'destinations': [" BOOKS(
					 "tempo", "51", "0") "," BOOKS("langfuse", "39",
					 "12") "," BOOKS("third", "52", "-1") "]}",
				 verify_print),
		"Since 2023-11-14 22:14:00\n"
		"\n"
		"tempo: adds up\n"
		"  waiting then              7\n"
		"  accepted             12,345\n"
		"  delivered            12,300\n"
		"  rejected                  0\n"
		"  dead letters             -1\n"
		"  dropped                   2\n"
		"  damaged on disk           0\n"
		"  waiting                  51\n"
		"\n"
		"langfuse: differs by 12\n"
		"  waiting then              7\n"
		"  accepted             12,345\n"
		"  delivered            12,300\n"
		"  rejected                  0\n"
		"  dead letters             -1\n"
		"  dropped                   2\n"
		"  damaged on disk           0\n"
		"  waiting                  39\n"
		"  Accepted, and neither booked nor in the log: they are lost.\n"
		"\n"
		"third: differs by 1\n"
		"  waiting then              7\n"
		"  accepted             12,345\n"
		"  delivered            12,300\n"
		"  rejected                  0\n"
		"  dead letters             -1\n"
		"  dropped                   2\n"
		"  damaged on disk           0\n"
		"  waiting                  52\n"
		"  Booked or in the log, and never accepted: something counted twice.\n"
		"2 damaged records found on the disk since the start.\n");
}

Test(books, dead_letters_are_a_line_each)
{
	cr_expect_str_eq(
		printed("{" NOW ", 'is_cut': true, 'letters': ["
			"{'id': 'langfuse/123456-0', 'time_ns': 1700000300000000000, 'status': 400, 'spans': 1,"
			" 'bytes': 1234, 'reason': 'refused as malformed'},"
			"{'id': 'tempo/7-12', 'time_ns': 1700000599000000000, 'status': 0, 'spans': 20,"
			" 'bytes': 12345678, 'reason': 'not well formed, with words that go on and on and on'}]}",
			dead_list_print),
		"letter             ago  status  spans     bytes  reason\n"
		"langfuse/123456-0  5 m     400      1   1.2 KiB  refused as malformed\n"
		"tempo/7-12         1 s             20  11.8 MiB  not well formed, with words th…\n"
		"There are more: --limit N.\n");
}

static int print_letter(const json_t *answer, const struct terminal *with, struct buf *to)
{
	return dead_letter_print(answer, true, UINT64_C(1700000600000000000), with, to);
}

#define LETTER \
	"{'id': 'tempo/7-12', 'time_ns': 1700000300000000000, 'status': 400, 'signal': 'traces'," \
	" 'encoding': 'identity', 'reason': 'refused as malformed', 'request': '%s'}"

Test(books, a_letter_of_events_shows_each)
{
	static const char events[] =
		"{\"id\":\"e-1\",\"type\":\"score-create\",\"timestamp\":\"2026-11-21T12:00:00Z\","
		"\"body\":{\"value\":1}}\n{\"id\":\"e-2\",\"type\":\"trace-\\u001b[1mcreate\"}";
	struct buf text;
	char answer[1024];
	buf_init(&text, 1000, NULL);
	base64_encode((struct bytes){ (const uint8_t *)events, sizeof events - 1 }, &text);
	buf_append(&text, "", 1);
	snprintf(answer, sizeof answer,
		"{'id': 'langfuse/7-12', 'time_ns': 1700000300000000000, 'status': 400, 'signal':"
		" 'ingestion', 'encoding': 'identity', 'reason': 'refused as malformed', 'request': '%s'}",
		(const char *)text.at);
	const char *said = printed(answer, print_letter);
	cr_expect(strstr(said,
			  "  e-1  score-create\n"
			  "    89 B 2026-11-21T12:00:00Z\n"
			  "    {\"id\":\"e-1\",\"type\":"),
		"%s", said);
	cr_expect(strstr(said, "\n  e-2  trace-"), "%s", said);
	cr_expect_null(strchr(said, '\x1b'));
	buf_done(&text);
}

/* A terminal shall not obey what a sender wrote. */
Test(books, a_letter_shows_its_spans)
{
	static const char request[] = "\x0a\x35\x12\x33\x12\x31"
				      "\x0a\x04\x01\x02\x03\x04"
				      "\x12\x04\x0a\x0b\x0c\x0d"
				      "\x2a\x08na\x1b[1mme"
				      "\x4a\x19\x0a\x05model\x12\x10\x0a\x0egpt-\x1b[31mfive\x07";
	struct buf text;
	char answer[1024];
	buf_init(&text, 1000, NULL);
	base64_encode((struct bytes){ (const uint8_t *)request, sizeof request - 1 }, &text);
	buf_append(&text, "", 1);
	snprintf(answer, sizeof answer, LETTER, (const char *)text.at);
	const char *said = printed(answer, print_letter);
	cr_expect(strstr(said,
			  "tempo/7-12\n"
			  "refused at 2023-11-14 22:18:20, 5 m ago: 400, refused as malformed\n"
			  "  0a0b0c0d  na"),
		"%s", said);
	cr_expect(strstr(said, "    trace 01020304, 49 B\n    model = "), "%s", said);
	cr_expect_null(strchr(said, '\x1b'));
	buf_done(&text);
}

Test(books, a_letter_that_cannot_be_read_says_so)
{
	static const char *const requests[] = { "AAAA", "not base64", "Cg==" };
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		char answer[512];
		snprintf(answer, sizeof answer, LETTER, requests[i]);
		const char *said = printed(answer, print_letter);
		cr_expect(
			strstr(said, "The request cannot be read as spans or events."), "%s", said);
	}
}

Test(books, what_is_no_base64_is_not_taken_for_it)
{
	static const char *const texts[] = { "A", "AA", "AAA", "AAAAA", "=", "====", "A===", "AA=A",
		"A=A=", "AA==AAAA", "AAAA====", "AA==\n", "\nAAA", " AAAA   ", "AAA ", "AA-A",
		"AA_A", "AAA-", "AA\xc3\xa4", "AA,A" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf back;
		buf_init(&back, 1000, NULL);
		cr_expect_eq(base64_decode(bytes_of(texts[i]), &back), -EBADMSG, "%s", texts[i]);
		cr_expect_eq(back.len, 0, "%s", texts[i]);
		buf_done(&back);
	}
}

Test(books, base64_comes_back_as_it_was)
{
	uint8_t bytes[100];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		struct buf text, back;
		buf_init(&text, 1000, NULL);
		buf_init(&back, 1000, NULL);
		base64_encode((struct bytes){ bytes, len }, &text);
		cr_expect_eq(text.len, (len + 2) / 3 * 4);
		cr_assert_eq(base64_decode(buf_bytes(&text), &back), 0);
		cr_expect(bytes_equal(buf_bytes(&back), (struct bytes){ bytes, len }));
		buf_done(&text);
		buf_done(&back);
	}
}
