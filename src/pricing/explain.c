#include "pricing/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "pricing/decision.h"
#include "pricing/surcharges.h"

static const fusd one = (fusd)1000000000000000;

static void say(struct explanation *ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds to the sentence. */
static void say(struct explanation *ret, const char *format, ...)
{
	size_t len = strlen(ret->sentence);
	va_list args;
	va_start(args, format);
	vsnprintf(ret->sentence + len, sizeof ret->sentence - len, format, args);
	va_end(args);
}

static void say_match(struct explanation *ret)
{
	const struct match *match = &ret->match;
	switch (match->way) {
	case MATCH_NO_NAME:
		say(ret, "The name of a model is 1 to %d printable ASCII characters.",
			MODEL_NAME_MAX);
		break;
	case MATCH_UNPRICED:
		say(ret, "%s is unpriced on purpose: %s.", match->found, match->words);
		break;
	case MATCH_AMBIGUOUS:
		say(ret, "%s matches patterns of both %s and %s; nothing may decide that.",
			match->found, match->others[0], match->others[1]);
		break;
	case MATCH_NOT_ALLOWED:
		say(ret,
			"%s is in the list of %s, by which the provider of this call does not charge.",
			match->found, ret->provider);
		break;
	default:
		say(ret, "No record has the name %s, and the nearest one is not guessed.",
			match->name);
	}
}

static const char *class_without_price(const struct decision *decision, const struct usage *usage)
{
	size_t class = 0;
	while (!usage->tokens[class] || decision->prices->fusd[class] != NO_PRICE)
		class ++;
	return token_class_name(class);
}

static void say_status(
	struct explanation *ret, const struct decision *decision, const struct usage *usage)
{
	char total[FUSD_TEXT_MAX];
	switch (ret->status) {
	case PRICE_UNKNOWN_MODEL:
		say_match(ret);
		break;
	case PRICE_UNKNOWN_TIER:
		say(ret,
			"%s has no price for the service tier %s, and the standard one is not "
			"assumed.",
			ret->id, ret->tier_asked);
		break;
	case PRICE_NOT_EVALUATED:
		say(ret,
			"In the hours \"%s\" the price depends on whether the day is one of the %s, "
			"and for that day the table does not know.",
			decision->schedule->name, decision->schedule->exclude);
		break;
	case PRICE_MISSING_CLASS:
		say(ret, "%s has no price for %s tokens, and none to fall back to.", ret->id,
			class_without_price(decision, usage));
		break;
	case PRICE_FOUND:
		fusd_text(total, ret->cost.total);
		say(ret, "The call costs $%s by %s.", total, ret->id);
		if (ret->cost.is_lower_bound)
			say(ret,
				" At least: something was paid by the piece that it has no fee for.");
	}
}

static void explain_record(const struct record *record, struct explanation *ret)
{
	ret->id = record->id;
	ret->provider = record->provider;
	ret->confidence = record->confidence;
	ret->notes = record->notes;
	ret->sources = record->sources;
	ret->is_override = record->is_override;
}

static void explain_decision(const struct decision *decision, struct explanation *ret)
{
	ret->period_from = decision->period->from;
	if (decision->service < SERVICE_COUNT && decision->period->services[decision->service])
		ret->tier = service_name(decision->service);
	if (decision->tier) {
		ret->threshold_tokens = decision->tier->threshold_tokens;
		ret->is_inclusive = decision->tier->is_inclusive;
	}
	if (decision->hours == HOURS_HOLD)
		ret->schedule = decision->schedule->name;
	if (decision->hours == HOURS_EXCLUDED)
		ret->holiday = decision->schedule->exclude;
	if (decision->multiplier) {
		ret->region = decision->multiplier->region;
		ret->multiplier = decision->multiplier->factor;
	}
}

static void explain_lines(
	const struct decision *decision, const struct usage *usage, struct explanation *ret)
{
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++)
		if (usage->tokens[class])
			ret->lines[ret->line_count++] = (struct price_line){
				.class = class,
				.priced_as = decision->prices->from[class],
				.is_standard = decision->prices->is_standard[class],
				.tokens = usage->tokens[class],
				.price = decided_price(decision, class),
				.amount = ret->cost.by_class[class],
			};
	for (enum unit unit = 0; unit < UNIT_COUNT; unit++) {
		const struct fee *fee = &decision->record->fees[unit];
		uint64_t count = units_charged(decision->record, usage, unit);
		if (count)
			ret->fees[ret->fee_count++] = (struct fee_line){
				.name = fee->name,
				.unit = unit,
				.count = count,
				.fee = fee->fusd,
				.amount = ret->cost.by_unit[unit],
			};
	}
}

void price_explain(
	const struct prices *prices, const struct price_question *question, struct explanation *ret)
{
	struct decision decision = { 0 };
	*ret = (struct explanation){
		.status = PRICE_UNKNOWN_MODEL,
		.as_of = prices->as_of,
		.total_input = input_tokens(question->usage),
		.multiplier = one,
	};
	size_t tier_len = question->service_tier.len;
	memcpy(ret->tier_asked, tier_len ? question->service_tier.at : (const uint8_t *)"",
		tier_len < TIER_NAME_MAX ? tier_len : TIER_NAME_MAX);
	match_search(prices, question->provider, question->model, &ret->match);
	const struct record *record = ret->match.record;
	if (record)
		explain_record(record, ret);
	if (ret->match.way == MATCH_ALIAS || ret->match.way == MATCH_PATTERN) {
		ret->status = decide(record, question, &decision);
		explain_decision(&decision, ret);
		if (ret->status == PRICE_FOUND)
			ret->status = charge(&decision, question->usage, &ret->cost);
		if (ret->status == PRICE_FOUND)
			explain_lines(&decision, question->usage, ret);
	}
	say_status(ret, &decision, question->usage);
}

void prices_record(
	const struct prices *prices, size_t index, uint64_t at_ns, struct listed_record *ret_record)
{
	const struct book *book = prices->books;
	for (; index >= book->record_count; book++)
		index -= book->record_count;
	const struct record *record = &book->records[index];
	const struct period *period = period_at(record, at_ns);
	*ret_record = (struct listed_record){
		.id = record->id,
		.provider = record->provider,
		.confidence = record->confidence,
		.notes = record->notes,
		.is_override = record->is_override,
		.is_deprecated = record->is_deprecated,
		.period_from = period->from,
	};
	const struct price_set *set = &period->services[SERVICE_STANDARD]->prices;
	for (size_t class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		ret_record->prices[class] = set->fusd[class];
		ret_record->has_own[class] =
			set->fusd[class] != NO_PRICE && set->from[class] == class;
	}
}

struct prices_figures prices_figures(const struct prices *prices, enum prices_kind kind)
{
	const struct book *book =
		&prices->books[kind == PRICES_TABLE ? BOOK_TABLE : BOOK_OVERRIDES];
	struct prices_figures figures = { book->record_count, 0, book->pattern_count };
	for (size_t i = 0; i < book->alias_count; i++)
		figures.aliases += book->aliases[i].record != NULL;
	return figures;
}

bool prices_unpriced(
	const struct prices *prices, size_t index, const char **ret_name, const char **ret_words)
{
	for (size_t i = 0; i < BOOK_COUNT; i++)
		for (size_t a = 0; a < prices->books[i].alias_count; a++) {
			const struct alias *alias = &prices->books[i].aliases[a];
			if (alias->record || index-- > 0)
				continue;
			*ret_name = alias->name;
			*ret_words = alias->words;
			return true;
		}
	return false;
}
