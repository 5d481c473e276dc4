#include "spool/deliveries.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sqlite.h"
#include "spool/crc32c.h"

/*
 * SQLite does not notice a flipped bit in a value, and a cursor too high would lose records. So rows that
 * say what needs no more sending carry a checksum; one that is wrong is not believed.
 */
#define APPLICATION_ID "1413957444" /* "TGLD" */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS cursor (destination TEXT, lane TEXT, sequence INTEGER, checksum INTEGER,"
	" PRIMARY KEY (destination, lane)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS finished (destination TEXT, lane TEXT, sequence INTEGER,"
	" from_span INTEGER, to_span INTEGER, checksum INTEGER,"
	" PRIMARY KEY (destination, lane, sequence, from_span)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS ledger (minute INTEGER, destination TEXT, accepted INTEGER,"
	" delivered INTEGER, rejected INTEGER, dead INTEGER, dropped INTEGER,"
	" PRIMARY KEY (minute, destination)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS dead_letter (destination TEXT, lane TEXT, sequence INTEGER, span INTEGER,"
	" status INTEGER, reason TEXT, time_ns INTEGER, bytes INTEGER,"
	" PRIMARY KEY (destination, sequence, span)) WITHOUT ROWID;"
	"PRAGMA application_id = " APPLICATION_ID ";";

/* Minute 0 has what is older than this, so that the sums stay whole. */
enum { LEDGER_MINUTES = 90 * 24 * 60, PRUNE_MINUTES = 60, FINISHED_ROWS_MAX = 4096 };

/*
 * Runs one statement with its values: 's' text, 'i' int64. `row` is called for each result row; it may
 * be NULL. 0 or negative errno.
 */
static int run(sqlite3 *db, const char *sql, int (*row)(void *arg, sqlite3_stmt *statement),
	void *arg, const char *types, ...)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL),
	    error = sqlite_errno(result);
	va_list values;
	va_start(values, types);
	for (int i = 0; types[i] && !error; i++) {
		if (types[i] == 's')
			result = sqlite3_bind_text(
				statement, i + 1, va_arg(values, const char *), -1, SQLITE_STATIC);
		else
			result = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
		error = sqlite_errno(result);
	}
	va_end(values);
	while (!error && (result = sqlite3_step(statement)) == SQLITE_ROW)
		error = row ? row(arg, statement) : 0;
	if (!error)
		error = sqlite_errno(result);
	sqlite3_finalize(statement);
	return error;
}

static int64_t checksum(
	const char *destination, const char *lane, uint64_t a, uint64_t b, uint64_t c)
{
	char text[2 * DELIVERY_NAME_MAX + 80];
	int len = snprintf(text, sizeof text, "%.63s/%.63s/%llu/%llu/%llu", destination, lane,
		(unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
	return crc32c(text, (size_t)len);
}

static const char *text_column(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	return text ? text : "";
}

static uint64_t number_column(sqlite3_stmt *statement, int column)
{
	return (uint64_t)sqlite3_column_int64(statement, column);
}

/* Of a row with destination and lane; NULL: no memory. */
static struct delivery *delivery_column(struct deliveries *deliveries, sqlite3_stmt *row)
{
	return delivery_find(deliveries, text_column(row, 0), text_column(row, 1));
}

static bool is_name(const char *text)
{
	return strlen(text) <= DELIVERY_NAME_MAX;
}

/* Whether destination and lane of a row, and its three numbers, are as we wrote them. */
static bool is_believed(sqlite3_stmt *row, int64_t sum, uint64_t a, uint64_t b, uint64_t c)
{
	const char *destination = text_column(row, 0), *lane = text_column(row, 1);
	return is_name(destination) && is_name(lane) && sum == checksum(destination, lane, a, b, c);
}

static int load_cursor(void *deliveries, sqlite3_stmt *row)
{
	uint64_t sequence = number_column(row, 2);
	if (!is_believed(row, sqlite3_column_int64(row, 3), sequence, 0, 0))
		return 0;
	struct delivery *delivery = delivery_column(deliveries, row);
	if (!delivery)
		return -ENOMEM;
	delivery->cursor = sequence;
	return 0;
}

static int load_finished(void *deliveries, sqlite3_stmt *row)
{
	uint64_t sequence = number_column(row, 2);
	uint64_t from = number_column(row, 3), to = number_column(row, 4);
	if (!is_believed(row, sqlite3_column_int64(row, 5), sequence, from, to) || from >= to ||
		to > UINT32_MAX)
		return 0;
	struct delivery *delivery = delivery_column(deliveries, row);
	if (!delivery)
		return -ENOMEM;
	if (sequence < delivery->cursor)
		return 0;
	return delivery_add_finished(delivery, sequence, (uint32_t)from, (uint32_t)to);
}

static int load_ledger(void *deliveries, sqlite3_stmt *row)
{
	if (!is_name(text_column(row, 0)))
		return 0;
	struct ledger *ledger = ledger_find(deliveries, text_column(row, 0));
	if (!ledger)
		return -ENOMEM;
	ledger->totals = (struct ledger_totals){
		.accepted = number_column(row, 1),
		.delivered = number_column(row, 2),
		.rejected = number_column(row, 3),
		.dead = number_column(row, 4),
		.dropped = number_column(row, 5),
	};
	return 0;
}

static int load_dead_bytes(void *deliveries, sqlite3_stmt *row)
{
	((struct deliveries *)deliveries)->dead_bytes = number_column(row, 0);
	return 0;
}

static int expect_ok(void *arg, sqlite3_stmt *row)
{
	return strcmp(text_column(row, 0), "ok") == 0 ? 0 : -EBADMSG;
}

static int expect_ours(void *arg, sqlite3_stmt *row)
{
	bool is_new = number_column(row, 1) == 0;
	return is_new || strcmp(text_column(row, 0), APPLICATION_ID) == 0 ? 0 : -EBADMSG;
}

static int load(struct deliveries *deliveries)
{
	sqlite3 *db = deliveries->db;
	int error = run(db, "PRAGMA quick_check(1)", expect_ok, NULL, "");
	if (!error)
		error = run(db,
			"SELECT application_id, (SELECT count(*) FROM sqlite_master)"
			" FROM pragma_application_id",
			expect_ours, NULL, "");
	if (!error)
		error = sqlite_errno(sqlite3_exec(db, schema, NULL, NULL, NULL));
	if (!error) /* first, because what is below a cursor is not kept */
		error = run(db, "SELECT * FROM cursor", load_cursor, deliveries, "");
	if (!error)
		error = run(db, "SELECT * FROM finished ORDER BY destination, lane, sequence",
			load_finished, deliveries, "");
	if (!error)
		error = run(db,
			"SELECT destination, sum(accepted), sum(delivered), sum(rejected),"
			" sum(dead), sum(dropped) FROM ledger GROUP BY destination",
			load_ledger, deliveries, "");
	if (!error)
		error = run(db, "SELECT coalesce(sum(bytes), 0) FROM dead_letter", load_dead_bytes,
			deliveries, "");
	return error;
}

static void name_file(const struct deliveries *deliveries, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/delivery.sqlite", deliveries->directory);
}

static int open_db(struct deliveries *deliveries)
{
	char path[PATH_MAX];
	name_file(deliveries, path);
	return sqlite_open(path, "", &deliveries->db);
}

static int make_db(struct deliveries *deliveries)
{
	int error = open_db(deliveries);
	return error ? error : sqlite_errno(sqlite3_exec(deliveries->db, schema, NULL, NULL, NULL));
}

static void mark_all_changed(struct deliveries *deliveries)
{
	pthread_mutex_lock(&deliveries->lock);
	for (struct delivery *delivery = deliveries->first; delivery; delivery = delivery->next)
		delivery->is_changed = true;
	for (struct ledger *ledger = deliveries->ledgers; ledger; ledger = ledger->next)
		ledger->pending = ledger->totals;
	pthread_mutex_unlock(&deliveries->lock);
}

/* Another file for one that is damaged: what was read of that one, and has happened since, goes in. */
static int replace_db(struct deliveries *deliveries)
{
	char path[PATH_MAX];
	sqlite3_close(deliveries->db);
	deliveries->db = NULL;
	name_file(deliveries, path);
	int error = sqlite_move_aside(path);
	if (error)
		return error;
	log_event(LOG_LEVEL_ERROR, "delivery_state_replaced", "moved_to=delivery.sqlite.damaged");
	mark_all_changed(deliveries);
	return make_db(deliveries);
}

int delivery_file_open(struct deliveries *deliveries)
{
	int error = open_db(deliveries);
	if (!error)
		error = load(deliveries);
	return error == -EBADMSG ? replace_db(deliveries) : error;
}

/* What one commit writes, copied so that nobody waits for the disk. */
struct snapshot {
	struct buf cursors;  /* struct cursor_row */
	struct buf finished; /* struct finished_row, in the order of cursors */
	struct buf ledgers;  /* struct ledger: name and pending */
	struct buf dead;
};
struct cursor_row {
	struct delivery *delivery;
	uint64_t cursor;
	size_t finished_count;
};
struct finished_row {
	uint64_t sequence;
	struct range range;
};

static void snapshot_delivery(struct snapshot *to, struct delivery *delivery)
{
	struct cursor_row row = { .delivery = delivery, .cursor = delivery->cursor };
	for (size_t i = 0; i < delivery->count; i++) {
		const struct entry *entry = &delivery->entries[i];
		for (uint32_t r = 0;
			r < entry->range_count && row.finished_count < FINISHED_ROWS_MAX; r++) {
			struct finished_row finished = { entry->sequence, entry->finished[r] };
			buf_append(&to->finished, &finished, sizeof finished);
			row.finished_count++;
		}
	}
	buf_append(&to->cursors, &row, sizeof row);
	delivery->is_changed = to->cursors.error || to->finished.error;
}

static void take_snapshot(struct deliveries *deliveries, struct snapshot *to)
{
	static const struct ledger_totals nothing;
	buf_init(&to->cursors, SIZE_MAX / 2, NULL);
	buf_init(&to->finished, SIZE_MAX / 2, NULL);
	buf_init(&to->ledgers, SIZE_MAX / 2, NULL);
	pthread_mutex_lock(&deliveries->lock);
	for (struct delivery *delivery = deliveries->first; delivery; delivery = delivery->next)
		if (delivery->is_changed)
			snapshot_delivery(to, delivery);
	for (struct ledger *ledger = deliveries->ledgers; ledger; ledger = ledger->next)
		if (memcmp(&ledger->pending, &nothing, sizeof nothing) != 0) {
			buf_append(&to->ledgers, ledger, sizeof *ledger);
			if (!to->ledgers.error)
				ledger->pending = nothing;
		}
	to->dead = deliveries->dead;
	buf_init(&deliveries->dead, to->dead.max_bytes, NULL);
	pthread_mutex_unlock(&deliveries->lock);
}

/* What could not be written is pending again. */
static void put_back(struct deliveries *deliveries, struct snapshot *from)
{
	const struct cursor_row *rows = (const void *)from->cursors.at;
	const struct ledger *ledgers = (const void *)from->ledgers.at;
	pthread_mutex_lock(&deliveries->lock);
	for (size_t i = 0; i < from->cursors.len / sizeof *rows; i++)
		rows[i].delivery->is_changed = true;
	for (size_t i = 0; i < from->ledgers.len / sizeof *ledgers; i++) {
		struct ledger *ledger = ledger_find(deliveries, ledgers[i].destination);
		ledger_add(&ledger->pending, &ledgers[i].pending);
	}
	buf_append(&from->dead, deliveries->dead.at, deliveries->dead.len);
	buf_done(&deliveries->dead);
	deliveries->dead = from->dead;
	deliveries->dead.error = 0;
	from->dead = (struct buf){ 0 };
	pthread_mutex_unlock(&deliveries->lock);
}

static int write_cursor(sqlite3 *db, const struct cursor_row *row,
	const struct finished_row *finished, size_t first)
{
	const char *destination = row->delivery->destination, *lane = row->delivery->lane;
	int error = run(db, "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", NULL, NULL, "ssii",
		destination, lane, (int64_t)row->cursor,
		checksum(destination, lane, row->cursor, 0, 0));
	if (!error)
		error = run(db, "DELETE FROM finished WHERE destination = ? AND lane = ?", NULL,
			NULL, "ss", destination, lane);
	for (size_t i = first; i < first + row->finished_count && !error; i++) {
		const struct range *range = &finished[i].range;
		error = run(db, "INSERT INTO finished VALUES (?, ?, ?, ?, ?, ?)", NULL, NULL,
			"ssiiii", destination, lane, (int64_t)finished[i].sequence,
			(int64_t)range->from, (int64_t)range->to,
			checksum(destination, lane, finished[i].sequence, range->from, range->to));
	}
	return error;
}

static int write_ledger(sqlite3 *db, const struct ledger *ledger, uint64_t minute)
{
	const struct ledger_totals *more = &ledger->pending;
	return run(db,
		"INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
		" accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered,"
		" rejected = rejected + excluded.rejected, dead = dead + excluded.dead,"
		" dropped = dropped + excluded.dropped",
		NULL, NULL, "isiiiii", (int64_t)minute, ledger->destination,
		(int64_t)more->accepted, (int64_t)more->delivered, (int64_t)more->rejected,
		(int64_t)more->dead, (int64_t)more->dropped);
}

static int prune_ledger(sqlite3 *db, uint64_t before_minute)
{
	int error = run(db,
		"INSERT INTO ledger SELECT 0, destination, sum(accepted), sum(delivered),"
		" sum(rejected), sum(dead), sum(dropped) FROM ledger WHERE minute > 0 AND minute < ?"
		" GROUP BY destination ON CONFLICT DO UPDATE SET"
		" accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered,"
		" rejected = rejected + excluded.rejected, dead = dead + excluded.dead,"
		" dropped = dropped + excluded.dropped",
		NULL, NULL, "i", (int64_t)before_minute);
	if (error)
		return error;
	return run(db, "DELETE FROM ledger WHERE minute > 0 AND minute < ?", NULL, NULL, "i",
		(int64_t)before_minute);
}

static int write_dead(sqlite3 *db, const struct dead_letter *letter)
{
	return run(db, "INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?)", NULL,
		NULL, "ssiiisii", letter->destination, letter->lane, (int64_t)letter->sequence,
		(int64_t)letter->span, (int64_t)letter->status, letter->reason,
		(int64_t)letter->time_ns, (int64_t)letter->bytes);
}

static int write_snapshot(struct deliveries *deliveries, const struct snapshot *from)
{
	sqlite3 *db = deliveries->db;
	const struct cursor_row *rows = (const void *)from->cursors.at;
	const struct finished_row *finished = (const void *)from->finished.at;
	const struct ledger *ledgers = (const void *)from->ledgers.at;
	const struct dead_letter *dead = (const void *)from->dead.at;
	uint64_t minute = clock_unix_ns() / 60000000000;
	bool is_prune_due =
		minute >= deliveries->pruned_minute + PRUNE_MINUTES && minute > LEDGER_MINUTES;

	size_t first = 0; /* of the row's finished ranges */
	int error = run(db, "BEGIN IMMEDIATE", NULL, NULL, "");
	for (size_t i = 0; i < from->cursors.len / sizeof *rows && !error; i++) {
		error = write_cursor(db, &rows[i], finished, first);
		first += rows[i].finished_count;
	}
	for (size_t i = 0; i < from->ledgers.len / sizeof *ledgers && !error; i++)
		error = write_ledger(db, &ledgers[i], minute);
	for (size_t i = 0; i < from->dead.len / sizeof *dead && !error; i++)
		error = write_dead(db, &dead[i]);
	if (!error && is_prune_due)
		error = prune_ledger(db, minute - LEDGER_MINUTES);
	if (!error)
		error = run(db, "COMMIT", NULL, NULL, "");
	if (error)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	else if (is_prune_due)
		deliveries->pruned_minute = minute;
	return error;
}

int deliveries_commit(struct deliveries *deliveries)
{
	struct snapshot snapshot;
	take_snapshot(deliveries, &snapshot);
	int error = snapshot.cursors.error ? snapshot.cursors.error :
		snapshot.finished.error    ? snapshot.finished.error :
					     snapshot.ledgers.error;
	if (!error && !deliveries->db)
		error = make_db(deliveries);
	if (!error && snapshot.cursors.len + snapshot.ledgers.len + snapshot.dead.len > 0)
		error = write_snapshot(deliveries, &snapshot);
	if (error)
		put_back(deliveries, &snapshot);
	if (error == -EBADMSG) { /* the next commit writes everything to another file */
		replace_db(deliveries);
		error = -EIO;
	}
	buf_done(&snapshot.cursors);
	buf_done(&snapshot.finished);
	buf_done(&snapshot.ledgers);
	buf_done(&snapshot.dead);
	return error;
}
