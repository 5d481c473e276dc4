/* Answers of Langfuse's ingestion API, and lines around which a request is laid out. */
#include <stdlib.h>

#include "base/lines.h"
#include "export/ingestion.h"

enum { EVENTS_MAX = 6 };

static void check(bool is_good)
{
	if (!is_good)
		abort();
}

/* The same, cut anywhere, never says other things than the whole; it may say less. */
static void read_cut(struct bytes answer, const struct bytes *pieces, uint32_t count)
{
	int whole[EVENTS_MAX], cut[EVENTS_MAX];
	ingestion_read(answer, pieces, count, whole);
	struct bytes half = { answer.at, answer.len - answer.len / 3 };
	ingestion_read(half, pieces, count, cut);
	for (uint32_t i = 0; i < count; i++) {
		check(whole[i] == 0 || (whole[i] >= 100 && whole[i] < 600));
		check(count == 1 || cut[i] == 0 || cut[i] == whole[i]);
	}
	const struct reply reply = { .outcome = HTTP_ANSWERED, .status = 207, .body = answer };
	struct reply sum = ingestion_reply(&reply, pieces, count);
	check(sum.body.len == 0 && sum.rejected <= count);
}

static void read_with(struct bytes answer, const char *lines, uint32_t count)
{
	struct bytes pieces[2 * EVENTS_MAX + 1];
	check(ingestion_wrap(bytes_of(lines), count, pieces) == 0);
	read_cut(answer, pieces, count);
}

static void wrap(struct bytes lines)
{
	uint32_t count = lines_count(lines);
	struct bytes *pieces = calloc(ingestion_piece_count(count), sizeof *pieces);
	check(pieces && ingestion_wrap(lines, count, pieces) == 0);
	check(ingestion_wrap(lines, count + 1, pieces) < 0 || count == UINT32_MAX);
	free(pieces);
	struct bytes first = lines_cut(lines, 0, count / 2),
		     second = lines_cut(lines, count / 2, count);
	check(first.len + second.len == lines.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes input = { data, size };
	read_with(input, "{\"id\":\"a\"}\n", 1);
	read_with(input,
		"{\"id\":\"a\"}\n{\"id\":\"b\\u0062\"}\n{\"id\":\"\"}\n{}\n7\n{\"id\":\"a\"}\n", 6);
	wrap(input);
	return 0;
}
