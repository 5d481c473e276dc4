/*
 * The doors for hooks: POST /hooks/claude-code, /hooks/codex and /hooks/gemini take what each CLI gives its
 * hooks (and Codex its notify program), as JSON, and store it in the inbox before they answer.
 */
#ifndef TG_RECEIVE_HOOKS_H
#define TG_RECEIVE_HOOKS_H

#include "http/server.h"

enum { HOOK_ROUTE_COUNT = 3 };

#endif
