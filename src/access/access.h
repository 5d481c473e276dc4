/*
 * Who may: finds the project of a request by its Authorization header, at every door.
 *
 * A caller shows a gateway key (Bearer, or Basic with the key as the password), a project's own key pair
 * (Basic), or nothing, which only the callers that access.anonymous names may, and which means the default
 * project. Anything else is nobody. Keys are kept as SHA-256 and compared in constant time; which of them was
 * wrong is told to nobody.
 */
#ifndef TG_ACCESS_ACCESS_H
#define TG_ACCESS_ACCESS_H

#include "http/server.h"

struct access;
struct config;

/* A project as callers have it; lives as long as the access. */
struct caller {
	const char *lane; /* "default" or the project's name */
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
 * Reads the files of keys again, and takes over key pairs; what a caller was let in with stays. From one
 * thread at a time. As access_new, and then nothing has changed.
 *
 *   config  read here and not kept
 */
int access_reload(struct access *access, const struct config *config, struct complaint *complaint);

/*
 * As http_server_options.admit, with the access as its owner: 401 for who is nobody, 403 for a browser that was
 * led here from another place (Host, Origin), and notes the caller in the request.
 */
unsigned access_admit(struct http_request *request, void *access, const char **ret_why,
	const struct http_header **ret_headers);

/* Of a request that was let in; never NULL. The default project where nothing admits (tests). */
const struct caller *access_caller(const struct http_request *request);

/*
 * Refuses to listen beyond this machine without any key, unless access.anonymous is "everyone".
 * 0, or -EINVAL with words on what to set.
 */
int access_check_listen(const struct config *config, struct complaint *complaint);

#endif
