/* Whether what arrived gets to where people look: each destination is asked, and the daemon what it knows of it. */
#include "doctor/destinations.h"

#include <stdlib.h>
#include <string.h>

#include "doctor/doctor.h"
#include "doctor/place.h"

enum { CLOCK_SKEW_S = 60, WAIT_MS = 10 };

/* Each knows the keys of its own projects alone (facts: langfuse 1). */
static const char *const cloud_regions[] = {
	"https://cloud.langfuse.com",
	"https://us.cloud.langfuse.com",
	"https://jp.cloud.langfuse.com",
	"https://hipaa.cloud.langfuse.com",
	NULL,
};

struct visit {
	const struct patient *patient;
	const struct config *config; /* NULL: this person cannot read it */
	const json_t *rows;          /* of GET /v1/spool; NULL: the daemon does not answer */
	struct findings *findings;
	struct place *places;
	size_t count;
};

/* The end of the list, for the one to be added; NULL without memory. */
static struct place *more_room(struct visit *visit)
{
	struct place *grown = realloc(visit->places, (visit->count + 1) * sizeof *visit->places);
	if (!grown) {
		visit->findings->is_incomplete = true;
		return NULL;
	}
	visit->places = grown;
	return &grown[visit->count];
}

/* ---- which there are ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static const json_t *find_row(const struct visit *visit, const char *name, const char *lane)
{
	size_t i;
	const json_t *row;
	json_array_foreach(visit->rows, i, row)
		if (strcmp(text_of(row, "destination"), name) == 0 &&
			strcmp(text_of(row, "lane"), lane) == 0)
			return row;
	return NULL;
}

static bool is_ours(const struct visit *visit, const struct destination_config *destination)
{
	struct complaint ignored = { 0 };
	const char *listen = text_of(visit->patient->status, "listen");
	return destination_check_not_ours(
		       destination, *listen ? listen : visit->config->listen, &ignored) < 0;
}

/* False: there is no such place, or the daemon would not start with it. */
static bool add_lane(
	struct visit *visit, const struct destination_config *destination, const char *lane)
{
	struct destination_config own;
	struct complaint complaint = { 0 };
	const struct config *config = visit->config;
	struct place *place = more_room(visit);
	if (!place ||
		!destination_in_lane(
			destination, config->projects, config->project_count, lane, &own))
		return false;
	int error = place_init(place, &own, lane, &complaint);
	if (error) {
		findings_add(visit->findings, FINDING_CONFIGURATION, visit->patient->startup.file,
			NULL, "%s", complaint.text);
		place_done(place);
		return false;
	}
	place->row = find_row(visit, destination->name, lane);
	visit->count++;
	return true;
}

static void add_destination(struct visit *visit, const struct destination_config *destination)
{
	const struct config *config = visit->config;
	if (!add_lane(visit, destination, DEFAULT_LANE))
		return;
	if (is_ours(visit, destination)) {
		struct place *place = &visit->places[--visit->count];
		findings_add(visit->findings, FINDING_OURSELVES, place->about, NULL,
			"%s is the daemon's own door", place->server);
		place_done(place);
		return;
	}
	for (size_t i = 0; i < config->project_count && destination == config_langfuse(config); i++)
		add_lane(visit, destination, config->projects[i].name);
}

static void add_configured(struct visit *visit)
{
	for (size_t i = 0; i < visit->config->destination_count; i++)
		if (visit->config->destinations[i].enabled)
			add_destination(visit, &visit->config->destinations[i]);
}

static bool is_listed(const struct visit *visit, const json_t *row)
{
	for (size_t i = 0; i < visit->count; i++)
		if (visit->places[i].row == row)
			return true;
	return false;
}

/* The local view has no type: it is nowhere else. */
static bool is_destination(const json_t *row)
{
	return *text_of(row, "destination") && *text_of(row, "lane") && *text_of(row, "type");
}

/* What the daemon has beside: what it began with, and this person cannot read or has taken out. */
static void add_remembered(struct visit *visit)
{
	size_t i;
	const json_t *row;
	json_array_foreach(visit->rows, i, row) {
		struct place *place =
			is_destination(row) && !is_listed(visit, row) ? more_room(visit) : NULL;
		if (place) {
			place_init_remembered(place, row);
			visit->count++;
		}
	}
}

/* ---- what is wrong there ---- */

static void ask(struct visit *visit)
{
	for (size_t i = 0; i < visit->count; i++)
		if (visit->places[i].is_configured && place_ask(&visit->places[i]) < 0)
			visit->findings->is_incomplete = true;
	for (bool is_waiting = true; is_waiting;) {
		is_waiting = false;
		for (size_t i = 0; i < visit->count; i++)
			is_waiting |= probes_move(&visit->places[i].probes, WAIT_MS);
	}
}

static bool is_explained(const struct visit *visit, const struct place *place)
{
	for (size_t i = 0; i < visit->findings->count; i++)
		if (strcmp(visit->findings->at[i].about, place->name) == 0)
			return true;
	return false;
}

static void diagnose(struct visit *visit, const char *const *regions)
{
	for (size_t i = 0; i < visit->count; i++) {
		const struct place *place = &visit->places[i];
		if (place->is_configured || !is_explained(visit, place))
			place_diagnose(place, regions, visit->findings);
	}
}

/* One destination whose clock is ours is enough: then it is another one's that is wrong. */
static void compare_clocks(const struct visit *visit)
{
	const struct place *whose = NULL;
	int64_t ahead_s = 0;
	for (size_t i = 0; i < visit->count; i++)
		for (size_t j = 0; j < visit->places[i].probes.count; j++) {
			const struct probe *probe = &visit->places[i].probes.at[j];
			if (probe->has_clock && llabs(probe->ahead_s) <= CLOCK_SKEW_S)
				return;
			if (probe->has_clock) {
				whose = &visit->places[i];
				ahead_s = probe->ahead_s;
			}
		}
	if (whose)
		findings_add(visit->findings, FINDING_CLOCK_SKEW, "this machine", NULL,
			"its clock is %lld s %s that of %s", (long long)llabs(ahead_s),
			ahead_s > 0 ? "behind" : "ahead of", whose->server);
}

static void count_dead_letters(const struct visit *visit, const char *destination)
{
	size_t i, letters = 0;
	json_int_t spans = 0, last_ns = 0;
	const char *why = "";
	const json_t *letter;
	json_array_foreach(json_object_get(visit->patient->dead, "letters"), i, letter) {
		json_int_t time_ns = json_integer_value(json_object_get(letter, "time_ns"));
		if (strcmp(text_of(letter, "destination"), destination) != 0)
			continue;
		letters++;
		spans += json_integer_value(json_object_get(letter, "spans"));
		if (time_ns >= last_ns) {
			last_ns = time_ns;
			why = text_of(letter, "reason");
		}
	}
	bool is_cut = json_is_true(json_object_get(visit->patient->dead, "is_cut"));
	findings_add(visit->findings, FINDING_DEAD_LETTERS, destination, NULL,
		"%s%lld %s in %zu %s; the last: %s", is_cut ? "at least " : "", (long long)spans,
		spans == 1 ? "span" : "spans", letters,
		letters == 1 ? "dead letter" : "dead letters", why);
}

/* Of each destination that has some, where its first one stands. */
static void find_dead_letters(const struct visit *visit)
{
	size_t i, j;
	const json_t *letters = json_object_get(visit->patient->dead, "letters"), *letter;
	json_array_foreach(letters, i, letter) {
		const char *destination = text_of(letter, "destination");
		for (j = 0; j < i; j++)
			if (strcmp(text_of(json_array_get(letters, j), "destination"),
				    destination) == 0)
				break;
		if (j == i)
			count_dead_letters(visit, destination);
	}
}

void destinations_examine(
	const struct patient *patient, const char *const *regions, struct findings *findings)
{
	struct visit visit = {
		.patient = patient,
		.config = patient->startup.config,
		.rows = json_object_get(patient->spool, "destinations"),
		.findings = findings,
	};
	size_t before = findings->count;
	if (visit.config)
		add_configured(&visit);
	add_remembered(&visit);
	if (visit.config && visit.count == 0 && findings->count == before)
		findings_add(findings, FINDING_NO_DESTINATION, "destinations", NULL, NULL);
	if (!patient->is_offline)
		ask(&visit);
	diagnose(&visit, patient->is_offline ? NULL : regions);
	compare_clocks(&visit);
	find_dead_letters(&visit);
	for (size_t i = 0; i < visit.count; i++)
		place_done(&visit.places[i]);
	free(visit.places);
}

void check_destinations(const struct patient *patient, struct findings *findings)
{
	destinations_examine(patient, cloud_regions, findings);
}
