#include "sources.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/utf8.h"
#include "dialects/dialect.h"
#include "otlp/request.h"

enum {
	SAVE_MS = 60 * 1000,
	FILE_MAX_BYTES = 1 << 20,
	MINUTES = 5, /* that a rate is of */
};
#define MINUTE_NS UINT64_C(60000000000)

enum channel { CHANNEL_TRACES, CHANNEL_LOGS, CHANNEL_METRICS, CHANNEL_HOOKS, CHANNEL_COUNT };

static const char *const channel_names[CHANNEL_COUNT] = { "traces", "logs", "metrics", "hooks" };

/* What came of one signal. */
struct heard {
	uint64_t items, requests, first_ns, last_ns;
	struct {
		uint64_t number, items;
	} minutes[MINUTES + 1]; /* by number, counted from 1970 */
};

struct absence {
	uint64_t items, last_ns, there_last_ns;
};

struct sender {
	char name[SOURCE_NAME_MAX + 1], version[SOURCE_NAME_MAX + 1]; /* UTF-8 */
	const struct cli *cli;                                        /* NULL: none that we know */
	uint64_t first_ns, last_ns;
	struct heard heard[CHANNEL_COUNT];
	struct absence lacks[LACK_COUNT];
};

struct senders {
	struct sender at[SOURCES_MAX];
	size_t count;
	uint64_t forgotten;
};

struct sources {
	pthread_mutex_t lock; /* guards what follows, up to the path */
	struct senders senders;
	bool is_changed; /* since it was saved */
	bool is_news;    /* and by more than figures */
	char path[PATH_MAX];
	uint64_t saved_ms; /* of the one thread that saves */
};

const char *lack_name(enum lack lack)
{
	static const char *const names[LACK_COUNT] = {
		[LACK_PROMPTS] = "prompts",
		[LACK_TOOL_DETAILS] = "tool_details",
		[LACK_SESSION] = "session",
	};
	return names[lack];
}

/* ---- who ---- */

/* As much of a text as is kept: what a reader of text takes of it. */
static struct bytes kept(struct bytes text)
{
	text = utf8_cut(text, SOURCE_NAME_MAX);
	return (struct bytes){ text.at, utf8_span(text) };
}

static bool is(const char *own, struct bytes text)
{
	return strncmp(own, (const char *)text.at, text.len) == 0 && !own[text.len];
}

static void copy(char to[SOURCE_NAME_MAX + 1], struct bytes text)
{
	if (text.len)
		memcpy(to, text.at, text.len);
	to[text.len] = '\0';
}

static struct sender *find(struct senders *senders, struct bytes name, const struct cli *cli)
{
	for (struct sender *at = senders->at; at < senders->at + senders->count; at++)
		if (is(at->name, name) && (!at->cli || !cli || at->cli == cli))
			return at;
	return NULL;
}

/* The one of this CLI that spoke last. */
static struct sender *latest_of(struct senders *senders, const struct cli *cli)
{
	struct sender *latest = NULL;
	for (struct sender *at = senders->at; at < senders->at + senders->count; at++)
		if (at->cli == cli && (!latest || at->last_ns > latest->last_ns))
			latest = at;
	return latest;
}

static bool said_hooks_alone(const struct sender *sender)
{
	for (enum channel channel = 0; channel < CHANNEL_HOOKS; channel++)
		if (sender->heard[channel].requests)
			return false;
	return true;
}

/* Whose name is not known yet: a CLI's first hook comes before its telemetry. */
static struct sender *nameless(struct senders *senders, const struct cli *cli)
{
	struct sender *latest = cli ? latest_of(senders, cli) : NULL;
	return latest && said_hooks_alone(latest) ? latest : NULL;
}

/* In the place of the one that was silent longest, where there is no other. */
static struct sender *begin(struct senders *senders)
{
	struct sender *sender = senders->at;
	if (senders->count < SOURCES_MAX) {
		sender = &senders->at[senders->count++];
	} else {
		for (struct sender *at = senders->at; at < senders->at + SOURCES_MAX; at++)
			if (at->last_ns < sender->last_ns)
				sender = at;
		senders->forgotten++;
	}
	*sender = (struct sender){ 0 };
	return sender;
}

static struct sender *find_or_begin(
	struct senders *senders, struct bytes name, const struct cli *cli)
{
	struct sender *sender = find(senders, name, cli);
	if (sender)
		return sender;
	sender = nameless(senders, cli);
	if (!sender)
		sender = begin(senders);
	copy(sender->name, name);
	return sender;
}

/* ---- what ---- */

static void note_time(uint64_t *first_ns, uint64_t *last_ns, uint64_t now_ns)
{
	if (!*first_ns)
		*first_ns = now_ns;
	*last_ns = now_ns;
}

static void hear(struct sources *sources, struct sender *sender, enum channel channel,
	uint32_t items, uint64_t now_ns)
{
	struct heard *heard = &sender->heard[channel];
	uint64_t minute = now_ns / MINUTE_NS;
	size_t slot = minute % (MINUTES + 1);
	sources->is_changed = true;
	sources->is_news |= !heard->requests;
	note_time(&sender->first_ns, &sender->last_ns, now_ns);
	note_time(&heard->first_ns, &heard->last_ns, now_ns);
	heard->requests++;
	heard->items += items;
	if (heard->minutes[slot].number != minute) {
		heard->minutes[slot].number = minute;
		heard->minutes[slot].items = 0;
	}
	heard->minutes[slot].items += items;
}

/* Of the minute that the last five began in, the part that belongs to them. */
static double per_minute(const struct heard *heard, uint64_t now_ns)
{
	double items = 0;
	for (size_t i = 0; i <= MINUTES; i++) {
		uint64_t age = now_ns / MINUTE_NS - heard->minutes[i].number;
		double part = age < MINUTES ? 1 :
			age == MINUTES      ? 1 - (double)(now_ns % MINUTE_NS) / MINUTE_NS :
					      0;
		items += part * (double)heard->minutes[i].items;
	}
	return items / MINUTES;
}

/* What one resource of a request says of who sent it; texts as they are kept. */
struct origin {
	struct bytes name, version;
	const struct cli *cli;
};

static struct bytes text_of(struct bytes key_value)
{
	enum { VALUE = 2, STRING_VALUE = 1 };
	return kept(wire_member(wire_member(key_value, VALUE), STRING_VALUE));
}

static void read_resource(struct bytes resource, struct origin *origin)
{
	enum { ATTRIBUTES = 1, KEY = 1 };
	struct wire wire = wire_of(resource);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (!field_is(&field, ATTRIBUTES, WIRE_BYTES))
			continue;
		struct bytes key = wire_member(field.body, KEY);
		if (bytes_are(key, "service.name"))
			origin->name = text_of(field.body);
		else if (bytes_are(key, "service.version"))
			origin->version = text_of(field.body);
	}
}

/* OpenTelemetry's name for who says none. */
static struct bytes name_of(const struct origin *origin)
{
	if (origin->name.len)
		return origin->name;
	return bytes_of(origin->cli ? origin->cli->name : "unknown_service");
}

/* Of a ResourceSpans, ResourceLogs or ResourceMetrics: their parts have the same numbers. */
static struct origin origin_of(struct bytes resource_items)
{
	enum { RESOURCE = 1, SCOPES = 2, SCOPE = 1, SCOPE_NAME = 1 };
	struct origin origin = { 0 };
	const struct dialect *dialect = NULL;
	struct wire wire = wire_of(resource_items);
	struct field field;
	while (wire_next(&wire, &field) > 0) {
		if (field_is(&field, RESOURCE, WIRE_BYTES))
			read_resource(field.body, &origin);
		else if (field_is(&field, SCOPES, WIRE_BYTES) && !dialect)
			dialect = dialect_of_scope(
				wire_member(wire_member(field.body, SCOPE), SCOPE_NAME));
	}
	origin.cli = dialect ? &dialect->cli : NULL;
	return origin;
}

static void note_origin(struct sources *sources, enum channel channel, const struct origin *origin,
	uint32_t items, uint64_t now_ns)
{
	pthread_mutex_lock(&sources->lock);
	struct sender *sender = find_or_begin(&sources->senders, name_of(origin), origin->cli);
	if (origin->cli)
		sender->cli = origin->cli;
	if (origin->version.len && !is(sender->version, origin->version))
		copy(sender->version, origin->version);
	hear(sources, sender, channel, items, now_ns);
	pthread_mutex_unlock(&sources->lock);
}

void sources_note(struct sources *sources, enum signal signal, struct bytes request, uint32_t items,
	uint64_t now_ns)
{
	enum { RESOURCES = 1 };
	enum channel channel = (enum channel)(signal - SIGNAL_TRACES);
	struct wire wire = wire_of(request);
	struct field field;
	while (sources && wire_next(&wire, &field) > 0) {
		if (!field_is(&field, RESOURCES, WIRE_BYTES))
			continue;
		struct bytes alone = { field.start, (size_t)(field.end - field.start) };
		uint32_t count = items;
		if (alone.len != request.len && request_count_items(alone, &count) < 0)
			continue;
		struct origin origin = origin_of(field.body);
		if (count > 0)
			note_origin(sources, channel, &origin, count, now_ns);
	}
}

void sources_note_hook(struct sources *sources, const struct dialect *dialect, uint64_t now_ns)
{
	if (!sources)
		return;
	const struct cli *cli = &dialect->cli;
	pthread_mutex_lock(&sources->lock);
	struct sender *sender = latest_of(&sources->senders, cli);
	if (!sender)
		sender = find_or_begin(&sources->senders, bytes_of(cli->name), cli);
	sender->cli = cli;
	hear(sources, sender, CHANNEL_HOOKS, 1, now_ns);
	pthread_mutex_unlock(&sources->lock);
}

static bool note_lack(struct absence *absence, uint32_t lacking, uint32_t there, uint64_t now_ns)
{
	bool is_news = (lacking && !absence->last_ns) || (there && !absence->there_last_ns);
	absence->items += lacking;
	if (lacking)
		absence->last_ns = now_ns;
	if (there)
		absence->there_last_ns = now_ns;
	return is_news;
}

void sources_note_lacks(struct sources *sources, const struct cli *cli, struct bytes resource,
	const struct lacks *lacks, uint64_t now_ns)
{
	struct origin origin = { .cli = cli };
	if (!sources)
		return;
	read_resource(resource, &origin);
	pthread_mutex_lock(&sources->lock);
	struct sender *sender = find(&sources->senders, name_of(&origin), cli);
	sources->is_changed = true;
	for (enum lack lack = 0; sender && lack < LACK_COUNT; lack++)
		sources->is_news |= note_lack(
			&sender->lacks[lack], lacks->lacking[lack], lacks->there[lack], now_ns);
	pthread_mutex_unlock(&sources->lock);
}

/* ---- as JSON ---- */

static json_t *heard_json(const struct heard *heard, uint64_t now_ns)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:f}", "items", (json_int_t)heard->items, "requests",
		(json_int_t)heard->requests, "first_ns", (json_int_t)heard->first_ns, "last_ns",
		(json_int_t)heard->last_ns, "per_minute", per_minute(heard, now_ns));
}

static json_t *signals_json(const struct sender *sender, uint64_t now_ns)
{
	json_t *signals = json_object();
	for (enum channel channel = 0; channel < CHANNEL_COUNT; channel++) {
		const struct heard *heard = &sender->heard[channel];
		if (heard->requests &&
			json_object_set_new(
				signals, channel_names[channel], heard_json(heard, now_ns)) < 0) {
			json_decref(signals);
			return NULL;
		}
	}
	return signals;
}

static json_t *lacks_json(const struct sender *sender)
{
	json_t *lacks = json_object();
	for (enum lack lack = 0; lack < LACK_COUNT; lack++) {
		const struct absence *absence = &sender->lacks[lack];
		if (!absence->last_ns && !absence->there_last_ns)
			continue;
		json_t *row = json_pack("{s:I, s:I, s:I}", "last_ns", (json_int_t)absence->last_ns,
			"items", (json_int_t)absence->items, "there_last_ns",
			(json_int_t)absence->there_last_ns);
		if (json_object_set_new(lacks, lack_name(lack), row) < 0) {
			json_decref(lacks);
			return NULL;
		}
	}
	return lacks;
}

static json_t *sender_json(const struct sender *sender, uint64_t now_ns)
{
	return json_pack("{s:s, s:s?, s:s?, s:I, s:I, s:o, s:o}", "name", sender->name, "cli",
		sender->cli ? sender->cli->name : NULL, "version",
		sender->version[0] ? sender->version : NULL, "first_ns",
		(json_int_t)sender->first_ns, "last_ns", (json_int_t)sender->last_ns, "signals",
		signals_json(sender, now_ns), "lacks", lacks_json(sender));
}

static int compare_latest(const void *a, const void *b)
{
	uint64_t left = ((const struct sender *)a)->last_ns;
	uint64_t right = ((const struct sender *)b)->last_ns;
	return (left < right) - (left > right);
}

static json_t *senders_json(struct senders *senders, uint64_t now_ns)
{
	json_t *rows = json_array();
	qsort(senders->at, senders->count, sizeof *senders->at, compare_latest);
	for (size_t i = 0; i < senders->count; i++)
		if (json_array_append_new(rows, sender_json(&senders->at[i], now_ns)) < 0) {
			json_decref(rows);
			return NULL;
		}
	return json_pack(
		"{s:o, s:I}", "sources", rows, "forgotten", (json_int_t)senders->forgotten);
}

json_t *sources_json(struct sources *sources, uint64_t now_ns)
{
	struct senders *copied = malloc(sizeof *copied);
	if (!copied)
		return NULL;
	pthread_mutex_lock(&sources->lock);
	*copied = sources->senders;
	pthread_mutex_unlock(&sources->lock);
	json_t *json = senders_json(copied, now_ns);
	free(copied);
	return json;
}

/* ---- on disk ---- */

static uint64_t number_in(const json_t *object, const char *name)
{
	json_int_t number = json_integer_value(json_object_get(object, name));
	return number > 0 ? (uint64_t)number : 0;
}

static struct bytes text_in(const json_t *object, const char *name)
{
	return kept(bytes_of(json_string_value(json_object_get(object, name))));
}

static void recall_sender(const json_t *row, struct sender *sender)
{
	const json_t *signals = json_object_get(row, "signals");
	const json_t *lacks = json_object_get(row, "lacks");
	const struct dialect *dialect = dialect_named(text_in(row, "cli"));
	*sender = (struct sender){
		.cli = dialect ? &dialect->cli : NULL,
		.first_ns = number_in(row, "first_ns"),
		.last_ns = number_in(row, "last_ns"),
	};
	copy(sender->name, text_in(row, "name"));
	copy(sender->version, text_in(row, "version"));
	for (enum channel channel = 0; channel < CHANNEL_COUNT; channel++) {
		const json_t *heard = json_object_get(signals, channel_names[channel]);
		sender->heard[channel] = (struct heard){
			.items = number_in(heard, "items"),
			.requests = number_in(heard, "requests"),
			.first_ns = number_in(heard, "first_ns"),
			.last_ns = number_in(heard, "last_ns"),
		};
	}
	for (enum lack lack = 0; lack < LACK_COUNT; lack++) {
		const json_t *absence = json_object_get(lacks, lack_name(lack));
		sender->lacks[lack] = (struct absence){
			.items = number_in(absence, "items"),
			.last_ns = number_in(absence, "last_ns"),
			.there_last_ns = number_in(absence, "there_last_ns"),
		};
	}
}

static void recall(struct sources *sources)
{
	struct buf text;
	size_t i;
	const json_t *row;
	struct senders *senders = &sources->senders;
	buf_init(&text, FILE_MAX_BYTES, NULL);
	int error = file_read(sources->path, &text);
	json_t *json = error ? NULL : json_loadb((const char *)text.at, text.len, 0, NULL);
	senders->forgotten = number_in(json, "forgotten");
	json_array_foreach(json_object_get(json, "sources"), i, row)
		if (senders->count < SOURCES_MAX && text_in(row, "name").len)
			recall_sender(row, &senders->at[senders->count++]);
	json_decref(json);
	buf_done(&text);
}

int sources_open(const char *directory, struct sources **ret_sources)
{
	struct sources *sources = calloc(1, sizeof *sources);
	if (!sources)
		return -ENOMEM;
	int len = snprintf(sources->path, sizeof sources->path, "%s/sources.json", directory);
	if ((size_t)len >= sizeof sources->path) {
		free(sources);
		return -ENAMETOOLONG;
	}
	pthread_mutex_init(&sources->lock, NULL);
	sources->saved_ms = clock_monotonic_ms();
	recall(sources);
	*ret_sources = sources;
	return 0;
}

static int write_file(struct sources *sources)
{
	json_t *json = sources_json(sources, clock_unix_ns());
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int error = text ? file_replace(sources->path, bytes_of(text), 0600) : -ENOMEM;
	free(text);
	json_decref(json);
	return error;
}

/* What was noted since is not in the file, whatever becomes of it. */
static bool take_changed(struct sources *sources, bool is_due)
{
	pthread_mutex_lock(&sources->lock);
	is_due = sources->is_news || (sources->is_changed && is_due);
	if (is_due)
		sources->is_changed = sources->is_news = false;
	pthread_mutex_unlock(&sources->lock);
	return is_due;
}

static void mark_changed(struct sources *sources)
{
	pthread_mutex_lock(&sources->lock);
	sources->is_changed = true;
	pthread_mutex_unlock(&sources->lock);
}

int sources_save(struct sources *sources)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (!take_changed(sources, now_ms >= sources->saved_ms + SAVE_MS))
		return 0;
	sources->saved_ms = now_ms;
	int error = write_file(sources);
	if (error)
		mark_changed(sources);
	return error;
}

void sources_close(struct sources *sources)
{
	if (!sources)
		return;
	if (take_changed(sources, true))
		write_file(sources);
	pthread_mutex_destroy(&sources->lock);
	free(sources);
}
