#include "spool/ledger.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "spool/deliveries.h"
#include "spool/spool.h"

#define MINUTE_NS UINT64_C(60000000000)

struct ledger {
	struct spool *spool;
	struct deliveries *deliveries;
	struct spool_reader *reader; /* counts, and keeps what is not committed yet */
	uint64_t damage_seen;        /* COUNTER_SPOOL_RECORDS_DAMAGED when the books were settled */
};

/* What a destination has of a record, or of all from first to last. */
struct held {
	uint64_t first, last;
	uint32_t finished; /* spans; UINT32_MAX: all */
	uint32_t open;     /* of a record that it has read: it may do without the log */
};

/* The books of one lane as they were at one moment, and what the log adds to them. */
struct account {
	struct delivery *delivery;
	bool is_live, is_unsettled;
	unsigned takes;
	uint64_t cursor, counted;
	struct ledger_sums sums;
	struct held *held; /* beyond the cursor, in order */
	size_t held_count, held_at;
	int64_t uncounted; /* accepted beyond `counted` */
	int64_t measured;
	uint64_t records, bytes, oldest_ns;
};

struct accounts {
	struct account *at;
	size_t count;
};

static struct spool_reader *new_reader(struct spool *spool)
{
	struct spool_reader *reader = spool_reader_new(
		spool, NULL, STAGE_OUT, SHAPE_ANY | SHAPE_PLAIN | SHAPE_LANGFUSE, 1, NULL, NULL);
	if (reader)
		spool_reader_uncounted(reader);
	return reader;
}

/* A record without spans is one thing to deliver, as for struct delivery. */
static uint32_t units_of(const struct record *head)
{
	return head->span_count > 0 ? head->span_count : 1;
}

static bool is_for(const struct account *account, const struct record *head)
{
	return account->is_live && account->takes & head->shape &&
		account->takes >> SHAPE_BITS & 1U << head->signal &&
		strcmp(account->delivery->lane, head->lane) == 0;
}

/* ---- the books of one moment ---- */

static struct held held_of(const struct entry *entry)
{
	struct held held = { .first = entry->sequence, .last = entry->last };
	for (uint32_t i = 0; i < entry->range_count; i++)
		held.finished += entry->finished[i].to - entry->finished[i].from;
	if (entry_is_run(entry))
		held.finished = UINT32_MAX;
	else if (entry->units > held.finished)
		held.open = entry->units - held.finished;
	return held;
}

/* With lock held. */
static int copy_account(struct delivery *delivery, struct account *account)
{
	*account = (struct account){
		.delivery = delivery,
		.is_live = delivery->is_live,
		.is_unsettled = delivery->is_unsettled,
		.takes = delivery->takes,
		.cursor = delivery->cursor,
		.counted = delivery->counted,
		.sums = delivery->sums,
		.held = malloc((delivery->count + 1) * sizeof *account->held),
	};
	if (!account->held)
		return -ENOMEM;
	for (size_t i = 0; i < delivery->count; i++)
		account->held[account->held_count++] = held_of(&delivery->entries[i]);
	return 0;
}

static void accounts_done(struct accounts *accounts)
{
	for (size_t i = 0; i < accounts->count; i++)
		free(accounts->at[i].held);
	free(accounts->at);
}

static int accounts_init(struct deliveries *deliveries, struct accounts *accounts)
{
	size_t count = 0;
	int error = 0;
	*accounts = (struct accounts){ 0 };
	pthread_mutex_lock(&deliveries->lock);
	for (struct delivery *at = deliveries->first; at; at = at->next)
		count++;
	accounts->at = malloc((count + 1) * sizeof *accounts->at);
	if (!accounts->at)
		error = -ENOMEM;
	for (struct delivery *at = deliveries->first; at && !error; at = at->next)
		error = copy_account(at, &accounts->at[accounts->count++]);
	pthread_mutex_unlock(&deliveries->lock);
	if (error)
		accounts_done(accounts);
	return error;
}

/* ---- what the log adds ---- */

static void count_unseen(struct account *account, uint64_t below)
{
	for (; account->held_at < account->held_count &&
		account->held[account->held_at].last < below;
		account->held_at++)
		account->measured += account->held[account->held_at].open;
}

/* What of a record is not finished. */
static uint32_t open_units(struct account *account, const struct record *head)
{
	count_unseen(account, head->sequence);
	struct held *held = &account->held[account->held_at];
	uint32_t units = units_of(head);
	if (account->held_at == account->held_count || held->first > head->sequence)
		return units;
	held->open = 0; /* seen */
	return units > held->finished ? units - held->finished : 0;
}

static void add_head(struct account *account, const struct record *head)
{
	if (!is_for(account, head))
		return;
	if (head->sequence >= account->counted)
		account->uncounted += units_of(head);
	uint32_t open = head->sequence >= account->cursor ? open_units(account, head) : 0;
	if (!open)
		return;
	account->measured += open;
	account->records++;
	account->bytes += head->body.len;
	if (!account->oldest_ns || head->received_ns < account->oldest_ns)
		account->oldest_ns = head->received_ns;
}

/* The first record that matters to somebody. */
static uint64_t first_of(const struct accounts *accounts, bool is_measured)
{
	uint64_t first = UINT64_MAX;
	for (size_t i = 0; i < accounts->count; i++) {
		const struct account *at = &accounts->at[i];
		uint64_t own = is_measured && at->cursor < at->counted ? at->cursor : at->counted;
		if (at->is_live && own < first)
			first = own;
	}
	return first;
}

/*
 * Reads heads from `first` to the end that the log has now, or to where memory is short for the moment. A
 * log that has not grown is read to -EAGAIN, which lets go of its file.
 */
static int add_heads(struct ledger *ledger, struct accounts *accounts, struct spool_reader *reader,
	uint64_t first)
{
	const uint64_t end = spool_figures(ledger->spool).next_sequence;
	struct record head = { 0 };
	int error = 0;
	spool_reader_seek(reader, first);
	while (head.sequence < end && !(error = spool_reader_next_head(reader, &head)))
		for (size_t i = 0; i < accounts->count; i++)
			add_head(&accounts->at[i], &head);
	for (size_t i = 0; i < accounts->count; i++)
		count_unseen(&accounts->at[i], UINT64_MAX);
	return error == -EAGAIN ? 0 : error;
}

/*
 * The books, and what waits by the log. What is finished by then is in the log, and what of that is
 * not counted yet is found on the way. What came after the copy adds the same to both.
 */
static int measure(struct ledger *ledger, struct accounts *ret_accounts)
{
	struct accounts accounts;
	struct spool_reader *reader = new_reader(ledger->spool); /* before: keeps what is copied */
	if (!reader)
		return -ENOMEM;
	int error = accounts_init(ledger->deliveries, &accounts);
	if (!error) {
		error = add_heads(ledger, &accounts, reader, first_of(&accounts, true));
		if (error)
			accounts_done(&accounts);
	}
	spool_reader_keep(reader, SPOOL_KEEP_NOTHING);
	spool_reader_free(reader);
	if (!error)
		*ret_accounts = accounts;
	return error;
}

static int64_t waiting(const struct ledger_sums *sums)
{
	int64_t open = sums->accepted;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		open -= sums->finished[i];
	return open;
}

/* By the books; what is not counted yet is missing there until the next second. */
static int64_t waiting_now(const struct account *account)
{
	return waiting(&account->sums) + account->uncounted;
}

/* ---- settling ---- */

/*
 * Books what the log does not hold: as damaged, or, for a lane that is known to have missed something, as
 * dropped. What it holds and nobody booked for such a lane was accepted before it had books.
 */
static void settle_account(const struct account *account, uint64_t whole_from, bool is_damage)
{
	struct delivery *delivery = account->delivery;
	struct ledger_sums sums = { 0 };
	int64_t lost = waiting_now(account) - account->measured;
	bool has_missed = account->is_unsettled;
	if (lost > 0 && (has_missed || is_damage))
		sums.finished[has_missed ? OUTCOME_DROPPED : OUTCOME_DAMAGED] = lost;
	else if (lost < 0 && has_missed)
		sums.accepted = -lost;
	else
		lost = 0;
	pthread_mutex_lock(&delivery->all->lock);
	sums_add(&delivery->sums, &sums);
	sums_add(&delivery->pending, &sums);
	delivery->is_unsettled = false;
	delivery->settled_below = whole_from;
	delivery->is_changed = true;
	pthread_mutex_unlock(&delivery->all->lock);

	char name[LOG_TEXT_MAX];
	if (lost)
		log_event(LOG_LEVEL_WARNING, "ledger_settled",
			"destination=%s lane=%s spans=%lld booked=%s", delivery->destination,
			log_text(name, delivery->lane), (long long)(lost > 0 ? lost : -lost),
			lost < 0           ? "accepted" :
				has_missed ? "dropped" :
					     "damaged");
}

static int settle(struct ledger *ledger, bool is_damage)
{
	struct accounts accounts;
	uint64_t whole_from = spool_figures(ledger->spool).whole_from;
	int error = measure(ledger, &accounts);
	if (error)
		return error;
	for (size_t i = 0; i < accounts.count; i++)
		if (accounts.at[i].is_live)
			settle_account(&accounts.at[i], whole_from, is_damage);
	accounts_done(&accounts);
	return 0;
}

/* ---- the life of it ---- */

int ledger_open(struct spool *spool, struct deliveries *deliveries, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof *ledger);
	if (!ledger)
		return -ENOMEM;
	*ledger = (struct ledger){ .spool = spool, .deliveries = deliveries };
	ledger->reader = new_reader(spool);
	if (!ledger->reader) {
		free(ledger);
		return -ENOMEM;
	}
	*ret_ledger = ledger;
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	spool_reader_free(ledger->reader);
	free(ledger);
}

/*
 * Whether records went that a lane has not finished: it was not configured, it yields, or files were
 * lost. One that yields may hold some of them still; nothing is booked for those any more.
 */
static bool is_anybody_unsettled(struct ledger *ledger)
{
	uint64_t whole_from = spool_figures(ledger->spool).whole_from;
	bool is_unsettled = false;
	pthread_mutex_lock(&ledger->deliveries->lock);
	for (struct delivery *at = ledger->deliveries->first; at; at = at->next) {
		bool has_missed = at->cursor < whole_from && at->settled_below < whole_from;
		at->is_unsettled = at->is_live && (at->is_unsettled || has_missed);
		is_unsettled = is_unsettled || at->is_unsettled;
		if (at->is_live && at->is_yielding && has_missed)
			delivery_pass(at, whole_from);
	}
	pthread_mutex_unlock(&ledger->deliveries->lock);
	return is_unsettled;
}

/* Books what came since the last time. Only this thread moves `counted`. */
static int count(struct ledger *ledger)
{
	struct accounts accounts;
	int error = accounts_init(ledger->deliveries, &accounts);
	if (error)
		return error;
	uint64_t first = first_of(&accounts, false);
	if (first != UINT64_MAX)
		error = add_heads(ledger, &accounts, ledger->reader, first);
	uint64_t end = spool_reader_position(ledger->reader);
	pthread_mutex_lock(&ledger->deliveries->lock);
	for (size_t i = 0; i < accounts.count; i++) {
		const struct account *account = &accounts.at[i];
		struct delivery *delivery = account->delivery;
		if (!account->is_live || end <= delivery->counted)
			continue;
		delivery->sums.accepted += account->uncounted;
		delivery->pending.accepted += account->uncounted;
		delivery->counted = end;
		delivery->is_changed = true;
	}
	pthread_mutex_unlock(&ledger->deliveries->lock);
	accounts_done(&accounts);
	return error;
}

int ledger_begin(struct ledger *ledger)
{
	int error = count(ledger);
	if (!error && is_anybody_unsettled(ledger))
		error = settle(ledger, false);
	ledger->damage_seen = counter_read(COUNTER_SPOOL_RECORDS_DAMAGED);
	return error;
}

int ledger_commit(struct ledger *ledger)
{
	uint64_t damage = counter_read(COUNTER_SPOOL_RECORDS_DAMAGED);
	count(ledger); /* what memory is short for now is counted the next time */
	bool is_damage = damage != ledger->damage_seen;
	if ((is_anybody_unsettled(ledger) || is_damage) && settle(ledger, is_damage) == 0)
		ledger->damage_seen = damage;
	int error = deliveries_commit(ledger->deliveries);
	if (ledger->deliveries->needed_from)
		spool_reader_keep(ledger->reader, ledger->deliveries->needed_from);
	return error;
}

/* ---- reading ---- */

static void read_account(const struct account *account, bool is_measured, struct balance *balance)
{
	const struct delivery *delivery = account->delivery;
	int64_t open = waiting_now(account);
	*balance = (struct balance){
		.is_live = account->is_live,
		.sums = account->sums,
		.waiting = open,
		.measured = is_measured && account->is_live ? account->measured : open,
		.records = account->records,
		.bytes = account->bytes,
		.oldest_ns = account->oldest_ns,
	};
	balance->sums.accepted += account->uncounted;
	memcpy(balance->destination, delivery->destination, sizeof balance->destination);
	memcpy(balance->lane, delivery->lane, sizeof balance->lane);
}

static int by_name(const void *one, const void *other)
{
	const struct balance *a = one, *b = other;
	int order = strcmp(a->destination, b->destination);
	return order ? order : strcmp(a->lane, b->lane);
}

struct balances {
	struct balance *at;
	size_t count;
};

static void take_off(
	void *arg, const char *destination, const char *lane, const struct ledger_sums *sums)
{
	const struct balances *balances = arg;
	for (size_t i = 0; i < balances->count; i++) {
		struct balance *balance = &balances->at[i];
		if (strcmp(balance->destination, destination) != 0 ||
			strcmp(balance->lane, lane) != 0)
			continue;
		balance->sums.accepted -= sums->accepted;
		for (int k = 0; k < OUTCOME_COUNT; k++)
			balance->sums.finished[k] -= sums->finished[k];
		balance->waiting_before = waiting(sums);
	}
}

uint64_t ledger_since(uint64_t since_ns)
{
	uint64_t minute = since_ns / MINUTE_NS, now = clock_unix_ns() / MINUTE_NS;
	uint64_t first = now > LEDGER_MINUTES ? now - LEDGER_MINUTES + 1 : 1;
	return (minute > first ? minute : first) * MINUTE_NS;
}

int ledger_read(struct ledger *ledger, uint64_t since_ns, bool is_measured,
	struct balance **ret_balances, size_t *ret_count)
{
	struct accounts accounts;
	int error = is_measured ? measure(ledger, &accounts) :
				  accounts_init(ledger->deliveries, &accounts);
	if (error)
		return error;
	struct balances balances = { calloc(accounts.count + 1, sizeof *balances.at),
		accounts.count };
	if (!balances.at)
		error = -ENOMEM;
	for (size_t i = 0; i < balances.count && !error; i++)
		read_account(&accounts.at[i], is_measured, &balances.at[i]);
	accounts_done(&accounts);
	if (!error)
		qsort(balances.at, balances.count, sizeof *balances.at, by_name);
	if (!error && since_ns)
		error = delivery_file_sums(
			ledger->deliveries, since_ns / MINUTE_NS, take_off, &balances);
	if (error) {
		free(balances.at);
		return error;
	}
	*ret_balances = balances.at;
	*ret_count = balances.count;
	return 0;
}
