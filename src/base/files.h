/* Files and directories of the state directory: owner alone, durable names, one owner at a time. */
#ifndef TG_BASE_FILES_H
#define TG_BASE_FILES_H

#include "base/buf.h"

/* The whole file into `buf` (already initialised; its maximum bounds the size). 0 or negative errno. */
int file_read(const char *path, struct buf *buf);

/*
 * Writes beside (".new"), syncs, renames, syncs the directory: the path holds all or what it held before.
 *
 *   mode  exactly, whatever the umask
 */
int file_replace(const char *path, struct bytes content, unsigned mode);

/* mkdir -p; the last part gets mode 0700, also when it was there already. */
int directory_make_private(const char *path);

/* Whether directory_make_private would succeed and files could be made in it: 0 or negative errno. */
int directory_check(const char *path);
int directory_sync(const char *path);

/*
 * Takes the lock of a state directory until the descriptor is closed or the process ends.
 * Returns the descriptor, -EBUSY when another process has it, else negative errno.
 */
int directory_lock(const char *path);

#endif
