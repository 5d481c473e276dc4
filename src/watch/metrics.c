#include "watch/metrics.h"

#include "config.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/names.h"
#include "config/config.h"
#include "export/exporter.h"
#include "export/local.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "proxy/proxy.h"
#include "sources.h"
#include "spool/spool.h"
#include "synthesize/live.h"
#include "synthesizer.h"
#include "vocabularies/vocabulary.h"
#include "watch/watch.h"

struct family;

/* Each writes the samples of one family. */
typedef void write_samples(
	struct buf *page, const struct family *family, const struct watch *watch);

struct family {
	const char *name, *type, *help;
	write_samples *write;
	enum counter first, last;                            /* of counted and by_reason */
	const char *label;                                   /* of by_reason and by_name */
	double (*of_spool)(struct spool *spool);             /* of the_spool */
	double (*of_destination)(const struct exporter *);   /* of by_destination */
	double (*of_lane)(const struct lane_figures *lane);  /* of by_lane */
	double (*of_local)(struct local_figures figures);    /* of the_local_view */
	double (*of_sessions)(const struct live_view *view); /* of the_sessions */
};

/* ---- samples ---- */

/* As the format wants it: backslash, quote and line feed are escaped, nothing else is. */
static void append_label(struct buf *page, const char *before, const char *label, const char *value)
{
	buf_printf(page, "%s%s=\"", before, label);
	for (; *value; value++) {
		if (*value == '\n')
			buf_text(page, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(page, "\\%c", *value);
		else
			buf_append(page, value, 1);
	}
	buf_text(page, "\"");
}

static void append_value(struct buf *page, const char *before, double value)
{
	buf_printf(page, "%s %.15g\n", before, value);
}

/*   label  NULL for a family that has none */
static void append_sample(struct buf *page, const struct family *family, const char *label,
	const char *label_value, double value)
{
	buf_text(page, family->name);
	if (label)
		append_label(page, "{", label, label_value);
	append_value(page, label ? "}" : "", value);
}

static void counted(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	append_sample(page, family, NULL, NULL, (double)counter_read(family->first));
}

/* The counters of a group; what tells them apart stands behind the word that their names share. */
static void by_reason(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	for (enum counter counter = family->first; counter <= family->last; counter++)
		append_sample(page, family, family->label, strchr(counter_name(counter), '_') + 1,
			(double)counter_read(counter));
}

static void by_vocabulary(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	for (unsigned v = 0; vocabularies[v]; v++)
		append_sample(page, family, "vocabulary", vocabularies[v]->name,
			(double)vocabulary_spans(v));
}

static void by_model(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	struct names models;
	names_read(NAMES_UNKNOWN_MODELS, &models);
	for (size_t i = 0; i < models.count; i++)
		append_sample(page, family, "model", models.at[i].text, (double)models.at[i].count);
}

static void of_other_models(
	struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	struct names models;
	names_read(NAMES_UNKNOWN_MODELS, &models);
	append_sample(page, family, NULL, NULL, (double)models.others);
}

static void by_destination(struct buf *page, const struct family *family, const struct watch *watch)
{
	for (size_t i = 0; i < watch->destination_count; i++)
		append_sample(page, family, "destination", watch->destinations[i].config->name,
			family->of_destination(watch->destinations[i].exporter));
}

/* Of projects, where there are more than the default one. */
static void by_lane(struct buf *page, const struct family *family, const struct watch *watch)
{
	for (size_t i = 0; i < watch->destination_count; i++) {
		const struct watched_destination *at = &watch->destinations[i];
		size_t count = exporter_lane_count(at->exporter);
		for (size_t lane = 0; lane < count && count > 1; lane++) {
			struct lane_figures figures = exporter_lane_figures(at->exporter, lane);
			buf_text(page, family->name);
			append_label(page, "{", "destination", at->config->name);
			append_label(page, ",", "lane", figures.name);
			append_value(page, "}", family->of_lane(&figures));
		}
	}
}

static void the_spool(struct buf *page, const struct family *family, const struct watch *watch)
{
	append_sample(page, family, NULL, NULL, family->of_spool(watch->spool));
}

static void the_local_view(struct buf *page, const struct family *family, const struct watch *watch)
{
	if (watch->local)
		append_sample(
			page, family, NULL, NULL, family->of_local(local_figures(watch->local)));
}

static void the_sessions(struct buf *page, const struct family *family, const struct watch *watch)
{
	if (!watch->synthesizer)
		return;
	const struct live_view view = synthesizer_figures(watch->synthesizer);
	append_sample(page, family, NULL, NULL, family->of_sessions(&view));
}

static void by_name(struct buf *page, const struct family *family, enum sort sort)
{
	struct names names;
	names_read(sort, &names);
	for (size_t i = 0; i < names.count; i++)
		append_sample(
			page, family, family->label, names.at[i].text, (double)names.at[i].count);
}

static void by_dropped_name(
	struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	by_name(page, family, NAMES_DROPPED_SPANS);
}

static void by_sdk(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	by_name(page, family, NAMES_INGESTION_SDKS);
}

static void by_passage(struct buf *page, const struct family *family, const struct watch *watch)
{
	struct proxy_figures figures;
	if (!watch->proxy)
		return;
	proxy_figures(watch->proxy, &figures);
	for (enum request_family i = 0; i < FAMILY_COUNT; i++)
		for (enum passage passage = 0; passage < PASSAGE_COUNT; passage++)
			buf_printf(page, "%s{family=\"%s\",ended=\"%s\"} %llu\n", family->name,
				family_name(i), passage_name(passage),
				(unsigned long long)figures.families[i].ended[passage]);
}

static void upstream_status(
	struct buf *page, const struct family *family, const struct watch *watch)
{
	struct proxy_figures figures;
	if (!watch->proxy)
		return;
	proxy_figures(watch->proxy, &figures);
	for (enum request_family i = 0; i < FAMILY_COUNT; i++)
		append_sample(
			page, family, "family", family_name(i), figures.families[i].last_status);
}

static void open_requests(struct buf *page, const struct family *family, const struct watch *watch)
{
	struct proxy_figures figures;
	if (!watch->proxy)
		return;
	proxy_figures(watch->proxy, &figures);
	append_sample(page, family, NULL, NULL, (double)figures.open);
}

static void append_source(struct buf *page, const struct family *family, const json_t *source)
{
	const char *signal, *cli = json_string_value(json_object_get(source, "cli"));
	json_t *heard;
	json_object_foreach(json_object_get(source, "signals"), signal, heard) {
		json_int_t last_ns = json_integer_value(json_object_get(heard, "last_ns"));
		buf_text(page, family->name);
		append_label(
			page, "{", "source", json_string_value(json_object_get(source, "name")));
		append_label(page, ",", "cli", cli ? cli : "");
		append_label(page, ",", "signal", signal);
		append_value(page, "}", (double)(last_ns / 1000000) / 1e3);
	}
}

static void by_source(struct buf *page, const struct family *family, const struct watch *watch)
{
	size_t i;
	json_t *source;
	json_t *answer = watch->sources ? sources_json(watch->sources, clock_unix_ns()) : NULL;
	json_array_foreach(json_object_get(answer, "sources"), i, source)
		append_source(page, family, source);
	json_decref(answer);
}

static void sessions_age(struct buf *page, const struct family *family, const struct watch *watch)
{
	if (!watch->synthesizer)
		return;
	uint64_t since_ns = synthesizer_waiting_since_ns(watch->synthesizer);
	uint64_t now_ns = clock_unix_ns();
	append_sample(page, family, NULL, NULL,
		since_ns && since_ns < now_ns ? (double)((now_ns - since_ns) / 1000000) / 1e3 : 0);
}

static void version(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	append_sample(page, family, "version", PACKAGE_VERSION, 1);
}

static void price_table_age(
	struct buf *page, const struct family *family, const struct watch *watch)
{
	struct prices *prices = tariff_hold(watch->tariff);
	append_sample(page, family, NULL, NULL, prices_age_days(prices, clock_unix_ns()));
	tariff_release(watch->tariff, prices);
}

static void start_time(struct buf *page, const struct family *family, const struct watch *watch)
{
	append_sample(page, family, NULL, NULL, (double)(watch->started_ns / 1000000) / 1e3);
}

static void cpu_seconds(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	struct rusage usage = { 0 };
	getrusage(RUSAGE_SELF, &usage);
	append_sample(page, family, NULL, NULL,
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static void resident_bytes(struct buf *page, const struct family *family, const struct watch *watch)
{
	(void)watch;
	long pages;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (!statm)
		return;
	if (fscanf(statm, "%*d %ld", &pages) == 1)
		append_sample(
			page, family, NULL, NULL, (double)pages * (double)sysconf(_SC_PAGESIZE));
	fclose(statm);
}

/* ---- figures of the spool, of a destination, of the local view ---- */

static double is_writable(struct spool *spool)
{
	return spool_status(spool) == 0;
}

static double kept_bytes(struct spool *spool)
{
	return (double)spool_figures(spool).kept_bytes;
}

static double disk_bytes(struct spool *spool)
{
	return (double)spool_figures(spool).disk_bytes;
}

static double commits(struct spool *spool)
{
	return (double)spool_figures(spool).commits;
}

static double waiting_bytes(const struct exporter *exporter)
{
	return (double)exporter_lag(exporter).bytes;
}

static double age_of(struct spool_lag lag)
{
	uint64_t oldest_ns = lag.oldest_ns, now_ns = clock_unix_ns();
	return oldest_ns && oldest_ns < now_ns ? (double)((now_ns - oldest_ns) / 1000000) / 1e3 : 0;
}

static double oldest_age(const struct exporter *exporter)
{
	return age_of(exporter_lag(exporter));
}

static double delivered(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).delivered;
}

static double rejected(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).rejected;
}

static double dead(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).dead;
}

static double dropped(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).dropped;
}

static double retried(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).retried;
}

static double in_flight(const struct exporter *exporter)
{
	return (double)exporter_figures(exporter).in_flight;
}

static double last_status(const struct exporter *exporter)
{
	return exporter_figures(exporter).last_status;
}

static double last_success(const struct exporter *exporter)
{
	return (double)(exporter_figures(exporter).last_success_ns / 1000000) / 1e3;
}

static double held_since(const struct exporter *exporter)
{
	return (double)(exporter_figures(exporter).held_since_ns / 1000000) / 1e3;
}

static double lane_delivered(const struct lane_figures *lane)
{
	return (double)lane->delivered;
}

static double lane_oldest_age(const struct lane_figures *lane)
{
	return age_of(lane->lag);
}

static double lane_held_since(const struct lane_figures *lane)
{
	return (double)(lane->held_since_ns / 1000000) / 1e3;
}

static double stored(struct local_figures figures)
{
	return (double)figures.stored;
}

static double skipped(struct local_figures figures)
{
	return (double)figures.skipped;
}

static double file_bytes(struct local_figures figures)
{
	return (double)figures.file_bytes;
}

static double last_write(struct local_figures figures)
{
	return (double)(figures.last_write_ns / 1000000) / 1e3;
}

static double open_sessions(const struct live_view *view)
{
	return (double)view->open_sessions;
}

static double open_turns(const struct live_view *view)
{
	return (double)view->open_turns;
}

static double held_events(const struct live_view *view)
{
	return (double)view->held_events;
}

static double held_bytes(const struct live_view *view)
{
	return (double)view->held_bytes;
}

/* ---- the table, from the doors to the destinations ---- */

static const struct family families[] = {
	{ "tollgate_build_info", "gauge", "Always 1, with the version that runs.", version },
	{ "tollgate_start_time_seconds", "gauge", "When the daemon started, Unix time.",
		start_time },

	{ "tollgate_requests_total", "counter", "Requests at the doors, refused ones too.", counted,
		.first = COUNTER_REQUESTS_RECEIVED },
	{ "tollgate_requests_refused_total", "counter", "Requests answered with an error.",
		by_reason, .first = COUNTER_REFUSED_MALFORMED, .last = COUNTER_REFUSED_STOPPING,
		.label = "reason" },
	{ "tollgate_spans_received_total", "counter", "Spans in requests that could be read.",
		counted, .first = COUNTER_SPANS_RECEIVED },
	{ "tollgate_spans_rejected_total", "counter",
		"Spans refused by a partial success, while the rest of their request was taken.",
		by_reason, .first = COUNTER_REJECTED_WITHOUT_IDS,
		.last = COUNTER_REJECTED_LOOKS_LIKE_LOGS, .label = "reason" },
	{ "tollgate_spans_accepted_total", "counter", "Spans on disk and acknowledged.", counted,
		.first = COUNTER_SPANS_STORED },
	{ "tollgate_log_records_received_total", "counter",
		"Log records in requests that could be read.", counted,
		.first = COUNTER_LOGS_RECEIVED },
	{ "tollgate_metrics_received_total", "counter", "Metrics in requests that could be read.",
		counted, .first = COUNTER_METRICS_RECEIVED },
	{ "tollgate_hooks_received_total", "counter", "Hooks of coding CLIs.", counted,
		.first = COUNTER_HOOKS_RECEIVED },
	{ "tollgate_unwanted_total", "counter",
		"Log records and metrics that were acknowledged and not kept, because no destination "
		"takes them.",
		by_reason, .first = COUNTER_UNWANTED_LOGS, .last = COUNTER_UNWANTED_METRICS,
		.label = "signal" },
	{ "tollgate_ingestion_stored_total", "counter",
		"Scores and other events of Langfuse's ingestion API that were put on disk, to be sent when "
		"it takes them.",
		counted, .first = COUNTER_INGESTION_STORED },

	{ "tollgate_proxy_requests_total", "counter",
		"Requests for Langfuse, by what they are about and how they ended: passed with its own "
		"answer, stored to be sent later, answered from a copy, failed because it did not answer, "
		"refused by Tollgate, or departed with the client.",
		by_passage },
	{ "tollgate_proxy_last_status", "gauge",
		"HTTP status of Langfuse's last answer; 0 when there was none.", upstream_status },
	{ "tollgate_proxy_open_requests", "gauge", "Requests on their way through to Langfuse.",
		open_requests },
	{ "tollgate_ingestion_trace_events_total", "counter",
		"Events of traces in Langfuse's ingestion batches, which OTLP carries better: they pass "
		"through as they are.",
		counted, .first = COUNTER_INGESTION_OF_TRACES },
	{ "tollgate_ingestion_trace_batches_total", "counter",
		"Batches with such events, by the SDK that sent them; the first hundred names.",
		by_sdk, .label = "sdk" },

	{ "tollgate_events_total", "counter",
		"What coding CLIs said, by what became of it: taken, a repeat of what was taken, late for "
		"its turn, alone because its partner did not come in time, without a session, in a request "
		"that could not be read, or of a turn that was ended for want of room.",
		by_reason, .first = COUNTER_EVENTS_TAKEN, .last = COUNTER_EVENTS_CROWDED_OUT,
		.label = "what" },
	{ "tollgate_native_spans_total", "counter",
		"Spans that coding CLIs wrote themselves, by what was done with them.", by_reason,
		.first = COUNTER_NATIVE_COMPLETED, .last = COUNTER_NATIVE_DROPPED,
		.label = "what" },
	{ "tollgate_dropped_spans_total", "counter",
		"Spans of coding CLIs' insides that were dropped, by name; the first hundred names.",
		by_dropped_name, .label = "name" },
	{ "tollgate_turns_ended_total", "counter", "Turns whose span was given.", counted,
		.first = COUNTER_TURNS_ENDED },
	{ "tollgate_spans_synthesized_total", "counter",
		"Spans made of what coding CLIs said in logs and hooks.", counted,
		.first = COUNTER_SPANS_SYNTHESIZED },
	{ "tollgate_sessions_open", "gauge", "Sessions that are remembered as they were last seen.",
		the_sessions, .of_sessions = open_sessions },
	{ "tollgate_turns_open", "gauge", "Turns that are not over.", the_sessions,
		.of_sessions = open_turns },
	{ "tollgate_events_held", "gauge", "Events that wait in memory.", the_sessions,
		.of_sessions = held_events },
	{ "tollgate_events_held_bytes", "gauge", "Bytes of the events and logs that wait.",
		the_sessions, .of_sessions = held_bytes },
	{ "tollgate_sessions_oldest_age_seconds", "gauge",
		"Age of the oldest request of a coding CLI that was not read yet; 0 for none.",
		sessions_age },

	{ "tollgate_spans_enriched_total", "counter",
		"Spans of AI work, by the vocabulary that tells; all other spans got identity alone.",
		by_vocabulary },
	{ "tollgate_spans_lacking_total", "counter",
		"Spans of AI work of which neither they, their resource, the root of their trace in the "
		"same request nor the configuration says it.",
		by_reason, .first = COUNTER_LACKING_SESSION, .last = COUNTER_LACKING_VERSION,
		.label = "what" },
	{ "tollgate_model_calls_total", "counter",
		"Model calls with usage, by what the price table says of them.", by_reason,
		.first = COUNTER_SPANS_PRICED, .last = COUNTER_SPANS_UNPRICED, .label = "price" },
	{ "tollgate_sender_costs_total", "counter",
		"Model calls whose sender said a cost too, by what ours is beside it: the same within a "
		"thousandth or a millionth of a dollar, higher, lower, or theirs because the table has none.",
		by_reason, .first = COUNTER_COST_SAME, .last = COUNTER_COST_THEIRS,
		.label = "ours" },
	{ "tollgate_price_table_age_days", "gauge",
		"Days since the date of the price table; from 90 on somebody should look.",
		price_table_age },
	{ "tollgate_unknown_model_calls_total", "counter",
		"Model calls without a price because the table lacks their model.", by_model },
	{ "tollgate_unknown_model_other_calls_total", "counter",
		"The same, of models beyond the hundred that are named.", of_other_models },
	{ "tollgate_unclear_usage_total", "counter",
		"Model calls whose tokens had to be read by custom, contradict each other, or are not told.",
		by_reason, .first = COUNTER_USAGE_ASSUMED, .last = COUNTER_USAGE_WITHHELD,
		.label = "reason" },
	{ "tollgate_repairs_total", "counter",
		"Changes to Langfuse's copy, which it would otherwise refuse, lose or count twice.",
		by_reason, .first = COUNTER_REPAIRED_VALUELESS, .last = COUNTER_REPAIRED_PROMPT,
		.label = "reason" },

	{ "tollgate_source_last_seen_time_seconds", "gauge",
		"When something last came of a signal from a source, a service or a CLI, Unix time.",
		by_source },

	{ "tollgate_spool_writable", "gauge", "1 while the spool takes what comes, else 0.",
		the_spool, .of_spool = is_writable },
	{ "tollgate_spool_bytes", "gauge", "Bytes kept because a destination still needs them.",
		the_spool, .of_spool = kept_bytes },
	{ "tollgate_spool_disk_bytes", "gauge", "Bytes of the spool's files, free room included.",
		the_spool, .of_spool = disk_bytes },
	{ "tollgate_spool_commits_total", "counter", "Groups written and synced.", the_spool,
		.of_spool = commits },
	{ "tollgate_spool_sync_failures_total", "counter",
		"Syncs that failed; nothing was acknowledged by them.", counted,
		.first = COUNTER_SPOOL_SYNC_FAILURES },
	{ "tollgate_spool_records_damaged_total", "counter",
		"Records whose checksum is wrong; they are skipped.", counted,
		.first = COUNTER_SPOOL_RECORDS_DAMAGED },
	{ "tollgate_spool_tails_cut_total", "counter",
		"Unfinished writes that a crash left and a start cut off.", counted,
		.first = COUNTER_SPOOL_TAILS_CUT },
	{ "tollgate_spool_waiting_bytes", "gauge", "Bytes that the destination still needs.",
		by_destination, .of_destination = waiting_bytes },
	{ "tollgate_spool_oldest_age_seconds", "gauge",
		"Age of the oldest request that the destination still needs; 0 for none.",
		by_destination, .of_destination = oldest_age },

	{ "tollgate_exported_spans_total", "counter", "Spans that the destination took.",
		by_destination, .of_destination = delivered },
	{ "tollgate_export_rejected_spans_total", "counter",
		"Spans that the destination refused by a partial success.", by_destination,
		.of_destination = rejected },
	{ "tollgate_export_dead_spans_total", "counter",
		"Spans set aside as dead letters, because the destination will never take them.",
		by_destination, .of_destination = dead },
	{ "tollgate_export_dropped_spans_total", "counter",
		"Spans given up for the destination: over its share of the disk, or damaged there.",
		by_destination, .of_destination = dropped },
	{ "tollgate_export_retries_total", "counter", "Requests that have to be sent again.",
		by_destination, .of_destination = retried },
	{ "tollgate_export_in_flight", "gauge", "Requests that wait for an answer.", by_destination,
		.of_destination = in_flight },
	{ "tollgate_destination_last_status", "gauge",
		"HTTP status of the last answer; 0 when there was none.", by_destination,
		.of_destination = last_status },
	{ "tollgate_destination_last_success_time_seconds", "gauge",
		"When the destination last took something, Unix time; 0 for never.", by_destination,
		.of_destination = last_success },
	{ "tollgate_destination_held_since_time_seconds", "gauge",
		"Since when the destination is tried slowly, because somebody must mend something, Unix "
		"time; 0 while it is not.",
		by_destination, .of_destination = held_since },

	{ "tollgate_lane_exported_spans_total", "counter",
		"Spans of one project that the destination took; where there are projects.",
		by_lane, .of_lane = lane_delivered },
	{ "tollgate_lane_oldest_age_seconds", "gauge",
		"Age of the oldest request that is kept for the project; 0 for none.", by_lane,
		.of_lane = lane_oldest_age },
	{ "tollgate_lane_held_since_time_seconds", "gauge",
		"Since when the project is tried slowly at the destination, because somebody must mend "
		"something, such as its keys, Unix time; 0 while it is not.",
		by_lane, .of_lane = lane_held_since },

	{ "tollgate_local_stored_spans_total", "counter", "Spans written to the local view.",
		the_local_view, .of_local = stored },
	{ "tollgate_local_skipped_spans_total", "counter",
		"Spans that the local view left out, because it was too far behind or could not write.",
		the_local_view, .of_local = skipped },
	{ "tollgate_local_bytes", "gauge", "Size of the local view's file.", the_local_view,
		.of_local = file_bytes },
	{ "tollgate_local_last_write_time_seconds", "gauge",
		"When the local view was last written, Unix time; 0 for never.", the_local_view,
		.of_local = last_write },

	{ "process_cpu_seconds_total", "counter", "CPU time used, user and system.", cpu_seconds },
	{ "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes },
};

void metrics_write(struct buf *page, const struct watch *watch)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		const struct family *family = &families[i];
		buf_printf(page, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			family->name, family->type);
		family->write(page, family, watch);
	}
}
