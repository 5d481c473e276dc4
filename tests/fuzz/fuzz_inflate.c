/*
 * Inflates what the fuzzer says is gzip with every engine: what zlib takes, ISA-L takes with the same
 * result, and nothing goes over the maximum. So with the other codings, each by itself. Then the same
 * bytes as plain text, there and back.
 *
 * ISA-L also takes members whose code tables are incomplete, which zlib refuses. That is harmless: the
 * checksum and the length still have to be right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "http/codecs.h"
#include "http/compression.h"

#ifdef HAVE_ISAL
static const struct gzip_engine *const ours = &gzip_isal;
#else
static const struct gzip_engine *const ours = &gzip_zlib;
#endif

enum { MAX_BYTES = 128 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static int inflate(
	int (*decode)(struct bytes body, struct buf *out), struct bytes body, struct buf *out)
{
	buf_init(out, MAX_BYTES, NULL);
	int status = decode(body, out);
	demand(status == 0 || status == -EBADMSG || status == -E2BIG,
		"the status is one of the three promised");
	demand(out->len <= MAX_BYTES && out->capacity <= MAX_BYTES, "the maximum holds");
	return status;
}

static void check_round_trip(
	const struct gzip_engine *from, const struct gzip_engine *to, struct bytes plain)
{
	struct buf gzip, back;
	buf_init(&gzip, 2 * MAX_BYTES, NULL);
	demand(from->compress(plain, &gzip) == 0, "anything can be compressed");
	demand(inflate(to->inflate, buf_bytes(&gzip), &back) == 0,
		"what one compressed the other inflates");
	demand(bytes_equal(buf_bytes(&back), plain), "there and back is the same");
	buf_done(&gzip);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = { data, size < MAX_BYTES ? size : MAX_BYTES };
	struct buf expected, found;
	int zlib_status = inflate(gzip_zlib.inflate, input, &expected);
	int status = inflate(ours->inflate, input, &found);
	demand(zlib_status != 0 || status == 0, "what zlib takes is taken");
	demand(zlib_status != 0 || bytes_equal(buf_bytes(&expected), buf_bytes(&found)),
		"and holds the same");
	demand(zlib_status != -E2BIG || status != 0, "what is too much for zlib is refused");
	buf_done(&expected);
	buf_done(&found);
	for (const struct coding *coding = codings; coding->name; coding++)
		if (coding->inflate) {
			inflate(coding->inflate, input, &found);
			buf_done(&found);
		}
	check_round_trip(ours, &gzip_zlib, input);
	check_round_trip(&gzip_zlib, ours, input);
	return 0;
}
