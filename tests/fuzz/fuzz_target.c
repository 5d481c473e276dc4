/* A target of any bytes is refused, or has a path that leads nowhere else however often it is read. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the most careless reader would do it. */
static void unescape(char *path)
{
	char *out = path;
	for (const char *at = path; *at; at++) {
		char digits[3] = { at[0] == '%' ? at[1] : '\0', at[0] == '%' ? at[2] : '\0' };
		*out++ = *at == '%' ? (char)strtol(digits, NULL, 16) : *at;
		at += *at == '%' ? 2 : 0;
	}
	*out = '\0';
}

static void refuse_dots(char *path)
{
	char *rest = NULL;
	for (char *name = strtok_r(path, "/\\", &rest); name; name = strtok_r(NULL, "/\\", &rest))
		assert(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *target = strndup((const char *)data, size);
	struct buf path, again;
	buf_init(&path, SIZE_MAX, NULL);
	buf_init(&again, SIZE_MAX, NULL);
	if (target && !http_target_path(target, &path)) {
		char *text = (char *)path.at;
		assert(path.len == strlen(text) + 1 && path.len <= strlen(target) + 1);
		assert(strchr(target, ' ') == NULL && strncmp(text, "//", 2) != 0);
		assert(!http_target_path(text, &again));
		assert(path.len == again.len && memcmp(path.at, again.at, path.len) == 0);
		unescape(text);
		refuse_dots(text);
	}
	buf_done(&path);
	buf_done(&again);
	free(target);
	return 0;
}
