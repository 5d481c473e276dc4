/*
 * Hooks that could not be posted, in a small file of the person who runs the CLI, until a later one gets
 * through: $XDG_STATE_HOME/tollgate/hooks.jsonl, else below ~/.local/state. Whoever holds its lock may
 * write; nobody waits for it.
 */
#ifndef TG_CLI_KEPT_HOOKS_H
#define TG_CLI_KEPT_HOOKS_H

#include "base/bytes.h"

enum { KEPT_HOOKS_MAX_BYTES = 1 << 20 };

/* Adds one. What finds no room is lost, as is what another process's lock keeps out. */
void kept_hooks_add(const char *cli, struct bytes payload);

/*
 * Gives them away in their order, until `post` returns false; that one and those behind it stay.
 */
void kept_hooks_give(bool (*post)(void *arg, const char *cli, struct bytes payload), void *arg);

#endif
