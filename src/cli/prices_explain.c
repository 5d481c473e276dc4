/* tollgate prices explain: which record prices a model, and what a call costs by it. */
#include "cli/prices.h"

#include "base/clock.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/page.h"
#include "pricing/explain.h"

enum { TYPING_ERRORS_MAX = 2 /* between a name and the nearest that is worth a hint */ };

/* What was typed need not be UTF-8. */
static json_t *typed_json(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	return json ? json : json_string("?");
}

static json_t *decimal_json(fusd amount)
{
	char text[FUSD_TEXT_MAX];
	fusd_text(text, amount);
	return json_string(text);
}

static json_t *lines_json(const struct explanation *explanation)
{
	json_t *lines = json_array();
	for (size_t i = 0; i < explanation->line_count; i++) {
		const struct price_line *line = &explanation->lines[i];
		json_array_append_new(lines,
			json_pack("{s:s, s:I, s:o, s:s, s:b, s:o}", "class",
				token_class_name(line->class), "tokens", (json_int_t)line->tokens,
				"price", decimal_json(line->price), "priced_as",
				token_class_name(line->priced_as), "is_standard", line->is_standard,
				"amount", decimal_json(line->amount)));
	}
	return lines;
}

static json_t *fees_json(const struct explanation *explanation)
{
	json_t *fees = json_array();
	for (size_t i = 0; i < explanation->fee_count; i++) {
		const struct fee_line *fee = &explanation->fees[i];
		json_array_append_new(fees,
			json_pack("{s:s, s:s, s:I, s:o, s:o}", "unit", unit_name(fee->unit), "fee",
				fee->name, "count", (json_int_t)fee->count, "price",
				decimal_json(fee->fee), "amount", decimal_json(fee->amount)));
	}
	return fees;
}

/* By class and fee, as price tables spell them, and the total; null where there is no cost. */
static json_t *details_json(const struct explanation *explanation)
{
	if (explanation->status != PRICE_FOUND)
		return json_null();
	json_t *details = json_object();
	for (size_t i = 0; i < explanation->line_count; i++)
		json_object_set_new(details, token_class_name(explanation->lines[i].class),
			decimal_json(explanation->lines[i].amount));
	for (size_t i = 0; i < explanation->fee_count; i++)
		json_object_set_new(details, explanation->fees[i].name,
			decimal_json(explanation->fees[i].amount));
	json_object_set_new(details, "total", decimal_json(explanation->cost.total));
	return details;
}

static json_t *record_json(const struct explanation *explanation)
{
	if (!explanation->id)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?, s:s, s:b}", "id", explanation->id,
		"provider", explanation->provider, "found_by",
		match_way_name(explanation->match.way), "pattern", explanation->match.pattern,
		"confidence", explanation->confidence, "notes", explanation->notes, "sources",
		explanation->sources, "is_override", explanation->is_override);
}

/* What was asked, with other tokens. */
static void explain_with(const struct prices *prices, const struct price_question *question,
	const struct usage *usage, struct explanation *ret)
{
	struct price_question other = *question;
	other.usage = usage;
	price_explain(prices, &other, ret);
}

/* The prices of a call with so much input. A class that takes another's price is not named. */
static json_t *prices_json(
	const struct prices *prices, const struct price_question *question, uint64_t input)
{
	struct explanation explanation;
	json_t *named = json_object();
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		struct usage usage = { .tokens = { [TOKENS_INPUT] = input } };
		usage.tokens[class] += class != TOKENS_INPUT;
		explain_with(prices, question, &usage, &explanation);
		for (size_t i = 0; i < explanation.line_count; i++) {
			const struct price_line *line = &explanation.lines[i];
			if (line->class == class && line->priced_as == class)
				json_object_set_new(
					named, token_class_name(class), decimal_json(line->price));
		}
	}
	return named;
}

/* Found from the longest context down: the call that just misses a threshold shows the one below it. */
static json_t *contexts_json(const struct prices *prices, const struct price_question *question)
{
	json_t *contexts = json_array();
	struct explanation explanation;
	uint64_t input = INT64_MAX;
	do {
		struct usage usage = { .tokens = { [TOKENS_INPUT] = input } };
		explain_with(prices, question, &usage, &explanation);
		uint64_t threshold = explanation.threshold_tokens;
		bool is_inclusive = explanation.is_inclusive;
		json_array_insert_new(contexts, 0,
			json_pack("{s:I, s:b, s:o}", "threshold_tokens", (json_int_t)threshold,
				"is_inclusive", is_inclusive, "prices",
				prices_json(prices, question, threshold + !is_inclusive)));
		input = threshold - is_inclusive;
	} while (explanation.threshold_tokens && json_array_size(contexts) < PRICES_CONTEXTS_MAX);
	return contexts;
}

/* Which other ways of being served have prices. */
static json_t *tiers_json(const struct prices *prices, const struct price_question *question)
{
	static const char *const tiers[] = { "standard", "batch", "flex", "priority", "fast" };
	json_t *listed = json_array();
	struct explanation explanation;
	for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
		struct price_question other = *question;
		other.service_tier = bytes_of(tiers[i]);
		price_explain(prices, &other, &explanation);
		if (explanation.tier)
			json_array_append_new(listed, json_string(tiers[i]));
	}
	return listed;
}

static json_t *units_without_fee(
	const struct prices_choice *choice, const struct explanation *explanation)
{
	json_t *units = json_array();
	for (size_t unit = 0; unit < UNIT_COUNT; unit++) {
		bool is_charged = choice->usage.units[unit] == 0;
		for (size_t i = 0; i < explanation->fee_count; i++)
			is_charged = is_charged || explanation->fees[i].unit == unit;
		if (!is_charged)
			json_array_append_new(units, json_string(unit_name(unit)));
	}
	return units;
}

/* The sum when all that was written to the cache for nobody knows how long stays for an hour; else null. */
static json_t *at_most_json(const struct prices *prices, const struct price_question *question,
	const struct prices_choice *choice, const struct explanation *explanation)
{
	struct usage usage = choice->usage;
	struct explanation longer;
	usage.tokens[TOKENS_CACHE_WRITE_5M] -= choice->writes_of_unknown_life;
	usage.tokens[TOKENS_CACHE_WRITE_1H] += choice->writes_of_unknown_life;
	explain_with(prices, question, &usage, &longer);
	bool is_dearer = longer.cost.total > explanation->cost.total;
	return is_dearer ? decimal_json(longer.cost.total) : json_null();
}

/* The nearest id that a typing error may have meant; null where there is none so near. */
static json_t *nearest_json(const struct prices *prices, const struct explanation *explanation)
{
	struct nearest nearest = { .wanted = explanation->match.name };
	if (explanation->match.way != MATCH_NOTHING)
		return json_null();
	for (size_t i = 0; i < prices_count(prices); i++) {
		struct listed_record record;
		prices_record(prices, i, 0, &record);
		nearest_offer(&nearest, record.id);
	}
	bool is_near = nearest.word[0] && nearest.distance <= TYPING_ERRORS_MAX;
	return is_near ? json_string(nearest.word) : json_null();
}

static json_t *answer_json(const struct prices *prices, const struct price_question *question,
	const struct prices_choice *choice, const struct explanation *explanation)
{
	bool is_found = explanation->status == PRICE_FOUND;
	bool shows_prices = is_found && !choice->has_counts;
	json_t *at_most = is_found && choice->writes_of_unknown_life ?
		at_most_json(prices, question, choice, explanation) :
		json_null();
	json_t *answer = json_pack("{s:o, s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:o}", "model",
		typed_json(choice->operand), "provider_asked", typed_json(choice->provider),
		"tier_asked", typed_json(choice->tier), "region_asked", typed_json(choice->region),
		"at_ns", (json_int_t)choice->at_ns, "status",
		price_status_name(explanation->status), "sentence", explanation->sentence, "record",
		record_json(explanation), "nearest", nearest_json(prices, explanation));
	json_t *reached = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:I, s:I, s:b}", "since",
		explanation->period_from, "tier", explanation->tier, "schedule",
		explanation->schedule, "holiday", explanation->holiday, "region",
		explanation->region, "multiplier", decimal_json(explanation->multiplier),
		"input_tokens", (json_int_t)explanation->total_input, "threshold_tokens",
		(json_int_t)explanation->threshold_tokens, "is_inclusive",
		explanation->is_inclusive);
	json_t *sums = json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:I}", "lines",
		lines_json(explanation), "fees", fees_json(explanation), "without_fee",
		units_without_fee(choice, explanation), "cost_details", details_json(explanation),
		"is_lower_bound", explanation->cost.is_lower_bound || !json_is_null(at_most),
		"at_most", at_most, "as_of", explanation->as_of, "age_days",
		(json_int_t)prices_age_days(prices, clock_unix_ns()));
	json_object_update(answer, reached);
	json_object_update(answer, sums);
	if (shows_prices) {
		json_object_set_new(answer, "contexts", contexts_json(prices, question));
		json_object_set_new(answer, "tiers", tiers_json(prices, question));
	}
	json_decref(reached);
	json_decref(sums);
	return answer;
}

int prices_explain_run(const struct prices_choice *choice)
{
	struct page page = { .is_json = choice->is_json };
	struct price_question question = {
		.model = bytes_of(choice->operand),
		.provider = bytes_of(choice->provider ? choice->provider : ""),
		.service_tier = bytes_of(choice->tier ? choice->tier : ""),
		.region = bytes_of(choice->region ? choice->region : ""),
		.at_ns = choice->at_ns,
		.usage = &choice->usage,
	};
	struct explanation explanation;
	struct prices *prices;
	int status = prices_configured(choice, &prices);
	if (status != EXIT_DONE)
		return status;
	price_explain(prices, &question, &explanation);
	json_t *answer = answer_json(prices, &question, choice, &explanation);
	status = page_print(&page, answer, prices_explain_print);
	if (status == EXIT_DONE && explanation.status != PRICE_FOUND)
		status = EXIT_FAILED;
	json_decref(answer);
	prices_free(prices);
	return status;
}
