/*
 * Sockets in the file system. Their address has room for 107 bytes and a path may be longer, so each is
 * reached through a descriptor of its directory; only the last part of the path must be short.
 */
#ifndef TG_HTTP_UNIX_SOCKET_H
#define TG_HTTP_UNIX_SOCKET_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/complaint.h"

/* Where a socket is, or shall be. */
struct unix_place {
	int directory;              /* that of the path */
	struct sockaddr_un address; /* holds while that is open */
};

/* 0, or negative errno and nothing to close. */
int unix_place_open(const char *path, struct unix_place *ret_place);
void unix_place_close(struct unix_place *place);

/*
 * Connects, and waits at most wait_ms where too many others wait already. Returns the descriptor, or
 * negative errno: -ENOENT nothing is there, -ECONNREFUSED nobody listens any more, -EACCES it is for
 * others, -EAGAIN too many others.
 */
int unix_place_connect(const struct unix_place *place, int wait_ms);

/*
 * Listens at `path`, in place of a socket there that nobody listens at any more. What is no socket, or
 * answers, is left alone.
 *
 *   group  may connect (mode 0660); NULL: the owner alone (0600). The same holds for the directory, which
 *          is made when it is missing; its parent must be there.
 *
 * 0, or negative errno with words in `complaint`.
 */
int unix_socket_listen(
	const char *path, const char *group, int *ret_fd, struct complaint *complaint);

#endif
