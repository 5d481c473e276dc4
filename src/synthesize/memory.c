#include "synthesize/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sqlite.h"
#include "batch.h"
#include "config/config.h"

enum { APPLICATION_ID = 0x5447534d /* "TGSM" */, SCHEMA_VERSION = 1 };

/* Rows are numbered as they come, so that the oldest are the first. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS span (row INTEGER PRIMARY KEY, id BLOB UNIQUE, day INTEGER);"
	"CREATE TABLE IF NOT EXISTS turn (row INTEGER PRIMARY KEY, session BLOB, key BLOB,"
	" number INTEGER, start INTEGER, day INTEGER, UNIQUE (session, key));"
	"CREATE TABLE IF NOT EXISTS fact (row INTEGER PRIMARY KEY, session BLOB, name BLOB, value BLOB,"
	" day INTEGER, UNIQUE (session, name));"
	"CREATE TABLE IF NOT EXISTS source (source BLOB, kind BLOB, since INTEGER,"
	" PRIMARY KEY (source, kind)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS position (one INTEGER PRIMARY KEY, inbox INTEGER, outbox INTEGER,"
	" travelled INTEGER, checksum INTEGER);";

enum statement {
	HAS_SPAN,
	TURNS,
	FACT,
	SINCE,
	POSITION,
	ADD_SPAN, /* from here on they write */
	ADD_TURN,
	ADD_FACT,
	ADD_SOURCE,
	SET_POSITION,
	TRIM_SPANS,
	TRIM_TURNS,
	TRIM_FACTS,
	STATEMENT_COUNT,
};

/* Of the oldest rows those that are too old or too many. */
#define TRIM(table) \
	"DELETE FROM " table " WHERE row IN (SELECT row FROM " table " ORDER BY row LIMIT 1000)" \
	" AND (day < ?1 OR row <= (SELECT max(row) FROM " table ") - ?2)"

static const char *const sql[STATEMENT_COUNT] = {
	[HAS_SPAN] = "SELECT 1 FROM span WHERE id = ?1",
	[TURNS] = "SELECT key, number, start FROM turn WHERE session = ?1 ORDER BY number, start",
	[FACT] = "SELECT value FROM fact WHERE session = ?1 AND name = ?2",
	[SINCE] = "SELECT since FROM source WHERE source = ?1 AND kind = ?2",
	[POSITION] = "SELECT inbox, outbox, travelled, checksum FROM position",
	[ADD_SPAN] = "INSERT OR IGNORE INTO span (id, day) VALUES (?1, ?2)",
	[ADD_TURN] = "INSERT OR IGNORE INTO turn (session, key, number, start, day)"
		     " VALUES (?1, ?2, ?3, ?4, ?5)",
	[ADD_FACT] = "INSERT OR REPLACE INTO fact (session, name, value, day)"
		     " VALUES (?1, ?2, ?3, ?4)",
	[ADD_SOURCE] = "INSERT OR IGNORE INTO source VALUES (?1, ?2, ?3)",
	[SET_POSITION] = "INSERT OR REPLACE INTO position VALUES (1, ?1, ?2, ?3, ?4)",
	[TRIM_SPANS] = TRIM("span"),
	[TRIM_TURNS] = TRIM("turn"),
	[TRIM_FACTS] = TRIM("fact"),
};

enum { VALUES_MAX = 5, TRIM_ROUNDS = 20, TRIM_ROWS = 1000 };

struct memory {
	struct memory_options options;
	char path[PATH_MAX];
	sqlite3 *db; /* NULL: could not be opened again */
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct memory_position position;
	/* What was said since the last commit: a failure may take all of an open transaction along. */
	struct buf said;
	bool is_lost; /* what was said is not all in the transaction */
};

/* A parameter of a statement. */
struct value {
	struct bytes blob; /* .at NULL: it is the number */
	int64_t number;
};

static struct value blob(struct bytes bytes)
{
	return (struct value){ { bytes.at ? bytes.at : (const uint8_t *)"", bytes.len }, 0 };
}

static struct value number(uint64_t number)
{
	return (struct value){ { 0 }, (int64_t)number };
}

static uint64_t today(void)
{
	return clock_unix_ns() / (UINT64_C(24) * 60 * 60 * 1000000000);
}

/* SQLite does not notice a flipped bit, and a position too high would pass over what was acknowledged. */
static uint64_t checksum(const struct memory_position *position)
{
	const uint64_t numbers[] = { position->inbox, position->outbox, position->travelled };
	return crc32(0, (const Bytef *)numbers, sizeof numbers);
}

/* ---- the file ---- */

static void close_db(struct memory *memory)
{
	for (enum statement at = 0; at < STATEMENT_COUNT; at++) {
		sqlite3_finalize(memory->statements[at]);
		memory->statements[at] = NULL;
	}
	sqlite3_close(memory->db);
	memory->db = NULL;
}

static int open_db(struct memory *memory)
{
	int error = sqlite_open(memory->path, "", &memory->db);
	if (!error)
		error = sqlite_claim(memory->db, APPLICATION_ID, SCHEMA_VERSION);
	if (!error) /* the log lets go what is committed, so that shall outlive a power cut */
		error = sqlite_errno(
			sqlite3_exec(memory->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL));
	if (!error)
		error = sqlite_errno(sqlite3_exec(memory->db, schema, NULL, NULL, NULL));
	for (enum statement at = 0; at < STATEMENT_COUNT && !error; at++)
		error = sqlite_errno(
			sqlite3_prepare_v2(memory->db, sql[at], -1, &memory->statements[at], NULL));
	if (error)
		close_db(memory);
	return error;
}

static int replace_db(struct memory *memory)
{
	close_db(memory);
	int error = sqlite_move_aside(memory->path);
	if (error)
		return error;
	log_event(LOG_LEVEL_ERROR, "sessions_state_replaced", "moved_to=sessions.sqlite.damaged");
	return open_db(memory);
}

/* ---- statements ---- */

static sqlite3_stmt *bind(struct memory *memory, enum statement at, const struct value *values)
{
	sqlite3_stmt *statement = memory->statements[at];
	int count = sqlite3_bind_parameter_count(statement);
	for (int i = 0; i < count; i++)
		if (values[i].blob.at)
			sqlite3_bind_blob64(statement, i + 1, values[i].blob.at, values[i].blob.len,
				SQLITE_STATIC);
		else
			sqlite3_bind_int64(statement, i + 1, values[i].number);
	return statement;
}

/* The end of a statement whose last step said `result`. */
static int finish(sqlite3_stmt *statement, int result)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return sqlite_errno(result);
}

static int write_now(struct memory *memory, enum statement at, const struct value *values)
{
	if (!memory->db)
		return -EIO;
	if (sqlite3_get_autocommit(memory->db)) {
		int result = sqlite3_exec(memory->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (result != SQLITE_OK)
			return sqlite_errno(result);
	}
	sqlite3_stmt *statement = bind(memory, at, values);
	return finish(statement, sqlite3_step(statement));
}

/* ---- what was said ---- */

/* In memory->said, with the bytes of its blobs behind it. */
struct saying {
	enum statement at;
	struct value values[VALUES_MAX];
};

static void say(struct memory *memory, const struct saying *saying)
{
	buf_append(&memory->said, saying, sizeof *saying);
	for (size_t i = 0; i < VALUES_MAX; i++)
		buf_append(&memory->said, saying->values[i].blob.at, saying->values[i].blob.len);
	if (!memory->is_lost && write_now(memory, saying->at, saying->values) < 0)
		memory->is_lost = true;
}

/* The next of them, from 0 on; false at the end. */
static bool next_saying(const struct memory *memory, size_t *at, struct saying *ret_saying)
{
	const uint8_t *from = memory->said.at + *at;
	if (*at == memory->said.len)
		return false;
	memcpy(ret_saying, from, sizeof *ret_saying);
	from += sizeof *ret_saying;
	for (size_t i = 0; i < VALUES_MAX; i++)
		if (ret_saying->values[i].blob.at) {
			ret_saying->values[i].blob.at = from;
			from += ret_saying->values[i].blob.len;
		}
	*at = (size_t)(from - memory->said.at);
	return true;
}

static int roll_back(struct memory *memory)
{
	if (!memory->db || sqlite3_get_autocommit(memory->db))
		return 0;
	return sqlite_errno(sqlite3_exec(memory->db, "ROLLBACK", NULL, NULL, NULL));
}

/* All of it once more, in a transaction of its own. */
static int say_again(struct memory *memory)
{
	struct saying saying;
	size_t at = 0;
	int error = memory->db ? roll_back(memory) : open_db(memory);
	while (!error && next_saying(memory, &at, &saying))
		error = write_now(memory, saying.at, saying.values);
	memory->is_lost = error < 0;
	return error;
}

/* ---- spans ---- */

/* The default project's spans are known by their ids alone. */
struct span_key {
	uint8_t at[24 + LANE_NAME_MAX];
	size_t len;
};

static struct span_key span_key(
	const char *lane, const uint8_t trace_id[16], const uint8_t span_id[8])
{
	struct span_key key = { .len = 24 };
	size_t len = strcmp(lane, DEFAULT_LANE) == 0 ? 0 : strlen(lane);
	memcpy(key.at, trace_id, 16);
	memcpy(key.at + 16, span_id, 8);
	memcpy(key.at + key.len, lane, len);
	key.len += len;
	return key;
}

static bool was_said(const struct memory *memory, struct bytes span)
{
	struct saying saying;
	for (size_t at = 0; next_saying(memory, &at, &saying);)
		if (saying.at == ADD_SPAN && bytes_equal(saying.values[0].blob, span))
			return true;
	return false;
}

bool memory_has_span(struct memory *memory, const char *lane, const uint8_t trace_id[16],
	const uint8_t span_id[8])
{
	const struct span_key key = span_key(lane, trace_id, span_id);
	const struct value span = blob((struct bytes){ key.at, key.len });
	if (memory->is_lost && was_said(memory, span.blob))
		return true;
	if (!memory->db)
		return false;
	sqlite3_stmt *statement = bind(memory, HAS_SPAN, &span);
	int result = sqlite3_step(statement);
	finish(statement, result);
	return result == SQLITE_ROW;
}

void memory_add_span(struct memory *memory, const char *lane, const uint8_t trace_id[16],
	const uint8_t span_id[8])
{
	const struct span_key key = span_key(lane, trace_id, span_id);
	say(memory,
		&(struct saying){
			ADD_SPAN, { blob((struct bytes){ key.at, key.len }), number(today()) } });
}

/* ---- turns ---- */

static struct bytes blob_column(sqlite3_stmt *row, int column)
{
	const uint8_t *at = sqlite3_column_blob(row, column);
	return (struct bytes){ at, (size_t)sqlite3_column_bytes(row, column) };
}

/* Keys follow each other in `keys`; they find their place when the array stops growing. */
static void add_turn(sqlite3_stmt *row, struct buf *turns, struct buf *keys)
{
	struct bytes key = blob_column(row, 0);
	struct remembered_turn turn = { { NULL, key.len }, (unsigned)sqlite3_column_int64(row, 1),
		(uint64_t)sqlite3_column_int64(row, 2) };
	buf_append(turns, &turn, sizeof turn);
	buf_append(keys, key.at, key.len);
}

int memory_turns(struct memory *memory, struct bytes session, struct remembered_turn **ret_turns,
	size_t *ret_count)
{
	struct buf turns, keys;
	buf_init(&turns, SIZE_MAX / 2, NULL);
	buf_init(&keys, SIZE_MAX / 2, NULL);
	if (memory->db) {
		const struct value value = blob(session);
		sqlite3_stmt *statement = bind(memory, TURNS, &value);
		int result;
		while ((result = sqlite3_step(statement)) == SQLITE_ROW)
			add_turn(statement, &turns, &keys);
		finish(statement, result);
	}
	size_t count = turns.len / sizeof **ret_turns;
	buf_append(&turns, keys.at, keys.len);
	int error = keys.error ? keys.error : turns.error;
	buf_done(&keys);
	if (error) {
		buf_done(&turns);
		return error;
	}
	struct remembered_turn *at = (void *)turns.at;
	const uint8_t *key = (const uint8_t *)(at + count);
	for (size_t i = 0; i < count; key += at[i++].key.len)
		at[i].key.at = key;
	*ret_turns = at;
	*ret_count = count;
	return 0;
}

void memory_add_turn(
	struct memory *memory, struct bytes session, const struct remembered_turn *turn)
{
	say(memory,
		&(struct saying){ ADD_TURN,
			{ blob(session), blob(turn->key), number(turn->number),
				number(turn->start_ns), number(today()) } });
}

/* ---- facts and sources ---- */

bool memory_fact(struct memory *memory, struct bytes session, const char *name, struct buf *value)
{
	if (!memory->db)
		return false;
	const struct value values[] = { blob(session), blob(bytes_of(name)) };
	sqlite3_stmt *statement = bind(memory, FACT, values);
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		struct bytes said = blob_column(statement, 0);
		buf_append(value, said.at, said.len);
	}
	finish(statement, result);
	return result == SQLITE_ROW;
}

void memory_add_fact(
	struct memory *memory, struct bytes session, const char *name, struct bytes value)
{
	say(memory,
		&(struct saying){ ADD_FACT,
			{ blob(session), blob(bytes_of(name)), blob(value), number(today()) } });
}

uint64_t memory_source_since(struct memory *memory, struct bytes source, const char *kind)
{
	if (!memory->db)
		return 0;
	const struct value values[] = { blob(source), blob(bytes_of(kind)) };
	sqlite3_stmt *statement = bind(memory, SINCE, values);
	int result = sqlite3_step(statement);
	uint64_t since = result == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	finish(statement, result);
	return since;
}

void memory_note_source(
	struct memory *memory, struct bytes source, const char *kind, uint64_t at_ns)
{
	say(memory,
		&(struct saying){
			ADD_SOURCE, { blob(source), blob(bytes_of(kind)), number(at_ns) } });
}

/* ---- position ---- */

struct memory_position memory_position(const struct memory *memory)
{
	return memory->position;
}

void memory_set_position(struct memory *memory, struct memory_position position)
{
	memory->position = position;
	say(memory,
		&(struct saying){ SET_POSITION,
			{ number(position.inbox), number(position.outbox),
				number(position.travelled), number(checksum(&position)) } });
}

static void read_position(struct memory *memory)
{
	sqlite3_stmt *row = bind(memory, POSITION, NULL);
	int result = sqlite3_step(row);
	if (result == SQLITE_ROW) {
		struct memory_position position = { (uint64_t)sqlite3_column_int64(row, 0),
			(uint64_t)sqlite3_column_int64(row, 1),
			(uint64_t)sqlite3_column_int64(row, 2) };
		if ((uint64_t)sqlite3_column_int64(row, 3) == checksum(&position))
			memory->position = position;
	}
	finish(row, result);
}

/* ---- the whole ---- */

int memory_open(const struct memory_options *options, struct memory **ret_memory)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (!memory)
		return -ENOMEM;
	memory->options = *options;
	buf_init(&memory->said, SIZE_MAX / 2, NULL);
	int length = snprintf(
		memory->path, sizeof memory->path, "%s/sessions.sqlite", options->directory);
	int error = length >= (int)sizeof memory->path ? -ENAMETOOLONG : open_db(memory);
	if (error == -EBADMSG)
		error = replace_db(memory);
	if (error) {
		memory_close(memory);
		return error;
	}
	read_position(memory);
	*ret_memory = memory;
	return 0;
}

void memory_close(struct memory *memory)
{
	if (!memory)
		return;
	close_db(memory);
	buf_done(&memory->said);
	free(memory);
}

static int trim(struct memory *memory, enum statement at)
{
	const struct value bounds[] = { number(today() - memory->options.max_age_days),
		number(memory->options.max_spans) };
	int error = 0;
	for (int round = 0; round < TRIM_ROUNDS && !error; round++) {
		error = write_now(memory, at, bounds);
		if (sqlite3_changes(memory->db) < TRIM_ROWS)
			break;
	}
	return error;
}

int memory_commit(struct memory *memory)
{
	int error = memory->said.error;
	if (!error && memory->said.len == 0)
		return 0;
	if (!error && memory->is_lost)
		error = say_again(memory);
	for (enum statement at = TRIM_SPANS; at <= TRIM_FACTS && !error; at++)
		error = trim(memory, at);
	if (!error)
		error = sqlite_errno(sqlite3_exec(memory->db, "COMMIT", NULL, NULL, NULL));
	if (!error) {
		memory->said.len = 0;
		return 0;
	}
	roll_back(memory);
	memory->is_lost = true;
	if (error == -EBADMSG) { /* the next commit writes to another file what was said since */
		replace_db(memory);
		error = -EIO;
	}
	return error;
}
