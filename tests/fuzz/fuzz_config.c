/* A configuration file of any bytes is taken or complained about. */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[32];
	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;

	char *environment[] = { "HOME=/nonexistent", NULL };
	struct config *config = NULL;
	char **notes = NULL;
	struct complaint complaint;
	int error = config_load(path, environment, NULL, &config, &notes, &complaint);
	assert(error ? error == -EINVAL && complaint.text[0] && !config : config && notes);
	config_free(config);
	config_notes_free(notes);
	return 0;
}
