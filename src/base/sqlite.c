#include "base/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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
