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

/*
 * What a socket is bound to that somebody else opened, as http_listen would take it. 0, or -EINVAL with words: it
 * is none that listens for TCP.
 */
enum { HTTP_ADDRESS_MAX = 96 };
int http_listen_address(int fd, char ret_address[HTTP_ADDRESS_MAX], struct complaint *complaint);

/* The port that a socket is bound to; 0 when it is not, or is no internet socket. */
unsigned http_listen_port(int fd);

#endif
