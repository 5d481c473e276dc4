/* tollgate prices: what a price table is worth, what a call costs and why, which models have prices. */
#include "cli/prices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "cli/commands.h"
#include "cli/figures.h"
#include "cli/glance.h"
#include "pricing/explain.h"

enum { COUNT_DIGITS_MAX = 12, NS_PER_S = 1000000000 };

/* Counts come first: row i of `counted` is what flag i counts. */
enum {
	FLAG_INPUT,
	FLAG_CACHED,
	FLAG_CACHE_WRITE,
	FLAG_CACHE_WRITE_5M,
	FLAG_CACHE_WRITE_1H,
	FLAG_OUTPUT,
	FLAG_REASONING,
	FLAG_AUDIO_INPUT,
	FLAG_CACHED_AUDIO_INPUT,
	FLAG_AUDIO_OUTPUT,
	FLAG_IMAGE_INPUT,
	FLAG_IMAGE_OUTPUT,
	FLAG_WEB_SEARCHES,
	FLAG_FILE_SEARCHES,
	FLAG_GROUNDED_PROMPTS,
	COUNT_FLAGS,
	FLAG_AT = COUNT_FLAGS,
	FLAG_TIER,
	FLAG_PROVIDER,
	FLAG_REGION,
	FLAG_UNKNOWN,
	FLAG_JSON,
	FLAG_CONFIG,
	FLAG_SOCKET,
};
enum { ALL_COUNTS = (1 << COUNT_FLAGS) - 1 };

static const struct flag flags[] = {
	[FLAG_INPUT] = { "--input", "N", "Tokens of fresh text input." },
	[FLAG_CACHED] = { "--cached", "N", "Read from the cache." },
	[FLAG_CACHE_WRITE] = { "--cache-write", "N",
		"Written to the cache, nobody says for how long." },
	[FLAG_CACHE_WRITE_5M] = { "--cache-write-5m", "N", "Written for five minutes." },
	[FLAG_CACHE_WRITE_1H] = { "--cache-write-1h", "N", "Written for an hour." },
	[FLAG_OUTPUT] = { "--output", "N", "Visible text output." },
	[FLAG_REASONING] = { "--reasoning", "N", "Reasoning or thoughts." },
	[FLAG_AUDIO_INPUT] = { "--audio-input", "N", "Fresh audio input." },
	[FLAG_CACHED_AUDIO_INPUT] = { "--cached-audio-input", "N", "Audio read from the cache." },
	[FLAG_AUDIO_OUTPUT] = { "--audio-output", "N", "Audio output." },
	[FLAG_IMAGE_INPUT] = { "--image-input", "N", "Image input." },
	[FLAG_IMAGE_OUTPUT] = { "--image-output", "N", "Image output." },
	[FLAG_WEB_SEARCHES] = { "--web-searches", "N", "Searches in the web." },
	[FLAG_FILE_SEARCHES] = { "--file-searches", "N", "Searches in files." },
	[FLAG_GROUNDED_PROMPTS] = { "--grounded-prompts", "N", "Prompts grounded in a search." },
	[FLAG_AT] = { "--at", "TIME",
		"Start of the call, 2026-11-20 or 2026-11-20T09:30:00Z, in UTC (now)." },
	[FLAG_TIER] = { "--tier", "TIER", "Standard where it is not said.",
		"standard batch flex priority fast" },
	[FLAG_PROVIDER] = { "--provider", "NAME",
		"Who was called, as spans name it: aws.bedrock, groq, ..." },
	[FLAG_REGION] = { "--region", "REGION",
		"Where it ran: inference_geo=us, data_residency=eu, ..." },
	[FLAG_UNKNOWN] = { "--unknown", NULL, "Names that the daemon found no price for." },
	[FLAG_JSON] = { "--json", NULL, "For programs; prices are of one token." },
	[FLAG_CONFIG] = { "--config", "FILE", "The JSON file with the settings." },
	[FLAG_SOCKET] = { "--socket", "PATH", "The daemon's control socket." },
	{ NULL },
};

enum { CHECK, EXPLAIN, LIST, LIST_UNKNOWN };

static const struct verb verbs[] = {
	[CHECK] = { "check", "FILE",
		"Says whether a price table or a file of overrides is well formed, or names its first "
		"mistake." },
	[EXPLAIN] = { "explain", "MODEL",
		"Says which record prices the model and why; with counts also the arithmetic, line by line.",
		ALL_COUNTS | 1u << FLAG_AT | 1u << FLAG_TIER | 1u << FLAG_PROVIDER |
			1u << FLAG_REGION | 1u << FLAG_JSON | 1u << FLAG_CONFIG },
	[LIST] = { "list", "[PATTERN]",
		"Prints what 1,000,000 tokens cost of the models with PATTERN in their name, with * and "
		"? as in a shell.",
		1u << FLAG_AT | 1u << FLAG_PROVIDER | 1u << FLAG_JSON | 1u << FLAG_CONFIG },
	[LIST_UNKNOWN] = { "list --unknown", "",
		"Prints the models of calls that got no cost since the daemon's start, and why.",
		1u << FLAG_UNKNOWN | 1u << FLAG_JSON | 1u << FLAG_SOCKET },
	{ NULL },
};

/* ---- what was written ---- */

static const enum token_class counted[FLAG_WEB_SEARCHES] = {
	[FLAG_INPUT] = TOKENS_INPUT,
	[FLAG_CACHED] = TOKENS_CACHE_READ,
	[FLAG_CACHE_WRITE] = TOKENS_CACHE_WRITE_5M,
	[FLAG_CACHE_WRITE_5M] = TOKENS_CACHE_WRITE_5M,
	[FLAG_CACHE_WRITE_1H] = TOKENS_CACHE_WRITE_1H,
	[FLAG_OUTPUT] = TOKENS_OUTPUT,
	[FLAG_REASONING] = TOKENS_REASONING,
	[FLAG_AUDIO_INPUT] = TOKENS_AUDIO_INPUT,
	[FLAG_CACHED_AUDIO_INPUT] = TOKENS_CACHED_AUDIO_INPUT,
	[FLAG_AUDIO_OUTPUT] = TOKENS_AUDIO_OUTPUT,
	[FLAG_IMAGE_INPUT] = TOKENS_IMAGE_INPUT,
	[FLAG_IMAGE_OUTPUT] = TOKENS_IMAGE_OUTPUT,
};

static const enum unit counted_units[COUNT_FLAGS - FLAG_WEB_SEARCHES] = {
	UNITS_WEB_SEARCHES,
	UNITS_FILE_SEARCHES,
	UNITS_GROUNDED_PROMPTS,
};

/* Of an argument, beside what it means: which flags were there, and what they count. */
struct written {
	struct prices_choice choice;
	unsigned flags; /* a bit each */
	uint64_t counts[COUNT_FLAGS];
};

static int read_count(int flag, const char *text, uint64_t *ret_count)
{
	size_t digits = strspn(text, "0123456789");
	if (digits > 0 && digits <= COUNT_DIGITS_MAX && !text[digits]) {
		*ret_count = strtoull(text, NULL, 10);
		return 0;
	}
	fprintf(stderr, "tollgate: %s %s is no count: write a whole number such as 1001\n",
		flags[flag].name, text);
	return -EINVAL;
}

/* "T09:30", also with seconds, a fraction, which is cut, and what it is ahead of UTC. */
static const char *read_time_of_day(const char *text, struct tm *tm)
{
	const char *end = strptime(text + 1, "%H:%M", tm);
	if (end && *end == ':')
		end = strptime(end + 1, "%S", tm);
	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return end && *end ? strptime(end, "%z", tm) : end;
}

static int read_at(const char *text, uint64_t *ret_ns)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	if (end && (*end == 'T' || *end == ' '))
		end = read_time_of_day(end, &tm);
	int day = tm.tm_mday;
	long ahead_s = tm.tm_gmtoff;
	time_t at = end && !*end ? timegm(&tm) : -1;
	/* A day that its month has not became one of the next. */
	if (at >= 0 && tm.tm_mday == day && at - ahead_s >= 0 &&
		at - ahead_s <= INT64_MAX / NS_PER_S) {
		*ret_ns = (uint64_t)(at - ahead_s) * NS_PER_S;
		return 0;
	}
	fprintf(stderr, "tollgate: --at %s is no time: write 2026-11-20 or 2026-11-20T09:30:00Z\n",
		text);
	return -EINVAL;
}

static int take_flag(struct written *written, int flag, const char *value)
{
	struct prices_choice *choice = &written->choice;
	written->flags |= 1u << flag;
	if (flag < COUNT_FLAGS)
		return read_count(flag, value, &written->counts[flag]);
	switch (flag) {
	case FLAG_AT:
		return read_at(value, &choice->at_ns);
	case FLAG_TIER:
		choice->tier = value;
		break;
	case FLAG_PROVIDER:
		choice->provider = value;
		break;
	case FLAG_REGION:
		choice->region = value;
		break;
	case FLAG_UNKNOWN:
		choice->is_unknown = true;
		break;
	case FLAG_JSON:
		choice->is_json = true;
		break;
	case FLAG_CONFIG:
		choice->config = value;
		break;
	default:
		choice->socket = value;
	}
	return 0;
}

static void add_up(struct written *written)
{
	struct prices_choice *choice = &written->choice;
	for (size_t i = 0; i < FLAG_WEB_SEARCHES; i++)
		choice->usage.tokens[counted[i]] += written->counts[i];
	for (size_t i = FLAG_WEB_SEARCHES; i < COUNT_FLAGS; i++)
		choice->usage.units[counted_units[i - FLAG_WEB_SEARCHES]] = written->counts[i];
	choice->writes_of_unknown_life = written->counts[FLAG_CACHE_WRITE];
	choice->has_counts = written->flags & ALL_COUNTS;
}

/* ---- the table ---- */

int prices_configured(const struct prices_choice *choice, struct prices **ret_prices)
{
	struct complaint complaint = { 0 };
	json_t *config = NULL;
	int error = glance(choice->config, &config, &complaint);
	if (!error)
		error = prices_load(glance_text(config, "pricing.file"),
			glance_text(config, "pricing.overrides"), ret_prices, &complaint);
	json_decref(config);
	return error ? complaint_print(&complaint) : EXIT_DONE;
}

void prices_remark_age(const json_t *answer, const struct terminal *terminal, struct buf *out)
{
	char line[128];
	uint64_t days = json_uint(answer, "age_days");
	if (days < PRICES_OLD_DAYS)
		return;
	snprintf(line, sizeof line, "The price table is %llu days old: prices may have changed.",
		(unsigned long long)days);
	terminal_put(terminal, out, STYLE_YELLOW, bytes_of(line), terminal->width);
	buf_text(out, "\n");
}

static void print_figures(const char *file, const struct prices *prices, enum prices_kind kind)
{
	struct prices_figures figures = prices_figures(prices, kind);
	printf("ok: %s %s the table as of %s: %zu %s, %zu %s, %zu %s\n", file,
		kind == PRICES_TABLE ? "is" : "overrides", prices_as_of(prices), figures.records,
		figures.records == 1 ? "record" : "records", figures.aliases,
		figures.aliases == 1 ? "alias" : "aliases", figures.patterns,
		figures.patterns == 1 ? "pattern" : "patterns");
}

static int check(const struct prices_choice *choice)
{
	struct complaint complaint = { 0 };
	struct prices *prices;
	enum prices_kind kind = 0;
	if (prices_check(choice->operand, &prices, &kind, &complaint) < 0)
		return complaint_print(&complaint);
	print_figures(choice->operand, prices, kind);
	prices_free(prices);
	return EXIT_DONE;
}

/* ---- the command ---- */

static int (*const runs[])(const struct prices_choice *choice) = {
	[CHECK] = check,
	[EXPLAIN] = prices_explain_run,
	[LIST] = prices_list_run,
	[LIST_UNKNOWN] = prices_unknown_run,
};

static int refuse(const struct verb *verb, const char *word)
{
	fprintf(stderr, "tollgate: prices %s does not take %s\n", verb->words, word);
	return EXIT_USAGE;
}

/*   operands  the verb first, NULL at the end */
static int run_verb(struct written *written, char **operands)
{
	static const char *const words[] = { "check", "explain", "list", NULL };
	if (!*operands) {
		fprintf(stderr, "tollgate: prices needs check, explain or list\n");
		return EXIT_USAGE;
	}
	int word = word_find(words, *operands, "prices");
	if (word < 0)
		return EXIT_USAGE;
	if (word == LIST && written->choice.is_unknown)
		word = LIST_UNKNOWN;
	const struct verb *verb = &verbs[word];
	for (int flag = 0; flags[flag].name; flag++)
		if (written->flags & ~verb->flags & 1u << flag)
			return refuse(verb, flags[flag].name);
	char **beyond = operands + 1 + (operands[1] && *verb->operands);
	if (*beyond)
		return refuse(verb, *beyond);
	if (word < LIST && !operands[1]) {
		fprintf(stderr, "tollgate: prices %s needs a %s\n", verb->words, verb->operands);
		return EXIT_USAGE;
	}
	written->choice.operand = operands[1];
	add_up(written);
	return runs[word](&written->choice);
}

/* Operands are moved to the front of argv, in their order. */
static int run(struct arguments *arguments)
{
	struct written written = { .choice.at_ns = clock_unix_ns() };
	char **operands = arguments->next, **end = operands;
	const char *value = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == ARGUMENT_OPERAND)
			*end++ = (char *)value;
		else if (argument == ARGUMENT_WRONG || take_flag(&written, argument, value) < 0)
			return EXIT_USAGE;
	}
	*end = NULL;
	return run_verb(&written, operands);
}

const struct command command_prices = {
	.name = "prices",
	.sentence = "Checks a price table, explains what a call costs, lists the prices.",
	.flags = flags,
	.verbs = verbs,
	.manual =
		"The table is `pricing.file` with `pricing.overrides` of the settings, else the one that is "
		"built in. It needs no daemon, but for `--unknown`, and no access to the keys that the "
		"settings name.\n\n"
		"`explain` says whether an alias or a pattern found the record, and with which prices: of "
		"which day, tier, length of input, hours and region. Without counts it shows the prices per "
		"million tokens. A model, tier or class of tokens that the table does not price has no cost, "
		"which is not the cost 0 of a free model; the reason is printed, and the status is 1.\n\n"
		"Each token is in one count only. OpenAI, Gemini and xAI say prompt tokens with those of the "
		"cache in them: `--input` is theirs less cached, cache-write and audio tokens. OpenAI's "
		"completion tokens have reasoning and audio in them: `--output` is theirs less both. "
		"Anthropic's input has no cache in it: nothing is subtracted. `--cache-write` is priced as "
		"five minutes, and the sum is the least it can be.",
	.run = run,
};
