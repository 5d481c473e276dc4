/*
 * Money (R8 of the mapping, in the design's order): a sent langfuse cost stays; otherwise our table;
 * otherwise the sender's figure; otherwise none, and why. Exact decimals as JSON and text; the double
 * attributes of OpenInference are the nearest that a double can be, and the sender's where it has any.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/json_skim.h"
#include "base/names.h"
#include "enrich/subject.h"

/* Both operands are exact doubles below nine dollars, so the quotient is the nearest one. */
static double dollars(fusd amount)
{
	char text[FUSD_TEXT_MAX];
	if (amount >= 0 && amount < (fusd)1 << 53)
		return (double)amount / 1e15;
	fusd_text(text, amount);
	return strtod(text, NULL);
}

static void append_amount(struct buf *json, const char *key, fusd amount)
{
	buf_text(json, json->len == 0 ? "{\"" : ",\"");
	buf_text(json, key);
	buf_text(json, "\":");
	buf_fusd(json, amount);
}

/* Langfuse shows a cost only with a total. */
static void add_details(struct subject *subject, fusd total)
{
	append_amount(subject->scratch, "total", total);
	buf_text(subject->scratch, "}");
	add_scratch(subject, TARGET_COST_DETAILS);
}

static void add_exact(struct subject *subject, enum target target, fusd amount)
{
	buf_fusd(subject->scratch, amount);
	add_scratch(subject, target);
}

/* ---- what the sender says ---- */

struct amount {
	bool is_said;
	fusd fusd;
	double number; /* as it was sent, where it was sent as a double */
};

static struct amount read_amount(struct subject *subject, enum fact fact)
{
	const struct value *said = &subject->facts.said[fact];
	struct amount amount = { 0 };
	struct bytes text = text_of(subject, said); /* of a double the shortest that means it */
	struct skim s = { text.at, bytes_end(text) };
	if (!text.len || !skim_number(&s) || s.at != s.end || fusd_read(text, &amount.fusd) < 0)
		return (struct amount){ 0 };
	amount.is_said = true;
	amount.number = said->type == VALUE_DOUBLE ? said->number : dollars(amount.fusd);
	return amount;
}

struct sent {
	struct amount input, output, total; /* total is said when any is */
};

static struct sent read_sent(struct subject *subject)
{
	struct sent sent = {
		.input = read_amount(subject, FACT_COST_INPUT),
		.output = read_amount(subject, FACT_COST_OUTPUT),
		.total = read_amount(subject, FACT_COST_TOTAL),
	};
	if (!sent.total.is_said && (sent.input.is_said || sent.output.is_said)) {
		sent.total.is_said = true;
		sent.total.fusd = sent.input.fusd + sent.output.fusd;
		sent.total.number = sent.input.number + sent.output.number;
	}
	return sent;
}

static void add_sent_numbers(struct subject *subject, const struct sent *sent)
{
	if (sent->input.is_said)
		add_double(subject, TARGET_COST_PROMPT, sent->input.number);
	if (sent->output.is_said)
		add_double(subject, TARGET_COST_COMPLETION, sent->output.number);
	add_double(subject, TARGET_COST_TOTAL, sent->total.number);
}

/* The sender's figure is all that there is, if there is one. */
static void add_sent(struct subject *subject, const struct sent *sent)
{
	if (!sent->total.is_said)
		return;
	if (sent->input.is_said)
		append_amount(subject->scratch, "input", sent->input.fusd);
	if (sent->output.is_said)
		append_amount(subject->scratch, "output", sent->output.fusd);
	add_details(subject, sent->total.fusd);
	add_sent_numbers(subject, sent);
	add_text(subject, TARGET_COST_SOURCE, bytes_of("sender"));
	counter_add(COUNTER_COST_THEIRS, 1);
}

/* The same within a millionth of a dollar or a thousandth of the sum: others count in doubles. */
static enum counter compared(fusd ours, fusd theirs)
{
	const fusd millionth = 1000000000;
	fusd apart = ours > theirs ? ours - theirs : theirs - ours;
	if (apart <= millionth || apart <= theirs / 1000)
		return COUNTER_COST_SAME;
	return ours > theirs ? COUNTER_COST_HIGHER : COUNTER_COST_LOWER;
}

/* ---- what the table says ---- */

/* By the keys of usage_details. */
static void append_classes(struct subject *subject, const struct cost *cost)
{
	fusd amounts[DETAIL_COUNT] = { 0 };
	bool has_tokens[DETAIL_COUNT] = { false };
	for (enum token_class class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		if (!subject->usage.tokens[class])
			continue;
		enum detail detail = detail_of(subject, class);
		amounts[detail] += cost->by_class[class];
		has_tokens[detail] = true;
	}
	for (enum detail detail = 0; detail < DETAIL_COUNT; detail++)
		if (has_tokens[detail])
			append_amount(subject->scratch, detail_names[detail], amounts[detail]);
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		if (cost->by_unit[unit])
			append_amount(subject->scratch, unit_name(unit), cost->by_unit[unit]);
}

/* Fees are in the total alone. */
static void add_numbers(struct subject *subject, const struct cost *cost)
{
	fusd output = cost->by_class[TOKENS_OUTPUT] + cost->by_class[TOKENS_REASONING] +
		cost->by_class[TOKENS_AUDIO_OUTPUT] + cost->by_class[TOKENS_IMAGE_OUTPUT];
	fusd input = cost->total - output;
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++)
		input -= cost->by_unit[unit];
	if (subject->has_input)
		add_double(subject, TARGET_COST_PROMPT, dollars(input));
	if (subject->has_output)
		add_double(subject, TARGET_COST_COMPLETION, dollars(output));
	add_double(subject, TARGET_COST_TOTAL, dollars(cost->total));
}

static void add_priced(struct subject *subject, const struct cost *cost, const struct sent *sent)
{
	append_classes(subject, cost);
	add_details(subject, cost->total);
	if (sent->total.is_said) {
		add_sent_numbers(subject, sent);
		add_exact(subject, TARGET_COST_SENDER, sent->total.fusd);
		add_exact(subject, TARGET_COST_DIFFERENCE, cost->total - sent->total.fusd);
		counter_add(compared(cost->total, sent->total.fusd), 1);
	} else {
		add_numbers(subject, cost);
	}
	bool wrote_for_longer = subject->writes_of_unknown_age && cost->hour_costs_more;
	if (wrote_for_longer || cost->is_lower_bound)
		add_text(subject, TARGET_COST_STATUS, bytes_of("lower_bound"));
}

static uint64_t call_time(const struct span *span)
{
	if (span->start_ns)
		return span->start_ns;
	return span->end_ns ? span->end_ns : clock_unix_ns();
}

/* "claude-haiku-4-5: unknown_tier" */
static void note_unpriced(struct bytes model, enum price_status status)
{
	char text[NAME_TEXT_MAX];
	const char *why = price_status_name(status);
	size_t room = sizeof text - strlen(why) - strlen(": "), len = model.len;
	if (len >= room)
		len = room - 1;
	memcpy(text, model.at, len);
	size_t more = (size_t)snprintf(text + len, sizeof text - len, ": %s", why);
	names_add(NAMES_UNPRICED_MODELS, (struct bytes){ (const uint8_t *)text, len + more });
}

static void count(enum price_status status, struct bytes model)
{
	if (status == PRICE_FOUND) {
		counter_add(COUNTER_SPANS_PRICED, 1);
	} else if (status == PRICE_UNKNOWN_MODEL) { /* price_call has noted the name */
		counter_add(COUNTER_SPANS_UNKNOWN_MODEL, 1);
	} else {
		counter_add(COUNTER_SPANS_UNPRICED, 1);
		note_unpriced(model, status);
	}
}

static bool used_nothing(const struct usage *usage)
{
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		if (usage->tokens[class])
			return false;
	return true;
}

void enrich_cost(struct subject *subject)
{
	if (subject->is_wrapper)
		add_text(subject, TARGET_COST_STATUS, bytes_of("repeated"));
	if (!is_model_call(subject) || !is_open(subject, TARGET_COST_DETAILS))
		return;
	struct sent sent = read_sent(subject);
	bool has_usage = subject->has_input || subject->has_output;
	if (subject->is_error && used_nothing(&subject->usage) && !sent.total.fusd) {
		/* Langfuse would count the tokens of a failed call's text and price them. */
		add_text(subject, TARGET_COST_DETAILS, bytes_of("{\"total\":0}"));
		return;
	}
	if (!has_usage) {
		add_sent(subject, &sent);
		return;
	}
	struct price_question question = {
		.model = subject->model,
		.provider = subject->provider,
		.service_tier = fact_text(subject, FACT_SERVICE_TIER),
		.region = fact_text(subject, FACT_REGION),
		.at_ns = call_time(subject->span),
		.usage = &subject->usage,
	};
	struct cost cost;
	enum price_status status = price_call(subject->prices, &question, &cost);
	count(status, subject->model);
	if (status == PRICE_FOUND) {
		add_priced(subject, &cost, &sent);
		return;
	}
	add_sent(subject, &sent);
	add_text(subject, TARGET_COST_STATUS, bytes_of(price_status_name(status)));
}
