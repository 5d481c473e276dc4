#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 512 };

static void name_of(char name[NAME_MAX_BYTES], const char *path)
{
	const char *srcdir = getenv("srcdir");
	snprintf(name, NAME_MAX_BYTES, "%s/tests/fixtures/%s", srcdir ? srcdir : ".", path);
}

bool fixture_is_there(const char *path)
{
	char name[NAME_MAX_BYTES];
	name_of(name, path);
	return access(name, R_OK) == 0;
}

struct bytes fixture(const char *path)
{
	char name[NAME_MAX_BYTES];
	name_of(name, path);
	FILE *file = fopen(name, "rb");
	if (!file) {
		fprintf(stderr, "fixture %s is missing\n", name);
		abort();
	}
	fseek(file, 0, SEEK_END);
	size_t len = (size_t)ftell(file);
	rewind(file);
	uint8_t *at = malloc(len + 1);
	if (fread(at, 1, len, file) != len)
		abort();
	at[len] = 0;
	fclose(file);
	return (struct bytes){ at, len };
}

struct config fixture_config(void)
{
	return (struct config){
		.limits = { .max_depth = 100, .max_spans = 200000 },
		.spool = { .max_record_bytes = 4000000 },
		.content = { .flatten_max_messages = 128, .flatten_max_bytes = 256 << 10 },
	};
}
