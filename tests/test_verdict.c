#include "export/verdict.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static enum verdict judge(enum http_outcome outcome, int status, const struct attempt *attempt)
{
	struct reply reply = { .outcome = outcome, .status = status };
	return verdict_of(&reply, attempt);
}

/* Every status there is, against the rule as DESIGN.md says it. */
static enum verdict expected(int status)
{
	if (status >= 200 && status <= 299)
		return DELIVERED;
	if (status == 408 || status == 429 || (status >= 500 && status <= 599))
		return RETRY_LATER;
	if (status == 400 || status == 413 || status == 422)
		return SPLIT;
	return HOLD;
}

Test(verdict, every_status_has_its_row)
{
	const struct attempt attempt = { .span_count = 10, .may_split = true };
	for (int status = 200; status < 1000; status++)
		cr_expect(judge(HTTP_ANSWERED, status, &attempt) == expected(status), "status %d",
			status);
}

Test(verdict, the_statuses_named_in_the_design)
{
	static const struct {
		int status;
		enum verdict verdict;
	} rows[] = {
		{ 200, DELIVERED },
		{ 202, DELIVERED },
		{ 204, DELIVERED },
		{ 408, RETRY_LATER },
		{ 429, RETRY_LATER },
		{ 500, RETRY_LATER },
		{ 502, RETRY_LATER },
		{ 503, RETRY_LATER },
		{ 504, RETRY_LATER },
		{ 520, RETRY_LATER },
		{ 524, RETRY_LATER },
		{ 400, SPLIT },
		{ 413, SPLIT },
		{ 301, HOLD },
		{ 302, HOLD },
		{ 308, HOLD },
		{ 401, HOLD },
		{ 403, HOLD },
		{ 404, HOLD },
		{ 405, HOLD },
		{ 415, HOLD },
	};
	const struct attempt attempt = { .span_count = 2, .may_split = true };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(judge(HTTP_ANSWERED, rows[i].status, &attempt) == rows[i].verdict,
			"status %d", rows[i].status);
}

Test(verdict, without_an_answer_it_is_tried_again_or_held)
{
	const struct attempt attempt = { .span_count = 2, .may_split = true };
	cr_expect(judge(HTTP_FAILED, 0, &attempt) == RETRY_LATER);
	cr_expect(judge(HTTP_UNTRUSTED, 0, &attempt) == HOLD);
	cr_expect(judge(HTTP_UNUSABLE, 0, &attempt) == HOLD);
}

Test(verdict, a_single_span_that_is_refused_is_set_aside)
{
	const struct attempt attempt = { .span_count = 1, .may_split = true };
	cr_expect(judge(HTTP_ANSWERED, 400, &attempt) == SET_ASIDE);
	cr_expect(judge(HTTP_ANSWERED, 413, &attempt) == SET_ASIDE);
	cr_expect(judge(HTTP_ANSWERED, 401, &attempt) == HOLD);
	cr_expect(judge(HTTP_ANSWERED, 500, &attempt) == RETRY_LATER);
}

Test(verdict, nothing_is_split_or_set_aside_while_everything_is_refused)
{
	const struct attempt many = { .span_count = 9 }, one = { .span_count = 1 };
	cr_expect(judge(HTTP_ANSWERED, 400, &many) == HOLD);
	cr_expect(judge(HTTP_ANSWERED, 413, &one) == HOLD);
	cr_expect(judge(HTTP_ANSWERED, 200, &one) == DELIVERED);
	cr_expect(judge(HTTP_ANSWERED, 503, &one) == RETRY_LATER);
}

Test(verdict, failing_long_beside_others_that_pass_is_a_refusal)
{
	struct attempt attempt = {
		.span_count = 9, .may_split = true, .overtaken = 8, .overtaken_ms = 600000
	};
	cr_expect(judge(HTTP_ANSWERED, 429, &attempt) == SPLIT);
	cr_expect(judge(HTTP_FAILED, 0, &attempt) == SPLIT);
	attempt.span_count = 1;
	cr_expect(judge(HTTP_ANSWERED, 429, &attempt) == SET_ASIDE);
	attempt.overtaken = 7;
	cr_expect(judge(HTTP_ANSWERED, 429, &attempt) == RETRY_LATER, "too few failures");
	attempt.overtaken = 8;
	attempt.overtaken_ms = 599999;
	cr_expect(judge(HTTP_ANSWERED, 429, &attempt) == RETRY_LATER, "too short a time");
}

Test(verdict, every_hold_has_words_for_a_person)
{
	for (int status = 300; status < 600; status++) {
		struct reply reply = { .outcome = HTTP_ANSWERED, .status = status };
		cr_expect(verdict_why(&reply)[0] != '\0');
	}
	struct reply reply = { .outcome = HTTP_UNTRUSTED, .error = "words" };
	cr_expect_str_eq(verdict_why(&reply), "words");
}

Test(retry_after, is_read_as_seconds_or_as_any_http_date)
{
	const time_t now = 784111777 - 90; /* 90 s before Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		uint64_t ms;
	} rows[] = {
		{ "0", 0 },
		{ "1", 1000 },
		{ "120", 120000 },
		{ "30 ", 30000 },
		{ "3600", 3600000 },
		{ "3601", 3600000 },
		{ "99999999999999999999999999", 3600000 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 90000 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 90000 },
		{ "Sun Nov  6 08:49:37 1994", 90000 },
		{ "Sun, 06 Nov 1994 08:48:07 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:40:00 GMT", 0 },
		{ "Fri, 06 Nov 2054 08:49:37 GMT", 3600000 },
		{ "", 0 },
		{ "soon", 0 },
		{ "-5", 0 },
		{ "5s", 0 },
		{ "1.5", 0 },
		{ " 7", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT and more", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(retry_after_read(rows[i].value, now) == rows[i].ms, "\"%s\": %llu",
			rows[i].value, (unsigned long long)retry_after_read(rows[i].value, now));
}

#define BODY(literal) ((struct bytes)BYTES(literal))

Test(partial_success, is_the_count_of_rejected_spans)
{
	cr_expect(partial_success_read(BODY("")) == 0);
	cr_expect(partial_success_read(BODY("\x0a\x02\x08\x03")) == 3);
	cr_expect(partial_success_read(BODY("\x0a\x08\x08\xac\x02\x12\x03"
					    "bad")) == 300,
		"with its message behind");
	cr_expect(partial_success_read(BODY("\x0a\x07\x12\x03"
					    "bad\x08\x05")) == 5,
		"with its message before");
	cr_expect(partial_success_read(BODY("\x12\x01x\x0a\x02\x08\x03")) == 3,
		"behind an unknown field");
}

Test(partial_success, is_nothing_in_what_is_no_such_response)
{
	cr_expect(partial_success_read(BODY("{\"rejectedSpans\":3}")) == 0, "JSON");
	cr_expect(partial_success_read(BODY("<html>")) == 0, "a proxy's page");
	cr_expect(partial_success_read(BODY("\x0a\x7f\x08\x03")) == 0, "a length beyond the end");
	cr_expect(partial_success_read(BODY("\x0a\x01\x08")) == 0, "cut in a number");
	cr_expect(partial_success_read(
			  BODY("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) == 0,
		"negative");
	cr_expect(partial_success_read(BODY("\x08\x03")) == 0, "not in a message");
}

Test(backoff, doubles_up_to_its_maximum_and_any_part_of_it_may_come)
{
	for (unsigned failures = 1; failures < 200; failures++) {
		uint64_t ceiling = failures < 8 ? 100ull << (failures - 1) : 10000;
		if (ceiling > 10000)
			ceiling = 10000;
		cr_expect(backoff_ms(100, 10000, failures, 0) == 1);
		cr_expect(backoff_ms(100, 10000, failures, (uint32_t)ceiling - 1) == ceiling);
		cr_expect(backoff_ms(100, 10000, failures, UINT32_MAX) <= ceiling);
	}
	cr_expect(backoff_ms(0, 0, 1, 7) == 1, "never a busy loop");
}
