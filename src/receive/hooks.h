/*
 * The doors for hooks: POST /hooks/claude-code, /hooks/codex and /hooks/gemini take what each CLI gives its
 * hooks (and Codex its notify program), as JSON, and store it in the inbox before they answer.
 *
 * What a hook is answered goes to the CLI, which obeys it. So whoever has switched sessions off is answered
 * as everybody else is: {}, which asks for nothing.
 */
#ifndef TG_RECEIVE_HOOKS_H
#define TG_RECEIVE_HOOKS_H

#include "base/arena.h"
#include "http/server.h"

struct config;
struct dialect;
struct pipeline;
struct spool;

enum { HOOK_ROUTE_COUNT = 3, HOOK_PATH_MAX = 32 };

/* The caller sets the first four; all of it outlives the server that has the routes. */
struct hook_doors {
	const struct config *config;
	struct budget *budget; /* shared with the server */
	struct pipeline *pipeline;
	struct spool *spool;
	struct hook_door {
		const struct hook_doors *doors;
		const struct dialect *dialect;
		char path[HOOK_PATH_MAX];
	} at[HOOK_ROUTE_COUNT]; /* a door for each dialect */
};

void receive_hooks_routes(struct hook_doors *doors, struct http_route ret_routes[HOOK_ROUTE_COUNT]);

/* Whether the request came to one of these doors, or looked for another one beside them. */
bool is_for_hooks(const struct http_request *request);

/* As http_server_options.refuse, with bodies {"error": "..."}. */
void receive_hooks_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);

#endif
