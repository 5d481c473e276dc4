#include "watch/local_sums.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS_MAX = 32, /* in one sum; what more there are is counted as "other" */
	INT128_TEXT_MAX = 48,
};

/* SQLite's memory for it is aligned to 8 bytes, which an __int128 alone is not content with. */
struct amount {
	__int128 fusd;
	bool is_known;
} __attribute__((packed, aligned(8)));

static void add_amount(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	struct amount *sum = sqlite3_aggregate_context(context, sizeof *sum);
	if (!sum || sqlite3_value_type(values[0]) != SQLITE_INTEGER)
		return;
	sum->fusd += sqlite3_value_int64(values[0]);
	sum->is_known = true;
}

static void give_text(sqlite3_context *context, __int128 number)
{
	char text[INT128_TEXT_MAX], *end = text + sizeof text, *at = end;
	unsigned __int128 rest =
		number < 0 ? -(unsigned __int128)number : (unsigned __int128)number;
	do
		*--at = (char)('0' + (int)(rest % 10));
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	sqlite3_result_text(context, at, (int)(end - at), SQLITE_TRANSIENT);
}

static void give_amount(sqlite3_context *context)
{
	const struct amount *sum = sqlite3_aggregate_context(context, 0);
	if (!sum || !sum->is_known)
		return;
	if (sum->fusd >= INT64_MIN && sum->fusd <= INT64_MAX)
		sqlite3_result_int64(context, (int64_t)sum->fusd);
	else
		give_text(context, sum->fusd);
}

static int add_tokens(json_t *sums, const char *bucket, json_int_t tokens)
{
	json_t *sum = json_object_get(sums, bucket);
	if (!sum && json_object_size(sums) >= BUCKETS_MAX)
		sum = json_object_get(sums, bucket = "other");
	json_int_t room = INT64_MAX - json_integer_value(sum);
	json_int_t added = json_integer_value(sum) + (tokens < room ? tokens : room);
	return sum ? json_integer_set(sum, added) :
		     json_object_set_new(sums, bucket, json_integer(added));
}

static void add_usage(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	json_t **sums = sqlite3_aggregate_context(context, sizeof *sums);
	const char *text = (const char *)sqlite3_value_text(values[0]), *bucket;
	json_t *usage = text ? json_loads(text, 0, NULL) : NULL, *tokens;
	if (sums && !*sums && usage)
		*sums = json_object();
	json_object_foreach(usage, bucket, tokens)
		if (json_integer_value(tokens) > 0 && strcmp(bucket, "total") != 0 &&
			(!sums || add_tokens(*sums, bucket, json_integer_value(tokens)) < 0))
			sqlite3_result_error_nomem(context);
	json_decref(usage);
}

static void give_usage(sqlite3_context *context)
{
	json_t **sums = sqlite3_aggregate_context(context, 0), *tokens;
	const char *bucket;
	json_int_t total = 0;
	if (!sums || !*sums)
		return;
	json_object_foreach(*sums, bucket, tokens) {
		json_int_t room = INT64_MAX - total;
		total += json_integer_value(tokens) < room ? json_integer_value(tokens) : room;
	}
	json_object_set_new(*sums, "total", json_integer(total));
	char *text = json_dumps(*sums, JSON_COMPACT);
	json_decref(*sums);
	if (text)
		sqlite3_result_text(context, text, -1, free);
	else
		sqlite3_result_error_nomem(context);
}

int local_sums_register(sqlite3 *db)
{
	int result = sqlite3_create_function(
		db, "sum_fusd", 1, SQLITE_UTF8, NULL, NULL, add_amount, give_amount);
	return result ? result :
			sqlite3_create_function(
				db, "sum_usage", 1, SQLITE_UTF8, NULL, NULL, add_usage, give_usage);
}
