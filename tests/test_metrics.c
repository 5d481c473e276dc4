/* The page for Prometheus; spool, exporters, proxy, local view and synthesizer are played by this program. */
#include <criterion/criterion.h>
#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/names.h"
#include "config/config.h"
#include "dialects/dialect.h"
#include "export/exporter.h"
#include "export/local.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "proxy/proxy.h"
#include "sources.h"
#include "spool/spool.h"
#include "support/exposition.h"
#include "support/scratch.h"
#include "synthesize/live.h"
#include "synthesizer.h"
#include "vocabularies/vocabulary.h"
#include "watch/metrics.h"
#include "watch/watch.h"

struct exporter {
	struct exporter_figures figures;
	struct spool_lag lag;
	const struct lane_figures *lanes;
	size_t lane_count;
};

struct spool {
	int status;
	struct spool_figures figures;
};

struct local {
	struct local_figures figures;
};

struct synthesizer {
	struct live_view view;
	uint64_t waiting_since_ns;
};

struct proxy {
	struct proxy_figures figures;
};

void proxy_figures(const struct proxy *proxy, struct proxy_figures *ret_figures)
{
	*ret_figures = proxy->figures;
}

const char *passage_name(enum passage passage)
{
	static const char *const names[] = { "passed", "stored", "copied", "failed", "refused",
		"departed" };
	return names[passage];
}

struct live_view synthesizer_figures(struct synthesizer *synthesizer)
{
	return synthesizer->view;
}

uint64_t synthesizer_waiting_since_ns(const struct synthesizer *synthesizer)
{
	return synthesizer->waiting_since_ns;
}

struct local_figures local_figures(const struct local *local)
{
	return local->figures;
}

struct exporter_figures exporter_figures(const struct exporter *exporter)
{
	return exporter->figures;
}

struct spool_lag exporter_lag(const struct exporter *exporter)
{
	return exporter->lag;
}

size_t exporter_lane_count(const struct exporter *exporter)
{
	return exporter->lane_count;
}

struct lane_figures exporter_lane_figures(const struct exporter *exporter, size_t lane)
{
	return exporter->lanes[lane];
}

int spool_status(struct spool *spool)
{
	return spool->status;
}

struct spool_figures spool_figures(struct spool *spool)
{
	return spool->figures;
}

static struct spool spool;
static struct exporter langfuse, tempo;
static struct local local;
static const struct destination_config langfuse_config = { .name = "langfuse" },
				       tempo_config = { .name = "tempo" };
static const struct watched_destination destinations[] = { { &langfuse_config, &langfuse },
	{ &tempo_config, &tempo } };
static struct watch watch = { .started_ns = UINT64_C(1794873600123000000),
	.spool = &spool,
	.destinations = destinations,
	.destination_count = 2 };

/* Prices of 100 days ago. */
static struct tariff *old_tariff(void)
{
	char json[256], date[16];
	struct prices *prices = NULL;
	struct complaint complaint = { 0 };
	time_t then = (time_t)(clock_unix_ns() / 1000000000u) - 100 * 86400;
	strftime(date, sizeof date, "%Y-%m-%d", gmtime(&then));
	snprintf(json, sizeof json,
		"{\"schema\":\"tollgate-prices/1\",\"as_of\":\"%s\",\"currency\":\"USD\","
		"\"sources\":{},\"models\":[]}",
		date);
	cr_assert_eq(
		prices_parse(bytes_of(json), "made", &prices, &complaint), 0, "%s", complaint.text);
	return tariff_new(prices);
}

/* The page as it is now, checked; good until the next call. */
static const char *page(void)
{
	static struct buf buf;
	char why[256];
	if (!watch.tariff)
		watch.tariff = old_tariff();
	buf_done(&buf);
	buf_init(&buf, 1 << 20, NULL);
	metrics_write(&buf, &watch);
	buf_append(&buf, "", 1);
	cr_assert_eq(buf.error, 0);
	cr_assert(exposition_check((const char *)buf.at, why), "%s in\n%s", why, buf.at);
	return (const char *)buf.at;
}

static void expect(const char *series, double wanted)
{
	double value = exposition_value(page(), series);
	cr_expect_eq(value, wanted, "%s is %.15g, not %.15g", series, value, wanted);
}

Test(exposition, a_page_that_breaks_the_format_is_told_from_one_that_does_not)
{
#define HEAD "# HELP a_total x\n# TYPE a_total counter\n"
	static const struct {
		const char *page, *why;
	} pages[] = {
		{ HEAD "a_total 1\n", NULL },
		{ HEAD "a_total{l=\"\\\\\\\"\\n\",m=\"{}\"} 1e+06\n", NULL },
		{ HEAD, NULL },
		{ "", "line 0: no line feed at the end" },
		{ HEAD "a_total 1", "line 0: no line feed at the end" },
		{ "a_total 1\n", "line 1: a sample that is not of the family above it" },
		{ "# HELP a_total x\na_total 1\n", "line 2: a sample without TYPE" },
		{ HEAD HEAD, "line 3: a family is declared twice" },
		{ HEAD "a_total 1\na_total 2\n", "line 4: a series comes twice" },
		{ HEAD "a_total one\n", "line 3: a value that is no number" },
		{ HEAD "a_total -1\n", "line 3: a counter below zero" },
		{ HEAD "a_total{l=\"a\"b\"} 1\n", "line 3: malformed labels" },
		{ HEAD "a_total{l=\"\\t\"} 1\n", "line 3: malformed labels" },
		{ HEAD "a_total{l-m=\"x\"} 1\n", "line 3: malformed labels" },
		{ "# HELP a x\n# TYPE a counter\n", "line 2: _total is for counters" },
		{ "# HELP a x\n# TYPE b gauge\n",
			"line 2: a TYPE that is not of the HELP above it" },
	};
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		char why[256] = "";
		cr_expect_eq(exposition_check(pages[i].page, why), !pages[i].why, "%zu", i);
		cr_expect_str_eq(why, pages[i].why ? pages[i].why : "");
	}
}

Test(metrics, a_page_is_well_formed_before_anything_happened)
{
	expect("tollgate_requests_total", 0);
	expect("tollgate_start_time_seconds", 1794873600.123);
	expect("tollgate_spool_writable", 1);
	expect("tollgate_spool_oldest_age_seconds{destination=\"langfuse\"}", 0);
	expect("tollgate_unknown_model_other_calls_total", 0);
	expect("tollgate_price_table_age_days", 100);
	cr_expect_gt(exposition_value(page(), "process_resident_memory_bytes"), 0);
	cr_expect_gt(exposition_value(page(), "process_cpu_seconds_total"), 0);
}

Test(metrics, every_counter_is_on_the_page_once)
{
	for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
		counter_add(counter, 1000 + (uint64_t)counter);
	for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
		char value[32];
		unsigned found = 0;
		snprintf(value, sizeof value, " %u\n", 1000 + (unsigned)counter);
		for (const char *at = page(); (at = strstr(at, value)); at++)
			found++;
		cr_expect_eq(found, 1, "%s is there %u times", counter_name(counter), found);
	}
	expect("tollgate_requests_refused_total{reason=\"too_large\"}",
		1000 + COUNTER_REFUSED_TOO_LARGE);
	expect("tollgate_spans_rejected_total{reason=\"without_ids\"}",
		1000 + COUNTER_REJECTED_WITHOUT_IDS);
	expect("tollgate_repairs_total{reason=\"zero_parent\"}",
		1000 + COUNTER_REPAIRED_ZERO_PARENT);
	expect("tollgate_spans_lacking_total{what=\"trace_name\"}",
		1000 + COUNTER_LACKING_TRACE_NAME);
	expect("tollgate_model_calls_total{price=\"unknown_model\"}",
		1000 + COUNTER_SPANS_UNKNOWN_MODEL);
	expect("tollgate_sender_costs_total{ours=\"higher\"}", 1000 + COUNTER_COST_HIGHER);
}

Test(metrics, sessions_are_told_where_they_are_on)
{
	static struct synthesizer synthesizer = { .view = { .open_sessions = 3,
							  .open_turns = 2,
							  .held_events = 40,
							  .held_bytes = 5000 } };
	cr_expect(isnan(exposition_value(page(), "tollgate_sessions_open")));
	watch.synthesizer = &synthesizer;
	expect("tollgate_sessions_open", 3);
	expect("tollgate_turns_open", 2);
	expect("tollgate_events_held", 40);
	expect("tollgate_events_held_bytes", 5000);
	expect("tollgate_sessions_oldest_age_seconds", 0);
	synthesizer.waiting_since_ns = clock_unix_ns() - UINT64_C(90000000000);
	cr_expect_geq(exposition_value(page(), "tollgate_sessions_oldest_age_seconds"), 90);
	expect("tollgate_unwanted_total{signal=\"logs\"}", 0);
}

Test(metrics, each_destination_has_its_own_figures)
{
	langfuse.figures = (struct exporter_figures){ .delivered = 1,
		.rejected = 2,
		.dead = 3,
		.dropped = 4,
		.retried = 5,
		.in_flight = 6,
		.last_success_ns = UINT64_C(1794873600500000000),
		.held_since_ns = UINT64_C(1794873601500000000),
		.last_status = 401 };
	tempo.figures.delivered = UINT64_C(123456789012345);
	tempo.lag = (struct spool_lag){ .bytes = 77,
		.oldest_ns = clock_unix_ns() - UINT64_C(90000000000) };
	expect("tollgate_exported_spans_total{destination=\"langfuse\"}", 1);
	expect("tollgate_exported_spans_total{destination=\"tempo\"}", 123456789012345);
	expect("tollgate_export_rejected_spans_total{destination=\"langfuse\"}", 2);
	expect("tollgate_export_dead_spans_total{destination=\"langfuse\"}", 3);
	expect("tollgate_export_dropped_spans_total{destination=\"langfuse\"}", 4);
	expect("tollgate_export_retries_total{destination=\"langfuse\"}", 5);
	expect("tollgate_export_in_flight{destination=\"langfuse\"}", 6);
	expect("tollgate_destination_last_status{destination=\"langfuse\"}", 401);
	expect("tollgate_destination_last_status{destination=\"tempo\"}", 0);
	expect("tollgate_destination_last_success_time_seconds{destination=\"langfuse\"}",
		1794873600.5);
	expect("tollgate_destination_held_since_time_seconds{destination=\"langfuse\"}",
		1794873601.5);
	expect("tollgate_spool_waiting_bytes{destination=\"tempo\"}", 77);
	double age = exposition_value(
		page(), "tollgate_spool_oldest_age_seconds{destination=\"tempo\"}");
	cr_expect(age >= 90 && age < 900, "%f", age);
}

Test(metrics, the_proxy_tells_what_became_of_each_kind_of_request)
{
	static struct proxy proxy = { .figures = { .open = 7 } };
	cr_expect_null(strstr(page(), "\ntollgate_proxy_open_requests "));
	watch.proxy = &proxy;
	proxy.figures.families[FAMILY_PROMPTS].ended[COPIED] = 3;
	proxy.figures.families[FAMILY_SCORES].last_status = 429;
	expect("tollgate_proxy_requests_total{family=\"prompts\",ended=\"copied\"}", 3);
	expect("tollgate_proxy_requests_total{family=\"scores\",ended=\"copied\"}", 0);
	expect("tollgate_proxy_last_status{family=\"scores\"}", 429);
	expect("tollgate_proxy_open_requests", 7);
	names_add(NAMES_INGESTION_SDKS, (struct bytes)BYTES("python 2.60.3"));
	expect("tollgate_ingestion_trace_batches_total{sdk=\"python 2.60.3\"}", 1);
	watch.proxy = NULL;
}

Test(metrics, projects_have_their_own_figures_where_there_are_some)
{
	static const struct lane_figures lanes[] = {
		{ .name = "default", .delivered = 1 },
		{ .name = "team-a", .delivered = 2, .held_since_ns = UINT64_C(1794873601500000000) }
	};
	tempo.lanes = langfuse.lanes = lanes;
	tempo.lane_count = 1;
	langfuse.lane_count = 2;
	expect("tollgate_lane_exported_spans_total{destination=\"langfuse\",lane=\"default\"}", 1);
	expect("tollgate_lane_exported_spans_total{destination=\"langfuse\",lane=\"team-a\"}", 2);
	expect("tollgate_lane_held_since_time_seconds{destination=\"langfuse\",lane=\"team-a\"}",
		1794873601.5);
	expect("tollgate_lane_oldest_age_seconds{destination=\"langfuse\",lane=\"team-a\"}", 0);
	cr_expect_null(strstr(page(), "{destination=\"tempo\",lane="));
	langfuse.lane_count = tempo.lane_count = 0;
}

Test(metrics, the_local_view_is_there_when_it_is_on)
{
	cr_expect_null(strstr(page(), "\ntollgate_local_stored_spans_total "));
	watch.local = &local;
	local.figures = (struct local_figures){ 1, 2, 3, UINT64_C(1794873600500000000) };
	expect("tollgate_local_stored_spans_total", 1);
	expect("tollgate_local_skipped_spans_total", 2);
	expect("tollgate_local_bytes", 3);
	expect("tollgate_local_last_write_time_seconds", 1794873600.5);
	watch.local = NULL;
}

Test(metrics, a_source_says_when_it_was_last_heard_of)
{
	char directory[SCRATCH_PATH_MAX];
	static const uint8_t logs[] = "\x0a\x1d\x0a\x19\x0a\x17\x0a\x0cservice.name\x12\x07\x0a\x05"
				      "a\"\n\\b\x12\x00";
	cr_assert_eq(scratch_make(directory), 0);
	cr_assert_eq(sources_open(directory, &watch.sources), 0);
	sources_note(watch.sources, SIGNAL_LOGS, (struct bytes){ logs, sizeof logs - 1 }, 1,
		UINT64_C(1794873600123000000));
	sources_note_hook(watch.sources, &dialect_codex, UINT64_C(1794873601000000000));
	expect("tollgate_source_last_seen_time_seconds{source=\"a\\\"\\n\\\\b\",cli=\"\",signal=\"logs\"}",
		1794873600.123);
	expect("tollgate_source_last_seen_time_seconds{source=\"codex\",cli=\"codex\",signal=\"hooks\"}",
		1794873601);
	sources_close(watch.sources);
	watch.sources = NULL;
	scratch_remove(directory);
}

Test(metrics, the_spool_says_whether_it_takes_anything)
{
	spool = (struct spool){ -ENOSPC, { .kept_bytes = 10, .disk_bytes = 20, .commits = 30 } };
	expect("tollgate_spool_writable", 0);
	expect("tollgate_spool_bytes", 10);
	expect("tollgate_spool_disk_bytes", 20);
	expect("tollgate_spool_commits_total", 30);
}

Test(metrics, a_name_of_a_model_cannot_break_the_page)
{
	names_add(NAMES_UNKNOWN_MODELS,
		(struct bytes)BYTES("quote\" slash\\ feed\n{}, \x01\xff nul\0."));
	expect("tollgate_unknown_model_calls_total{model=\"quote\\\" slash\\\\ feed?{}, ?? nul?.\"}",
		1);
}

Test(metrics, names_that_differ_only_in_what_cannot_be_shown_are_one)
{
	names_add(NAMES_UNKNOWN_MODELS, (struct bytes)BYTES("m\x01"));
	names_add(NAMES_UNKNOWN_MODELS, (struct bytes)BYTES("m\x02"));
	names_add(NAMES_UNKNOWN_MODELS, (struct bytes){ 0 });
	expect("tollgate_unknown_model_calls_total{model=\"m?\"}", 2);
	expect("tollgate_unknown_model_calls_total{model=\"(none)\"}", 1);
}

Test(metrics, names_of_models_are_bounded_in_length_and_number)
{
	char name[4 * NAME_TEXT_MAX];
	memset(name, 'x', sizeof name);
	struct names models;
	for (unsigned i = 0; i < 3 * NAMES_MAX; i++) {
		int len = snprintf(name, sizeof name, "model-%u-", i);
		name[len] = 'x';
		names_add(
			NAMES_UNKNOWN_MODELS, (struct bytes){ (const uint8_t *)name, sizeof name });
	}
	names_add(NAMES_UNKNOWN_MODELS, (struct bytes){ (const uint8_t *)name, sizeof name });
	names_read(NAMES_UNKNOWN_MODELS, &models);
	cr_expect_eq(models.count, NAMES_MAX);
	cr_expect_eq(models.others, 2 * NAMES_MAX + 1);
	for (size_t i = 0; i < models.count; i++) {
		cr_expect_eq(models.at[i].count, 1);
		cr_expect_eq(strlen(models.at[i].text), NAME_TEXT_MAX);
	}
	expect("tollgate_unknown_model_other_calls_total", 2 * NAMES_MAX + 1);
}

Test(metrics, spans_are_counted_by_the_vocabulary_that_told)
{
	uint32_t spans[VOCABULARIES_MAX] = { 0 };
	for (unsigned v = 0; vocabularies[v]; v++)
		spans[v] = v + 1;
	vocabularies_count(spans);
	for (unsigned v = 0; vocabularies[v]; v++) {
		char series[128];
		snprintf(series, sizeof series, "tollgate_spans_enriched_total{vocabulary=\"%s\"}",
			vocabularies[v]->name);
		expect(series, v + 1);
	}
}
