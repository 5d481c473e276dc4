/* What the log holds, and for whom. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/complaint.h"
#include "base/counters.h"
#include "config/config.h"
#include "export/destination.h"
#include "export/exporter.h"
#include "spool/ledger.h"
#include "watch/balance.h"
#include "watch/watch.h"

/* NULL for no error. */
static const char *why(int error)
{
	return error == 0 ? NULL : error == -ENOSPC ? "no space" : "the disk fails";
}

static json_t *disk_of(const struct watch *watch)
{
	struct statvfs disk = { 0 };
	struct spool_figures figures = spool_figures(watch->spool);
	statvfs(watch->config->state_directory, &disk);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?}", "directory",
		watch->config->state_directory, "kept_bytes", (json_int_t)figures.kept_bytes,
		"max_bytes", (json_int_t)watch->config->spool.max_bytes, "disk_bytes",
		(json_int_t)figures.disk_bytes, "segments", (json_int_t)figures.segments,
		"free_bytes", (json_int_t)((uint64_t)disk.f_bavail * disk.f_frsize),
		"min_free_bytes", (json_int_t)watch->config->spool.min_free_bytes,
		"records_damaged", (json_int_t)counter_read(COUNTER_SPOOL_RECORDS_DAMAGED),
		"refusing", why(spool_status(watch->spool)), "last_write_failed",
		why(figures.failure));
}

static const struct watched_destination *find_destination(
	const struct watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->destination_count; i++)
		if (strcmp(watch->destinations[i].config->name, name) == 0)
			return &watch->destinations[i];
	return NULL;
}

static json_t *traffic_of(const struct watched_destination *destination, const char *lane)
{
	const struct exporter *exporter = destination->exporter;
	for (size_t i = 0; i < exporter_lane_count(exporter); i++) {
		struct lane_figures own = exporter_lane_figures(exporter, i);
		if (strcmp(own.name, lane) == 0)
			return json_pack(
				"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:I, s:I}",
				"type", destination_of(destination->config->type)->name, "records",
				(json_int_t)own.lag.records, "bytes", (json_int_t)own.lag.bytes,
				"oldest_ns", (json_int_t)own.lag.oldest_ns, "in_flight",
				(json_int_t)own.in_flight, "held_since_ns",
				(json_int_t)own.held_since_ns, "failing_since_ns",
				(json_int_t)own.failing_since_ns, "failure_status",
				(json_int_t)own.status, "failure_why", own.why, "retried",
				(json_int_t)own.retried, "last_status", (json_int_t)own.last_status,
				"last_success_ns", (json_int_t)own.last_success_ns);
	}
	return json_object();
}

static json_t *row_of(const struct watch *watch, const struct balance *balance)
{
	const struct watched_destination *destination =
		find_destination(watch, balance->destination);
	json_t *row = balance_json(balance);
	json_t *traffic = destination ? traffic_of(destination, balance->lane) : json_object();
	if (!row || !traffic || json_object_update(row, traffic) < 0) {
		json_decref(row);
		row = NULL;
	}
	json_decref(traffic);
	return row;
}

static json_t *rows_of(const struct watch *watch, const struct balance *balances, size_t count)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < count; i++)
		if (balances[i].is_live &&
			json_array_append_new(rows, row_of(watch, &balances[i])) < 0) {
			json_decref(rows);
			return NULL;
		}
	return rows;
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	(void)complaint;
	struct balance *balances;
	size_t count;
	int error = ledger_read(watch->ledger, 0, false, &balances, &count);
	if (error)
		return error;
	*ret_answer = json_pack("{s:I, s:o, s:o}", "now_ns", (json_int_t)clock_unix_ns(), "spool",
		disk_of(watch), "destinations", rows_of(watch, balances, count));
	free(balances);
	return *ret_answer ? 0 : -ENOMEM;
}

static const char *const no_arguments[] = { NULL };

const struct view view_spool = {
	.method = "GET",
	.path = "/v1/spool",
	.answer = answer,
	.arguments = no_arguments,
};
