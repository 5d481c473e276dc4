/*
 * Which headers of a message go on to the next hop: pure functions on lists that end with a NULL name.
 *
 * What is said from neighbour to neighbour stays behind (RFC 9110, 7.6.1), and so does what each hop writes
 * itself: the framing, and upstream Host and Authorization. All else goes on in its order, with its
 * duplicates, and with names as they came.
 */
#ifndef TG_PROXY_HEADERS_H
#define TG_PROXY_HEADERS_H

#include <stddef.h>

#include "http/server.h"

enum { HEADERS_MAX = 256 }; /* of a message that passes through */

/* How many; the NULL is not counted. */
size_t headers_count(const struct http_header *headers);

/* The first of that name, in any letter case; NULL when there is none. */
const char *headers_find(const struct http_header *headers, const char *name);

/*
 *   came       a request's; lives as long as ret_going is used
 *   ret_going  room for as many, and the NULL
 */
void headers_go_upstream(const struct http_header *came, struct http_header *ret_going);

/* The same of an answer. */
void headers_go_back(const struct http_header *came, struct http_header *ret_going);

#endif
