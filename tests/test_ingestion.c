/* Requests to Langfuse's ingestion API, and what its answers say of each event. */
#include "export/ingestion.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/lines.h"

enum { COUNT_MAX = 8 };

Test(lines, are_taken_one_by_one_and_cut_by_number)
{
	struct bytes text = BYTES("a\n\nbc\nd"), line, rest = text;
	static const char *const each[] = { "a\n", "\n", "bc\n", "d" };
	for (int i = 0; i < 4; i++)
		cr_expect(lines_next(&rest, &line) && bytes_are(line, each[i]), "line %d", i);
	cr_expect_not(lines_next(&rest, &line));
	cr_expect(lines_count(text) == 4 && lines_count(rest) == 0);
	cr_expect(bytes_are(lines_cut(text, 0, 2), "a\n\n"));
	cr_expect(bytes_are(lines_cut(text, 2, 3), "bc\n"));
	cr_expect(bytes_are(lines_cut(text, 3, 9), "d"));
	cr_expect(lines_cut(text, 4, 9).len == 0);
	cr_expect(lines_cut((struct bytes){ 0 }, 0, 1).len == 0);
}

Test(ingestion, lines_become_one_batch)
{
	struct bytes pieces[7];
	struct buf body;
	cr_assert(ingestion_wrap(
			  (struct bytes)BYTES("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}"), 3,
			  pieces) == 0);
	buf_init(&body, 4096, NULL);
	for (size_t i = 0; i < ingestion_piece_count(3); i++)
		buf_append(&body, pieces[i].at, pieces[i].len);
	cr_expect(bytes_are(buf_bytes(&body),
		"{\"batch\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}],"
		"\"metadata\":{\"sdk_name\":\"tollgate\"}}"));
	buf_done(&body);
	cr_expect(ingestion_wrap((struct bytes)BYTES("a\nb\n"), 3, pieces) == -EBADMSG);
	cr_expect(ingestion_wrap((struct bytes)BYTES("a\nb\n"), 1, pieces) == -EBADMSG);
}

/* Events named by `ids`, one letter each. Returns what is said, "201 400 0". */
static const char *read_text(const char *ids, const char *answer, enum answer_kind *ret_kind)
{
	static char said[COUNT_MAX * 5];
	struct bytes pieces[2 * COUNT_MAX + 1];
	struct buf lines;
	int statuses[COUNT_MAX];
	uint32_t count = (uint32_t)strlen(ids);
	char *at = said;
	buf_init(&lines, 4096, NULL);
	for (uint32_t i = 0; i < count; i++)
		buf_printf(&lines,
			"{\"type\":\"score-create\",\"id\":\"%c\",\"body\":{\"id\":\"x\"}}\n",
			ids[i]);
	cr_assert(ingestion_wrap(buf_bytes(&lines), count, pieces) == 0);
	*ret_kind = ingestion_read(bytes_of(answer), pieces, count, statuses);
	for (uint32_t i = 0; i < count; i++)
		at += sprintf(at, "%s%d", i ? " " : "", statuses[i]);
	buf_done(&lines);
	return said;
}

#define TAKEN_A "{\"id\":\"a\",\"status\":201}"
#define REFUSED_B "{\"id\":\"b\",\"status\":400,\"message\":\"Invalid\",\"error\":\"[\\n{]\"}"

static const struct {
	const char *ids, *answer, *said;
	enum answer_kind kind;
} readings[] = {
	/* As Langfuse says it. */
	{ "ab", "{\"successes\":[" TAKEN_A ",{\"id\":\"b\",\"status\":201}],\"errors\":[]}",
		"201 201", ANSWER_WHOLE },
	{ "abc",
		"{\"successes\":[{\"id\":\"c\",\"status\":201}," TAKEN_A "],\"errors\":[" REFUSED_B
		"]}",
		"201 400 201", ANSWER_WHOLE },
	{ "ab", " {\"errors\" : [ " REFUSED_B " ] , \"successes\":[" TAKEN_A "] } \n", "201 400",
		ANSWER_WHOLE },
	{ "ba", "{\"successes\":[],\"errors\":[{\"status\":500,\"id\":\"a\"}," REFUSED_B "]}",
		"400 500", ANSWER_WHOLE },
	/* Twice the same event: the first answer counts for both. */
	{ "aa", "{\"successes\":[" TAKEN_A "],\"errors\":[{\"id\":\"a\",\"status\":400}]}",
		"201 201", ANSWER_WHOLE },
	/* The same id in other words. */
	{ "ab", "{\"successes\":[{\"id\":\"\\u0061\",\"status\":201}],\"errors\":[]}", "201 0",
		ANSWER_WHOLE },
	/* Nothing is said of it: of one alone that is as good as taken. */
	{ "ab", "{\"successes\":[],\"errors\":[]}", "0 0", ANSWER_WHOLE },
	{ "a", "{\"successes\":[],\"errors\":[]}", "201", ANSWER_WHOLE },
	/* Of one alone it does not matter by which name it is called. */
	{ "a", "{\"successes\":[],\"errors\":[{\"id\":\"unknown\",\"status\":400}]}", "400",
		ANSWER_WHOLE },
	{ "a", "{\"successes\":[],\"errors\":[{\"status\":400}]}", "400", ANSWER_WHOLE },
	{ "a", "{\"successes\":[],\"errors\":[7]}", "500", ANSWER_WHOLE },
	{ "ab", "{\"successes\":[],\"errors\":[{\"id\":\"unknown\",\"status\":400}]}", "0 0",
		ANSWER_WHOLE },
	/* An error without a sound status is none that gives an event up. */
	{ "ab", "{\"successes\":[],\"errors\":[{\"id\":\"a\"},{\"id\":\"b\",\"status\":201}]}",
		"500 500", ANSWER_WHOLE },
	{ "ab", "{\"successes\":[],\"errors\":[{\"id\":\"a\",\"status\":\"400\"},{\"id\":\"b\",\"status\":4e2}]}",
		"500 500", ANSWER_WHOLE },
	{ "ab", "{\"successes\":[],\"errors\":[{\"id\":\"a\",\"status\":-400},{\"id\":\"b\",\"status\":40000}]}",
		"500 500", ANSWER_WHOLE },
	{ "ab", "{\"successes\":[{\"id\":\"a\",\"status\":999},{\"status\":201}],\"errors\":[]}",
		"201 0", ANSWER_WHOLE },
	/* Entries of other kinds, members that nobody knows. */
	{ "ab",
		"{\"_\":[[{}]],\"successes\":[1,null,[]," TAKEN_A "],\"errors\":[" REFUSED_B
		"],\"z\":0}",
		"201 400", ANSWER_WHOLE },
	/* Cut: what was read before counts. */
	{ "ab", "", "0 0", ANSWER_CUT },
	{ "a", "", "0", ANSWER_CUT },
	{ "ab", "{", "0 0", ANSWER_CUT },
	{ "ab", "{\"successes\":[" TAKEN_A ",", "201 0", ANSWER_CUT },
	{ "ab",
		"{\"successes\":[" TAKEN_A
		"],\"errors\":[{\"id\":\"b\",\"status\":400,\"message\":\"In\\u00",
		"201 400", ANSWER_CUT },
	{ "ab", "{\"successes\":[" TAKEN_A "],\"errors\":[{\"id\":\"b\",\"status\":40", "201 0",
		ANSWER_CUT },
	{ "ab", "{\"successes\":[" TAKEN_A "],\"errors\":[{\"id\":\"b\",\"message\":nul", "201 0",
		ANSWER_CUT },
	{ "ab", "{\"successes\":[" TAKEN_A "],\"errors\":[]", "201 0", ANSWER_CUT },
	/* No answer of this API. */
	{ "ab", "<html>ok</html>", "0 0", ANSWER_FOREIGN },
	{ "a", "OK", "0", ANSWER_FOREIGN },
	{ "a", "{}", "0", ANSWER_FOREIGN },
	{ "a", "[]", "0", ANSWER_FOREIGN },
	{ "a", "{\"message\":\"ok\"}", "0", ANSWER_FOREIGN },
	{ "a", "{\"successes\":null,\"errors\":7}", "0", ANSWER_FOREIGN },
	{ "ab", "{\"successes\":[" TAKEN_A "]} x", "201 0", ANSWER_FOREIGN },
	{ "ab", "{\"successes\":[" TAKEN_A "} ", "201 0", ANSWER_FOREIGN },
};

Test(ingestion, an_answer_is_read_by_id_as_far_as_it_goes)
{
	for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
		enum answer_kind kind;
		const char *said = read_text(readings[i].ids, readings[i].answer, &kind);
		cr_expect_str_eq(said, readings[i].said, "%s: %s", readings[i].answer, said);
		cr_expect(kind == readings[i].kind, "%s: kind %d", readings[i].answer, (int)kind);
	}
}

Test(ingestion, an_answer_that_names_thousands_or_nests_without_end_is_bounded)
{
	enum answer_kind kind;
	struct buf answer;
	buf_init(&answer, 1 << 20, NULL);
	buf_text(&answer, "{\"successes\":[" TAKEN_A);
	for (int i = 0; i < 2000; i++)
		buf_text(&answer, ",{\"id\":\"x\",\"status\":201}");
	buf_append(
		&answer, "],\"errors\":[" REFUSED_B "]}", sizeof "],\"errors\":[" REFUSED_B "]}");
	cr_expect_str_eq(read_text("ab", (char *)answer.at, &kind), "201 0");
	cr_expect(kind == ANSWER_WHOLE);
	answer.len = 0;
	buf_text(&answer, "{\"errors\":[" REFUSED_B ",{\"id\":\"a\",\"status\":400,\"error\":");
	for (int i = 0; i < 60000; i++)
		buf_text(&answer, "[");
	buf_append(&answer, "", 1);
	cr_expect_str_eq(read_text("ab", (char *)answer.at, &kind), "400 400");
	cr_expect(kind == ANSWER_FOREIGN);
	buf_done(&answer);
}

Test(ingestion, a_status_says_what_becomes_of_its_event)
{
	static const struct {
		int status;
		enum verdict verdict;
	} rows[] = { { 200, DELIVERED }, { 201, DELIVERED }, { 400, SET_ASIDE }, { 404, SET_ASIDE },
		{ 409, SET_ASIDE }, { 413, SET_ASIDE }, { 422, SET_ASIDE }, { 401, HOLD },
		{ 403, HOLD }, { 408, RETRY_LATER }, { 429, RETRY_LATER }, { 500, RETRY_LATER },
		{ 503, RETRY_LATER }, { 0, RETRY_LATER }, { 302, RETRY_LATER } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(
			ingestion_verdict(rows[i].status) == rows[i].verdict, "%d", rows[i].status);
}

/* The answer to three events as one reply. */
static struct reply sum_up(int status, const char *answer)
{
	struct bytes pieces[7];
	const struct reply reply = {
		.outcome = HTTP_ANSWERED, .status = status, .body = bytes_of(answer)
	};
	cr_assert(ingestion_wrap(
			  (struct bytes)BYTES("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n"),
			  3, pieces) == 0);
	struct reply sum = ingestion_reply(&reply, pieces, 3);
	cr_expect(sum.body.len == 0, "it is gone by then");
	return sum;
}

Test(ingestion, the_answer_to_a_letter_is_one_reply)
{
	struct reply sum = sum_up(207, "{\"successes\":[" TAKEN_A "],\"errors\":[]}");
	cr_expect(sum.status == 207 && sum.rejected == 0);
	sum = sum_up(207, "{\"successes\":[" TAKEN_A "],\"errors\":[" REFUSED_B "]}");
	cr_expect(sum.status == 207 && sum.rejected == 1);
	sum = sum_up(
		207, "{\"successes\":[],\"errors\":[{\"id\":\"c\",\"status\":503}," REFUSED_B "]}");
	cr_expect(sum.status == 503);
	sum = sum_up(207, "{\"successes\":[" TAKEN_A);
	cr_expect(sum.outcome == HTTP_FAILED && sum.error);
	sum = sum_up(200, "<html>");
	cr_expect(sum.outcome == HTTP_UNUSABLE && sum.error);
	sum = sum_up(400, "{\"successes\":[],\"errors\":[]}");
	cr_expect(sum.status == 400);
}
