/* Requests that pass through as they come, both ways: all but events and scores. */
#ifndef TG_PROXY_STREAM_H
#define TG_PROXY_STREAM_H

#include "http/server.h"

/* As http_route.stream, with the proxy as its owner. */
void stream_begin(struct http_request *request, struct flow *body, void *proxy);

#endif
