#include "pricing/tariff.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "pricing/table.h"

struct tariff {
	pthread_mutex_t lock;
	struct prices *current; /* guarded by lock, as `holders` of every table */
};

struct tariff *tariff_new(struct prices *prices)
{
	struct tariff *tariff = calloc(1, sizeof *tariff);
	if (!tariff)
		return NULL;
	pthread_mutex_init(&tariff->lock, NULL);
	prices->holders = 1;
	tariff->current = prices;
	return tariff;
}

void tariff_free(struct tariff *tariff)
{
	if (!tariff)
		return;
	prices_free(tariff->current);
	pthread_mutex_destroy(&tariff->lock);
	free(tariff);
}

struct prices *tariff_hold(struct tariff *tariff)
{
	pthread_mutex_lock(&tariff->lock);
	struct prices *prices = tariff->current;
	prices->holders++;
	pthread_mutex_unlock(&tariff->lock);
	return prices;
}

void tariff_release(struct tariff *tariff, struct prices *prices)
{
	pthread_mutex_lock(&tariff->lock);
	bool is_last = --prices->holders == 0;
	pthread_mutex_unlock(&tariff->lock);
	if (is_last)
		prices_free(prices);
}

void tariff_replace(struct tariff *tariff, struct prices *prices)
{
	prices->holders = 1;
	pthread_mutex_lock(&tariff->lock);
	struct prices *before = tariff->current;
	tariff->current = prices;
	pthread_mutex_unlock(&tariff->lock);
	tariff_release(tariff, before);
}
