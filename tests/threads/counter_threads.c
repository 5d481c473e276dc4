/*
 * Many threads count while another reads. No count may be lost. A plain program, because Criterion does
 * not start under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/counters.h"
#include "base/names.h"
#include "vocabularies/vocabulary.h"

enum { THREADS = 4, ROUNDS = 20000, NAMES = 2 * NAMES_MAX };

static atomic_bool is_over;

static void *count_all(void *unused)
{
	(void)unused;
	const uint32_t spans[VOCABULARIES_MAX] = { 1, 2 };
	for (unsigned i = 0; i < ROUNDS; i++) {
		char name[16];
		int len = snprintf(name, sizeof name, "model-%u", i % NAMES);
		names_add(
			NAMES_UNKNOWN_MODELS, (struct bytes){ (const uint8_t *)name, (size_t)len });
		counter_add(COUNTER_SPANS_STORED, 3);
		vocabularies_count(spans);
	}
	return NULL;
}

static void *read_all(void *unused)
{
	(void)unused;
	uint64_t before = 0;
	while (!atomic_load(&is_over)) {
		struct names models;
		names_read(NAMES_UNKNOWN_MODELS, &models);
		uint64_t now = counter_read(COUNTER_SPANS_STORED) + vocabulary_spans(1);
		if (now < before || models.count > NAMES_MAX)
			return &is_over;
		before = now;
	}
	return NULL;
}

static uint64_t noted_calls(void)
{
	struct names models;
	names_read(NAMES_UNKNOWN_MODELS, &models);
	uint64_t calls = models.others;
	for (size_t i = 0; i < models.count; i++)
		calls += models.at[i].count;
	return calls;
}

int main(void)
{
	pthread_t threads[THREADS], reader;
	void *is_wrong;
	if (pthread_create(&reader, NULL, read_all, NULL) != 0)
		return 99;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, count_all, NULL) != 0)
			return 99;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&is_over, true);
	pthread_join(reader, &is_wrong);
	uint64_t rounds = (uint64_t)THREADS * ROUNDS;
	printf("calls=%llu stored=%llu spans=%llu of %llu rounds\n",
		(unsigned long long)noted_calls(),
		(unsigned long long)counter_read(COUNTER_SPANS_STORED),
		(unsigned long long)vocabulary_spans(1), (unsigned long long)rounds);
	return is_wrong || noted_calls() != rounds ||
		counter_read(COUNTER_SPANS_STORED) != 3 * rounds || vocabulary_spans(0) != rounds ||
		vocabulary_spans(1) != 2 * rounds;
}
