/*
 * The price table is replaced again and again while threads price with it. What a thread holds must
 * stay one whole table, and no table may be left over. A plain program: it also runs under the thread
 * sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "pricing/price.h"
#include "pricing/tariff.h"

enum { THREADS = 4, BATCHES = 2000, SPANS = 20, TABLES = 300, TOKENS = 1000 };

static struct tariff *tariff;
static _Atomic bool is_over;
static _Atomic unsigned wrong;

/* A table with one model, whose input costs so many dollars a million tokens. */
static struct prices *table(unsigned dollars)
{
	char json[512];
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	snprintf(json, sizeof json,
		"{\"schema\":\"tollgate-prices/1\",\"as_of\":\"2026-11-20\",\"currency\":\"USD\","
		"\"sources\":{\"s\":{}},\"models\":[{\"id\":\"m\",\"kind\":\"chat\",\"deprecated\":false,"
		"\"sources\":[\"s\"],\"confidence\":\"high\",\"provider\":\"p\",\"aliases\":[\"m\"],"
		"\"patterns\":[],\"periods\":[{\"from\":null,\"prices\":{\"input\":\"0.%06u\"}}]}]}",
		dollars);
	if (prices_parse(bytes_of(json), "made", &prices, &complaint) < 0)
		fprintf(stderr, "%s\n", complaint.text);
	return prices;
}

static fusd price_one(const struct prices *prices)
{
	const struct usage usage = { { [TOKENS_INPUT] = TOKENS } };
	const struct price_question question = {
		.model = bytes_of("m"), .at_ns = UINT64_C(1795000000000000000), .usage = &usage
	};
	struct cost cost;
	return price_call(prices, &question, &cost) == PRICE_FOUND ? cost.total : -1;
}

static void *price_batches(void *unused)
{
	(void)unused;
	for (unsigned batch = 0; batch < BATCHES || !is_over; batch++) {
		struct prices *prices = tariff_hold(tariff);
		fusd first = price_one(prices);
		for (unsigned span = 0; span < SPANS; span++)
			wrong += first <= 0 || price_one(prices) != first;
		tariff_release(tariff, prices);
	}
	return NULL;
}

int main(void)
{
	struct prices *prices = table(1);
	tariff = prices ? tariff_new(prices) : NULL;
	if (!tariff)
		return 99;
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, price_batches, NULL) != 0)
			return 99;
	for (unsigned dollars = 2; dollars <= TABLES; dollars++)
		tariff_replace(tariff, table(dollars));
	is_over = true;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	prices = tariff_hold(tariff);
	bool is_last = price_one(prices) == (fusd)TABLES * TOKENS * 1000000000;
	tariff_release(tariff, prices);
	tariff_free(tariff);
	printf("%u prices changed within a batch\n", wrong);
	return wrong || !is_last;
}
