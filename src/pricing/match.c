#include "pricing/match.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"
#include "pricing/table.h"

const char *match_way_name(enum match_way way)
{
	static const char *const names[] = {
		[MATCH_ALIAS] = "alias",
		[MATCH_PATTERN] = "pattern",
		[MATCH_NOTHING] = "nothing",
		[MATCH_NO_NAME] = "no_name",
		[MATCH_UNPRICED] = "unpriced",
		[MATCH_AMBIGUOUS] = "ambiguous",
		[MATCH_NOT_ALLOWED] = "not_allowed",
	};
	return names[way];
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Trims and lowers; returns the length, 0 for what is not 1 to max bytes of printable ASCII. */
static size_t fold(struct bytes text, char *out, size_t max)
{
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	while (text.len > 0 && is_blank(text.at[0]))
		text.at++, text.len--;
	if (text.len > max)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.at[i];
		if (byte < 0x20 || byte > 0x7e)
			return 0;
		out[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
	}
	out[text.len] = '\0';
	return text.len;
}

/* Behind "<word>/<anything>/", or NULL when the path does not go so. */
static const char *step(const char *path, const char *word)
{
	size_t len = strlen(word);
	if (strncmp(path, word, len) != 0 || path[len] != '/')
		return NULL;
	const char *end = strchr(path + len + 1, '/');
	return end && end > path + len + 1 ? end + 1 : NULL;
}

/* Behind "models/", "publishers/x/models/" or "projects/x/locations/x/publishers/x/models/". */
static const char *skip_path(const char *name)
{
	const char *at = step(name, "projects");
	if (at)
		at = step(at, "locations");
	const char *publisher = step(at ? at : name, "publishers");
	if (at && !publisher)
		return name;
	at = publisher ? publisher : name;
	return strncmp(at, "models/", strlen("models/")) == 0 ? at + strlen("models/") : name;
}

size_t model_normalise(struct bytes model, char out[MODEL_NAME_MAX + 1])
{
	/* Claude Code's sign of a long context; without effect on the price. */
	static const char marker[] = "[1m]";
	if (fold(model, out, MODEL_NAME_MAX) == 0)
		return 0;
	const char *name = skip_path(out);
	size_t len = strlen(name);
	memmove(out, name, len + 1);
	if (len >= strlen(marker) && strcmp(out + len - strlen(marker), marker) == 0)
		out[len -= strlen(marker)] = '\0';
	return len;
}

size_t provider_normalise(struct bytes provider, char out[PROVIDER_NAME_MAX + 1])
{
	return fold(provider, out, PROVIDER_NAME_MAX);
}

static int compare_scope(const void *provider, const void *scope)
{
	return strcmp(provider, ((const struct scope *)scope)->provider);
}

static const struct scope *find_scope(const struct prices *prices, struct bytes provider)
{
	char name[PROVIDER_NAME_MAX + 1];
	if (provider.len > PROVIDER_NAME_MAX || provider_normalise(provider, name) == 0)
		return NULL;
	const struct scope *scope = NULL;
	for (size_t i = 0; i < BOOK_COUNT && !scope; i++) {
		const struct book *book = &prices->books[i];
		scope = bsearch(
			name, book->scopes, book->scope_count, sizeof *scope, compare_scope);
	}
	return scope;
}

static bool allows(const struct scope *scope, const struct record *record)
{
	if (!scope || strcmp(record->provider, ANY_PROVIDER) == 0)
		return true;
	for (const char **provider = scope->allow; *provider; provider++)
		if (strcmp(*provider, record->provider) == 0)
			return true;
	return false;
}

static int compare_alias(const void *name, const void *alias)
{
	return strcmp(name, ((const struct alias *)alias)->name);
}

/* True when the book has a word on this very name; what that is, is left in the match. */
static bool look_up(const struct book *book, const char *name, struct match *match)
{
	const struct alias *alias =
		bsearch(name, book->aliases, book->alias_count, sizeof *alias, compare_alias);
	if (alias) {
		match->way = alias->record ? MATCH_ALIAS : MATCH_UNPRICED;
		match->record = alias->record;
		match->words = alias->words;
		return true;
	}
	for (size_t i = 0; i < book->pattern_count; i++) {
		const struct model_pattern *one = &book->patterns[i];
		if (one->record == match->record || !pattern_matches(&one->pattern, name))
			continue;
		if (match->record) { /* which a table must not do, and nothing here may settle */
			match->way = MATCH_AMBIGUOUS;
			match->others[0] = match->record->id;
			match->others[1] = one->record->id;
			match->record = NULL;
			return true;
		}
		match->way = MATCH_PATTERN;
		match->record = one->record;
		match->pattern = one->expression;
	}
	return match->record != NULL;
}

/* With the provider's prefix first, which is what tables write; then alone. */
static bool look_up_both(const struct book *book, struct match *match)
{
	if (match->prefix) {
		int prefix = snprintf(match->found, sizeof match->found, "%s/", match->prefix);
		if (strncmp(match->name, match->found, (size_t)prefix) != 0) {
			memcpy(match->found + prefix, match->name, strlen(match->name) + 1);
			if (look_up(book, match->found, match))
				return true;
		}
	}
	memcpy(match->found, match->name, strlen(match->name) + 1);
	return look_up(book, match->found, match);
}

void match_search(const struct prices *prices, struct bytes provider, struct bytes model,
	struct match *ret_match)
{
	struct match *match = ret_match;
	*match = (struct match){ .way = MATCH_NO_NAME };
	/* Longer ones are in no table: refused before anything is done for each of their bytes. */
	if (model.len > MODEL_NAME_MAX || model_normalise(model, match->name) == 0)
		return;
	const struct scope *scope = find_scope(prices, provider);
	match->prefix = scope ? scope->prefix : NULL;
	match->way = MATCH_NOTHING;
	for (size_t i = 0; i < BOOK_COUNT; i++)
		if (look_up_both(&prices->books[i], match))
			break;
	if (match->record && !allows(scope, match->record))
		match->way = MATCH_NOT_ALLOWED;
	if (match->way == MATCH_NOTHING)
		match->found[0] = '\0';
}

struct resolution match_model(
	const struct prices *prices, struct bytes provider, struct bytes model)
{
	struct resolution resolution = { 0 };
	if (provider.len > PROVIDER_NAME_MAX)
		provider.len = 0;
	bool is_kept = model.len <= MODEL_NAME_MAX;
	if (is_kept && memo_find(prices->memo, provider, model, &resolution))
		return resolution;
	struct match match;
	match_search(prices, provider, model, &match);
	if (match.way == MATCH_ALIAS || match.way == MATCH_PATTERN)
		resolution.record = match.record;
	else
		resolution.unknown = names_counter(NAMES_UNKNOWN_MODELS, model);
	if (is_kept)
		memo_add(prices->memo, provider, model, resolution);
	return resolution;
}
