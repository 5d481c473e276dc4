/*
 * The JSON doors on any bytes, as a request of each signal. What is taken is JSON (jansson says so too), becomes
 * protobuf that the generated code reads and the check of stored requests takes, and needs no more room than
 * the text, for metrics four times that. Of traces the wire walk has the same number of spans. What is refused
 * has a complaint, and leaves no memory behind.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "otlp/check.h"
#include "otlp/json.h"
#include "otlp/request.h"
#include "pricing/price.h"
#include "proto/otlp_logs.pb-c.h"
#include "proto/otlp_metrics.pb-c.h"
#include "support/fixture.h"
#include "support/oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		demand(prices_builtin(&table, &complaint) == 0, "there are prices");
	return table;
}

/* jansson refuses numbers that it cannot hold, half surrogate pairs, NUL in names, a byte order mark. */
static void check_with_jansson(struct bytes text)
{
	json_error_t why;
	if (bytes_start_with(text, "\xef\xbb\xbf"))
		text = (struct bytes){ text.at + 3, text.len - 3 };
	json_t *tree = json_loadb(
		(const char *)text.at, text.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
	enum json_error_code code = tree ? json_error_unknown : json_error_code(&why);
	demand(tree || code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
			strstr(why.text, "Unicode"),
		"what is taken is JSON");
	json_decref(tree);
}

/* As the generated code would write it: nothing twice, and nothing longer than it has to be. */
static void check_encoding(struct bytes request, enum signal signal)
{
	static const ProtobufCMessageDescriptor *const descriptors[] = {
		[SIGNAL_TRACES] = &otlp__export_trace_service_request__descriptor,
		[SIGNAL_LOGS] = &otlp__export_logs_service_request__descriptor,
		[SIGNAL_METRICS] = &otlp__export_metrics_service_request__descriptor,
	};
	ProtobufCMessage *decoded =
		protobuf_c_message_unpack(descriptors[signal], NULL, request.len, request.at);
	demand(decoded != NULL, "the generated code decodes it");
	demand(request.len == protobuf_c_message_get_packed_size(decoded),
		"nothing is written twice, or longer than it has to be");
	protobuf_c_message_free_unpacked(decoded, NULL);
}

static void check_spans(struct bytes request, uint32_t count, const struct config *config)
{
	struct arena arena;
	struct enriched enriched;
	arena_init(&arena, 32 << 20, NULL);
	int error = enrich(request, config, prices(), &arena, &enriched);
	demand(error == 0 || error == -E2BIG, "the wire walk takes it");
	demand(error || enriched.span_count + enriched.rejected_count == count,
		"and meets as many spans");
	arena_done(&arena);
}

static void check_request(struct bytes request, enum signal signal, const struct config *config)
{
	struct checked checked;
	uint32_t count;
	check_encoding(request, signal);
	demand(request_count_items(request, &count) == 0, "it is well formed");
	demand(request_check(request, signal, (unsigned)config->limits.max_depth, UINT32_MAX,
		       &checked) == 0,
		"it may be stored as it is");
	demand(checked.items == count, "it has as many items as that says");
	if (signal == SIGNAL_TRACES)
		check_spans(request, count, config);
}

static void convert(struct bytes text, enum signal signal)
{
	struct config config = fixture_config();
	size_t max_bytes = signal == SIGNAL_METRICS ? 4 * text.len : text.len;
	struct budget budget = { .limit_bytes = max_bytes + 1 };
	struct complaint complaint = { 0 };
	struct buf out;
	buf_init(&out, max_bytes, &budget);
	int error =
		json_to_request(text, signal, (unsigned)config.limits.max_depth, &out, &complaint);
	demand(error == 0 || error == -EBADMSG, "the output is no longer than it may be");
	demand((error == 0) == !complaint.text[0], "who is refused is told why");
	if (!error) {
		check_with_jansson(text);
		check_request(buf_bytes(&out), signal, &config);
	}
	buf_done(&out);
	demand(budget.used_bytes == 0, "all memory is given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { data, size };
	enum signal signal;
	json_find_signal(text, &signal);
	convert(text, SIGNAL_TRACES);
	convert(text, SIGNAL_LOGS);
	convert(text, SIGNAL_METRICS);
	return 0;
}
