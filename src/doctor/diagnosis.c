/*
 * Why a destination does not take what is sent to it. An answer of now counts more than what the daemon remembers, and
 * one cause is named: what follows from it would only hide it.
 */
#include "doctor/place.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/settings.h"

enum {
	WHERE_MAX = 512,
	MEND_MAX = 1024,
	AGE_MAX = 32,
	LAG_TIMES = 10, /* what joining a batch and one attempt may take */
	LAG_UNKNOWN_MS = 5 * 60 * 1000,
};

/* One place that is examined. */
struct diagnosis {
	const struct place *place;
	const char *server;         /* or what to call it */
	const char *const *regions; /* NULL: none is asked */
	struct findings *findings;
};

static const struct origin *origin_of(const struct destination_config *config, const char *name)
{
	const struct section *section = &sections[SECTION_DESTINATIONS];
	const struct setting *row = section_setting_find(section, name);
	return config->origins ? &config->origins[row - section->settings] : NULL;
}

/* Where a person changes a setting of it: a variable, or a name with its line. */
static const char *where(const struct place *place, const char *name, char out[WHERE_MAX])
{
	bool is_project = strcmp(place->lane, DEFAULT_LANE) != 0 && strstr(name, "_key");
	const struct origin *origin = is_project ? NULL : origin_of(&place->config, name);
	if (origin && origin->kind == ORIGIN_ENVIRONMENT) {
		snprintf(out, WHERE_MAX, "%s", origin->name);
		return out;
	}
	int len = snprintf(out, WHERE_MAX, "%s.%s.%s", is_project ? "projects" : "destinations",
		is_project ? place->lane : place->name, name);
	if (origin && origin->kind == ORIGIN_FILE)
		snprintf(
			out + len, WHERE_MAX - (size_t)len, " (%s:%d)", origin->name, origin->line);
	return out;
}

static const char *where_endpoint(const struct place *place, char out[WHERE_MAX])
{
	bool has_base = place->config.endpoint || !place->config.traces_endpoint;
	return where(place, has_base ? "endpoint" : "traces_endpoint", out);
}

/* ---- causes ---- */

static void find_unreachable(const struct diagnosis *diagnosis, const char *why)
{
	char endpoint[WHERE_MAX], mend[MEND_MAX];
	const struct place *place = diagnosis->place;
	snprintf(mend, sizeof mend,
		"See that it runs and that %s is right; curl -v %s shows the same from here.",
		where_endpoint(place, endpoint), diagnosis->server);
	findings_add(diagnosis->findings, FINDING_UNREACHABLE, place->about,
		place->is_configured ? mend : NULL, "%s cannot be reached: %s", diagnosis->server,
		why);
}

static void find_certificate(const struct diagnosis *diagnosis, const char *why)
{
	char ca_file[WHERE_MAX], mend[MEND_MAX];
	const struct place *place = diagnosis->place;
	snprintf(mend, sizeof mend,
		"Renew the certificate over there; where its authority is your own, name that one's "
		"file with %s.",
		where(place, "ca_file", ca_file));
	findings_add(diagnosis->findings, FINDING_CERTIFICATE, place->about,
		place->is_configured ? mend : NULL, "the certificate of %s is not accepted: %s",
		diagnosis->server, why);
}

/* Where the endpoint has a path, the server is right as a rule; without one it is another server. */
static void find_path(const struct diagnosis *diagnosis, const struct probe *probe)
{
	char endpoint[WHERE_MAX], signals[WHERE_MAX], mend[MEND_MAX];
	const struct place *place = diagnosis->place;
	const char *given = place->config.endpoint ? place->config.endpoint : place->server;
	bool has_path = strlen(given) > strlen(place->server) + 1;
	where_endpoint(place, endpoint);
	if (place->type == DESTINATION_OTLP)
		snprintf(mend, sizeof mend,
			"Set %s to an OTLP/HTTP receiver, which listens at port 4318 as a rule, or %s to "
			"what it takes; then restart the daemon.",
			endpoint, where(place, "signals", signals));
	else if (has_path)
		snprintf(mend, sizeof mend, "Set %s to \"%s\"; then restart the daemon.", endpoint,
			place->server);
	else
		snprintf(mend, sizeof mend,
			"Set %s to the address of Langfuse's own page, up to its host; then restart "
			"the daemon.",
			endpoint);
	findings_add(diagnosis->findings, FINDING_BASE_URL_PATH, place->about,
		place->is_configured ? mend : NULL, "%s answers %d%s to %s", diagnosis->server,
		probe->status, probe->is_page ? " with a page" : "", probe->what);
}

static void find_region(const struct diagnosis *diagnosis, const char *region)
{
	char endpoint[WHERE_MAX], mend[MEND_MAX];
	const struct place *place = diagnosis->place;
	snprintf(mend, sizeof mend, "Set %s to \"%s\"; then restart the daemon.",
		where_endpoint(place, endpoint), region);
	findings_add(diagnosis->findings, FINDING_WRONG_REGION, place->about, mend,
		"%s does not know its keys, %s does", diagnosis->server, region);
}

static void find_unauthorized(const struct diagnosis *diagnosis)
{
	char first[WHERE_MAX], second[WHERE_MAX], mend[MEND_MAX];
	const struct place *place = diagnosis->place;
	if (place->type == DESTINATION_LANGFUSE)
		snprintf(mend, sizeof mend,
			"Take both keys anew from the project's settings (API keys): %s and %s; then "
			"restart the daemon or send it SIGHUP.",
			where(place, "public_key", first), where(place, "secret_key", second));
	else
		snprintf(mend, sizeof mend,
			"Set the header that it asks for, mostly Authorization, with %s; then restart "
			"the daemon or send it SIGHUP.",
			where(place, "headers", first));
	findings_add(diagnosis->findings, FINDING_UNAUTHORIZED, place->about,
		place->is_configured ? mend : NULL, "%s answers 401: it does not accept its keys",
		diagnosis->server);
}

static void diagnose_401(const struct diagnosis *diagnosis)
{
	const struct place *place = diagnosis->place;
	bool is_langfuse = place->type == DESTINATION_LANGFUSE;
	if (is_langfuse && findings_have(diagnosis->findings, FINDING_KEYS_SWAPPED))
		return;
	const char *region = is_langfuse && diagnosis->regions && place->is_configured ?
		region_find(place, diagnosis->regions) :
		NULL;
	if (region)
		find_region(diagnosis, region);
	else
		find_unauthorized(diagnosis);
}

static void diagnose_status(const struct diagnosis *diagnosis, const struct probe *probe)
{
	const char *about = diagnosis->place->about, *server = diagnosis->server;
	struct findings *findings = diagnosis->findings;
	switch (probe->status) {
	case 401:
		diagnose_401(diagnosis);
		break;
	case 403:
		if (probe->is_suspended)
			findings_add(findings, FINDING_PLAN_USED_UP, about, NULL,
				"%s answers 403: ingestion is suspended, the plan is used up",
				server);
		else
			findings_add(findings, FINDING_FORBIDDEN, about, NULL,
				"%s answers 403: it knows the keys, and they may not write there",
				server);
		break;
	case 429:
		findings_add(findings, FINDING_RATE_LIMITED, about, NULL,
			"%s answers 429: too many requests", server);
		break;
	case 508:
		findings_add(findings, FINDING_OURSELVES, about, NULL,
			"%s answers 508: what is sent there comes back to the daemon", server);
		break;
	default:
		findings_add(findings, FINDING_REFUSES, about, NULL, "%s answers %d to %s", server,
			probe->status, probe->what);
	}
}

static bool is_path_missing(const struct probe *probe)
{
	int status = probe->status;
	return status == 404 || status == 405 || (status >= 300 && status < 400) ||
		(probe->is_page && status < 300);
}

/* False: it takes what is sent to it. */
static bool diagnose_answer(const struct diagnosis *diagnosis, const struct probe *probe)
{
	if (probe->outcome == HTTP_UNTRUSTED || probe->outcome == HTTP_UNUSABLE)
		find_certificate(diagnosis, probe->error);
	else if (probe->outcome != HTTP_ANSWERED)
		find_unreachable(diagnosis, probe->error);
	else if (is_path_missing(probe))
		find_path(diagnosis, probe);
	else if (probe->status >= 300)
		diagnose_status(diagnosis, probe);
	else
		return false;
	return true;
}

/* ---- what the daemon knows ---- */

static uint64_t number_of(const struct place *place, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(place->row, key));
	return number > 0 ? (uint64_t)number : 0;
}

static const char *why_failing(const struct place *place)
{
	const char *why = json_string_value(json_object_get(place->row, "failure_why"));
	return why ? why : "no answer";
}

static uint64_t ms_since(const struct place *place, const char *key)
{
	uint64_t then_ns = number_of(place, key), now_ns = clock_unix_ns();
	return then_ns && then_ns < now_ns ? (now_ns - then_ns) / 1000000 : 0;
}

static const char *age_text(uint64_t ms, char out[AGE_MAX])
{
	uint64_t s = ms / 1000;
	uint64_t unit_s = s < 120 ? 1 : s < 7200 ? 60 : s < 172800 ? 3600 : 86400;
	snprintf(out, AGE_MAX, "%llu %s", (unsigned long long)(s / unit_s),
		unit_s == 1            ? "s" :
			unit_s == 60   ? "min" :
			unit_s == 3600 ? "h" :
					 "days");
	return out;
}

/* Nobody could ask: its last attempt speaks. False: that was taken, or there was none. */
static bool diagnose_memory(const struct diagnosis *diagnosis)
{
	const struct place *place = diagnosis->place;
	int status = (int)number_of(place, "failure_status");
	bool is_held = number_of(place, "held_since_ns");
	if (!is_held && !number_of(place, "failing_since_ns"))
		return false;
	/* What holds without an answer is a certificate, or a file of them. */
	const struct probe probe = {
		.what = "what the daemon sends",
		.outcome = status ? HTTP_ANSWERED :
			is_held   ? HTTP_UNTRUSTED :
				    HTTP_FAILED,
		.status = status,
		.error = why_failing(place),
	};
	return diagnose_answer(diagnosis, &probe);
}

static bool is_about_content(uint64_t status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

/* It takes a probe, and yet the daemon sends it nothing, or not in time. */
static void diagnose_delivery(const struct diagnosis *diagnosis)
{
	const struct place *place = diagnosis->place;
	const struct destination_config *config = &place->config;
	uint64_t usual_ms = LAG_TIMES * (config->batch_timeout_ms + config->timeout_ms);
	uint64_t status = number_of(place, "failure_status");
	uint64_t lag_ms = ms_since(place, "oldest_ns");
	bool is_failing = number_of(place, "failing_since_ns");
	char age[AGE_MAX];
	if (number_of(place, "held_since_ns") && is_about_content(status))
		findings_add(diagnosis->findings, FINDING_REFUSES, place->about, NULL,
			"%s answers %d to what the daemon sends: %s", diagnosis->server,
			(int)status, why_failing(place));
	else if (number_of(place, "held_since_ns"))
		findings_add(diagnosis->findings, FINDING_HELD, place->about,
			"Send the daemon SIGHUP when keys or headers were mended, restart it when the "
			"endpoint was; else it tries again within five minutes.",
			"deliveries are on hold for %s: %s",
			age_text(ms_since(place, "held_since_ns"), age), why_failing(place));
	else if (lag_ms > (place->is_configured ? usual_ms : LAG_UNKNOWN_MS))
		findings_add(diagnosis->findings, FINDING_LAG, place->about, NULL,
			"the oldest of what waits came %s ago%s%s", age_text(lag_ms, age),
			is_failing ? "; the last attempt: " : "",
			is_failing ? why_failing(place) : "");
}

void place_diagnose(
	const struct place *place, const char *const *regions, struct findings *findings)
{
	const struct probes *probes = &place->probes;
	const struct diagnosis diagnosis = {
		.place = place,
		.server = *place->server ? place->server : place->about,
		.regions = regions,
		.findings = findings,
	};
	for (size_t i = 0; i < probes->count; i++)
		if (diagnose_answer(&diagnosis, &probes->at[i]))
			return;
	if (probes->count > 0 || !diagnose_memory(&diagnosis))
		diagnose_delivery(&diagnosis);
}
