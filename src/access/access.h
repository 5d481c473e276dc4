/*
 * Who may: finds the project of a request by its Authorization header, at every door.
 *
 * A caller shows a gateway key (Bearer, or Basic with the key as the password), a project's own key pair
 * (Basic), or nothing, which only the callers that access.anonymous names may, and which means the default
 * project. Anything else is nobody. Keys are kept as SHA-256 and compared in constant time; which of them was
 * wrong is told to nobody.
 *
 * Let in by anybody are the questions of monitors (/healthz, /readyz), pages, which are only sent on to Langfuse,
 * and OPTIONS, with which a browser asks before it shows a key.
 */
#ifndef TG_ACCESS_ACCESS_H
#define TG_ACCESS_ACCESS_H

#include "http/server.h"

struct access;
struct config;
struct keyring;

/* A project as callers have it; lives as long as the access. */
struct caller {
	const char *lane; /* DEFAULT_LANE or the project's name */
	bool is_anonymous;
};

/*
 *   config  of the start; outlives the access. Its projects are the ones there are, whatever is reloaded.
 *
 * 0; -EINVAL with words about a file of keys; -ENOMEM.
 */
int access_new(
	const struct config *config, struct access **ret_access, struct complaint *complaint);
void access_free(struct access *access);

/*
 * Reads key pairs and files of keys again. A project that `config` lacks has none.
 *
 *   config    read here and not kept
 *   ret_keys  for access_take, or keyring_done
 *
 * As access_new.
 */
int access_read(const struct access *access, const struct config *config, struct keyring *ret_keys,
	struct complaint *complaint);

/* Takes them over for requests from now on; what is let in stays. From one thread at a time. */
void access_take(struct access *access, struct keyring *keys);

/* How many gateway keys are in force; from the thread that takes. */
size_t access_gateway_keys(const struct access *access);

/* What a request says of where it comes from. */
struct claims {
	const char *authorization, *host, *origin; /* NULL: not told; empty: told twice */
	bool is_local;
	bool is_question; /* OPTIONS */
};

/*
 * 0 with the caller; else 401 for who is nobody, 403 for a browser that was led here from another place, 503
 * without memory, with words. Depends on nothing but its arguments.
 */
unsigned access_judge(struct access *access, const struct claims *claims,
	const struct caller **ret_caller, const char **ret_why);

/* As http_server_options.admit, with the access as its owner; notes the caller in the request. */
unsigned access_admit(struct http_request *request, void *access, const char **ret_why,
	const struct http_header **ret_headers);

/* Of a request that was let in; never NULL. The default project where nothing admits (tests). */
const struct caller *access_caller(const struct http_request *request);

/*
 * What would keep a start from happening: a mistake in a file of keys, or listening beyond this machine without
 * any key, unless access.anonymous is "everyone". 0, or -EINVAL with words on what to set.
 */
int access_check(const struct config *config, struct complaint *complaint);

/* Whether whoever reaches the port from elsewhere is let in without a key. */
bool access_is_open(const struct config *config);

#endif
