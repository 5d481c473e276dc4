#include "export/local_file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/sqlite.h"

enum {
	VERSION = 1,
	APPLICATION_ID = 0x54474c56, /* "TGLV" */
	CHECKPOINT_PAGES = 1000,
	WAL_MAX_PAGES = 32768, /* 128 MB: somebody reads without end, so nothing can be moved */
	TRIM_ROWS = 500,
	VACUUM_PAGES = 512,
	RESERVE_SHARE = 32, /* of the file is kept free for what comes next, once it is full */
};

static const char pragmas[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA cache_size = -4096;"
			      "PRAGMA journal_size_limit = 8388608; PRAGMA temp_store = MEMORY";

/* In the order of bind_row. */
static const char put_sql[] =
	"INSERT INTO span (trace_id, span_id, parent_span_id, lane, received_ns, start_ns, end_ns,"
	" name, kind, level, status_message, session_id, user_id, environment, service, scope,"
	" provider, model, usage, cost_fusd, cost_source, cost_status, input, output, input_bytes,"
	" output_bytes) VALUES"
	" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT (trace_id, span_id) DO UPDATE SET parent_span_id = excluded.parent_span_id,"
	" lane = excluded.lane, start_ns = excluded.start_ns, end_ns = excluded.end_ns,"
	" name = excluded.name, kind = excluded.kind, level = excluded.level,"
	" status_message = excluded.status_message, session_id = excluded.session_id,"
	" user_id = excluded.user_id, environment = excluded.environment,"
	" service = excluded.service, scope = excluded.scope, provider = excluded.provider,"
	" model = excluded.model, usage = excluded.usage, cost_fusd = excluded.cost_fusd,"
	" cost_source = excluded.cost_source, cost_status = excluded.cost_status,"
	" input = excluded.input, output = excluded.output, input_bytes = excluded.input_bytes,"
	" output_bytes = excluded.output_bytes";

enum statement {
	BEGIN,
	COMMIT,
	PUT,
	SKIP,
	PAGE_COUNT,
	FREE_PAGES,
	PAGE_SIZE,
	OLDEST,
	DELETE_BELOW,
	FORGET_SKIPPED,
	STATEMENT_COUNT,
};

static const char *const statements[STATEMENT_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT] = put_sql,
	[SKIP] = "INSERT INTO skipped VALUES (?, ?)"
		 " ON CONFLICT DO UPDATE SET spans = spans + excluded.spans",
	[PAGE_COUNT] = "PRAGMA page_count",
	[FREE_PAGES] = "PRAGMA freelist_count",
	[PAGE_SIZE] = "PRAGMA page_size",
	[OLDEST] = "SELECT arrival, received_ns FROM span ORDER BY arrival LIMIT 1",
	[DELETE_BELOW] = "DELETE FROM span WHERE arrival < ? AND (received_ns < ? OR ?)",
	[FORGET_SKIPPED] = "DELETE FROM skipped WHERE minute < ?",
};

struct local_file {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	uint64_t page_bytes;
	int wal_pages;
};

/* The first column of the one row that a statement gives. */
static int ask(struct local_file *file, enum statement which, uint64_t *ret_number)
{
	sqlite3_stmt *statement = file->statements[which];
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return result == SQLITE_ROW ? 0 : result == SQLITE_DONE ? -ENOENT : sqlite_errno(result);
}

static int step(struct local_file *file, enum statement which)
{
	int result = sqlite3_step(file->statements[which]);
	sqlite3_reset(file->statements[which]);
	return sqlite_errno(result);
}

static int pragma_number(sqlite3 *db, const char *sql, int64_t *ret_number)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return sqlite_errno(result);
}

/* An empty file, or one that this version made. */
static int check_ours(sqlite3 *db)
{
	int64_t tables = 0, id = 0, version = 0;
	int error = pragma_number(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (!error)
		error = pragma_number(db, "PRAGMA application_id", &id);
	if (!error)
		error = pragma_number(db, "PRAGMA user_version", &version);
	bool is_new = tables == 0 && id == 0;
	bool is_ours = id == APPLICATION_ID && version == VERSION;
	return error ? error : is_new || is_ours ? 0 : -EBADMSG;
}

/* In place of SQLite's own, which does not tell how much is left. */
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct local_file *file = arg;
	int left = pages, moved = 0;
	if (pages >= CHECKPOINT_PAGES &&
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &left, &moved) ==
			SQLITE_OK &&
		moved == left)
		left = 0;
	file->wal_pages = left;
	return SQLITE_OK;
}

static int prepare(struct local_file *file)
{
	int result = SQLITE_OK;
	for (int i = 0; i < STATEMENT_COUNT && result == SQLITE_OK; i++)
		result = sqlite3_prepare_v3(file->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			&file->statements[i], NULL);
	return sqlite_errno(result);
}

int local_file_open(const char *path, struct local_file **ret_file)
{
	struct local_file *file = calloc(1, sizeof *file);
	if (!file)
		return -ENOMEM;
	int error = sqlite_open(path, pragmas, &file->db);
	if (!error)
		error = check_ours(file->db);
	if (!error)
		error = sqlite_errno(sqlite3_exec(file->db, local_schema, NULL, NULL, NULL));
	if (!error)
		error = prepare(file);
	if (!error)
		error = ask(file, PAGE_SIZE, &file->page_bytes);
	if (error) {
		local_file_close(file);
		return error;
	}
	sqlite3_wal_hook(file->db, after_commit, file);
	*ret_file = file;
	return 0;
}

void local_file_close(struct local_file *file)
{
	if (!file)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(file->statements[i]);
	sqlite3_close(file->db);
	free(file);
}

int local_file_check(struct local_file *file)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(file->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	int error = sqlite_errno(result);
	if (!error) {
		result = sqlite3_step(statement);
		const char *text = (const char *)sqlite3_column_text(statement, 0);
		error = result != SQLITE_ROW            ? sqlite_errno(result) :
			text && strcmp(text, "ok") == 0 ? 0 :
							  -EBADMSG;
	}
	sqlite3_finalize(statement);
	return error;
}

/* Whoever reads for ever keeps the log beside the file from being written over. */
static int make_room(struct local_file *file)
{
	if (file->wal_pages < WAL_MAX_PAGES)
		return 0;
	int result =
		sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (result == SQLITE_OK)
		file->wal_pages = 0;
	return sqlite_errno(result);
}

int local_file_begin(struct local_file *file)
{
	int is_moved = 0;
	sqlite3_file_control(file->db, NULL, SQLITE_FCNTL_HAS_MOVED, &is_moved);
	if (is_moved)
		return -ESTALE;
	int error = make_room(file);
	return error ? error : step(file, BEGIN);
}

static void bind_bytes(sqlite3_stmt *statement, int *at, struct bytes text)
{
	sqlite3_bind_text64(
		statement, ++*at, (const char *)text.at, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_text(sqlite3_stmt *statement, int *at, const char *text)
{
	bind_bytes(statement, at, bytes_of(*text ? text : NULL));
}

static void bind_number(sqlite3_stmt *statement, int *at, uint64_t number)
{
	sqlite3_bind_int64(statement, ++*at, (sqlite3_int64)number);
}

static struct bytes not_null(struct bytes text)
{
	return text.at ? text : (struct bytes)BYTES("");
}

static void bind_row(
	sqlite3_stmt *to, const struct local_row *row, const char *lane, uint64_t received_ns)
{
	int at = 0;
	bind_text(to, &at, row->trace_id);
	bind_text(to, &at, row->span_id);
	bind_text(to, &at, row->parent_span_id);
	bind_bytes(to, &at, bytes_of(lane));
	bind_number(to, &at, received_ns);
	bind_number(to, &at, row->start_ns);
	bind_number(to, &at, row->end_ns);
	bind_bytes(to, &at, not_null(row->name));
	bind_bytes(to, &at, row->kind);
	bind_bytes(to, &at, row->level);
	bind_bytes(to, &at, row->status_message);
	bind_bytes(to, &at, row->session_id);
	bind_bytes(to, &at, row->user_id);
	bind_bytes(to, &at, row->environment);
	bind_bytes(to, &at, row->service);
	bind_bytes(to, &at, row->scope);
	bind_bytes(to, &at, row->provider);
	bind_bytes(to, &at, row->model);
	bind_bytes(to, &at, row->usage);
	if (row->cost_fusd >= 0)
		bind_number(to, &at, (uint64_t)row->cost_fusd);
	else
		sqlite3_bind_null(to, ++at);
	bind_bytes(to, &at, row->cost_source);
	bind_bytes(to, &at, row->cost_status);
	bind_bytes(to, &at, row->input);
	bind_bytes(to, &at, row->output);
	bind_number(to, &at, row->input_bytes);
	bind_number(to, &at, row->output_bytes);
}

int local_file_put(struct local_file *file, const struct local_row *row, const char *lane,
	uint64_t received_ns)
{
	bind_row(file->statements[PUT], row, lane, received_ns);
	return step(file, PUT);
}

int local_file_commit(struct local_file *file, uint64_t skipped, uint64_t now_ns)
{
	int error = 0;
	if (skipped > 0) {
		sqlite3_bind_int64(file->statements[SKIP], 1, (int64_t)(now_ns / 60000000000));
		sqlite3_bind_int64(file->statements[SKIP], 2, (int64_t)skipped);
		error = step(file, SKIP);
	}
	return error ? error : step(file, COMMIT);
}

void local_file_rollback(struct local_file *file)
{
	if (!sqlite3_get_autocommit(file->db))
		sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

/* -ENOENT: there is no row. */
static int find_oldest(struct local_file *file, uint64_t *ret_arrival, uint64_t *ret_received_ns)
{
	sqlite3_stmt *statement = file->statements[OLDEST];
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*ret_arrival = (uint64_t)sqlite3_column_int64(statement, 0);
		*ret_received_ns = (uint64_t)sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	return result == SQLITE_ROW ? 0 : result == SQLITE_DONE ? -ENOENT : sqlite_errno(result);
}

/* Some of the oldest rows: those too old, or all of them. */
static int remove_some(struct local_file *file, uint64_t oldest_ns, bool all)
{
	sqlite3_stmt *statement = file->statements[DELETE_BELOW];
	uint64_t arrival = 0, received_ns = 0;
	int error = find_oldest(file, &arrival, &received_ns);
	if (error == -ENOENT || (!error && !all && received_ns >= oldest_ns))
		return 0;
	if (error)
		return error;
	sqlite3_bind_int64(statement, 1, (int64_t)(arrival + TRIM_ROWS));
	sqlite3_bind_int64(statement, 2, (int64_t)oldest_ns);
	sqlite3_bind_int(statement, 3, all);
	error = step(file, DELETE_BELOW);
	sqlite3_bind_int64(
		file->statements[FORGET_SKIPPED], 1, (int64_t)(received_ns / 60000000000));
	if (!error)
		error = step(file, FORGET_SKIPPED);
	return error ? error : 1;
}

int local_file_trim(struct local_file *file, uint64_t max_bytes, uint64_t oldest_ns)
{
	uint64_t pages = 0, free_pages = 0, most = max_bytes / file->page_bytes;
	int error = ask(file, PAGE_COUNT, &pages);
	if (!error)
		error = ask(file, FREE_PAGES, &free_pages);
	if (error)
		return error;
	if (pages <= most)
		return remove_some(file, oldest_ns, false);
	if (free_pages >= pages - most + most / RESERVE_SHARE) {
		char sql[64];
		uint64_t some = pages - most < VACUUM_PAGES ? pages - most : VACUUM_PAGES;
		sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%d)", (int)some);
		error = sqlite_errno(sqlite3_exec(file->db, sql, NULL, NULL, NULL));
		return error ? error : 1;
	}
	return remove_some(file, oldest_ns, true);
}

uint64_t local_file_bytes(struct local_file *file)
{
	uint64_t pages = 0;
	return ask(file, PAGE_COUNT, &pages) == 0 ? pages * file->page_bytes : 0;
}
