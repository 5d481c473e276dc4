/*
 * OTLP/JSON read once and written out as protobuf, so that everything behind the doors knows one
 * encoding.
 *
 * Not by way of a tree of jansson's: that would round or refuse integers of 64 bits and half surrogate
 * pairs, take thirteen times as long, and seventy times the memory of a body of `{}`s. Here the output
 * takes no more than the text did, but for a metric's lists of short numbers, which take four times as much
 * at most. What is read: opentelemetry-proto docs/specification.md, "JSON
 * Protobuf Encoding", and beyond it what senders are seen to write: names of enums, integers bare or in
 * quotes, base64 of either alphabet.
 */
#ifndef TG_OTLP_JSON_H
#define TG_OTLP_JSON_H

#include "base/buf.h"
#include "base/complaint.h"
#include "otlp/signal.h"

/*
 * Which request a text is by the first name in it that says so, such as resourceSpans. False when none does:
 * that is true of {}, and of what is no JSON.
 */
bool json_find_signal(struct bytes text, enum signal *ret_signal);

/*
 * Appends the Export…ServiceRequest of the signal.
 *
 *   max_depth  messages within messages; brackets within what is unknown and passed over
 *   complaint  what the sender has to mend: where, by path and offset, never with content of the text
 *
 * 0; -EBADMSG with a complaint; -E2BIG or -ENOMEM as the buffer says.
 */
int json_to_request(struct bytes text, enum signal signal, unsigned max_depth, struct buf *out,
	struct complaint *complaint);

#endif
