/*
 * The doors for OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics in protobuf or JSON, in any of the
 * codings of http/compression.h. JSON is protobuf from here on.
 *
 * A request is answered when its batch is on disk; until then its connection is suspended. Every
 * answer is an OTLP body in the encoding of the request. What may pass is 503 with Retry-After,
 * never 500, which senders take as final.
 *
 * POST / is taken too when the body says what it is: that is where an exporter arrives whose endpoint of a
 * signal lacks the path, and where some Gemini CLIs send all they have. JSON says it by a name, protobuf only
 * where it is beyond doubt a span.
 *
 * Under Langfuse's own path POST /api/public/otel/v1/traces is the same door, and /api/public/otel/v1/metrics
 * answers as Langfuse does, which takes them and forgets them.
 */
#ifndef TG_RECEIVE_OTLP_H
#define TG_RECEIVE_OTLP_H

#include "base/arena.h"
#include "http/server.h"

struct config;
struct pipeline;
struct spool;

/* What the door needs; all of it outlives the server that has its routes. */
struct otlp_door {
	const struct config *config; /* limits */
	struct budget *budget;       /* shared with the server */
	struct pipeline *pipeline;
	struct spool *spool;
};

enum { OTLP_ROUTE_COUNT = 6 };

void receive_otlp_routes(struct otlp_door *door, struct http_route ret_routes[OTLP_ROUTE_COUNT]);

/* For http_server_options.refuse: the server's own refusals as OTLP bodies, or as those of hooks. */
void receive_otlp_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);

#endif
