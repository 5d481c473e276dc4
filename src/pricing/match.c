#include "pricing/match.h"

#include <stdio.h>
#include <stdlib.h>

#include "pricing/memo.h"

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
	if (provider_normalise(provider, name) == 0)
		return NULL;
	return bsearch(
		name, prices->scopes, prices->scope_count, sizeof *prices->scopes, compare_scope);
}

static bool allows(const struct scope *scope, const struct record *record)
{
	if (!scope)
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

/*
 * True when the table has a word on this very name. The record is NULL when that word is "unpriced", or
 * when two records claim the name, which a table must not do and nothing here may settle.
 */
static bool look_up(const struct prices *prices, const char *name, const struct record **ret_record)
{
	const struct alias *alias =
		bsearch(name, prices->aliases, prices->alias_count, sizeof *alias, compare_alias);
	if (alias) {
		*ret_record = alias->record;
		return true;
	}
	const struct record *found = NULL;
	for (size_t i = 0; i < prices->pattern_count; i++) {
		const struct model_pattern *one = &prices->patterns[i];
		if (one->record == found || !pattern_matches(&one->pattern, name))
			continue;
		if (found) {
			*ret_record = NULL;
			return true;
		}
		found = one->record;
	}
	if (found)
		*ret_record = found;
	return found != NULL;
}

static const struct record *search(
	const struct prices *prices, const struct scope *scope, struct bytes model)
{
	char name[MODEL_NAME_MAX + 1], prefixed[PROVIDER_NAME_MAX + 1 + MODEL_NAME_MAX + 1];
	if (model_normalise(model, name) == 0)
		return NULL;
	const struct record *record = NULL;
	bool is_found = false;
	if (scope) {
		int prefix = snprintf(prefixed, sizeof prefixed, "%s/", scope->prefix);
		if (strncmp(name, prefixed, (size_t)prefix) != 0) {
			memcpy(prefixed + prefix, name, strlen(name) + 1);
			is_found = look_up(prices, prefixed, &record);
		}
	}
	if (!is_found)
		is_found = look_up(prices, name, &record);
	return is_found && record && allows(scope, record) ? record : NULL;
}

const struct record *match_model(
	const struct prices *prices, struct bytes provider, struct bytes model)
{
	/* Longer ones are in no table: refused before anything is done for each of their bytes. */
	if (model.len > MODEL_NAME_MAX)
		return NULL;
	if (provider.len > PROVIDER_NAME_MAX)
		provider.len = 0;
	const struct record *record;
	if (!memo_find(prices->memo, provider, model, &record)) {
		record = search(prices, find_scope(prices, provider), model);
		memo_add(prices->memo, provider, model, record);
	}
	return record;
}
