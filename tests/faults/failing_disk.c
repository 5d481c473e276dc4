/*
 * A disk that fails when it is told to, for stories with the whole daemon (LD_PRELOAD; not with a
 * sanitizer, which wants to be loaded first).
 *
 * The file named by FAILING_DISK is read at each call; while it exists it says, in one line:
 *
 *   <call> <errno> [after]
 *
 *   call   write, sync, allocate, or torn (a write stores its first half only, then fails)
 *   errno  as a number: 5 EIO, 28 ENOSPC, 122 EDQUOT
 *   after  that many calls pass first; counted from when the line was last changed
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char current[64]; /* guarded by lock, as passed */
static long passed;

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* The errno with which `call` shall fail now; 0 when it shall not. */
static int failure(const char *call)
{
	const char *path = getenv("FAILING_DISK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	char line[sizeof current] = "", named[16] = "";
	ssize_t got = read(fd, line, sizeof line - 1);
	close(fd);
	int error = 0;
	long after = 0;
	if (got <= 0 || sscanf(line, "%15s %d %ld", named, &error, &after) < 2 ||
		strcmp(named, call) != 0)
		return 0;
	pthread_mutex_lock(&lock);
	if (strcmp(line, current) != 0) {
		memcpy(current, line, sizeof current);
		passed = 0;
	}
	bool fails = passed >= after;
	passed += !fails;
	pthread_mutex_unlock(&lock);
	return fails ? error : 0;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

typedef ssize_t pwrite_function(int fd, const void *from, size_t bytes, off_t offset);

static ssize_t write_at(const char *name, int fd, const void *from, size_t bytes, off_t offset)
{
	pwrite_function *next = (pwrite_function *)real(name);
	int error = failure("write");
	if (error)
		return fail(error);
	error = failure("torn");
	if (error) {
		size_t half = bytes / 2 / 4096 * 4096;
		if (half > 0 && next(fd, from, half, offset) < 0)
			return -1;
		return fail(error);
	}
	return next(fd, from, bytes, offset);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	return write_at("pwrite", fd, from, bytes, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t offset)
{
	return write_at("pwrite64", fd, from, bytes, offset);
}

int fdatasync(int fd)
{
	int error = failure("sync");
	return error ? fail(error) : ((int (*)(int))real("fdatasync"))(fd);
}

typedef int fallocate_function(int fd, int mode, off_t offset, off_t bytes);

int fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	int error = failure("allocate");
	return error ? fail(error) :
		       ((fallocate_function *)real("fallocate"))(fd, mode, offset, bytes);
}

int fallocate64(int fd, int mode, off_t offset, off_t bytes)
{
	int error = failure("allocate");
	return error ? fail(error) :
		       ((fallocate_function *)real("fallocate64"))(fd, mode, offset, bytes);
}
