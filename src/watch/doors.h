/*
 * What monitors ask the main listener: GET /healthz, whether the process serves; GET /readyz, whether it can
 * take telemetry, whatever its destinations do; GET /metrics. No word of it needs a secret to be kept.
 */
#ifndef TG_WATCH_DOORS_H
#define TG_WATCH_DOORS_H

#include "http/server.h"

struct watch;

enum { WATCH_ROUTE_COUNT = 3 };

/*   watch  outlives the server that has the routes */
void watch_routes(struct watch *watch, struct http_route ret_routes[WATCH_ROUTE_COUNT]);

#endif
