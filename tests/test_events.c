#include "proxy/events.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/events_judge.h"

static const struct events_limits limits = { .max_depth = 100, .max_events = 10000 };

static struct events batch(const char *text)
{
	struct complaint complaint = { 0 };
	struct events events;
	cr_assert_null(events_judge_batch(bytes_of(text), &limits));
	cr_assert_eq(events_of_batch(bytes_of(text), &limits, &events, &complaint), 0, "%s",
		complaint.text);
	return events;
}

static void assert_batch(const char *text, const char *lines, const char *answer)
{
	struct events events = batch(text);
	cr_assert(bytes_are(buf_bytes(&events.lines), lines), "%.*s", (int)events.lines.len,
		(const char *)events.lines.at);
	cr_assert(bytes_are(buf_bytes(&events.answer), answer), "%.*s", (int)events.answer.len,
		(const char *)events.answer.at);
	events_done(&events);
}

Test(events, an_event_is_a_line_with_its_own_bytes)
{
	assert_batch("{\"batch\": [{\"id\":\"a\",\"type\":\"trace-create\",\"body\":{\"n\":1.50e2,"
		     "\"big\":12345678901234567890,\"text\":\"\\u00e9\\n/\\/\"}} , "
		     "{\"type\":\"score-create\",\"id\":\"b\"}],\"metadata\":{\"sdk_name\":\"x\"}}",
		"{\"id\":\"a\",\"type\":\"trace-create\",\"body\":{\"n\":1.50e2,"
		"\"big\":12345678901234567890,\"text\":\"\\u00e9\\n/\\/\"}}\n"
		"{\"type\":\"score-create\",\"id\":\"b\"}\n",
		"{\"successes\":[{\"id\":\"a\",\"status\":201},{\"id\":\"b\",\"status\":201}],"
		"\"errors\":[]}");
}

Test(events, line_feeds_between_tokens_become_blanks)
{
	assert_batch("{\"batch\":[{\n\t\"id\": \"a\",\r\n\t\"type\": \"x\"\n}\n]}",
		"{ \t\"id\": \"a\",\r \t\"type\": \"x\" }\n",
		"{\"successes\":[{\"id\":\"a\",\"status\":201}],\"errors\":[]}");
}

Test(events, an_event_without_id_or_type_is_refused_alone)
{
	static const char *const lacking[] = { "{\"type\":\"x\"}", "{\"id\":\"\",\"type\":\"x\"}",
		"{\"id\":7,\"type\":\"x\"}", "null", "\"text\"", "[]", "{}", "-1.5" };
	char text[256];
	for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
		snprintf(text, sizeof text, "{\"batch\":[%s,{\"id\":\"b\",\"type\":\"y\"}]}",
			lacking[i]);
		assert_batch(text, "{\"id\":\"b\",\"type\":\"y\"}\n",
			"{\"successes\":[{\"id\":\"b\",\"status\":201}],\"errors\":[{\"id\":\"unknown\","
			"\"status\":400,\"message\":\"Invalid request data\","
			"\"error\":\"An event has an id and a type.\"}]}");
	}
	assert_batch("{\"batch\":[{\"id\":\"a\",\"type\":null}]}", "",
		"{\"successes\":[],\"errors\":[{\"id\":\"a\",\"status\":400,"
		"\"message\":\"Invalid request data\",\"error\":\"An event has an id and a type.\"}]}");
}

Test(events, the_same_id_twice_is_kept_twice)
{
	struct events events = batch("{\"batch\":[{\"id\":\"a\",\"type\":\"x\",\"body\":1},"
				     "{\"id\":\"a\",\"type\":\"x\",\"body\":2}]}");
	cr_assert_eq(events.count, 2);
	events_done(&events);
}

Test(events, an_empty_batch_has_an_answer)
{
	assert_batch("{\"batch\":[ ]}", "", "{\"successes\":[],\"errors\":[]}");
}

/* As JSON.parse has it. */
Test(events, of_several_members_the_last_counts_however_it_is_spelled)
{
	assert_batch("{\"batch\":[1],\"\\u0062atch\":[{\"id\":\"a\",\"\\u0069\\u0064\":\"b\","
		     "\"type\":\"x\"}]}",
		"{\"id\":\"a\",\"\\u0069\\u0064\":\"b\",\"type\":\"x\"}\n",
		"{\"successes\":[{\"id\":\"b\",\"status\":201}],\"errors\":[]}");
}

Test(events, those_of_traces_are_counted)
{
	static const char text[] =
		"{\"batch\":[{\"id\":\"1\",\"type\":\"trace-create\"},"
		"{\"id\":\"2\",\"type\":\"score-create\"},{\"id\":\"3\",\"type\":\"sdk-log\"},"
		"{\"id\":\"4\",\"type\":\"generation-update\"},{\"type\":\"span-create\"},"
		"{\"id\":\"5\",\"type\":\"dataset-run-item-create\"},"
		"{\"id\":\"6\",\"type\":\"s\\u0063ore-create\"}]}";
	struct events events = batch(text);
	cr_assert_eq(events.of_traces, 2);
	events_done(&events);
}

Test(events, what_is_no_batch_is_not_kept)
{
	static const char *const texts[] = { "", " ", "null", "[]", "{}", "{\"batch\":{}}",
		"{\"batch\":[}", "{\"batch\":[1,]}", "{\"batch\":[]}x", "{\"batch\":[]",
		"{\"batch\":[\"\xff\"]}", "{\"batch\":[\"\n\"]}", "\xef\xbb\xbf{\"batch\":[]}" };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct complaint complaint = { 0 };
		struct events events;
		cr_assert_null(events_judge_batch(bytes_of(texts[i]), &limits));
		cr_assert_eq(events_of_batch(bytes_of(texts[i]), &limits, &events, &complaint),
			-EBADMSG, "%s", texts[i]);
		cr_assert_neq(complaint.text[0], '\0');
	}
}

Test(events, depth_and_number_are_bounded)
{
	static const struct events_limits narrow = { .max_depth = 4, .max_events = 2 };
	static const char within[] = "{\"batch\":[{\"id\":\"a\",\"type\":\"x\",\"body\":{}},1]}";
	static const char deep[] =
		"{\"batch\":[{\"id\":\"a\",\"type\":\"x\",\"body\":{\"a\":[]}}]}";
	static const char many[] = "{\"batch\":[1,2,3]}";
	struct complaint complaint = { 0 };
	struct events events;
	cr_assert_eq(events_of_batch(bytes_of(within), &narrow, &events, &complaint), 0);
	events_done(&events);
	cr_assert_eq(events_of_batch(bytes_of(deep), &narrow, &events, &complaint), -E2BIG);
	cr_assert_str_eq(complaint.text, "more than 4 levels of brackets");
	complaint.text[0] = '\0';
	cr_assert_eq(events_of_batch(bytes_of(many), &narrow, &events, &complaint), -E2BIG);
	cr_assert_str_eq(complaint.text, "more than 2 events");
}

Test(events, memory_is_charged_and_refused_by_the_budget)
{
	struct budget budget = { .limit_bytes = 300 };
	const struct events_limits tight = { 100, 100, &budget };
	struct complaint complaint = { 0 };
	struct events events;
	cr_assert_eq(events_of_batch(bytes_of("{\"batch\":[{\"id\":\"a\",\"type\":\"x\"}]}"),
			     &tight, &events, &complaint),
		-ENOMEM);
	cr_assert_eq(budget.used_bytes, 0);
}

static void assert_score(const char *text)
{
	const char *wrong = events_judge_scores(bytes_of(text), &limits);
	cr_assert_null(wrong, "%s: %s", text, wrong);
}

Test(events, a_score_gets_an_id_where_it_has_none)
{
	static const char *const scores[] = { "{\"name\":\"quality\",\"value\":0.10}", "{}",
		" { } ", "{\"id\":null}", "{\"id\" : null , \"id\":null,\"value\":1}",
		"{\"value\":1,\"\\u0069d\":null}", "\n{\n\"value\" : 1 }\n" };
	for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
		assert_score(scores[i]);
}

Test(events, a_score_with_an_id_stays_as_it_is)
{
	assert_score("{\"id\":\"mine\",\"value\":0.10}");
	assert_score("{ \"value\" : 1,\n \"id\":\"a\\\"b\" }");
	assert_score("{\"id\":7}");
	assert_score("{\"id\":\"\"}");
}

Test(events, a_list_of_scores_is_named_and_kept_one_by_one)
{
	static const char *const lists[] = {
		"[{\"id\":\"a\",\"value\":1},{\"id\":\"b\"}]",
		"[ {\"value\" : 1}\n, {} ,{\"id\":null,\"value\":[{\"id\":null}]}, {\"id\":\"c\"} ]\n",
		"[{\"id\":\"\"}]",
		"[7,{}]",
		"[[]]",
		"[]",
	};
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		assert_score(lists[i]);
}

Test(events, a_list_of_scores_is_bounded)
{
	const struct events_limits narrow = { .max_depth = 4, .max_events = 2 };
	struct complaint complaint = { 0 };
	struct events events;
	cr_assert_eq(events_of_scores(bytes_of("[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]"), 0,
			     &narrow, &events, &complaint),
		-E2BIG);
	cr_assert_str_eq(complaint.text, "more than 2 scores");
}

Test(events, a_score_is_the_event_that_langfuse_makes_of_it)
{
	static const char text[] = "{\"id\":\"mine\",\n\"value\":0.10}";
	struct complaint complaint = { 0 };
	struct events events;
	assert_score(text);
	cr_assert_eq(events_of_scores(bytes_of(text), UINT64_C(1798761600007000000), &limits,
			     &events, &complaint),
		0);
	cr_assert(bytes_are(buf_bytes(&events.answer), "{\"id\":\"mine\"}"));
	buf_append(&events.lines, "", 1);
	const char *line = (const char *)events.lines.at;
	cr_assert_str_eq(line + strlen("{\"id\":\"00000000-0000-4000-8000-000000000000\""),
		",\"timestamp\":\"2027-01-01T00:00:00.007Z\",\"type\":\"score-create\","
		"\"body\":{\"id\":\"mine\", \"value\":0.10}}\n");
	events_done(&events);
}

Test(events, no_two_scores_get_the_same_id)
{
	struct complaint complaint = { 0 };
	struct buf first, second;
	buf_init(&first, 1000, NULL);
	buf_init(&second, 1000, NULL);
	cr_assert_eq(events_name_scores(bytes_of("{}"), &limits, &first, &complaint), 0);
	cr_assert_eq(events_name_scores(bytes_of("{}"), &limits, &second, &complaint), 0);
	cr_assert_not(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	buf_done(&first);
	buf_done(&second);
}

/* ---- any batch ---- */

static unsigned pick(unsigned count)
{
	return (unsigned)random() % count;
}

static void put_value(struct buf *text, unsigned depth)
{
	static const char *const scalars[] = { "null", "true", "-0", "1.50E+3", "9007199254740993",
		"\"\"", "\"a\\\\\\\"b\"", "\"\\ud83d\\ude00\"", "\"\xc3\xa9\"", "\"],[{\"" };
	static const char *const blanks[] = { "", "", " ", "\n", "\r\n\t" };
	unsigned kind = depth > 4 ? 0 : pick(3);
	buf_text(text, blanks[pick(5)]);
	if (kind == 0) {
		buf_text(text, scalars[pick(10)]);
	} else {
		buf_text(text, kind == 1 ? "[" : "{");
		for (unsigned left = pick(4), i = 0; i < left; i++) {
			if (kind == 2)
				buf_printf(text, "%s\"%c\"%s:", blanks[pick(5)], 'a' + (int)pick(3),
					blanks[pick(5)]);
			put_value(text, depth + 1);
			buf_text(text, i + 1 < left ? "," : "");
		}
		buf_text(text, kind == 1 ? "]" : "}");
	}
	buf_text(text, blanks[pick(5)]);
}

static void put_event(struct buf *text)
{
	static const char *const ids[] = { "\"a\"", "\"b\"", "\"\\u0061\"", "null", "7", "\"\"" };
	static const char *const types[] = { "\"trace-create\"", "\"score-create\"", "\"sdk-log\"",
		"{}", "\"\"" };
	if (pick(8) == 0) {
		put_value(text, 0);
		return;
	}
	buf_text(text, "{\"body\":");
	put_value(text, 0);
	buf_printf(text, ",\"%s\":%s,", pick(9) ? "id" : "\\u0069d", ids[pick(6)]);
	buf_printf(text, "\n\"type\" : %s }", types[pick(5)]);
}

Test(events, any_batch_is_kept_as_it_is)
{
	srandom(6);
	for (unsigned round = 0; round < 3000; round++) {
		struct buf text;
		buf_init(&text, 1 << 20, NULL);
		buf_text(&text, "{\"metadata\":");
		put_value(&text, 2);
		buf_text(&text, ",\"batch\":[");
		for (unsigned left = pick(5); left--; buf_text(&text, left ? "," : ""))
			put_event(&text);
		buf_text(&text, "]}");
		const char *wrong = events_judge_batch(buf_bytes(&text), &limits);
		cr_assert_null(wrong, "%s: %.*s", wrong, (int)text.len, (const char *)text.at);
		/* A byte changed, and cut somewhere. */
		text.at[pick((unsigned)text.len)] ^= (uint8_t)(1u << pick(8));
		wrong = events_judge_batch(buf_bytes(&text), &limits);
		cr_assert_null(wrong, "%s: %.*s", wrong, (int)text.len, (const char *)text.at);
		text.len = pick((unsigned)text.len);
		cr_assert_null(events_judge_batch(buf_bytes(&text), &limits));
		cr_assert_null(events_judge_scores(buf_bytes(&text), &limits));
		buf_done(&text);
	}
}
