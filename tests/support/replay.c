#include "support/replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/arena.h"
#include "dialects/dialect.h"
#include "enrich/enrich.h"
#include "pricing/price.h"
#include "support/oracle.h"
#include "support/session_tree.h"

enum { ARENA_MAX_BYTES = 256 << 20, STEPS_MAX = 1000000 };

/* A record of the inbox; sequences count from 1. */
struct stored {
	struct stored_request request; /* owns its body */
	char lane[LANE_NAME_MAX + 1];
};

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

static int keep_spans(void *arg, const char *lane, struct bytes request, uint32_t span_count)
{
	struct replay *replay = arg;
	struct enriched enriched;
	struct arena arena;
	replay->span_count += span_count;
	if (replay->is_counting)
		return 0;
	arena_init(&arena, ARENA_MAX_BYTES, NULL);
	cr_assert_eq(enrich(request, replay->config, prices(), &arena, &enriched), 0);
	cr_assert_eq(enriched.span_count, span_count);
	oracle_request *decoded = oracle_decode(enriched.plain);
	cr_assert_not_null(decoded);
	for (size_t i = 0; i < span_count; i++)
		json_array_append_new(replay->spans, span_json(oracle_span_at(decoded, i), lane));
	oracle_free(decoded);
	arena_done(&arena);
	return 0;
}

static void open_memory(struct replay *replay)
{
	struct memory_options options = {
		.directory = replay->directory,
		.max_age_days = replay->config->sessions.remember_days,
		.max_spans = replay->config->sessions.remember_max_spans,
	};
	cr_assert_eq(memory_open(&options, &replay->memory), 0);
	cr_assert_eq(
		synthesis_new(replay->config, replay->memory, false, NULL, &replay->synthesis), 0);
}

void replay_begin(struct replay *replay, const char *const *settings)
{
	static char *const environment[] = { "HOME=/", NULL };
	struct complaint complaint = { 0 };
	char **notes = NULL;
	*replay = (struct replay){ .spans = json_array() };
	cr_assert_eq(config_load(NULL, environment, (char *const *)settings, &replay->config,
			     &notes, &complaint),
		0, "%s", complaint.text);
	config_notes_free(notes);
	cr_assert_eq(scratch_make(replay->directory), 0);
	open_memory(replay);
}

void replay_end(struct replay *replay)
{
	synthesis_free(replay->synthesis);
	memory_close(replay->memory);
	for (size_t i = 0; i < replay->stored_count; i++)
		free((void *)replay->stored[i].request.body.at);
	free(replay->stored);
	scratch_remove(replay->directory);
	config_free(replay->config);
	json_decref(replay->spans);
	*replay = (struct replay){ 0 };
}

/* What went out is remembered before the log lets go of what it was made of. */
static void advance(struct replay *replay)
{
	struct synthesis_sink sink = { .spans = keep_spans, .arg = replay };
	cr_assert_eq(synthesis_advance(replay->synthesis, replay->now_ns, &sink), 0);
	uint64_t needed = synthesis_needed_from(replay->synthesis);
	struct memory_position position = {
		.inbox = needed == UINT64_MAX ? replay->stored_count + 1 : needed,
	};
	memory_set_position(replay->memory, position);
}

void replay_until(struct replay *replay, uint64_t now_ns)
{
	uint64_t due;
	for (unsigned steps = 0; (due = synthesis_due(replay->synthesis)) <= now_ns; steps++) {
		cr_assert_lt(steps, STEPS_MAX, "it is always due");
		if (due > replay->now_ns)
			replay->now_ns = due;
		advance(replay);
	}
	if (now_ns > replay->now_ns)
		replay->now_ns = now_ns;
}

void replay_out(struct replay *replay)
{
	for (unsigned steps = 0; synthesis_due(replay->synthesis) != UINT64_MAX; steps++) {
		cr_assert_lt(steps, STEPS_MAX, "something is left that never goes out");
		replay_until(replay, synthesis_due(replay->synthesis));
	}
}

static void take(struct replay *replay, const struct stored *stored)
{
	struct stored_request request = stored->request;
	request.lane = stored->lane;
	cr_assert_eq(synthesis_take(replay->synthesis, &request), 0);
}

void replay_take(struct replay *replay, const struct delivery *delivery, const char *lane)
{
	struct arena arena;
	struct bytes body = delivery->body;
	arena_init(&arena, ARENA_MAX_BYTES, NULL);
	replay_until(replay, delivery->time_ns);
	if (delivery->is_hook) {
		const struct dialect *dialect =
			dialect_named(bytes_of(delivery->path + strlen("/hooks/")));
		cr_assert_not_null(dialect);
		body = hook_as_logs(dialect, body, delivery->time_ns, &arena);
	}
	replay->stored =
		realloc(replay->stored, (replay->stored_count + 1) * sizeof *replay->stored);
	struct stored *stored = &replay->stored[replay->stored_count++];
	uint8_t *copy = malloc(body.len + 1);
	memcpy(copy, body.at, body.len);
	*stored = (struct stored){
		.request = {
			.body = { copy, body.len },
			.signal = delivery->signal,
			.sequence = replay->stored_count,
			.received_ns = delivery->time_ns,
		},
	};
	snprintf(stored->lane, sizeof stored->lane, "%s", lane);
	take(replay, stored);
	advance(replay);
	arena_done(&arena);
}

void replay_capture(struct replay *replay, const struct capture *capture, bool with_spans)
{
	for (size_t i = 0; i < capture->count; i++)
		if (capture->deliveries[i].signal == SIGNAL_LOGS ||
			(capture->deliveries[i].signal == SIGNAL_TRACES && with_spans))
			replay_take(replay, &capture->deliveries[i], "default");
}

/* What was committed is what stood when it died: each request is followed by what it makes due. */
void replay_restart(struct replay *replay)
{
	cr_assert_eq(memory_commit(replay->memory), 0);
	synthesis_free(replay->synthesis);
	memory_close(replay->memory);
	open_memory(replay);
	for (size_t i = memory_position(replay->memory).inbox - 1; i < replay->stored_count; i++)
		take(replay, &replay->stored[i]);
}
