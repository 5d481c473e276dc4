/*
 * In front of Langfuse: what its SDKs send under /api/public goes through to it with the project's own keys, as it
 * came, and back, as it comes. One thread and one curl multi for all of them.
 *
 * Scores and the old ingestion batches go to disk when Langfuse does not take them, and then in order; prompts are
 * answered from the last good copy when it is away. OTLP under the same base URL is not here: it is a door
 * (receive/otlp.h).
 */
#ifndef TG_PROXY_PROXY_H
#define TG_PROXY_PROXY_H

#include "http/server.h"
#include "proxy/target.h"

struct config;
struct exporter;
struct pipeline;
struct proxy;
struct spool;

/* All outlive the proxy. */
struct proxy_options {
	const struct config *config;
	struct budget *budget;
	struct pipeline *pipeline;
	struct spool *spool;
	struct exporter
		*exporter; /* of the Langfuse that it stands in front of; NULL: there is none */
};

enum { PROXY_ROUTE_COUNT = 9 };

/* 0; -EINVAL with words about the configuration; -ENOMEM; errors of the copies' file. */
int proxy_new(
	const struct proxy_options *options, struct proxy **ret_proxy, struct complaint *complaint);
void proxy_free(struct proxy *proxy);

void proxy_routes(struct proxy *proxy, struct http_route ret_routes[PROXY_ROUTE_COUNT]);

/* As http_server_options.refuse: in Langfuse's form for its paths, as receive_otlp_refuse for all others. */
void proxy_refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);

/* The thread's body; returns after proxy_stop, when every request has been replied to. */
void proxy_run(struct proxy *proxy, struct http_server *server);

/* Requests in progress get until deadline_ms (clock_monotonic_ms). From any thread, as the next. */
void proxy_stop(struct proxy *proxy, uint64_t deadline_ms);

/* Keys as they are in `config`, which is not kept, for requests from now on. */
int proxy_rekey(struct proxy *proxy, const struct config *config, struct complaint *complaint);

/* How a request ended. */
enum passage {
	PASSED,   /* with Langfuse's own answer */
	STORED,   /* on disk, to be sent later */
	COPIED,   /* answered from a copy */
	FAILED,   /* Langfuse did not answer: 502, 504 */
	REFUSED,  /* by us, with its own status */
	DEPARTED, /* the client left before the end */
	PASSAGE_COUNT,
};
const char *passage_name(enum passage passage); /* "passed" */

struct proxy_figures {
	struct family_figures {
		uint64_t ended[PASSAGE_COUNT];
		int last_status;  /* that Langfuse gave; 0: none */
		uint64_t last_ns; /* Unix time of it; 0: never */
	} families[FAMILY_COUNT];
	uint64_t open; /* requests */
};
void proxy_figures(const struct proxy *proxy, struct proxy_figures *ret_figures);

#endif
