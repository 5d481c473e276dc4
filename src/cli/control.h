/* Asks the running daemon over its control socket. */
#ifndef TG_CLI_CONTROL_H
#define TG_CLI_CONTROL_H

#include <jansson.h>

struct unix_place;

/*
 * One question, one answer.
 *
 *   socket  path given on the command line; NULL: found, as control_socket.h says
 *   method  "GET" or "POST"
 *   path    with its query, as control_argument writes it
 *
 * EXIT_DONE with a new reference, or another exit status after one line on stderr: the daemon is not
 * running, its socket is for others, it refused the question (a wrong argument is EXIT_USAGE).
 */
int control_ask(const char *socket, const char *method, const char *path, json_t **ret_answer);

/*
 * What a view says, without a word to anybody: 0 with a new reference; -ENOENT: it has none of that name, or
 * the view is off; -ETIMEDOUT; -EIO.
 *
 *   daemon  as control_socket_find found it
 *   path    of a GET
 */
int control_look(
	const struct unix_place *daemon, const char *path, long timeout_ms, json_t **ret_answer);

/*
 * Appends "?name=value" or "&name=value", escaped, to `path` (an array of `size`); nothing for NULL. What
 * does not fit leaves an empty path, which control_ask refuses.
 */
void control_argument(char *path, size_t size, const char *name, const char *value);

#endif
