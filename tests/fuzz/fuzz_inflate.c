/*
 * Inflates what the fuzzer says is gzip with every engine: what zlib takes, ISA-L takes with the same
 * result, and nothing goes over the maximum. Then the same bytes as plain text, there and back.
 *
 * ISA-L also takes members whose code tables are incomplete, which zlib refuses. That is harmless: the
 * checksum and the length still have to be right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "http/gzip_engine.h"

enum { MAX_BYTES = 128 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static int inflate(const struct gzip_engine *engine, struct bytes body, struct buf *out)
{
	buf_init(out, MAX_BYTES, NULL);
	int status = engine->inflate(body, out);
	demand(status == 0 || status == -EBADMSG || status == -E2BIG, "the status is one of the three promised");
	demand(out->len <= MAX_BYTES && out->capacity <= MAX_BYTES, "the maximum holds");
	return status;
}

static void check_round_trip(const struct gzip_engine *from, const struct gzip_engine *to, struct bytes plain)
{
	struct buf gzip, back;
	buf_init(&gzip, 2 * MAX_BYTES, NULL);
	demand(from->compress(plain, &gzip) == 0, "anything can be compressed");
	demand(inflate(to, buf_bytes(&gzip), &back) == 0, "what one compressed the other inflates");
	demand(bytes_equal(buf_bytes(&back), plain), "there and back is the same");
	buf_done(&gzip);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { data, size < MAX_BYTES ? size : MAX_BYTES };
	struct buf by_zlib;
	int status = inflate(&gzip_zlib, input, &by_zlib);
#ifdef HAVE_ISAL
	struct buf by_isal;
	int other = inflate(&gzip_isal, input, &by_isal);
	demand(status != 0 || other == 0, "what zlib takes ISA-L takes");
	demand(status != 0 || bytes_equal(buf_bytes(&by_zlib), buf_bytes(&by_isal)), "and finds the same in it");
	demand(status != -E2BIG || other != 0, "what is too much for zlib ISA-L refuses");
	buf_done(&by_isal);
	check_round_trip(&gzip_isal, &gzip_zlib, input);
	check_round_trip(&gzip_zlib, &gzip_isal, input);
#endif
	(void)status;
	buf_done(&by_zlib);
	return 0;
}
