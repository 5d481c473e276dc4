/*
 * Spool and delivery state in memory, under the names of spool/spool.h and spool/delivery.h: linked
 * into a test program they stand before the real ones.
 *
 * Records hold real requests. Span ids are numbered through from 1, so that a test can say which spans
 * it means; of SIGNAL_INGESTION they are events. What the real ones would forgive is counted here as a fault: a span finished twice, a mark
 * beyond a record, a reader set below what is kept.
 */
#ifndef TG_TESTS_SUPPORT_FAKE_SPOOL_H
#define TG_TESTS_SUPPORT_FAKE_SPOOL_H

#include "spool/delivery.h"
#include "spool/spool.h"

struct spool *fake_spool_new(void);
void fake_spool_free(struct spool *spool);
struct deliveries *fake_spool_deliveries(struct spool *spool);

struct fake_record {
	uint32_t spans;
	size_t padding_bytes; /* more in each span */
	enum signal signal;   /* 0: traces */
	enum encoding encoding;
	enum shape shape; /* 0: any */
	const char *
		said; /* input.value of each span, the id of each event; NULL: none, event-<number> */
	bool is_garbage; /* the body is no protobuf */
};

/* Appends and wakes the readers. Returns the sequence. */
uint64_t fake_spool_add(struct spool *spool, struct fake_record record);

/* The record cannot be read any more. */
void fake_spool_damage(struct spool *spool, uint64_t sequence);

/* The sequence that holds at most `bytes` behind it, whatever is asked; and what the lag says. */
void fake_spool_set_share(struct spool *spool, uint64_t sequence_within, uint64_t lag_bytes);

/* The 8 bytes of the n-th span's id, from 1. */
void fake_span_id(uint64_t n, uint8_t ret_id[8]);

/* ---- what the exporter did ---- */

/* Spans so finished, by the ledger's count. */
uint64_t fake_spool_count(struct spool *spool, enum outcome outcome);

/* Waits until so many are. False when the time is over. */
bool fake_spool_wait(
	struct spool *spool, enum outcome outcome, uint64_t count, unsigned timeout_ms);

uint64_t fake_spool_cursor(struct spool *spool);
uint64_t fake_spool_kept_from(struct spool *spool);
size_t fake_spool_records_out(struct spool *spool); /* read and not given back */
uint64_t fake_spool_faults(struct spool *spool);

/* The last dead letter: the bytes, until the next one. */
size_t fake_spool_dead_letters(struct spool *spool);
struct bytes fake_spool_dead_letter(struct spool *spool, int *ret_status);

/* Dead letters cannot be kept as long as this is not 0. */
void fake_spool_refuse_dead_letters(struct spool *spool, int error);

#endif
