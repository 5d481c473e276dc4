/* Directories that live as long as a test; on a real disk, because a tmpfs never waits for fsync. */
#ifndef TG_TESTS_SUPPORT_SCRATCH_H
#define TG_TESTS_SUPPORT_SCRATCH_H

#include <stdint.h>

enum { SCRATCH_PATH_MAX = 256 };

/* Makes a new private directory under ${TMPDIR:-/var/tmp}. 0 or negative errno. */
int scratch_make(char ret_path[SCRATCH_PATH_MAX]);

/* Removes it with all that is in it; nothing for an empty path. */
void scratch_remove(const char *path);

/* Allocated bytes of the regular files directly in a directory; 0 when it is missing. */
uint64_t scratch_disk_bytes(const char *path);

#endif
