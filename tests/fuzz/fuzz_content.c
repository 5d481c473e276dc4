/*
 * Withholding content on any bytes: no crash, and — with the generated protobuf code as judge — an output that
 * is its input less content. A second time changes nothing, and the memory that is set apart suffices. The
 * first byte chooses how much a destination gets.
 */
#include <errno.h>
#include <stdlib.h>

#include "export/content.h"
#include "support/content_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct destination_config config = {
		.content = data[0] & 1 ? CONTENT_NONE : CONTENT_CUT,
		.content_max_bytes = 64 + (data[0] >> 1),
	};
	struct bytes input = { data + 1, size - 1 }, output, again;
	struct arena arena;
	const char *why;
	arena_init(&arena, CONTENT_WORK_BYTES + CONTENT_WORK_FACTOR * input.len, NULL);
	int error = content_rewrite(&config, input, &arena, &output);
	arena.limit_bytes *= 2;
	if (error ? error != -EBADMSG :
		    !content_judge(&config, input, output, &why) ||
				content_rewrite(&config, output, &arena, &again) < 0 ||
				!bytes_equal(output, again))
		abort();
	arena_done(&arena);
	return 0;
}
