/* Watches, with the daemon, until something comes from a tool, and says what it was. */
#ifndef TG_CLI_SETUP_WAIT_H
#define TG_CLI_SETUP_WAIT_H

#include "tools/tool.h"

/*
 *   socket  NULL: where it is looked for
 *
 * An exit status: EXIT_FAILED when nothing came in time.
 */
int setup_wait(const struct tool *tool, const char *socket, unsigned timeout_s);

#endif
