/* Replies with an error in Langfuse's form: {"message": "...", "error": "..."}. */
#ifndef TG_PROXY_ERRORS_H
#define TG_PROXY_ERRORS_H

#include "http/server.h"

/*
 *   why      for who sent it; nothing of what was sent
 *   headers  NULL for none; Retry-After where the status says that it may pass
 */
void reply_error(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);

/* The same for what is refused by us: counted, and logged now and then. */
void refuse_error(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers);

#endif
