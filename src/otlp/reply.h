/*
 * The bodies of OTLP responses: a few bytes, written by hand. Errors are a google.rpc.Status, success
 * is an Export…ServiceResponse, both in the encoding of the request.
 * Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP Response".
 */
#ifndef TG_OTLP_REPLY_H
#define TG_OTLP_REPLY_H

#include "base/buf.h"
#include "otlp/signal.h"

enum reply_encoding { REPLY_PROTOBUF, REPLY_JSON };

/* The google.rpc.Code that goes with an HTTP status; 2 (UNKNOWN) for what has none. */
unsigned reply_status_code(unsigned http_status);

void reply_write_status(
	struct buf *out, enum reply_encoding encoding, unsigned http_status, const char *message);

/*
 * Nothing rejected and no message is full success. Nothing rejected and a message is a warning.
 *
 *   signal  decides what the rejected items are called in JSON; the protobuf is the same for all
 *   why     for the developer of the sender; may be NULL
 */
void reply_write_success(struct buf *out, enum reply_encoding encoding, enum signal signal,
	uint64_t rejected, const char *why);

#endif
