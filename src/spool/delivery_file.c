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
#define SCHEMA_VERSION 1
#define SET_VERSION "PRAGMA user_version = 1;"
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS cursor (destination TEXT, lane TEXT, sequence INTEGER, checksum INTEGER,"
	" PRIMARY KEY (destination, lane)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS finished (destination TEXT, lane TEXT, sequence INTEGER,"
	" from_span INTEGER, to_span INTEGER, checksum INTEGER,"
	" PRIMARY KEY (destination, lane, sequence, from_span)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS finished_run (destination TEXT, lane TEXT, first INTEGER, last INTEGER,"
	" checksum INTEGER, PRIMARY KEY (destination, lane, first)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS account (destination TEXT, lane TEXT, counted INTEGER, takes INTEGER,"
	" checksum INTEGER, PRIMARY KEY (destination, lane)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS ledger (minute INTEGER, destination TEXT, lane TEXT, accepted INTEGER,"
	" delivered INTEGER, rejected INTEGER, dead INTEGER, dropped INTEGER, damaged INTEGER,"
	" PRIMARY KEY (minute, destination, lane)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS dead_letter (destination TEXT, lane TEXT, sequence INTEGER, span INTEGER,"
	" status INTEGER, reason TEXT, time_ns INTEGER, bytes INTEGER, spans INTEGER, signal INTEGER,"
	" encoding INTEGER, PRIMARY KEY (destination, sequence, span)) WITHOUT ROWID;"
	"PRAGMA application_id = " APPLICATION_ID ";" SET_VERSION;

/*
 * From the first version, which knew neither lanes in the ledger nor what was accepted for whom. That is
 * settled by delivery_begin, as for whoever has no account.
 */
static const char migration[] =
	"BEGIN IMMEDIATE;"
	"ALTER TABLE ledger RENAME TO ledger_0;"
	"CREATE TABLE ledger (minute INTEGER, destination TEXT, lane TEXT, accepted INTEGER,"
	" delivered INTEGER, rejected INTEGER, dead INTEGER, dropped INTEGER, damaged INTEGER,"
	" PRIMARY KEY (minute, destination, lane)) WITHOUT ROWID;"
	"INSERT INTO ledger SELECT minute, destination, 'default', 0, delivered, rejected, dead, dropped, 0"
	" FROM ledger_0 WHERE destination <> '';"
	"DROP TABLE ledger_0;"
	"ALTER TABLE dead_letter ADD COLUMN spans INTEGER DEFAULT 1;"
	"ALTER TABLE dead_letter ADD COLUMN signal INTEGER DEFAULT 1;"
	"ALTER TABLE dead_letter ADD COLUMN encoding INTEGER DEFAULT 0;" SET_VERSION "COMMIT;";

/* Minute 0 has what is older than this, so that the sums stay whole. */
enum { PRUNE_MINUTES = 60 };

/* Questions wait for a checkpoint at most, never for a commit. */
enum { BUSY_TIMEOUT_MS = 2000 };

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

static int load_run(void *deliveries, sqlite3_stmt *row)
{
	uint64_t first = number_column(row, 2), last = number_column(row, 3);
	if (!is_believed(row, sqlite3_column_int64(row, 4), first, last, 0) || first >= last)
		return 0;
	struct delivery *delivery = delivery_column(deliveries, row);
	if (!delivery)
		return -ENOMEM;
	return last < delivery->cursor ? 0 : delivery_add_run(delivery, first, last);
}

static int load_account(void *deliveries, sqlite3_stmt *row)
{
	uint64_t counted = number_column(row, 2), takes = number_column(row, 3);
	if (!is_believed(row, sqlite3_column_int64(row, 4), counted, takes, 0))
		return 0;
	struct delivery *delivery = delivery_column(deliveries, row);
	if (!delivery)
		return -ENOMEM;
	delivery->counted = counted;
	delivery->takes = (unsigned)takes;
	return 0;
}

static struct ledger_sums sums_columns(sqlite3_stmt *row, int column)
{
	struct ledger_sums sums = { .accepted = sqlite3_column_int64(row, column) };
	for (int i = 0; i < OUTCOME_COUNT; i++)
		sums.finished[i] = sqlite3_column_int64(row, column + 1 + i);
	return sums;
}

static int load_sums(void *deliveries, sqlite3_stmt *row)
{
	if (!is_name(text_column(row, 0)) || !is_name(text_column(row, 1)))
		return 0;
	struct delivery *delivery = delivery_column(deliveries, row);
	if (!delivery)
		return -ENOMEM;
	delivery->sums = sums_columns(row, 2);
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

/* Ours, and of which version: -1 when nothing is in it. */
static int read_version(void *version, sqlite3_stmt *row)
{
	bool is_new = number_column(row, 2) == 0;
	if (!is_new && strcmp(text_column(row, 0), APPLICATION_ID) != 0)
		return -EBADMSG;
	*(int64_t *)version = is_new ? -1 : sqlite3_column_int64(row, 1);
	return *(int64_t *)version > SCHEMA_VERSION ? -EBADMSG : 0;
}

#define ADD_SUMS \
	" accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered," \
	" rejected = rejected + excluded.rejected, dead = dead + excluded.dead," \
	" dropped = dropped + excluded.dropped, damaged = damaged + excluded.damaged"
#define SELECT_SUMS \
	"SELECT destination, lane, sum(accepted), sum(delivered), sum(rejected), sum(dead)," \
	" sum(dropped), sum(damaged) FROM ledger"

static int load(struct deliveries *deliveries)
{
	sqlite3 *db = deliveries->db;
	int64_t version = -1;
	int error = run(db, "PRAGMA quick_check(1)", expect_ok, NULL, "");
	if (!error)
		error = run(db,
			"SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
			" FROM pragma_application_id, pragma_user_version",
			read_version, &version, "");
	if (!error && version == 0)
		error = sqlite_errno(sqlite3_exec(db, migration, NULL, NULL, NULL));
	if (!error)
		error = sqlite_errno(sqlite3_exec(db, schema, NULL, NULL, NULL));
	if (!error) /* first, because what is below a cursor is not kept */
		error = run(db, "SELECT * FROM cursor", load_cursor, deliveries, "");
	if (!error)
		error = run(db, "SELECT * FROM finished_run ORDER BY destination, lane, first",
			load_run, deliveries, "");
	if (!error)
		error = run(db, "SELECT * FROM finished ORDER BY destination, lane, sequence",
			load_finished, deliveries, "");
	if (!error)
		error = run(db, "SELECT * FROM account", load_account, deliveries, "");
	if (!error)
		error = run(
			db, SELECT_SUMS " GROUP BY destination, lane", load_sums, deliveries, "");
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
	int error = sqlite_open(path, "", &deliveries->db);
	if (error) /* the log lets go what is committed, so that shall outlive a power cut */
		return error;
	return sqlite_errno(
		sqlite3_exec(deliveries->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL));
}

static int make_db(struct deliveries *deliveries)
{
	int error = open_db(deliveries);
	return error ? error : sqlite_errno(sqlite3_exec(deliveries->db, schema, NULL, NULL, NULL));
}

static void mark_all_changed(struct deliveries *deliveries)
{
	pthread_mutex_lock(&deliveries->lock);
	for (struct delivery *delivery = deliveries->first; delivery; delivery = delivery->next) {
		delivery->is_changed = true;
		delivery->pending = delivery->sums;
	}
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
	struct buf rows;     /* struct delivery_row */
	struct buf finished; /* struct finished_row, in the order of rows */
	struct buf letters;  /* struct letter_change */
	uint64_t needed_from;
};
struct delivery_row {
	struct delivery *delivery;
	uint64_t cursor, counted;
	unsigned takes;
	struct ledger_sums pending;
	size_t finished_count;
};
struct finished_row {
	uint64_t first, last;
	struct range range; /* of a row that is no run */
};

static void snapshot_delivery(struct snapshot *to, struct delivery *delivery)
{
	struct delivery_row row = { delivery, delivery->cursor, delivery->counted, delivery->takes,
		delivery->pending, 0 };
	for (size_t i = 0; i < delivery->count; i++) {
		const struct entry *entry = &delivery->entries[i];
		struct finished_row finished = { entry->sequence, entry->last, { 0, 0 } };
		uint32_t rows = entry_is_run(entry) ? 1 : entry->range_count;
		for (uint32_t r = 0; r < rows; r++, row.finished_count++) {
			if (!entry_is_run(entry))
				finished.range = entry->finished[r];
			buf_append(&to->finished, &finished, sizeof finished);
		}
	}
	buf_append(&to->rows, &row, sizeof row);
	if (to->rows.error || to->finished.error)
		return;
	delivery->is_changed = false;
	delivery->pending = (struct ledger_sums){ 0 };
}

static void snapshot_letters(struct snapshot *to, const struct deliveries *deliveries)
{
	const struct letter_change *changes = (const void *)deliveries->letters.at;
	for (size_t i = 0; i < deliveries->letters.len / sizeof *changes; i++)
		if (changes[i].action != LETTER_STAYS)
			buf_append(&to->letters, &changes[i], sizeof changes[i]);
}

/* Below what is finished and counted for everybody who does not yield, no start needs a record. */
static uint64_t needed_from(const struct deliveries *deliveries)
{
	uint64_t from = 0;
	for (const struct delivery *at = deliveries->first; at; at = at->next) {
		bool is_ahead = at->counted < at->cursor || at->is_yielding;
		uint64_t own = is_ahead ? at->counted : at->cursor;
		if (at->is_live && (!from || own < from))
			from = own;
	}
	return from;
}

static void take_snapshot(struct deliveries *deliveries, struct snapshot *to)
{
	buf_init(&to->rows, SIZE_MAX / 2, NULL);
	buf_init(&to->finished, SIZE_MAX / 2, NULL);
	buf_init(&to->letters, SIZE_MAX / 2, NULL);
	pthread_mutex_lock(&deliveries->lock);
	for (struct delivery *delivery = deliveries->first; delivery; delivery = delivery->next)
		if (delivery->is_changed)
			snapshot_delivery(to, delivery);
	snapshot_letters(to, deliveries);
	to->needed_from = needed_from(deliveries);
	pthread_mutex_unlock(&deliveries->lock);
}

/* What could not be written is pending again. */
static void put_back(struct deliveries *deliveries, const struct snapshot *from)
{
	const struct delivery_row *rows = (const void *)from->rows.at;
	pthread_mutex_lock(&deliveries->lock);
	for (size_t i = 0; i < from->rows.len / sizeof *rows; i++) {
		struct delivery *delivery = rows[i].delivery;
		delivery->is_changed = true;
		sums_add(&delivery->pending, &rows[i].pending);
	}
	pthread_mutex_unlock(&deliveries->lock);
}

static int write_finished(
	sqlite3 *db, const struct delivery *delivery, const struct finished_row *row)
{
	const char *destination = delivery->destination, *lane = delivery->lane;
	if (row->last > row->first)
		return run(db, "INSERT INTO finished_run VALUES (?, ?, ?, ?, ?)", NULL, NULL,
			"ssiii", destination, lane, (int64_t)row->first, (int64_t)row->last,
			checksum(destination, lane, row->first, row->last, 0));
	return run(db, "INSERT INTO finished VALUES (?, ?, ?, ?, ?, ?)", NULL, NULL, "ssiiii",
		destination, lane, (int64_t)row->first, (int64_t)row->range.from,
		(int64_t)row->range.to,
		checksum(destination, lane, row->first, row->range.from, row->range.to));
}

static int write_sums(sqlite3 *db, const struct delivery *delivery, const struct ledger_sums *more,
	uint64_t minute)
{
	static const struct ledger_sums nothing;
	if (memcmp(more, &nothing, sizeof nothing) == 0)
		return 0;
	return run(db,
		"INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET" ADD_SUMS,
		NULL, NULL, "issiiiiii", (int64_t)minute, delivery->destination, delivery->lane,
		more->accepted, more->finished[OUTCOME_DELIVERED], more->finished[OUTCOME_REJECTED],
		more->finished[OUTCOME_DEAD], more->finished[OUTCOME_DROPPED],
		more->finished[OUTCOME_DAMAGED]);
}

static int write_delivery(sqlite3 *db, const struct delivery_row *row,
	const struct finished_row *finished, uint64_t minute)
{
	const char *destination = row->delivery->destination, *lane = row->delivery->lane;
	int error = run(db, "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", NULL, NULL, "ssii",
		destination, lane, (int64_t)row->cursor,
		checksum(destination, lane, row->cursor, 0, 0));
	if (!error && row->counted)
		error = run(db, "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?)", NULL, NULL,
			"ssiii", destination, lane, (int64_t)row->counted, (int64_t)row->takes,
			checksum(destination, lane, row->counted, row->takes, 0));
	if (!error)
		error = run(db, "DELETE FROM finished WHERE destination = ? AND lane = ?", NULL,
			NULL, "ss", destination, lane);
	if (!error)
		error = run(db, "DELETE FROM finished_run WHERE destination = ? AND lane = ?", NULL,
			NULL, "ss", destination, lane);
	for (size_t i = 0; i < row->finished_count && !error; i++)
		error = write_finished(db, row->delivery, &finished[i]);
	return error ? error : write_sums(db, row->delivery, &row->pending, minute);
}

static int prune_ledger(sqlite3 *db, uint64_t before_minute)
{
	int error = run(db,
		"INSERT INTO ledger SELECT 0, destination, lane, sum(accepted), sum(delivered),"
		" sum(rejected), sum(dead), sum(dropped), sum(damaged) FROM ledger"
		" WHERE minute > 0 AND minute < ?"
		" GROUP BY destination, lane ON CONFLICT DO UPDATE SET" ADD_SUMS,
		NULL, NULL, "i", (int64_t)before_minute);
	if (error)
		return error;
	return run(db, "DELETE FROM ledger WHERE minute > 0 AND minute < ?", NULL, NULL, "i",
		(int64_t)before_minute);
}

static int write_letter(sqlite3 *db, const struct letter_change *change)
{
	const struct dead_letter *letter = &change->letter;
	if (change->action == LETTER_REMOVE)
		return run(db,
			"DELETE FROM dead_letter WHERE destination = ? AND sequence = ? AND span = ?",
			NULL, NULL, "sii", letter->destination, (int64_t)letter->sequence,
			(int64_t)letter->span);
	return run(db,
		"INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", NULL,
		NULL, "ssiiisiiiii", letter->destination, letter->lane, (int64_t)letter->sequence,
		(int64_t)letter->span, (int64_t)letter->status, letter->reason,
		(int64_t)letter->time_ns, (int64_t)letter->bytes, (int64_t)letter->span_count,
		(int64_t)letter->signal, (int64_t)letter->encoding);
}

static int write_snapshot(struct deliveries *deliveries, const struct snapshot *from)
{
	sqlite3 *db = deliveries->db;
	const struct delivery_row *rows = (const void *)from->rows.at;
	const struct finished_row *finished = (const void *)from->finished.at;
	const struct letter_change *letters = (const void *)from->letters.at;
	uint64_t minute = clock_unix_ns() / 60000000000;
	bool is_prune_due =
		minute >= deliveries->pruned_minute + PRUNE_MINUTES && minute > LEDGER_MINUTES;

	int error = run(db, "BEGIN IMMEDIATE", NULL, NULL, "");
	for (size_t i = 0; i < from->rows.len / sizeof *rows && !error; i++) {
		error = write_delivery(db, &rows[i], finished, minute);
		if (finished)
			finished += rows[i].finished_count;
	}
	for (size_t i = 0; i < from->letters.len / sizeof *letters && !error; i++)
		error = write_letter(db, &letters[i]);
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
	int error = snapshot.rows.error ? snapshot.rows.error :
		snapshot.finished.error ? snapshot.finished.error :
					  snapshot.letters.error;
	if (!error && !deliveries->db)
		error = make_db(deliveries);
	if (!error && snapshot.rows.len + snapshot.letters.len > 0)
		error = write_snapshot(deliveries, &snapshot);
	if (error)
		put_back(deliveries, &snapshot);
	else
		letters_committed(deliveries, buf_bytes(&snapshot.letters));
	if (error == -EBADMSG) { /* the next commit writes everything to another file */
		replace_db(deliveries);
		error = -EIO;
	}
	deliveries->needed_from = snapshot.needed_from;
	buf_done(&snapshot.rows);
	buf_done(&snapshot.finished);
	buf_done(&snapshot.letters);
	return error;
}

/* ---- questions, over a connection of their own ---- */

static int open_to_read(const struct deliveries *deliveries, sqlite3 **ret_db)
{
	char path[PATH_MAX];
	sqlite3 *db = NULL;
	name_file(deliveries, path);
	int result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	if (result != SQLITE_OK) {
		sqlite3_close(db);
		return sqlite_errno(result);
	}
	*ret_db = db;
	return 0;
}

struct sums_question {
	void (*each)(void *arg, const char *destination, const char *lane,
		const struct ledger_sums *sums);
	void *arg;
};

static int tell_sums(void *arg, sqlite3_stmt *row)
{
	const struct sums_question *question = arg;
	struct ledger_sums sums = sums_columns(row, 2);
	question->each(question->arg, text_column(row, 0), text_column(row, 1), &sums);
	return 0;
}

int delivery_file_sums(struct deliveries *deliveries, uint64_t before_minute,
	void (*each)(void *arg, const char *destination, const char *lane,
		const struct ledger_sums *sums),
	void *arg)
{
	struct sums_question question = { each, arg };
	sqlite3 *db;
	int error = open_to_read(deliveries, &db);
	if (error)
		return error;
	error = run(db, SELECT_SUMS " WHERE minute < ? GROUP BY destination, lane", tell_sums,
		&question, "i", (int64_t)before_minute);
	sqlite3_close(db);
	return error;
}

static void letter_columns(sqlite3_stmt *row, struct dead_letter *letter)
{
	int signal = sqlite3_column_int(row, 9), encoding = sqlite3_column_int(row, 10);
	bool is_signal = signal >= SIGNAL_TRACES && signal < SIGNAL_COUNT;
	*letter = (struct dead_letter){
		.sequence = number_column(row, 2),
		.span = (uint32_t)number_column(row, 3),
		.status = sqlite3_column_int(row, 4),
		.time_ns = number_column(row, 6),
		.bytes = (uint32_t)number_column(row, 7),
		.span_count = (uint32_t)number_column(row, 8),
		.signal = is_signal ? (enum signal)signal : SIGNAL_TRACES,
		.encoding = encoding == ENCODING_GZIP ? ENCODING_GZIP : ENCODING_IDENTITY,
	};
	snprintf(letter->destination, sizeof letter->destination, "%s", text_column(row, 0));
	snprintf(letter->lane, sizeof letter->lane, "%s", text_column(row, 1));
	snprintf(letter->reason, sizeof letter->reason, "%s", text_column(row, 5));
}

struct letter_question {
	int (*each)(void *arg, const struct dead_letter *letter);
	void *arg;
	int result; /* of `each`, which may be positive */
};

static int tell_letter(void *arg, sqlite3_stmt *row)
{
	struct letter_question *question = arg;
	struct dead_letter letter;
	letter_columns(row, &letter);
	question->result = question->each(question->arg, &letter);
	return question->result;
}

int delivery_file_letters(struct deliveries *deliveries, const struct dead_letter *after,
	int (*each)(void *arg, const struct dead_letter *letter), void *arg)
{
	struct letter_question question = { .each = each, .arg = arg };
	sqlite3 *db;
	int error = open_to_read(deliveries, &db);
	if (error)
		return error;
	error = run(db,
		"SELECT * FROM dead_letter WHERE (destination, sequence, span) > (?, ?, ?)"
		" ORDER BY destination, sequence, span",
		tell_letter, &question, "sii", after ? after->destination : "",
		after ? (int64_t)after->sequence : 0, after ? (int64_t)after->span : 0);
	sqlite3_close(db);
	return question.result ? question.result : error;
}

static int take_letter(void *letter, sqlite3_stmt *row)
{
	letter_columns(row, letter);
	return 0;
}

int delivery_file_letter(struct deliveries *deliveries, struct dead_letter *letter)
{
	struct dead_letter found = { 0 };
	sqlite3 *db;
	int error = open_to_read(deliveries, &db);
	if (error)
		return error;
	error = run(db,
		"SELECT * FROM dead_letter WHERE destination = ? AND sequence = ? AND span = ?",
		take_letter, &found, "sii", letter->destination, (int64_t)letter->sequence,
		(int64_t)letter->span);
	sqlite3_close(db);
	if (!error && !found.destination[0])
		error = -ENOENT;
	if (!error)
		*letter = found;
	return error;
}
