/*
 * Many threads price at once on one table, known and unknown names, more than its memory of names can
 * hold. Each must get what a lone thread gets. A plain program, because Criterion does not start under
 * the thread sanitizer.
 */
#include <pthread.h>
#include <stdio.h>

#include "pricing/price.h"

enum { THREADS = 4, NAMES = 4000 };

static const struct prices *prices;
static fusd expected[NAMES];

/* The total of a call to the model of this number, -1 for no cost. */
static fusd total_of(unsigned number)
{
	static const char *const families[] = { "claude-sonnet-4-5-", "no-such-model-",
		"vertex_ai/claude-opus-4-8@" };
	char name[64] = "gpt-4o";
	if (number % 4 < 3)
		snprintf(name, sizeof name, "%s%08u", families[number % 4], number);
	struct usage usage = { { [TOKENS_INPUT] = 1000 + number, [TOKENS_OUTPUT] = 10 } };
	struct price_question question = {
		.model = bytes_of(name), .at_ns = UINT64_C(1795000000000000000), .usage = &usage
	};
	struct cost cost;
	return price_call(prices, &question, &cost) == PRICE_FOUND ? cost.total : -1;
}

static void *price_all(void *wrong)
{
	for (unsigned i = 0; i < 3 * NAMES; i++)
		*(unsigned *)wrong += total_of(i % NAMES) != expected[i % NAMES];
	return NULL;
}

/* With a table of its own, which no other thread has filled. */
static int expect(void)
{
	struct prices *alone;
	struct complaint complaint = { 0 };
	if (prices_builtin(&alone, &complaint) < 0)
		return -1;
	prices = alone;
	unsigned priced = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		expected[i] = total_of(i);
		priced += expected[i] > 0;
	}
	prices_free(alone);
	return priced == NAMES / 4 * 3 ? 0 : -1;
}

int main(void)
{
	struct prices *shared;
	struct complaint complaint = { 0 };
	if (expect() < 0 || prices_builtin(&shared, &complaint) < 0)
		return 99;
	prices = shared;
	pthread_t threads[THREADS];
	unsigned wrong[THREADS] = { 0 }, sum = 0;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, price_all, &wrong[i]) != 0)
			return 99;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += wrong[i];
	}
	prices_free(shared);
	printf("%u of %u calls were priced otherwise than alone\n", sum, THREADS * 3 * NAMES);
	return sum ? 1 : 0;
}
