/* A configuration file of any bytes is taken, shown and equal to itself, or complained about. */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/settings.h"
#include "config/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refuse_difference(const char *name, const struct setting *row, void *arg)
{
	assert(!"a configuration differs from itself");
}

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
	if (config) {
		json_t *values = config_values(config);
		assert(json_object_size(values) >= setting_count);
		json_decref(values);
		config_compare(config, config, refuse_difference, NULL);
	}
	config_free(config);
	config_notes_free(notes);
	return 0;
}
