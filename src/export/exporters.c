#include "export/exporters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "export/destination.h"
#include "spool/delivery.h"

/* Of projects: they belong to the Langfuse that they were given with. */
static size_t count_pairs(const struct config *config, const struct destination_config *destination)
{
	return destination == config_langfuse(config) ? config->project_count : 0;
}

static int make(struct exporters *exporters, const struct destination_config *destination,
	struct spool *spool, struct deliveries *deliveries, struct complaint *complaint)
{
	const struct config *config = exporters->config;
	struct exporter_thread *made = &exporters->at[exporters->count++];
	made->config = destination;
	int error = lanes_find(config, destination, spool, deliveries, &made->lanes);
	if (error)
		return error;
	struct exporter_options options = {
		.config = destination,
		.spool = spool,
		.deliveries = deliveries,
		.lanes = made->lanes.names,
		.lane_count = made->lanes.count,
		.projects = config->projects,
		.project_count = count_pairs(config, destination),
		.takes_events = destination == config_langfuse(config),
		.hold_initial_ms = EXPORTER_HOLD_INITIAL_MS,
		.hold_max_ms = EXPORTER_HOLD_MAX_MS,
	};
	return exporter_new(&options, &made->exporter, complaint);
}

static void add_shares(struct shares *shares, const struct exporter_thread *destination,
	struct deliveries *deliveries)
{
	const struct destination_config *config = destination->config;
	const struct lanes *lanes = &destination->lanes;
	for (size_t i = 0; i < lanes->count; i++)
		shares->at[shares->count++] = (struct share){
			.exporter = destination->exporter,
			.lane = i,
			.name = lanes->names[i],
			.delivery = delivery_of(deliveries, config->name, lanes->names[i]),
			.signals = config->signals,
			.is_left_behind =
				i >= lanes->configured && config->type == DESTINATION_LANGFUSE,
		};
}

static int share_the_disk(
	struct exporters *exporters, struct spool *spool, struct deliveries *deliveries)
{
	size_t count = 0;
	for (size_t i = 0; i < exporters->count; i++)
		count += exporters->at[i].lanes.count;
	exporters->shares = (struct shares){
		.at = calloc(count + 1, sizeof *exporters->shares.at),
		.spool = spool,
		.max_bytes = exporters->config->spool.max_bytes,
		.silence_timeout_ms = exporters->config->spool.silence_timeout_ms,
	};
	if (!exporters->shares.at)
		return -ENOMEM;
	for (size_t i = 0; i < exporters->count; i++)
		add_shares(&exporters->shares, &exporters->at[i], deliveries);
	return 0;
}

int exporters_make(const struct config *config, struct spool *spool, struct deliveries *deliveries,
	struct exporters *ret_exporters, struct complaint *complaint)
{
	struct exporters *exporters = ret_exporters;
	*exporters = (struct exporters){
		.config = config,
		.at = calloc(config->destination_count + 1, sizeof *exporters->at),
	};
	int error = exporters->at ? 0 : -ENOMEM;
	for (size_t i = 0; i < config->destination_count && !error; i++)
		if (config->destinations[i].enabled)
			error = make(
				exporters, &config->destinations[i], spool, deliveries, complaint);
	return error ? error : share_the_disk(exporters, spool, deliveries);
}

static void *run(void *arg)
{
	const struct exporter_thread *destination = arg;
	char name[16];
	snprintf(name, sizeof name, "to %s", destination->config->name);
	pthread_setname_np(pthread_self(), name);
	exporter_run(destination->exporter);
	return NULL;
}

int exporters_start(struct exporters *exporters)
{
	for (size_t i = 0; i < exporters->count; i++) {
		struct exporter_thread *destination = &exporters->at[i];
		int error = pthread_create(&destination->thread, NULL, run, destination);
		if (error)
			return -error;
		destination->runs = true;
	}
	return 0;
}

struct exporter *exporters_find(
	const struct exporters *exporters, const struct destination_config *config)
{
	for (size_t i = 0; i < exporters->count; i++)
		if (exporters->at[i].config == config)
			return exporters->at[i].exporter;
	return NULL;
}

static int rekey(const struct exporter_thread *destination, const struct config *config,
	struct complaint *complaint)
{
	const struct destination_config *now =
		config_destination(config, destination->config->name);
	if (!now || !now->enabled)
		return 0;
	if (destination_same_address(now, destination->config))
		return exporter_rekey(destination->exporter, now, config->projects,
			count_pairs(config, now), complaint);
	log_event(LOG_LEVEL_WARNING, "keys_need_restart",
		"destination=%s why=\"its address is another, too\"", now->name);
	return 0;
}

int exporters_rekey(
	const struct exporters *exporters, const struct config *config, struct complaint *complaint)
{
	int error = 0;
	for (size_t i = 0; i < exporters->count && !error; i++)
		error = rekey(&exporters->at[i], config, complaint);
	return error;
}

void exporters_stop(const struct exporters *exporters, uint64_t deadline_ms)
{
	for (size_t i = 0; i < exporters->count; i++)
		if (exporters->at[i].runs)
			exporter_stop(exporters->at[i].exporter, deadline_ms);
}

void exporters_done(struct exporters *exporters)
{
	for (size_t i = 0; i < exporters->count; i++) {
		struct exporter_thread *destination = &exporters->at[i];
		if (destination->runs)
			pthread_join(destination->thread, NULL);
		exporter_free(destination->exporter);
		lanes_done(&destination->lanes);
	}
	free(exporters->at);
	free(exporters->shares.at);
}
