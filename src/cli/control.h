/* Asks the running daemon over its control socket. */
#ifndef TG_CLI_CONTROL_H
#define TG_CLI_CONTROL_H

#include <jansson.h>

/*
 * One question, one answer.
 *
 *   socket  path given on the command line; NULL: $TOLLGATE_CONTROL_SOCKET, else the first that is there
 *           of control.sock in the person's own state directory and /run/tollgate/control.sock
 *   method  "GET" or "POST"
 *   path    with its query, as control_argument writes it
 *
 * EXIT_DONE with a new reference, or another exit status after one line on stderr: the daemon is not
 * running, its socket is for others, it refused the question.
 */
int control_ask(const char *socket, const char *method, const char *path, json_t **ret_answer);

/* Appends "?name=value" or "&name=value", escaped, to `path` (an array of `size`); nothing for NULL. */
void control_argument(char *path, size_t size, const char *name, const char *value);

#endif
