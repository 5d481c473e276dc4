/*
 * Whether a browser was led here by a page from elsewhere, by what it says in Host and Origin: pure functions.
 *
 * A page whose name was bound to our address after it was loaded (DNS rebinding) has its own name in Host; a page
 * that sends here from its own place has that in Origin.
 */
#ifndef TG_ACCESS_BROWSER_H
#define TG_ACCESS_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

/* Texts of the configuration. */
struct texts {
	char *const *at;
	size_t count;
};

/*
 * Whether no stranger can own the name in a Host header: it is localhost or below it, an address, without a dot,
 * `hostname` or one of `known`. The port does not matter.
 */
bool host_is_ours(const char *host, const char *hostname, struct texts known);

/* Whether an Origin header is the origin of `host`, on loopback, or one of `known`, in which "*" is any. */
bool origin_is_welcome(const char *origin, const char *host, struct texts known);

/* Whether "host", "host:port" or "[v6]:port" is localhost, below it, or a loopback address. */
bool host_is_loopback(const char *host);

#endif
