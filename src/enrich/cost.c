/*
 * Money (R8 of the mapping, in the design's order): a sent langfuse cost stays; otherwise our table;
 * otherwise the sender's figure; otherwise none, and why. Exact decimals as JSON and text; the double
 * attributes of OpenInference are the nearest that a double can be.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
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

static void append_key(struct buf *json, const char *key)
{
	buf_text(json, json->len == 0 ? "{\"" : ",\"");
	buf_text(json, key);
	buf_text(json, "\":");
}

static void append_amount(struct buf *json, const char *key, fusd amount)
{
	append_key(json, key);
	buf_fusd(json, amount);
}

/* A sender's figure, as the double that it was sent as. */
static void append_number(struct buf *json, const char *key, double number)
{
	append_key(json, key);
	buf_value_json(json, &(struct value){ .type = VALUE_DOUBLE, .number = number });
}

/* Langfuse shows a cost only with a total, and by the keys of usage_details. */
static void add_priced(struct subject *subject, const struct cost *cost)
{
	fusd output = cost->by_class[TOKENS_OUTPUT] + cost->by_class[TOKENS_REASONING] +
		cost->by_class[TOKENS_AUDIO_OUTPUT] + cost->by_class[TOKENS_IMAGE_OUTPUT];
	struct buf *json = subject->scratch;
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
			append_amount(json, detail_names[detail], amounts[detail]);
	append_amount(json, "total", cost->total);
	buf_text(json, "}");
	add_scratch(subject, TARGET_COST_DETAILS);
	if (subject->has_input)
		add_double(subject, TARGET_COST_PROMPT, dollars(cost->total - output));
	if (subject->has_output)
		add_double(subject, TARGET_COST_COMPLETION, dollars(output));
	add_double(subject, TARGET_COST_TOTAL, dollars(cost->total));
	if (subject->writes_of_unknown_age && bytes_are(subject->provider, "anthropic"))
		add_text(subject, TARGET_COST_STATUS,
			bytes_of("lower_bound")); /* an hour's write costs more */
}

static double amount_of(const struct value *said)
{
	char text[64];
	if (said->type == VALUE_DOUBLE)
		return said->number;
	if (said->type == VALUE_INT)
		return (double)said->integer;
	if (said->type != VALUE_STRING || said->bytes.len >= sizeof text)
		return 0;
	memcpy(text, said->bytes.at, said->bytes.len);
	text[said->bytes.len] = '\0';
	return strtod(text, NULL);
}

/* False when the sender says nothing of cost. */
static bool add_sent(struct subject *subject)
{
	const struct value *said = subject->facts.said;
	bool has_parts = is_said(&subject->facts, FACT_COST_INPUT) ||
		is_said(&subject->facts, FACT_COST_OUTPUT);
	if (!is_said(&subject->facts, FACT_COST_TOTAL) && !has_parts)
		return false;
	double input = amount_of(&said[FACT_COST_INPUT]),
	       output = amount_of(&said[FACT_COST_OUTPUT]);
	double total = input + output;
	if (is_said(&subject->facts, FACT_COST_TOTAL))
		total = amount_of(&said[FACT_COST_TOTAL]);
	if (is_said(&subject->facts, FACT_COST_INPUT))
		append_number(subject->scratch, "input", input);
	if (is_said(&subject->facts, FACT_COST_OUTPUT))
		append_number(subject->scratch, "output", output);
	append_number(subject->scratch, "total", total);
	buf_text(subject->scratch, "}");
	add_scratch(subject, TARGET_COST_DETAILS);
	add_double(subject, TARGET_COST_TOTAL, total);
	add_text(subject, TARGET_COST_SOURCE, bytes_of("sender"));
	return true;
}

static uint64_t call_time(const struct span *span)
{
	if (span->start_ns)
		return span->start_ns;
	return span->end_ns ? span->end_ns : clock_unix_ns();
}

static void count(enum price_status status, struct bytes model)
{
	if (status == PRICE_FOUND) {
		counter_add(COUNTER_SPANS_PRICED, 1);
	} else if (status == PRICE_UNKNOWN_MODEL) {
		counter_add(COUNTER_SPANS_UNKNOWN_MODEL, 1);
		names_add(NAMES_UNKNOWN_MODELS, model);
	} else {
		counter_add(COUNTER_SPANS_UNPRICED, 1);
	}
}

void enrich_cost(struct subject *subject)
{
	if (!is_model_call(subject) || !is_open(subject, TARGET_COST_DETAILS))
		return;
	if (!subject->has_input && !subject->has_output) {
		/* Langfuse would count the tokens of a failed call's text and price them. */
		if (subject->is_error)
			add_text(subject, TARGET_COST_DETAILS, bytes_of("{\"total\":0}"));
		else
			add_sent(subject);
		return;
	}
	struct price_question question = {
		.model = subject->model,
		.provider = subject->provider,
		.service_tier = said_text(subject, FACT_SERVICE_TIER),
		.at_ns = call_time(subject->span),
		.usage = &subject->usage,
	};
	struct cost cost;
	enum price_status status = price_call(subject->prices, &question, &cost);
	count(status, subject->model);
	if (status == PRICE_FOUND) {
		add_priced(subject, &cost);
		return;
	}
	add_sent(subject);
	add_text(subject, TARGET_COST_STATUS, bytes_of(price_status_name(status)));
}
