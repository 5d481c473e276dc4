/*
 * Any bytes as a price table or as overrides: read, or complained about. What was read prices calls, and the
 * explanation says the same as the price. The first line is the name of a model, the second its provider,
 * service tier and region; what follows is the file, of overrides when it starts with a plus.
 */
#include <assert.h>
#include <errno.h>

#include "pricing/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes take_until(struct bytes *rest, uint8_t end)
{
	const uint8_t *at = rest->len ? memchr(rest->at, end, rest->len) : NULL;
	struct bytes taken = { rest->at, at ? (size_t)(at - rest->at) : rest->len };
	size_t gone = taken.len + (at != NULL);
	*rest = (struct bytes){ rest->at + gone, rest->len - gone };
	return taken;
}

/* Inside and outside of periods and hours. */
static const uint64_t times_ns[] = { 0, UINT64_C(1790910000000000000),
	UINT64_C(1795143600000000000), UINT64_MAX };

static void require_one_answer(const struct prices *prices, struct price_question question)
{
	struct cost cost = { 0 };
	struct explanation explained;
	for (size_t i = 0; i < sizeof times_ns / sizeof *times_ns; i++) {
		question.at_ns = times_ns[i];
		enum price_status status = price_call(prices, &question, &cost);
		price_explain(prices, &question, &explained);
		assert(status == explained.status && explained.sentence[0]);
		if (status != PRICE_FOUND)
			continue;
		fusd sum = 0;
		for (size_t line = 0; line < explained.line_count; line++)
			sum += explained.lines[line].price * explained.lines[line].tokens;
		for (size_t fee = 0; fee < explained.fee_count; fee++)
			sum += explained.fees[fee].fee * explained.fees[fee].count;
		assert(sum == cost.total && cost.total == explained.cost.total && sum >= 0);
	}
}

static void ask(const struct prices *prices, struct price_question question)
{
	static const uint64_t counts[] = { 0, 1, 200001, UINT64_MAX };
	struct usage usage;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
			usage.tokens[class] = counts[i];
		for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
			usage.units[unit] = counts[i];
		question.usage = &usage;
		require_one_answer(prices, question);
	}
}

static void read_as(int (*parse)(struct bytes, const char *, struct prices **, struct complaint *),
	struct bytes json, struct price_question question)
{
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	struct listed_record record;
	int error = parse(json, "fuzz", &prices, &complaint);
	assert(error ? error == -EINVAL && complaint.text[0] && !prices : prices != NULL);
	if (error)
		return;
	ask(prices, question);
	for (size_t i = 0; i < prices_count(prices) && i < 8; i++) {
		prices_record(prices, i, question.at_ns, &record);
		question.model = bytes_of(record.id);
		ask(prices, question);
	}
	prices_free(prices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = { data, size };
	struct price_question question = { .model = take_until(&rest, '\n') };
	struct bytes words = take_until(&rest, '\n');
	question.provider = take_until(&words, ' ');
	question.service_tier = take_until(&words, ' ');
	question.region = words;
	if (rest.len && *rest.at == '+')
		read_as(prices_parse_overrides, (struct bytes){ rest.at + 1, rest.len - 1 },
			question);
	else
		read_as(prices_parse, rest, question);
	return 0;
}
