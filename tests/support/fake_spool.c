#include "support/fake_spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "http/compression.h"
#include "proto/otlp_trace.pb-c.h"
#include "spool/dead_letter.h"

enum { RECORDS_MAX = 4096, READERS_MAX = 4 };

struct stored {
	struct record record;
	struct buf body;
	unsigned char *finished; /* per span */
	bool is_expected, is_damaged;
};

struct delivery {
	struct spool *spool;
};

struct deliveries {
	struct spool *spool;
};

struct spool {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct stored *records[RECORDS_MAX]; /* by sequence - 1 */
	uint64_t count, spans;
	uint64_t cursor, kept_from, faults;
	uint64_t sequence_within, lag_bytes;
	uint64_t outcomes[OUTCOME_COUNT];
	size_t records_out, dead_letters;
	struct buf dead_letter;
	int dead_status, dead_error;
	struct deliveries deliveries;
	struct delivery delivery;
	struct spool_reader *readers[READERS_MAX];
};

struct spool_reader {
	struct spool *spool;
	unsigned shapes;
	uint64_t position;
	void (*wake)(void *arg);
	void *wake_arg;
	void (*lost)(void *arg, const struct record *head);
	void *lost_arg;
};

/* What is handed out; the record comes first, so that its address is this one's. */
struct lent {
	struct record record;
	struct spool *spool;
};

/* A record without spans is one thing to deliver. */
static uint32_t units(uint32_t span_count)
{
	return span_count ? span_count : 1;
}

struct spool *fake_spool_new(void)
{
	struct spool *spool = calloc(1, sizeof *spool);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&spool->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&spool->lock, NULL);
	buf_init(&spool->dead_letter, 64 << 20, NULL);
	spool->cursor = spool->kept_from = 1;
	spool->deliveries.spool = spool->delivery.spool = spool;
	return spool;
}

void fake_spool_free(struct spool *spool)
{
	for (uint64_t i = 0; i < spool->count; i++) {
		buf_done(&spool->records[i]->body);
		free(spool->records[i]->finished);
		free(spool->records[i]);
	}
	buf_done(&spool->dead_letter);
	pthread_cond_destroy(&spool->changed);
	pthread_mutex_destroy(&spool->lock);
	free(spool);
}

struct deliveries *fake_spool_deliveries(struct spool *spool)
{
	return &spool->deliveries;
}

void fake_span_id(uint64_t n, uint8_t ret_id[8])
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		ret_id[i] = (uint8_t)n;
}

/* ---- records ---- */

static void encode_spans(
	struct buf *out, uint64_t first, uint32_t count, size_t padding_bytes, const char *said)
{
	static uint8_t trace_id[16] = { 1 };
	char *padding = malloc(padding_bytes + 1);
	memset(padding, 'x', padding_bytes);
	Otlp__Span *spans = calloc(count, sizeof *spans);
	Otlp__Span **list = calloc(count, sizeof(Otlp__Span *));
	uint8_t(*ids)[8] = calloc(count, sizeof *ids);
	Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
	Otlp__KeyValue input = OTLP__KEY_VALUE__INIT, *attributes[] = { &input };
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = (ProtobufCBinaryData){ said ? strlen(said) : 0, (uint8_t *)said };
	input.key = (ProtobufCBinaryData){ 11, (uint8_t *)"input.value" };
	input.value = &value;
	for (uint32_t i = 0; i < count; i++) {
		fake_span_id(first + i, ids[i]);
		otlp__span__init(&spans[i]);
		spans[i].trace_id = (ProtobufCBinaryData){ sizeof trace_id, trace_id };
		spans[i].span_id = (ProtobufCBinaryData){ 8, ids[i] };
		spans[i].name = (ProtobufCBinaryData){ padding_bytes, (uint8_t *)padding };
		spans[i].attributes = attributes;
		spans[i].n_attributes = said != NULL;
		list[i] = &spans[i];
	}
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes[] = { &scope };
	scope.n_spans = count;
	scope.spans = list;
	Otlp__ResourceSpans resource = OTLP__RESOURCE_SPANS__INIT, *resources[] = { &resource };
	resource.n_scope_spans = 1;
	resource.scope_spans = scopes;
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	request.n_resource_spans = 1;
	request.resource_spans = resources;
	size_t bytes = otlp__export_trace_service_request__get_packed_size(&request);
	otlp__export_trace_service_request__pack(&request, buf_reserve(out, bytes));
	out->len += bytes;
	free(ids);
	free(list);
	free(spans);
	free(padding);
}

/* Each says its number, whatever its id is. */
static void write_events(
	struct buf *out, uint64_t first, uint32_t count, size_t padding_bytes, const char *id)
{
	for (uint64_t n = first; n < first + count; n++) {
		char own[32];
		snprintf(own, sizeof own, "event-%llu", (unsigned long long)n);
		buf_printf(out,
			"{\"id\":\"%s\",\"type\":\"score-create\",\"body\":{\"value\":%llu}",
			id ? id : own, (unsigned long long)n);
		for (size_t i = 0; i < padding_bytes; i++)
			buf_text(out, " ");
		buf_text(out, "}\n");
	}
}

uint64_t fake_spool_add(struct spool *spool, struct fake_record what)
{
	struct stored *stored = calloc(1, sizeof *stored);
	struct buf plain;
	buf_init(&plain, 64 << 20, NULL);
	buf_init(&stored->body, 64 << 20, NULL);
	pthread_mutex_lock(&spool->lock);
	if (what.is_garbage)
		buf_text(&plain, "\x0a\xff no protobuf");
	else if (what.signal == SIGNAL_INGESTION)
		write_events(&plain, spool->spans + 1, what.spans, what.padding_bytes, what.said);
	else
		encode_spans(&plain, spool->spans + 1, what.spans, what.padding_bytes, what.said);
	if (what.encoding == ENCODING_GZIP)
		gzip_compress(buf_bytes(&plain), &stored->body);
	else
		buf_append(&stored->body, plain.at, plain.len);
	spool->spans += what.spans;
	stored->finished = calloc(units(what.spans), 1);
	stored->record = (struct record){
		.sequence = ++spool->count,
		.received_ns = 1,
		.lane = "default",
		.signal = what.signal ? what.signal : SIGNAL_TRACES,
		.stage = STAGE_OUT,
		.shape = what.shape ? what.shape : SHAPE_ANY,
		.encoding = what.encoding,
		.span_count = what.spans,
		.raw_bytes = (uint32_t)plain.len,
		.body = buf_bytes(&stored->body),
	};
	spool->records[spool->count - 1] = stored;
	uint64_t sequence = spool->count;
	struct spool_reader *readers[READERS_MAX];
	memcpy(readers, spool->readers, sizeof readers);
	pthread_mutex_unlock(&spool->lock);
	buf_done(&plain);
	for (size_t i = 0; i < READERS_MAX; i++)
		if (readers[i] && readers[i]->wake)
			readers[i]->wake(readers[i]->wake_arg);
	return sequence;
}

void fake_spool_damage(struct spool *spool, uint64_t sequence)
{
	pthread_mutex_lock(&spool->lock);
	spool->records[sequence - 1]->is_damaged = true;
	pthread_mutex_unlock(&spool->lock);
}

void fake_spool_set_share(struct spool *spool, uint64_t sequence_within, uint64_t lag_bytes)
{
	pthread_mutex_lock(&spool->lock);
	spool->sequence_within = sequence_within;
	spool->lag_bytes = lag_bytes;
	pthread_mutex_unlock(&spool->lock);
}

/* ---- spool/spool.h ---- */

struct spool_reader *spool_reader_new(struct spool *spool, const char *lane, enum stage stage,
	unsigned shapes, uint64_t from, void (*wake)(void *arg), void *wake_arg)
{
	struct spool_reader *reader = calloc(1, sizeof *reader);
	size_t place = 0;
	*reader = (struct spool_reader){ spool, shapes, from, wake, wake_arg, NULL, NULL };
	pthread_mutex_lock(&spool->lock);
	while (spool->readers[place])
		place++;
	spool->readers[place] = reader;
	pthread_mutex_unlock(&spool->lock);
	return reader;
}

void spool_reader_free(struct spool_reader *reader)
{
	if (!reader)
		return;
	pthread_mutex_lock(&reader->spool->lock);
	for (size_t i = 0; i < READERS_MAX; i++)
		if (reader->spool->readers[i] == reader)
			reader->spool->readers[i] = NULL;
	pthread_mutex_unlock(&reader->spool->lock);
	free(reader);
}

int spool_reader_next(struct spool_reader *reader, struct record **ret_record)
{
	struct spool *spool = reader->spool;
	int error = -EAGAIN;
	pthread_mutex_lock(&spool->lock);
	while (error && reader->position <= spool->count) {
		struct stored *stored = spool->records[reader->position++ - 1];
		if (!(stored->record.shape & reader->shapes))
			continue;
		if (stored->is_damaged) {
			pthread_mutex_unlock(&spool->lock);
			reader->lost(reader->lost_arg, &stored->record);
			pthread_mutex_lock(&spool->lock);
			continue;
		}
		struct lent *lent = malloc(sizeof *lent);
		*lent = (struct lent){ stored->record, spool };
		*ret_record = &lent->record;
		spool->records_out++;
		error = 0;
	}
	pthread_mutex_unlock(&spool->lock);
	return error;
}

int spool_reader_next_head(struct spool_reader *reader, struct record *ret_head)
{
	struct record *record;
	int error = spool_reader_next(reader, &record);
	if (error)
		return error;
	*ret_head = *record;
	ret_head->body.at = NULL;
	record_release(record);
	return 0;
}

void spool_reader_report_loss(
	struct spool_reader *reader, void (*lost)(void *arg, const struct record *head), void *arg)
{
	reader->lost = lost;
	reader->lost_arg = arg;
}

void record_release(struct record *record)
{
	struct lent *lent = (struct lent *)(void *)record;
	pthread_mutex_lock(&lent->spool->lock);
	lent->spool->records_out--;
	pthread_mutex_unlock(&lent->spool->lock);
	free(lent);
}

uint64_t spool_reader_position(const struct spool_reader *reader)
{
	return reader->position;
}

void spool_reader_seek(struct spool_reader *reader, uint64_t sequence)
{
	pthread_mutex_lock(&reader->spool->lock);
	reader->spool->faults += sequence < reader->spool->kept_from;
	reader->position = sequence;
	pthread_mutex_unlock(&reader->spool->lock);
}

void spool_reader_keep(struct spool_reader *reader, uint64_t sequence)
{
	pthread_mutex_lock(&reader->spool->lock);
	if (sequence > reader->spool->kept_from)
		reader->spool->kept_from = sequence;
	pthread_mutex_unlock(&reader->spool->lock);
}

void spool_reader_bound(struct spool_reader *reader, uint64_t max_bytes)
{
}

struct spool_lag spool_reader_lag(struct spool_reader *reader)
{
	pthread_mutex_lock(&reader->spool->lock);
	struct spool_lag lag = { .bytes = reader->spool->lag_bytes };
	pthread_mutex_unlock(&reader->spool->lock);
	return lag;
}

uint64_t spool_sequence_within(struct spool *spool, uint64_t bytes)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t sequence = spool->sequence_within;
	pthread_mutex_unlock(&spool->lock);
	return sequence;
}

/* ---- spool/delivery.h ---- */

struct delivery *delivery_of(
	struct deliveries *deliveries, const char *destination, const char *lane)
{
	return &deliveries->spool->delivery;
}

void delivery_begin(struct delivery *delivery, unsigned shapes, unsigned signals)
{
}

static bool is_finished(const struct stored *stored)
{
	return !memchr(stored->finished, 0, units(stored->record.span_count));
}

uint64_t delivery_cursor(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->spool->lock);
	uint64_t cursor = delivery->spool->cursor;
	pthread_mutex_unlock(&delivery->spool->lock);
	return cursor;
}

void delivery_advance(struct delivery *delivery, uint64_t sequence)
{
	struct spool *spool = delivery->spool;
	pthread_mutex_lock(&spool->lock);
	for (uint64_t i = spool->cursor; i < sequence; i++)
		if (spool->records[i - 1]->is_expected && !is_finished(spool->records[i - 1]))
			sequence = i;
	if (sequence > spool->cursor)
		spool->cursor = sequence;
	pthread_cond_broadcast(&spool->changed);
	pthread_mutex_unlock(&spool->lock);
}

void delivery_expect(struct delivery *delivery, uint64_t sequence, uint32_t span_count)
{
	struct spool *spool = delivery->spool;
	pthread_mutex_lock(&spool->lock);
	spool->records[sequence - 1]->is_expected = true;
	spool->faults += units(spool->records[sequence - 1]->record.span_count) != span_count;
	pthread_mutex_unlock(&spool->lock);
}

/* Over every finished record, and over what was never expected before one that was. */
static void move_cursor(struct spool *spool)
{
	uint64_t to = spool->cursor;
	for (uint64_t i = spool->cursor; i <= spool->count; i++) {
		const struct stored *stored = spool->records[i - 1];
		if (stored->is_expected && !is_finished(stored))
			break;
		if (stored->is_expected)
			to = i + 1;
	}
	spool->cursor = to;
}

static void finish(
	struct spool *spool, uint64_t sequence, uint32_t from, uint32_t to, enum outcome outcome)
{
	struct stored *stored = spool->records[sequence - 1];
	spool->faults +=
		from >= to || to > units(stored->record.span_count) || !stored->is_expected;
	for (uint32_t i = from; i < to && i < units(stored->record.span_count); i++) {
		spool->faults += stored->finished[i];
		stored->finished[i] = 1;
	}
	spool->outcomes[outcome] += to - from;
	move_cursor(spool);
	pthread_cond_broadcast(&spool->changed);
}

void delivery_mark(struct delivery *delivery, uint64_t sequence, uint32_t from, uint32_t to,
	enum outcome outcome)
{
	pthread_mutex_lock(&delivery->spool->lock);
	finish(delivery->spool, sequence, from, to, outcome);
	pthread_mutex_unlock(&delivery->spool->lock);
}

bool delivery_open_range(struct delivery *delivery, uint64_t sequence, uint32_t span_count,
	uint32_t at, uint32_t *ret_from, uint32_t *ret_to)
{
	struct spool *spool = delivery->spool;
	pthread_mutex_lock(&spool->lock);
	const struct stored *stored = spool->records[sequence - 1];
	while (at < span_count && stored->finished[at])
		at++;
	uint32_t end = at;
	while (end < span_count && !stored->finished[end])
		end++;
	pthread_mutex_unlock(&spool->lock);
	if (at == end)
		return false;
	*ret_from = at;
	*ret_to = end;
	return true;
}

uint32_t delivery_give_up(
	struct delivery *delivery, uint64_t sequence, uint32_t span_count, enum outcome outcome)
{
	uint32_t from, to = 0, count = 0;
	while (delivery_open_range(delivery, sequence, span_count, to, &from, &to)) {
		delivery_expect(delivery, sequence, span_count);
		delivery_mark(delivery, sequence, from, to, outcome);
		count += to - from;
	}
	return count;
}

void delivery_yield(struct delivery *delivery)
{
}

int delivery_set_aside(
	struct delivery *delivery, const struct dead_letter *letter, struct bytes request)
{
	struct spool *spool = delivery->spool;
	pthread_mutex_lock(&spool->lock);
	int error = spool->dead_error;
	if (!error) {
		spool->dead_letters++;
		spool->dead_status = letter->status;
		spool->dead_letter.len = 0;
		buf_append(&spool->dead_letter, request.at, request.len);
		finish(spool, letter->sequence, letter->span, letter->span + letter->span_count,
			OUTCOME_DEAD);
	}
	pthread_mutex_unlock(&spool->lock);
	return error;
}

/* ---- questions ---- */

uint64_t fake_spool_count(struct spool *spool, enum outcome outcome)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t count = spool->outcomes[outcome];
	pthread_mutex_unlock(&spool->lock);
	return count;
}

bool fake_spool_wait(struct spool *spool, enum outcome outcome, uint64_t count, unsigned timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	int error = 0;
	pthread_mutex_lock(&spool->lock);
	while (spool->outcomes[outcome] < count && !error)
		error = pthread_cond_timedwait(&spool->changed, &spool->lock, &until);
	bool reached = spool->outcomes[outcome] >= count;
	pthread_mutex_unlock(&spool->lock);
	return reached;
}

uint64_t fake_spool_cursor(struct spool *spool)
{
	return delivery_cursor(&spool->delivery);
}

uint64_t fake_spool_kept_from(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t kept_from = spool->kept_from;
	pthread_mutex_unlock(&spool->lock);
	return kept_from;
}

size_t fake_spool_records_out(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	size_t out = spool->records_out;
	pthread_mutex_unlock(&spool->lock);
	return out;
}

uint64_t fake_spool_faults(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	uint64_t faults = spool->faults;
	pthread_mutex_unlock(&spool->lock);
	return faults;
}

size_t fake_spool_dead_letters(struct spool *spool)
{
	pthread_mutex_lock(&spool->lock);
	size_t letters = spool->dead_letters;
	pthread_mutex_unlock(&spool->lock);
	return letters;
}

struct bytes fake_spool_dead_letter(struct spool *spool, int *ret_status)
{
	*ret_status = spool->dead_status;
	return buf_bytes(&spool->dead_letter);
}

void fake_spool_refuse_dead_letters(struct spool *spool, int error)
{
	pthread_mutex_lock(&spool->lock);
	spool->dead_error = error;
	pthread_mutex_unlock(&spool->lock);
}
