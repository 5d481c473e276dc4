/* The generated protobuf code as judge of what was withheld: that, all of that, and nothing else. */
#ifndef TG_TESTS_CONTENT_JUDGE_H
#define TG_TESTS_CONTENT_JUDGE_H

#include "base/bytes.h"
#include "config/config.h"

/*
 * Whether `output` is `input` as a destination of this configuration may have it; otherwise says why not. True
 * as well when the generated code cannot read the input.
 */
bool content_judge(const struct destination_config *config, struct bytes input, struct bytes output,
	const char **ret_why);

#endif
