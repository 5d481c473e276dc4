/*
 * Stands in for libFuzzer where it is missing: runs the corpus of this target once, as a test.
 * tests/fuzz/fuzz_NAME reads tests/fuzz/corpus/NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"

enum { INPUT_MAX_BYTES = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	struct buf input;
	buf_init(&input, INPUT_MAX_BYTES, NULL);
	int error = file_read(path, &input);
	if (error)
		fprintf(stderr, "%s: %s\n", path, strerror(-error));
	else
		LLVMFuzzerTestOneInput(input.at ? input.at : (const uint8_t *)"", input.len);
	buf_done(&input);
	return error;
}

int main(int argc, char **argv)
{
	char directory[PATH_MAX], path[PATH_MAX + 256];
	const char *srcdir = getenv("srcdir"), *name = strstr(argv[0], "fuzz_");
	snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		name ? name + strlen("fuzz_") : "");
	DIR *corpus = opendir(directory);
	int count = 0, failed = 0;
	for (struct dirent *entry; corpus && (entry = readdir(corpus));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		failed += replay(path) < 0;
		count++;
	}
	if (corpus)
		closedir(corpus);
	printf("%d inputs of %s\n", count, directory);
	return failed || count == 0;
}
