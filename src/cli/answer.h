/* What an OTLP/HTTP server answered, in its own words. */
#ifndef TG_CLI_ANSWER_H
#define TG_CLI_ANSWER_H

#include <stdint.h>

#include "base/bytes.h"

struct answer {
	uint64_t rejected; /* spans, log records or data points, by partial success */
	char message[200]; /* printable; empty when it said nothing */
};

/*
 * Reads an Export...ServiceResponse (status 200) or a google.rpc.Status, each in protobuf or JSON;
 * other text is its own message. What cannot be read leaves `ret_answer` empty.
 */
void answer_read(
	int status, const char *content_type, struct bytes body, struct answer *ret_answer);

#endif
