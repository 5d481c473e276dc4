#include "cli/tokens.h"

#include <string.h>

#include "cli/figures.h"

const struct bucket buckets[] = {
	{ "input", "in" },
	{ "input_cached_tokens", "cache read" },
	{ "input_cache_creation", "cache write" },
	{ "output", "out" },
	{ "output_reasoning_tokens", "reasoning" },
	{ "input_cache_creation_5m", "cache write 5m" },
	{ "input_cache_creation_1h", "cache write 1h" },
	{ "input_audio_tokens", "audio in" },
	{ "output_audio_tokens", "audio out" },
	{ NULL },
};

bool tokens_are_named(const char *key)
{
	for (const struct bucket *bucket = buckets; bucket->key; bucket++)
		if (strcmp(bucket->key, key) == 0)
			return true;
	return strcmp(key, "total") == 0;
}

static void append(const struct terminal *terminal, struct buf *text, const char *words,
	const json_t *usage, const char *key)
{
	char figure[FIGURE_MAX];
	uint64_t tokens = json_uint(usage, key);
	if (tokens)
		buf_printf(text, "%s%s %s", text->len ? terminal_separator(terminal) : "", words,
			figure_count(figure, (int64_t)tokens));
}

void tokens_append(const struct terminal *terminal, struct buf *text, const json_t *usage)
{
	const char *key;
	json_t *tokens;
	for (const struct bucket *bucket = buckets; bucket->key; bucket++)
		append(terminal, text, bucket->words, usage, bucket->key);
	json_object_foreach((json_t *)usage, key, tokens)
		if (!tokens_are_named(key))
			append(terminal, text, key, usage, key);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

uint64_t tokens_total(const json_t *usage)
{
	const char *key;
	json_t *tokens;
	uint64_t total = 0;
	json_object_foreach((json_t *)usage, key, tokens)
		if (strcmp(key, "total") != 0)
			total = sum(total, json_uint(usage, key));
	return total;
}

void tokens_add(json_t *sums, const json_t *usage)
{
	const char *key;
	json_t *tokens;
	json_object_foreach((json_t *)usage, key, tokens)
		if (strcmp(key, "total") != 0)
			json_object_set_new(sums, key,
				json_integer((json_int_t)sum(
					json_uint(sums, key), json_uint(usage, key))));
}
