#include "setup.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/log.h"
#include "export/destination.h"
#include "pricing/price.h"

int setup_read(
	const struct setup_sources *sources, struct setup *ret_setup, struct complaint *complaint)
{
	struct setup setup = { 0 };
	char path[CONFIG_PATH_MAX];
	const char *file =
		sources->file ? sources->file : config_find_file(sources->environment, path);
	if (file)
		snprintf(setup.file, sizeof setup.file, "%s", file);
	int error = config_load(
		file, sources->environment, sources->flags, &setup.config, &setup.notes, complaint);
	if (!error)
		error = prices_load(setup.config->prices.file, &setup.prices, complaint);
	if (error)
		setup_done(&setup);
	else
		*ret_setup = setup;
	return error;
}

void setup_done(struct setup *setup)
{
	prices_free(setup->prices);
	config_notes_free(setup->notes);
	config_free(setup->config);
	*setup = (struct setup){ 0 };
}

int setup_check(const struct config *config, struct complaint *complaint)
{
	char shown[LOG_TEXT_MAX];
	int error = directory_check(config->state_directory);
	if (error)
		return complain(complaint, "state_directory %s cannot be made or written: %s",
			log_text(shown, config->state_directory), strerror(-error));
	for (size_t i = 0; i < config->destination_count && !error; i++)
		if (config->destinations[i].enabled)
			error = destination_check_not_ours(
				&config->destinations[i], config->listen, complaint);
	return error;
}
