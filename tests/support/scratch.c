#include "support/scratch.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int scratch_make(char ret_path[SCRATCH_PATH_MAX])
{
	const char *base = getenv("TMPDIR");
	char path[SCRATCH_PATH_MAX];
	int n = snprintf(
		path, sizeof(path), "%s/tollgate-test-XXXXXX", base && *base ? base : "/var/tmp");
	if (n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	strcpy(ret_path, path);
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	return remove(path);
}

void scratch_remove(const char *path)
{
	if (*path)
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

uint64_t scratch_disk_bytes(const char *path)
{
	uint64_t bytes = 0;
	DIR *directory = opendir(path);
	struct dirent *entry;
	while (directory && (entry = readdir(directory))) {
		struct stat status;
		if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode))
			bytes += (uint64_t)status.st_blocks * 512;
	}
	if (directory)
		closedir(directory);
	return bytes;
}
