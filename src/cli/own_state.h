/* Where commands keep what is this person's: the directory that their own daemon has, too. */
#ifndef TG_CLI_OWN_STATE_H
#define TG_CLI_OWN_STATE_H

#include <limits.h>

/*
 * $XDG_STATE_HOME/tollgate, else ~/.local/state/tollgate.
 *
 *   home  another one than $HOME, below which it is then; NULL: none
 *
 * 0, -ENOENT without a home, or -ENAMETOOLONG.
 */
int own_state_directory(const char *home, char directory[PATH_MAX]);

#endif
