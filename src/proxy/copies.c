#include "proxy/copies.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/log.h"
#include "base/sqlite.h"

enum { APPLICATION_ID = 0x54474350 /* "TGCP" */, SCHEMA_VERSION = 1 };

/*
 * Targets are hashes: what a caller wrote into a query is nobody's. Times are Unix ns. `bytes` is what a copy
 * counts for; the second index is all that trimming reads.
 */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS copy (row INTEGER PRIMARY KEY, lane TEXT, target BLOB NOT NULL,"
	" content_type TEXT, kept INTEGER, asked INTEGER, bytes INTEGER, checksum INTEGER, body BLOB,"
	" UNIQUE (lane, target));"
	"CREATE INDEX IF NOT EXISTS asked ON copy (asked, bytes);";

enum statement {
	KEEP,
	FIND,
	ASKED,
	FORGET,
	TRIM,
	SUM,
	STATEMENT_COUNT,
};

static const char *const sql[STATEMENT_COUNT] = {
	/* What is asked for all the time is not written all the time. */
	[KEEP] =
		"INSERT INTO copy (lane, target, content_type, kept, asked, bytes, checksum, body)"
		" VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)"
		" ON CONFLICT (lane, target) DO UPDATE SET content_type = ?3, kept = ?4, asked = ?4,"
		" bytes = ?5, checksum = ?6, body = ?7"
		" WHERE checksum <> ?6 OR abs(?4 - kept) >= 1000000000",
	[FIND] =
		"SELECT content_type, kept, checksum, body FROM copy WHERE lane = ?1 AND target = ?2",
	[ASKED] = "UPDATE copy SET asked = ?3"
		  " WHERE lane = ?1 AND target = ?2 AND ?3 - asked >= 1000000000",
	[FORGET] = "DELETE FROM copy WHERE lane = ?1 AND target = ?2",
	[TRIM] = "DELETE FROM copy WHERE row IN (SELECT row FROM (SELECT row, sum(bytes) OVER"
		 " (ORDER BY asked DESC, row DESC) AS so_far FROM copy) WHERE so_far > ?1)",
	[SUM] = "SELECT total(bytes) FROM copy",
};

/* A row takes room beside its body, so that empty bodies are bounded too. */
enum { ROW_BYTES = 256, LOG_INTERVAL_MS = 60000 };

struct copies {
	struct copies_options options;
	char path[PATH_MAX];
	sqlite3 *db; /* NULL: could not be opened again */
	sqlite3_stmt *statements[STATEMENT_COUNT];
	uint64_t bytes; /* of all copies at most */
	struct log_gate gate;
};

/* ---- the file ---- */

static void close_db(struct copies *copies)
{
	for (enum statement at = 0; at < STATEMENT_COUNT; at++) {
		sqlite3_finalize(copies->statements[at]);
		copies->statements[at] = NULL;
	}
	sqlite3_close(copies->db);
	copies->db = NULL;
}

/* The end of a statement whose last step said `result`. */
static int finish(sqlite3_stmt *statement, int result)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return sqlite_errno(result);
}

static int sum_up(struct copies *copies)
{
	sqlite3_stmt *row = copies->statements[SUM];
	int result = sqlite3_step(row);
	if (result == SQLITE_ROW)
		copies->bytes = (uint64_t)sqlite3_column_int64(row, 0);
	return finish(row, result);
}

static int open_db(struct copies *copies)
{
	/* Nobody else reads it, and a power cut may take it along. */
	int error = sqlite_open(copies->path, "PRAGMA locking_mode = EXCLUSIVE", &copies->db);
	if (!error)
		error = sqlite_claim(copies->db, APPLICATION_ID, SCHEMA_VERSION);
	if (!error)
		error = sqlite_errno(
			sqlite3_exec(copies->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL));
	if (!error)
		error = sqlite_errno(sqlite3_exec(copies->db, schema, NULL, NULL, NULL));
	for (enum statement at = 0; at < STATEMENT_COUNT && !error; at++)
		error = sqlite_errno(
			sqlite3_prepare_v2(copies->db, sql[at], -1, &copies->statements[at], NULL));
	if (!error)
		error = sum_up(copies);
	if (error)
		close_db(copies);
	return error;
}

static int replace_db(struct copies *copies)
{
	close_db(copies);
	int error = sqlite_move_aside(copies->path);
	if (error)
		return error;
	log_event(LOG_LEVEL_ERROR, "prompt_copies_replaced", "moved_to=copies.sqlite.damaged");
	return open_db(copies);
}

static int open_or_replace(struct copies *copies)
{
	int error = open_db(copies);
	return error == -EBADMSG ? replace_db(copies) : error;
}

/* What went wrong concerns copies alone: it is told, and a damaged file makes room for a new one. */
static void settle(struct copies *copies, int error)
{
	uint64_t held;
	if (!error)
		return;
	if (log_gate_open(&copies->gate, LOG_INTERVAL_MS, &held))
		log_event(LOG_LEVEL_WARNING, "prompt_not_copied", "error=\"%s\" lines_held=%llu",
			strerror(-error), (unsigned long long)held);
	if (error == -EBADMSG)
		replace_db(copies);
}

int copies_open(const struct copies_options *options, struct copies **ret_copies)
{
	struct copies *copies = calloc(1, sizeof *copies);
	if (!copies)
		return -ENOMEM;
	copies->options = *options;
	int length =
		snprintf(copies->path, sizeof copies->path, "%s/copies.sqlite", options->directory);
	int error = length >= (int)sizeof copies->path ? -ENAMETOOLONG : open_or_replace(copies);
	if (error) {
		copies_close(copies);
		return error;
	}
	*ret_copies = copies;
	return 0;
}

void copies_close(struct copies *copies)
{
	if (!copies)
		return;
	close_db(copies);
	free(copies);
}

/* ---- copies ---- */

/* SQLite does not notice a flipped bit, and applications do what a prompt says. */
static uint32_t checksum(const char *content_type, struct bytes body)
{
	uLong sum = crc32_z(0, (const Bytef *)content_type, strlen(content_type) + 1);
	return (uint32_t)(body.len ? crc32_z(sum, body.at, body.len) : sum);
}

static sqlite3_stmt *bind(
	struct copies *copies, enum statement at, const char *lane, const char *target)
{
	sqlite3_stmt *statement = copies->statements[at];
	uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
	size_t len = 0;
	/* Without a digest no row is met: NULL equals nothing. */
	bool is_hashed =
		EVP_Q_digest(NULL, "SHA256", NULL, target, strlen(target), digest, &len) == 1;
	sqlite3_bind_text(statement, 1, lane, -1, SQLITE_STATIC);
	if (is_hashed)
		sqlite3_bind_blob(statement, 2, digest, (int)len, SQLITE_TRANSIENT);
	return statement;
}

/* An eighth more than what is needed goes, so that this is seldom. */
static int make_room(struct copies *copies, uint64_t bytes)
{
	uint64_t max_bytes = copies->options.max_bytes, most = max_bytes - max_bytes / 8;
	if (copies->bytes + bytes <= max_bytes)
		return 0;
	sqlite3_stmt *statement = copies->statements[TRIM];
	sqlite3_bind_int64(statement, 1, most > bytes ? (int64_t)(most - bytes) : 0);
	int error = finish(statement, sqlite3_step(statement));
	return error ? error : sum_up(copies);
}

static int keep(struct copies *copies, const char *lane, const char *target,
	const char *content_type, struct bytes body, uint64_t now_ns)
{
	uint64_t bytes = body.len + ROW_BYTES;
	if (bytes > copies->options.max_bytes)
		return 0;
	int error = copies->db ? 0 : open_or_replace(copies);
	if (!error)
		error = make_room(copies, bytes);
	if (error)
		return error;
	sqlite3_stmt *statement = bind(copies, KEEP, lane, target);
	sqlite3_bind_text(statement, 3, content_type, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, (int64_t)now_ns);
	sqlite3_bind_int64(statement, 5, (int64_t)bytes);
	sqlite3_bind_int64(statement, 6, checksum(content_type, body));
	sqlite3_bind_blob64(
		statement, 7, body.len ? body.at : (const uint8_t *)"", body.len, SQLITE_STATIC);
	error = finish(statement, sqlite3_step(statement));
	if (!error && sqlite3_changes(copies->db) > 0)
		copies->bytes += bytes;
	return error;
}

void copies_keep(struct copies *copies, const char *lane, const char *target,
	const char *content_type, struct bytes body, uint64_t now_ns)
{
	bool is_small = body.len <= copies->options.max_copy_bytes &&
		strlen(content_type) < sizeof((struct copy *)NULL)->content_type;
	if (is_small)
		settle(copies, keep(copies, lane, target, content_type, body, now_ns));
}

static int read_copy(sqlite3_stmt *row, uint64_t now_ns, struct copy *ret_copy)
{
	struct copy copy = { 0 };
	struct bytes body = { sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3) };
	uint64_t kept_ns = (uint64_t)sqlite3_column_int64(row, 1);
	const char *content_type = (const char *)sqlite3_column_text(row, 0);
	snprintf(copy.content_type, sizeof copy.content_type, "%s",
		content_type ? content_type : "");
	if (checksum(copy.content_type, body) != sqlite3_column_int64(row, 2))
		return -EBADMSG;
	copy.age_ms = now_ns > kept_ns ? (now_ns - kept_ns) / 1000000 : 0;
	buf_init(&copy.body, body.len, NULL);
	buf_append(&copy.body, body.at, body.len);
	if (copy.body.error)
		return copy.body.error;
	*ret_copy = copy;
	return 0;
}

static int forget(struct copies *copies, const char *lane, const char *target)
{
	sqlite3_stmt *statement = bind(copies, FORGET, lane, target);
	return finish(statement, sqlite3_step(statement));
}

int copies_find(struct copies *copies, const char *lane, const char *target, uint64_t now_ns,
	struct copy *ret_copy)
{
	struct copy copy;
	if (!copies->db)
		return -ENOENT;
	sqlite3_stmt *statement = bind(copies, FIND, lane, target);
	int result = sqlite3_step(statement);
	int error = result == SQLITE_ROW ? read_copy(statement, now_ns, &copy) : -ENOENT;
	int file_error = finish(statement, result);
	if (error == -EBADMSG) { /* that one alone */
		file_error = forget(copies, lane, target);
		error = -ENOENT;
	} else if (!error) {
		statement = bind(copies, ASKED, lane, target);
		sqlite3_bind_int64(statement, 3, (int64_t)now_ns);
		file_error = finish(statement, sqlite3_step(statement));
	}
	settle(copies, file_error);
	if (!error && copy.age_ms > copies->options.max_age_ms) {
		buf_done(&copy.body);
		error = -ENOENT;
	}
	if (!error)
		*ret_copy = copy;
	return error;
}

void copies_forget(struct copies *copies, const char *lane, const char *target)
{
	if (copies->db)
		settle(copies, forget(copies, lane, target));
}
