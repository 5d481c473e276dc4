/*
 * OTLP/JSON read once and written out as protobuf, so that everything behind the doors knows one
 * encoding.
 *
 * Not by way of a tree of jansson's: that would round or refuse integers of 64 bits and half surrogate
 * pairs, take thirteen times as long, and seventy times the memory of a body of `{}`s. Here the output
 * never takes more than the text did. What is read: opentelemetry-proto docs/specification.md, "JSON
 * Protobuf Encoding", and beyond it what senders are seen to write: names of enums, integers bare or in
 * quotes, base64 of either alphabet.
 */
#ifndef TG_OTLP_JSON_H
#define TG_OTLP_JSON_H

#include "base/buf.h"
#include "base/complaint.h"

/*
 * Appends an ExportTraceServiceRequest.
 *
 *   max_depth  messages within messages; brackets within what is unknown and passed over
 *   complaint  what the sender has to mend: where, by path and offset, never with content of the text
 *
 * 0; -EBADMSG with a complaint; -E2BIG or -ENOMEM as the buffer says.
 */
int json_to_traces(
	struct bytes text, unsigned max_depth, struct buf *out, struct complaint *complaint);

#endif
