/*
 * A fuzz target without a fuzzer: runs the files named on the command line, or all of each directory;
 * without arguments those of its corpus, tests/fuzz/corpus/<name of the program>.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

/* In memory of its exact size, so that a sanitizer sees one byte too far. */
static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		return 1;
	}
	size_t size = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = malloc(size ? size : 1);
	int failed = !data || fread(data, 1, size, file) != size;
	fclose(file);
	if (failed)
		perror(path);
	else
		LLVMFuzzerTestOneInput(data, size);
	replayed++;
	free(data);
	return failed;
}

static int replay(const char *path)
{
	DIR *directory = opendir(path);
	if (!directory)
		return replay_file(path);
	int failed = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		char name[4096];
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			failed |= replay_file(name);
	}
	closedir(directory);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	if (argc == 1) {
		const char *source = getenv("srcdir"), *name = strrchr(argv[0], '/');
		char corpus[4096];
		snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", source ? source : ".",
			name ? name + 1 : argv[0]);
		failed = replay(corpus);
	}
	return failed || replayed == 0;
}
