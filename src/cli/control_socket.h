/* Finds the running daemon's control socket, and says in one line why it cannot be reached. */
#ifndef TG_CLI_CONTROL_SOCKET_H
#define TG_CLI_CONTROL_SOCKET_H

struct unix_place;

/*
 * Finds where somebody listens.
 *
 *   given  path from the command line, or NULL: $TOLLGATE_CONTROL_SOCKET, the configuration file's
 *          control_socket, else whichever answers of control.sock in this person's own state directory
 *          and /run/tollgate/control.sock
 *
 * 0, or negative errno after a line on stderr.
 */
int control_socket_open(const char *given, struct unix_place *ret_place);

#endif
