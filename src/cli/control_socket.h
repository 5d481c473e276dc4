/* Finds the running daemon's control socket, and says in one line why it cannot be reached. */
#ifndef TG_CLI_CONTROL_SOCKET_H
#define TG_CLI_CONTROL_SOCKET_H

struct unix_place;

enum { CONTROL_WORDS_MAX = 4096 + 256 };

/* Why nobody can be asked, and what mends that; empty where nothing is known to. */
struct control_trouble {
	char what[CONTROL_WORDS_MAX];
	char mend[256];
};

/*
 * Finds where somebody listens.
 *
 *   given   path from the command line, or NULL: $TOLLGATE_CONTROL_SOCKET, the configuration file's
 *           control_socket, else whichever answers of control.sock in this person's own state directory
 *           and /run/tollgate/control.sock
 *   config  the configuration file; NULL: the one that config_find_file finds
 *
 * 0, or negative errno as unix_place_connect with words in `trouble`.
 */
int control_socket_find(const char *given, const char *config, struct unix_place *ret_place,
	struct control_trouble *trouble);

/* The same with the words on stderr. */
int control_socket_open(const char *given, struct unix_place *ret_place);

#endif
