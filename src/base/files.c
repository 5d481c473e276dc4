#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, struct buf *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = 0;
	for (;;) {
		uint8_t more[16 << 10];
		ssize_t got = read(fd, more, sizeof more);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			error = -errno;
		if (got <= 0)
			break;
		buf_append(buf, more, (size_t)got);
		if (buf->error)
			break;
	}
	close(fd);
	return error ? error : buf->error;
}

static int write_all(int fd, struct bytes content)
{
	while (content.len) {
		ssize_t put = write(fd, content.at, content.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		content.at += put;
		content.len -= (size_t)put;
	}
	return 0;
}

int directory_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return error;
}

int file_replace(const char *path, struct bytes content, unsigned mode)
{
	char beside[PATH_MAX], directory[PATH_MAX];
	if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
		return -ENAMETOOLONG;
	snprintf(directory, sizeof directory, "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash)
		*(slash == directory ? slash + 1 : slash) = '\0';

	unlink(beside); /* of a process that ended amid this, or a link that leads elsewhere */
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int error = fchmod(fd, mode) < 0 ? -errno : write_all(fd, content);
	if (!error && fsync(fd) < 0)
		error = -errno;
	close(fd);
	if (!error && rename(beside, path) < 0)
		error = -errno;
	if (error) {
		unlink(beside);
		return error;
	}
	return directory_sync(slash ? directory : ".");
}

int directory_make_private(const char *path)
{
	char part[PATH_MAX];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(part, 0700) < 0 && errno != EEXIST)
		return -errno;
	return chmod(part, 0700) < 0 ? -errno : 0;
}

int directory_check(const char *path)
{
	char part[PATH_MAX];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return -ENAMETOOLONG;
	/* The first part that is there is the one to write in. */
	struct stat status;
	while (stat(part, &status) < 0) {
		char *slash = strrchr(part, '/');
		if (errno != ENOENT || strcmp(part, ".") == 0)
			return -errno;
		if (!slash)
			snprintf(part, sizeof part, ".");
		else
			slash[slash == part] = '\0';
	}
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	return access(part, W_OK | X_OK) < 0 ? -errno : 0;
}

int directory_lock(const char *path)
{
	char name[PATH_MAX];
	if (snprintf(name, sizeof name, "%s/lock", path) >= (int)sizeof name)
		return -ENAMETOOLONG;
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		return error;
	}
	return fd;
}
