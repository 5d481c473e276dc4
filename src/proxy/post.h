/*
 * Ingestion batches and scores: whole both ways, so that what Langfuse does not take can go to disk instead, and
 * then in order.
 */
#ifndef TG_PROXY_POST_H
#define TG_PROXY_POST_H

#include "http/server.h"

/* As http_route.handle, with the proxy as its owner. */
void post_batch(struct http_request *request, struct bytes body, void *proxy);
void post_scores(struct http_request *request, struct bytes body, void *proxy);

#endif
