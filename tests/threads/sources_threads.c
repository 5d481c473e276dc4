/*
 * Doors note what came while the synthesizer notes what is missing, somebody asks and the main thread saves. No
 * request may be lost. A plain program, because Criterion does not start under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "dialects/dialect.h"
#include "otlp/json.h"
#include "sources.h"
#include "support/scratch.h"

enum { DOORS = 3, ROUNDS = 10000, SAVES = 5, REQUEST_MAX = 4096, MAX_DEPTH = 16 };

static const char logs[] =
	"{\"resourceLogs\": [{\"resource\": {\"attributes\": [{\"key\": \"service.name\","
	" \"value\": {\"stringValue\": \"codex_exec\"}}]}, \"scopeLogs\": [{\"scope\": {\"name\":"
	" \"codex_otel.log_only\"}, \"logRecords\": [{}, {}]}]}]}";

static struct buf request;
static struct sources *sources;
static atomic_bool is_over;

static void *receive_all(void *unused)
{
	(void)unused;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		sources_note(sources, SIGNAL_LOGS, buf_bytes(&request), 2, i);
		sources_note_hook(sources, &dialect_codex, i);
	}
	return NULL;
}

static void *synthesize_all(void *unused)
{
	const struct lacks lacks = { .lacking = { [LACK_PROMPTS] = 1 } };
	struct bytes resource = wire_member(wire_member(buf_bytes(&request), 1), 1);
	(void)unused;
	for (uint64_t i = 1; i <= ROUNDS; i++)
		sources_note_lacks(sources, &dialect_codex.cli, resource, &lacks, i);
	return NULL;
}

static json_int_t number_of(const json_t *answer, const char *group, const char *name)
{
	const json_t *source = json_array_get(json_object_get(answer, "sources"), 0);
	return json_integer_value(
		json_object_get(json_object_get(json_object_get(source, group), name), "items"));
}

static void *ask_all(void *unused)
{
	(void)unused;
	json_int_t before = 0;
	while (!atomic_load(&is_over)) {
		json_t *answer = sources_json(sources, 1);
		json_int_t now = number_of(answer, "signals", "logs");
		json_decref(answer);
		if (now < before)
			return &is_over;
		before = now;
	}
	return NULL;
}

static bool adds_up(void)
{
	json_t *answer = sources_json(sources, 1);
	json_int_t items = number_of(answer, "signals", "logs"),
		   hooks = number_of(answer, "signals", "hooks"),
		   lacking = number_of(answer, "lacks", "prompts");
	json_decref(answer);
	printf("%lld items, %lld hooks, %lld without a prompt\n", items, hooks, lacking);
	return items == 2 * DOORS * ROUNDS && hooks == DOORS * ROUNDS && lacking == ROUNDS;
}

int main(void)
{
	char directory[SCRATCH_PATH_MAX];
	struct complaint complaint;
	buf_init(&request, REQUEST_MAX, NULL);
	if (scratch_make(directory) || sources_open(directory, &sources) ||
		json_to_request(bytes_of(logs), SIGNAL_LOGS, MAX_DEPTH, &request, &complaint))
		return 99;
	sources_note(sources, SIGNAL_TRACES, buf_bytes(&request), 1, 1); /* so that it is known */

	pthread_t doors[DOORS], synthesizer, reader;
	void *is_wrong;
	pthread_create(&reader, NULL, ask_all, NULL);
	pthread_create(&synthesizer, NULL, synthesize_all, NULL);
	for (size_t i = 0; i < DOORS; i++)
		pthread_create(&doors[i], NULL, receive_all, NULL);
	for (int i = 0; i < SAVES; i++)
		if (sources_save(sources))
			return 99;
	for (size_t i = 0; i < DOORS; i++)
		pthread_join(doors[i], NULL);
	pthread_join(synthesizer, NULL);
	atomic_store(&is_over, true);
	pthread_join(reader, &is_wrong);

	bool is_right = adds_up();
	sources_close(sources);
	sources = NULL;
	bool is_remembered = sources_open(directory, &sources) == 0 && adds_up();
	sources_close(sources);
	buf_done(&request);
	scratch_remove(directory);
	return is_wrong || !is_right || !is_remembered;
}
