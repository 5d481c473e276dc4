/*
 * The spool and its delivery state under all their threads at once, for ThreadSanitizer (which Criterion
 * does not start under). Exits 0 when every request came out once, in order, at every reader.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/spool_fixture.h"
#include "spool/delivery.h"
#include "spool/ledger.h"

enum { SENDERS = 4, PER_SENDER = 250, READERS = 3, TEXT_BYTES = 3000 };
enum { PER_READER = SENDERS / 2 * PER_SENDER };

static struct fixture fixture;
static struct deliveries *deliveries;
static struct ledger *ledger;
static _Atomic int running_readers = READERS;

static void require(bool is_true, const char *what)
{
	if (!is_true) {
		fprintf(stderr, "failed: %s\n", what);
		exit(1);
	}
}

/* Half of the senders write into each, half of the readers read it. */
static const char *lane_of(int number)
{
	return number % 2 ? "odd" : "even";
}

static void *send_all(void *arg)
{
	struct request *requests[PER_SENDER];
	static char texts[SENDERS][PER_SENDER][TEXT_BYTES];
	int sender = (int)(intptr_t)arg;
	for (int i = 0; i < PER_SENDER; i++) {
		char *text = texts[sender][i];
		memset(text, '.', TEXT_BYTES);
		snprintf(text, TEXT_BYTES, "%d:%d;", sender, i);
		requests[i] = request_new(lane_of(sender), text, TEXT_BYTES);
		spool_append(fixture.spool, &requests[i]->batch);
		if (i % 8 == 7)
			for (int j = i - 7; j <= i; j++)
				require(request_wait(requests[j]) == 0, "append");
	}
	for (int j = PER_SENDER / 8 * 8; j < PER_SENDER; j++)
		require(request_wait(requests[j]) == 0, "append");
	return NULL;
}

/* Waking: the reader waits for commits as an exporter does. */
static struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	unsigned rings; /* guarded by lock */
} bells[READERS];

static void ring(void *arg)
{
	struct bell *bell = arg;
	pthread_mutex_lock(&bell->lock);
	bell->rings++;
	pthread_cond_signal(&bell->rung);
	pthread_mutex_unlock(&bell->lock);
}

static unsigned count_rings(struct bell *bell)
{
	pthread_mutex_lock(&bell->lock);
	unsigned rings = bell->rings;
	pthread_mutex_unlock(&bell->lock);
	return rings;
}

static void wait_for_ring(struct bell *bell, unsigned seen)
{
	pthread_mutex_lock(&bell->lock);
	while (bell->rings == seen)
		pthread_cond_wait(&bell->rung, &bell->lock);
	pthread_mutex_unlock(&bell->lock);
}

static struct spool_reader *readers[READERS];

static void *read_everything(void *arg)
{
	int number = (int)(intptr_t)arg, expected[SENDERS] = { 0 }, total = 0;
	struct spool_reader *reader = readers[number];
	char name[24];
	snprintf(name, sizeof name, "reader%d", number);
	struct delivery *delivery = delivery_of(deliveries, name, lane_of(number));
	while (total < PER_READER) {
		struct record *record;
		unsigned rings = count_rings(&bells[number]);
		if (spool_reader_next(reader, &record) < 0) {
			wait_for_ring(&bells[number], rings);
			continue;
		}
		delivery_expect(delivery, record->sequence, record->span_count);
		for (size_t at = 0; at + TEXT_BYTES <= record->body.len;
			at += TEXT_BYTES, total++) {
			int sender, i;
			require(sscanf((const char *)record->body.at + at, "%d:%d;", &sender, &i) ==
					2,
				"text");
			require(sender >= 0 && sender < SENDERS && expected[sender]++ == i,
				"order");
		}
		delivery_mark(delivery, record->sequence, 0, record->span_count, OUTCOME_DELIVERED);
		if (number > 0 || total % 5 == 0)
			spool_reader_keep(reader, delivery_cursor(delivery));
		record_release(record);
	}
	atomic_fetch_sub(&running_readers, 1);
	return NULL;
}

/* While everything moves, the books of one moment add up. */
static void *ask_ledger(void *arg)
{
	struct balance *balances;
	size_t count;
	require(ledger_read(ledger, 0, true, &balances, &count) == 0, "ledger_read");
	require(count == READERS, "balances");
	for (size_t i = 0; i < count; i++)
		require(balances[i].waiting == balances[i].measured, "the ledger adds up");
	free(balances);
	return NULL;
}

int main(void)
{
	pthread_t senders[SENDERS], threads[READERS];
	pthread_t asker;
	char name[24];
	fixture_init(&fixture);
	fixture.options.max_record_bytes = 16 << 10;
	fixture_open(&fixture);
	require(deliveries_open(fixture.directory, &deliveries) == 0, "deliveries_open");
	require(ledger_open(fixture.spool, deliveries, &ledger) == 0, "ledger_open");
	for (int i = 0; i < READERS; i++) {
		pthread_mutex_init(&bells[i].lock, NULL);
		pthread_cond_init(&bells[i].rung, NULL);
		readers[i] = spool_reader_new(
			fixture.spool, lane_of(i), STAGE_OUT, SHAPE_ANY, 1, ring, &bells[i]);
		snprintf(name, sizeof name, "reader%d", i);
		delivery_begin(
			delivery_of(deliveries, name, lane_of(i)), SHAPE_ANY, 1U << SIGNAL_TRACES);
	}
	require(ledger_begin(ledger) == 0, "ledger_begin");
	fixture_start_writer(&fixture);
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_everything, (void *)(intptr_t)i);
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&senders[i], NULL, send_all, (void *)(intptr_t)i);

	while (running_readers > 0) { /* what main and status do */
		spool_tick(fixture.spool);
		require(spool_status(fixture.spool) == 0, "status");
		require(spool_figures(fixture.spool).next_sequence > 0, "figures");
		for (int i = 0; i < READERS; i++)
			require(spool_reader_lag(readers[i]).records <= SENDERS * PER_SENDER,
				"lag");
		spool_sequence_within(fixture.spool, 100000);
		require(ledger_commit(ledger) == 0, "commit");
		pthread_create(&asker, NULL, ask_ledger, NULL); /* what a command does */
		pthread_join(asker, NULL);
		usleep(2000);
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	require(ledger_commit(ledger) == 0, "last commit");
	ask_ledger(NULL);
	struct ledger_sums sums = delivery_sums(delivery_of(deliveries, "reader0", "even"));
	require(sums.accepted == PER_READER, "accepted");
	require(sums.finished[OUTCOME_DELIVERED] == PER_READER, "delivered");
	for (int i = 0; i < READERS; i++)
		spool_reader_free(readers[i]);
	spool_stop(fixture.spool);
	pthread_join(fixture.writer, NULL);
	fixture.is_writing = false;
	ledger_free(ledger);
	deliveries_close(deliveries);
	fixture_done(&fixture);
	return 0;
}
