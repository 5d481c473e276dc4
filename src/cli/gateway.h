/* Where programs on this machine reach the gateway. */
#ifndef TG_CLI_GATEWAY_H
#define TG_CLI_GATEWAY_H

#include <stdbool.h>

enum { GATEWAY_URL_MAX = 2048 };

/*
 * An address that listens on all others is reached on loopback.
 *
 *   listen  host:port, as the setting has it; NULL: the setting's default
 */
void gateway_url(const char *listen, bool has_tls, char url[GATEWAY_URL_MAX]);

/* Where the configuration listens, as far as this person can read it. */
void gateway_configured(char url[GATEWAY_URL_MAX]);

/*
 * The URL that a person gave, else $TOLLGATE_URL, else where the configuration listens; without a slash at its end.
 *
 *   given  NULL: none
 *
 * 0, or -EINVAL after words to stderr: it is none, or has a password in it.
 */
int gateway_find(const char *given, char url[GATEWAY_URL_MAX]);

#endif
