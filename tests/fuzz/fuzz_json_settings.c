/* Any bytes are a settings file that is edited and comes back as it was, or are refused with words. */
#include <stdio.h>
#include <stdlib.h>

#include "support/settings_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says whose file it is, and what is wished. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tool *const whose[] = { &tool_claude_code, &tool_gemini,
		&tool_langfuse_sdk };
	if (size == 0)
		return 0;
	const struct wish wish = { "http://127.0.0.1:4318",
		data[0] & 1 ? "tollgate" : "/opt/my tools/tollgate", data[0] & 2, data[0] & 4,
		data[0] & 8 };
	const struct tool *tool = whose[(data[0] >> 4) % 3];
	const char *broken =
		settings_judge(&tool->files[0], &wish, (struct bytes){ data + 1, size - 1 }, NULL);
	if (broken) {
		fprintf(stderr, "%s: %s\n", tool->name, broken);
		abort();
	}
	return 0;
}
