#include "base/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sqlite_errno(int result)
{
	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table is not as we made it */
	case SQLITE_MISMATCH:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

int sqlite_open(const char *path, const char *pragmas, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) /* SQLite would make it readable for others */
		return -errno;
	close(fd);
	int result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
			NULL, NULL, NULL);
	if (result != SQLITE_OK) {
		sqlite3_close(db);
		return sqlite_errno(result);
	}
	*ret_db = db;
	return 0;
}

/* What the first column of the first row says; empty with an error, or when there is none. */
static int ask(sqlite3 *db, const char *question, char answer[32])
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, question, -1, &statement, NULL);
	answer[0] = '\0';
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		snprintf(answer, 32, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return sqlite_errno(result);
}

int sqlite_claim(sqlite3 *db, int application_id, int version)
{
	char answer[32], mark[96], wanted[32];
	int error = ask(db, "PRAGMA quick_check(1)", answer);
	if (!error && strcmp(answer, "ok") != 0)
		error = -EBADMSG;
	if (!error)
		error = ask(db, "SELECT count(*) FROM sqlite_master", answer);
	if (error)
		return error;
	if (strcmp(answer, "0") == 0) {
		snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
			application_id, version);
		return sqlite_errno(sqlite3_exec(db, mark, NULL, NULL, NULL));
	}
	snprintf(wanted, sizeof wanted, "%d/%d", application_id, version);
	error = ask(db,
		"SELECT application_id || '/' || user_version"
		" FROM pragma_application_id, pragma_user_version",
		answer);
	return error ? error : strcmp(answer, wanted) == 0 ? 0 : -EBADMSG;
}

int sqlite_move_aside(const char *path)
{
	char other[PATH_MAX];
	if (snprintf(other, sizeof other, "%s.damaged", path) >= (int)sizeof other)
		return -ENAMETOOLONG;
	if (rename(path, other) < 0)
		return -errno;
	snprintf(other, sizeof other, "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof other, "%s-shm", path);
	unlink(other);
	return 0;
}
