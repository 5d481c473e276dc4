/* "host:port" → a listening socket. */
#ifndef TG_HTTP_LISTEN_H
#define TG_HTTP_LISTEN_H

#include "base/complaint.h"

/*
 *   address  host:port, or [host]:port for IPv6; an empty host is every address
 *
 * 0, or negative errno with words in `complaint`.
 */
int http_listen(const char *address, int *ret_fd, struct complaint *complaint);

/* The port that a socket is bound to; 0 when it is not, or is no internet socket. */
unsigned http_listen_port(int fd);

#endif
