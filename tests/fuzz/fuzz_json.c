/*
 * The JSON door on any bytes. What is taken is JSON (jansson says so too), becomes protobuf that the
 * generated code and the wire walk read with the same number of spans, and takes no more room than the
 * text. What is refused has a complaint, and leaves no memory behind.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "otlp/json.h"
#include "otlp/request.h"
#include "pricing/price.h"
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

static void check_request(struct bytes request, const struct config *config)
{
	struct arena arena;
	struct enriched enriched;
	uint32_t count;
	oracle_request *decoded = oracle_decode(request);
	demand(decoded != NULL, "the generated code decodes it");
	demand(request_count_items(request, &count) == 0, "it is well formed");
	demand(count == oracle_span_count(decoded), "it has as many spans as that says");
	demand(request.len == otlp__export_trace_service_request__get_packed_size(decoded),
		"nothing is written twice, or longer than it has to be");
	arena_init(&arena, 32 << 20, NULL);
	int error = enrich(request, config, prices(), &arena, &enriched);
	demand(error == 0 || error == -E2BIG, "the wire walk takes it");
	demand(error || enriched.span_count + enriched.rejected_count == count,
		"and meets as many spans");
	arena_done(&arena);
	oracle_free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = fixture_config();
	struct bytes text = { data, size };
	struct budget budget = { .limit_bytes = size + 1 };
	struct complaint complaint = { 0 };
	struct buf out;
	buf_init(&out, size, &budget);
	int error = json_to_request(
		text, SIGNAL_TRACES, (unsigned)config.limits.max_depth, &out, &complaint);
	demand(error == 0 || error == -EBADMSG, "the output is no longer than the text");
	demand((error == 0) == !complaint.text[0], "who is refused is told why");
	if (!error) {
		check_with_jansson(text);
		check_request(buf_bytes(&out), &config);
	}
	buf_done(&out);
	demand(budget.used_bytes == 0, "all memory is given back");
	return 0;
}
