#include "synthesize/session.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "synthesize/memory.h"

enum { FIRST_EVENTS = 8, NESTING_MAX = 32, PROJECT_MAX_BYTES = 255 };

struct sessions {
	struct memory *memory;
	struct live *live;
	struct speaker *speakers;
	void *tree;            /* of sessions, by key */
	struct session **heap; /* all of them; none is due before the one above it */
	size_t count, capacity;
	size_t events, bytes, open_turns;
};

/* ---- events ---- */

/* Every text of an event. */
static const size_t texts[] = {
	offsetof(struct event, session),
	offsetof(struct event, turn),
	offsetof(struct event, agent),
	offsetof(struct event, parent_agent),
	offsetof(struct event, started_agent),
	offsetof(struct event, thread),
	offsetof(struct event, call),
	offsetof(struct event, tool),
	offsetof(struct event, user),
	offsetof(struct event, trace_id),
	offsetof(struct event, span_id),
	offsetof(struct event, model),
	offsetof(struct event, name),
	offsetof(struct event, side),
	offsetof(struct event, text.text),
	offsetof(struct event, input.text),
	offsetof(struct event, output.text),
	offsetof(struct event, tier),
	offsetof(struct event, error),
	offsetof(struct event, error_type),
	offsetof(struct event, native.resource),
	offsetof(struct event, native.scope),
	offsetof(struct event, native.span),
	offsetof(struct event, native.name),
	offsetof(struct event, native.trace_id),
	offsetof(struct event, native.span_id),
	offsetof(struct event, native.parent_id),
};
enum { TEXT_COUNT = sizeof texts / sizeof texts[0] };

static struct bytes *text_at(struct event *event, size_t i)
{
	return (struct bytes *)(void *)((char *)event + texts[i]);
}

struct kept *kept_new(const struct event *event, uint64_t received_ns, uint64_t sequence)
{
	struct event copy = *event;
	size_t bytes = sizeof(struct kept);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		bytes += text_at(&copy, i)->len;
	struct kept *kept = malloc(bytes);
	if (!kept)
		return NULL;
	uint8_t *at = (uint8_t *)(kept + 1);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		struct bytes *text = text_at(&copy, i);
		if (text->len)
			memcpy(at, text->at, text->len);
		text->at = at;
		at += text->len;
	}
	*kept = (struct kept){
		.held = { copy, received_ns, sequence },
		.parcel = NO_PARCEL,
		.bytes = bytes,
	};
	return kept;
}

void kept_free(struct kept *kept)
{
	if (kept)
		resource_release(kept->resource);
	free(kept);
}

struct resource *resource_new(struct bytes message)
{
	struct resource *resource = malloc(sizeof *resource + message.len);
	if (!resource)
		return NULL;
	uint8_t *at = (uint8_t *)(resource + 1);
	if (message.len)
		memcpy(at, message.at, message.len);
	*resource = (struct resource){ 1, { at, message.len } };
	return resource;
}

struct resource *resource_hold(struct resource *resource)
{
	if (resource)
		resource->users++;
	return resource;
}

void resource_release(struct resource *resource)
{
	if (resource && --resource->users == 0)
		free(resource);
}

/* ---- which is due first ---- */

static void heap_put(struct sessions *sessions, size_t at, struct session *session)
{
	sessions->heap[at] = session;
	session->heap_at = at;
}

static void heap_rise(struct sessions *sessions, size_t at)
{
	struct session *session = sessions->heap[at];
	for (; at > 0 && session->due_ns < sessions->heap[(at - 1) / 2]->due_ns; at = (at - 1) / 2)
		heap_put(sessions, at, sessions->heap[(at - 1) / 2]);
	heap_put(sessions, at, session);
}

static void heap_sink(struct sessions *sessions, size_t at)
{
	struct session *session = sessions->heap[at];
	for (size_t child; (child = 2 * at + 1) < sessions->count; at = child) {
		if (child + 1 < sessions->count &&
			sessions->heap[child + 1]->due_ns < sessions->heap[child]->due_ns)
			child++;
		if (session->due_ns <= sessions->heap[child]->due_ns)
			break;
		heap_put(sessions, at, sessions->heap[child]);
	}
	heap_put(sessions, at, session);
}

void sessions_reschedule(struct sessions *sessions, struct session *session, uint64_t at_ns)
{
	session->due_ns = at_ns;
	heap_rise(sessions, session->heap_at);
	heap_sink(sessions, session->heap_at);
}

void sessions_due(struct sessions *sessions, struct session *session, uint64_t at_ns)
{
	if (at_ns < session->due_ns)
		sessions_reschedule(sessions, session, at_ns);
}

struct session *sessions_first(const struct sessions *sessions)
{
	return sessions->count ? sessions->heap[0] : NULL;
}

static bool has_room(struct sessions *sessions)
{
	if (sessions->count < sessions->capacity)
		return true;
	size_t capacity = sessions->capacity ? sessions->capacity * 2 : 64;
	struct session **heap = realloc(sessions->heap, capacity * sizeof(struct session *));
	if (!heap)
		return false;
	sessions->heap = heap;
	sessions->capacity = capacity;
	return true;
}

/* ---- sources ---- */

static const char *const kind_names[] = { "logs", "spans", "hooks" };

/* Lane and CLI. */
static struct bytes speaker_key(const struct speaker *speaker, char key[LANE_NAME_MAX + 34])
{
	int length = snprintf(key, LANE_NAME_MAX + 34, "%s%c%.31s", speaker->lane, '\0',
		speaker->dialect->cli.name);
	return (struct bytes){ (const uint8_t *)key, (size_t)length };
}

struct speaker *sessions_speaker(
	struct sessions *sessions, const char *lane, const struct dialect *dialect)
{
	struct speaker *speaker = sessions->speakers;
	while (speaker && (speaker->dialect != dialect || strcmp(speaker->lane, lane) != 0))
		speaker = speaker->next;
	if (speaker)
		return speaker;
	speaker = calloc(1, sizeof *speaker);
	if (!speaker)
		return NULL;
	char key[LANE_NAME_MAX + 34];
	snprintf(speaker->lane, sizeof speaker->lane, "%s", lane);
	speaker->dialect = dialect;
	for (enum said_kind kind = 0; kind < SAID_KINDS; kind++)
		speaker->since_ns[kind] = memory_source_since(
			sessions->memory, speaker_key(speaker, key), kind_names[kind]);
	speaker->next = sessions->speakers;
	sessions->speakers = speaker;
	return speaker;
}

void sessions_note_speaker(
	struct sessions *sessions, struct speaker *speaker, enum said_kind kind, uint64_t at_ns)
{
	char key[LANE_NAME_MAX + 34];
	if (speaker->since_ns[kind])
		return;
	speaker->since_ns[kind] = at_ns;
	memory_note_source(sessions->memory, speaker_key(speaker, key), kind_names[kind], at_ns);
}

/* ---- finding ---- */

struct sessions *sessions_new(struct memory *memory, struct live *live)
{
	struct sessions *sessions = calloc(1, sizeof *sessions);
	if (sessions) {
		sessions->memory = memory;
		sessions->live = live;
	}
	return sessions;
}

static int compare_keys(const void *a, const void *b)
{
	const struct bytes *left = &((const struct session *)a)->key;
	const struct bytes *right = &((const struct session *)b)->key;
	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	return memcmp(left->at, right->at, left->len);
}

/* Behind each other with a zero between; `to` is NULL to measure. */
static size_t write_key(
	uint8_t *to, const struct speaker *speaker, struct bytes id, struct bytes turn)
{
	const struct bytes parts[] = { bytes_of(speaker->lane),
		bytes_of(speaker->dialect->cli.name), id, turn };
	size_t count = id.len ? 3 : 4, len = 0;
	for (size_t i = 0; i < count; i++) {
		if (to) {
			if (parts[i].len)
				memcpy(to + len, parts[i].at, parts[i].len);
			to[len + parts[i].len] = '\0';
		}
		len += parts[i].len + 1;
	}
	return len;
}

static struct session *session_new(struct speaker *speaker, struct bytes id, struct bytes turn)
{
	size_t key_len = write_key(NULL, speaker, id, turn);
	struct session *session = calloc(1, sizeof *session + key_len);
	if (!session)
		return NULL;
	uint8_t *key = (uint8_t *)(session + 1);
	write_key(key, speaker, id, turn);
	session->speaker = speaker;
	session->key = (struct bytes){ key, key_len };
	session->id = (struct bytes){
		key + strlen(speaker->lane) + strlen(speaker->dialect->cli.name) + 2, id.len
	};
	session->due_ns = UINT64_MAX;
	session->live_at = LIVE_NOWHERE;
	return session;
}

static void session_free(struct session *session)
{
	for (size_t i = 0; i < session->count; i++)
		kept_free(session->kept[i]);
	for (size_t i = 0; i < session->past_count; i++)
		free((void *)session->past[i].key.at);
	free(session->kept);
	free(session->past);
	free(session->project);
	free(session);
}

/* Keeps the order by number. */
static int add_past(struct session *session, struct bytes key, unsigned number, uint64_t start_ns)
{
	size_t at = session->past_count;
	struct past_turn *past = realloc(session->past, (at + 1) * sizeof *past);
	if (past)
		session->past = past;
	uint8_t *own = malloc(key.len + 1);
	if (!past || !own) {
		free(own);
		return -ENOMEM;
	}
	if (key.len)
		memcpy(own, key.at, key.len);
	for (; at > 0 && past[at - 1].number > number; at--)
		past[at] = past[at - 1];
	past[at] = (struct past_turn){ { own, key.len }, number, start_ns };
	session->past_count++;
	if (number > session->last_number)
		session->last_number = number;
	return 0;
}

static int recall_past(struct sessions *sessions, struct session *session)
{
	struct remembered_turn *turns;
	size_t count;
	int error = memory_turns(sessions->memory, session->key, &turns, &count);
	if (error)
		return error;
	for (size_t i = 0; i < count && !error; i++)
		error = add_past(session, turns[i].key, turns[i].number, turns[i].start_ns);
	free(turns);
	return error;
}

static const char fact_floor[] = "floor", fact_project[] = "project", fact_parent[] = "parent",
		  fact_side[] = "side";

static struct session *find(struct sessions *sessions, struct speaker *speaker, struct bytes id,
	struct bytes turn, unsigned nesting);

/* What is known of it from before. */
static int recall(struct sessions *sessions, struct session *session, unsigned nesting)
{
	struct memory *memory = sessions->memory;
	struct buf value;
	buf_init(&value, SIZE_MAX / 2, NULL);
	int error = recall_past(sessions, session);
	if (memory_fact(memory, session->key, fact_floor, &value) &&
		value.len == sizeof session->floor)
		memcpy(&session->floor, value.at, value.len);
	value.len = 0;
	if (memory_fact(memory, session->key, fact_project, &value) && value.len)
		session->project = strndup((const char *)value.at, value.len);
	value.len = 0;
	if (memory_fact(memory, session->key, fact_side, &value) && value.len) {
		session->is_settled = true;
		snprintf(session->side, sizeof session->side, "%.*s", (int)value.len,
			(const char *)value.at);
	}
	value.len = 0;
	if (memory_fact(memory, session->key, fact_parent, &value) && value.len && nesting)
		session->parent = find(sessions, session->speaker, buf_bytes(&value),
			(struct bytes){ 0 }, nesting - 1);
	if (session->parent)
		session->parent->threads++;
	error = error ? error : value.error;
	buf_done(&value);
	return error;
}

static struct session *find(struct sessions *sessions, struct speaker *speaker, struct bytes id,
	struct bytes turn, unsigned nesting)
{
	struct session *session = session_new(speaker, id, turn);
	if (!session)
		return NULL;
	struct session *const *there = tfind(session, &sessions->tree, compare_keys);
	if (there) {
		session_free(session);
		return *there;
	}
	if (!has_room(sessions) || !tsearch(session, &sessions->tree, compare_keys)) {
		session_free(session);
		return NULL;
	}
	heap_put(sessions, sessions->count++, session);
	if (recall(sessions, session, nesting) < 0) {
		sessions_drop(sessions, session);
		return NULL;
	}
	return session;
}

struct session *sessions_find(
	struct sessions *sessions, struct speaker *speaker, struct bytes id, struct bytes turn)
{
	return find(sessions, speaker, id, turn, NESTING_MAX);
}

struct session *session_root(struct session *session)
{
	struct session *root = session;
	while (root->parent)
		root = root->parent;
	while (session->parent && session->parent != root) { /* the next time it is near */
		struct session *parent = session->parent;
		parent->threads--;
		session->parent = root;
		root->threads++;
		session = parent;
	}
	return root;
}

static void forget_prompts(struct speaker *speaker, const struct session *session)
{
	for (size_t i = 0; i < sizeof speaker->prompts / sizeof speaker->prompts[0]; i++)
		if (speaker->prompts[i].session == session)
			speaker->prompts[i].session = NULL;
}

void sessions_drop(struct sessions *sessions, struct session *session)
{
	size_t at = session->heap_at;
	sessions_set_open_turns(sessions, session, 0);
	heap_put(sessions, at, sessions->heap[--sessions->count]);
	if (at < sessions->count) {
		heap_rise(sessions, at);
		heap_sink(sessions, sessions->heap[at]->heap_at);
	}
	tdelete(session, &sessions->tree, compare_keys);
	if (session->parent)
		session->parent->threads--;
	forget_prompts(session->speaker, session);
	live_remove(sessions->live, &session->live_at);
	session_free(session);
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	for (size_t i = 0; i < sessions->count; i++) {
		tdelete(sessions->heap[i], &sessions->tree, compare_keys);
		session_free(sessions->heap[i]);
	}
	for (struct speaker *speaker = sessions->speakers, *next; speaker; speaker = next) {
		next = speaker->next;
		free(speaker);
	}
	free(sessions->heap);
	free(sessions);
}

/* ---- whose events they are ---- */

static bool is_about_agent(enum event_kind kind)
{
	return kind == EVENT_AGENT_BEGIN || kind == EVENT_AGENT || kind == EVENT_AGENT_NAMED;
}

/* Of a helper's session only what it cost is somebody's: it has no turns and no place. */
static bool is_of_helper(enum event_kind kind)
{
	return kind == EVENT_CALL_BEGIN || kind == EVENT_CALL || kind == EVENT_ANSWER;
}

bool session_event(
	const struct session *session, const struct event *event, struct event *ret_event)
{
	*ret_event = *event;
	if (session->parent)
		ret_event->session = session->parent->id;
	if (session->is_settled && session->side[0]) {
		ret_event->side = bytes_of(session->side);
		return is_of_helper(event->kind);
	}
	if (!session->parent)
		return true;
	if (!event->agent.len)
		ret_event->agent = session->id;
	else if (is_about_agent(event->kind) && !event->parent_agent.len &&
		!bytes_equal(event->agent, session->id))
		ret_event->parent_agent = session->id;
	return true;
}

static int move(struct sessions *sessions, struct session *from, const struct kept *kept)
{
	struct event event;
	if (!session_event(from, &kept->held.event, &event))
		return 0;
	struct kept *copy = kept_new(&event, kept->held.received_ns, kept->held.sequence);
	if (!copy)
		return -ENOMEM;
	copy->parcel = kept->parcel;
	copy->resource = resource_hold(kept->resource);
	return sessions_add(sessions, from->parent ? from->parent : from, copy);
}

/* Every event goes where it belongs by now. */
static int move_all(struct sessions *sessions, struct session *session)
{
	struct kept **kept = session->kept;
	size_t count = session->count;
	int error = 0;
	session->kept = NULL;
	session->count = session->capacity = 0;
	for (size_t i = 0; i < count; i++) {
		sessions->events--;
		sessions->bytes -= kept[i]->bytes;
		if (error >= 0)
			error = move(sessions, session, kept[i]);
		kept_free(kept[i]);
	}
	free(kept);
	return error < 0 ? error : 0;
}

static void stand_for(struct sessions *sessions, struct session *session, struct session *root)
{
	session->parent = root;
	root->threads++;
	memory_add_fact(sessions->memory, session->key, fact_parent, root->id);
	sessions_set_open_turns(sessions, session, 0);
	forget_prompts(session->speaker, session);
	live_remove(sessions->live, &session->live_at);
}

int sessions_adopt(struct sessions *sessions, struct bytes id, struct session *root)
{
	struct session *probe = session_new(root->speaker, id, (struct bytes){ 0 });
	if (!probe)
		return -ENOMEM;
	struct session *const *there = tfind(probe, &sessions->tree, compare_keys);
	if (!there) /* nothing came of it yet */
		memory_add_fact(sessions->memory, probe->key, fact_parent, root->id);
	session_free(probe);
	if (!there || (*there)->parent || session_root(root) == *there)
		return 0;
	stand_for(sessions, *there, session_root(root));
	return move_all(sessions, *there);
}

int sessions_settle(struct sessions *sessions, struct session *helper, struct session *host)
{
	helper->is_settled = true;
	memory_add_fact(sessions->memory, helper->key, fact_side, bytes_of(helper->side));
	if (host)
		stand_for(sessions, helper, session_root(host));
	return move_all(sessions, helper);
}

/* ---- what a session keeps ---- */

/* Where it belongs, and whether an equal one is there. */
static size_t place_of(const struct session *session, const struct held *held, bool *ret_is_there)
{
	size_t from = 0, to = session->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = held_compare(held, &session->kept[middle]->held);
		if (order == 0) {
			*ret_is_there = true;
			return middle;
		}
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	*ret_is_there = false;
	return from;
}

static bool has_room_for_one(struct session *session)
{
	if (session->count < session->capacity)
		return true;
	size_t capacity = session->capacity ? session->capacity * 2 : FIRST_EVENTS;
	struct kept **kept = realloc(session->kept, capacity * sizeof(struct kept *));
	if (!kept)
		return false;
	session->kept = kept;
	session->capacity = capacity;
	return true;
}

int sessions_add(struct sessions *sessions, struct session *session, struct kept *kept)
{
	bool is_there;
	size_t at = place_of(session, &kept->held, &is_there);
	if (kept->held.sequence > session->last_sequence)
		session->last_sequence = kept->held.sequence;
	if (is_there || !has_room_for_one(session)) {
		kept_free(kept);
		return is_there ? 0 : -ENOMEM;
	}
	memmove(session->kept + at + 1, session->kept + at,
		(session->count - at) * sizeof(struct kept *));
	session->kept[at] = kept;
	session->count++;
	sessions->events++;
	sessions->bytes += kept->bytes;
	return 1;
}

void sessions_remove(struct sessions *sessions, struct session *session, const bool *is_gone)
{
	size_t count = 0;
	uint64_t floor = session->last_sequence + 1;
	for (size_t i = 0; i < session->count; i++) {
		struct kept *kept = session->kept[i];
		if (is_gone[i]) {
			sessions->events--;
			sessions->bytes -= kept->bytes;
			kept_free(kept);
			continue;
		}
		session->kept[count++] = kept;
		if (kept->held.sequence < floor)
			floor = kept->held.sequence;
	}
	if (count == session->count)
		return;
	session->count = count;
	session->floor = floor;
	memory_add_fact(sessions->memory, session->key, fact_floor,
		(struct bytes){ (const uint8_t *)&floor, sizeof floor });
}

/* What a call was asked and a tool answered is in no other span; an agent's answer is in two. */
static void shorten(struct event *event)
{
	static const struct bytes nothing;
	switch (event->kind) {
	case EVENT_CALL_BEGIN:
	case EVENT_CALL:
		event->input.text = nothing;
		return;
	case EVENT_TOOL:
	case EVENT_TOOL_SAID: /* without a key it is found by its texts */
		if (event->tool.len && !event->started_agent.len)
			event->output.text = nothing;
		return;
	case EVENT_SPAN:
		event->native.resource = event->native.scope = event->native.span = nothing;
		return;
	default:
		return;
	}
}

void sessions_shorten(struct sessions *sessions, struct session *session, size_t index)
{
	enum { WORTH_BYTES = 512 };
	struct kept *kept = session->kept[index];
	struct event event = kept->held.event;
	if (kept->bytes < sizeof *kept + WORTH_BYTES)
		return;
	shorten(&event);
	struct kept *shorter = kept_new(&event, kept->held.received_ns, kept->held.sequence);
	if (!shorter)
		return;
	memcpy(shorter->given_id, kept->given_id, sizeof shorter->given_id);
	shorter->parcel = kept->parcel;
	shorter->resource = resource_hold(kept->resource);
	sessions->bytes -= kept->bytes - shorter->bytes;
	session->kept[index] = shorter;
	kept_free(kept);
}

/* ---- what is known of a session ---- */

void sessions_add_past(
	struct sessions *sessions, struct session *session, const struct planned_turn *turn)
{
	const struct remembered_turn past = { turn->key, turn->number, turn->start_ns };
	memory_add_turn(sessions->memory, session->key, &past);
	add_past(session, turn->key, turn->number, turn->start_ns);
}

/* The first place stands: later ones are where its work led it. */
void sessions_set_project(struct sessions *sessions, struct session *session, struct bytes place,
	uint64_t received_ns)
{
	while (place.len && place.at[place.len - 1] == '/')
		place.len--;
	const uint8_t *name = bytes_end(place);
	while (name > place.at && name[-1] != '/')
		name--;
	struct bytes project = { name, (size_t)(bytes_end(place) - name) };
	bool is_first = !session->project || received_ns < session->project_ns;
	if (!project.len || project.len > PROJECT_MAX_BYTES || !is_first)
		return;
	session->project_ns = received_ns;
	if (session->project && bytes_are(project, session->project))
		return;
	free(session->project);
	session->project = strndup((const char *)project.at, project.len);
	memory_add_fact(sessions->memory, session->key, fact_project, project);
}

/* ---- all of them ---- */

void sessions_set_open_turns(struct sessions *sessions, struct session *session, size_t open_turns)
{
	sessions->open_turns += open_turns - session->open_turns;
	session->open_turns = open_turns;
}

struct sessions_figures sessions_figures(const struct sessions *sessions)
{
	return (struct sessions_figures){ sessions->count, sessions->events, sessions->bytes,
		sessions->open_turns };
}

struct session *sessions_most_silent(const struct sessions *sessions)
{
	struct session *found = NULL;
	for (size_t i = 0; i < sessions->count; i++) {
		struct session *session = sessions->heap[i];
		if (session->count && !session->is_crowded &&
			(!found || session->last_received_ns < found->last_received_ns))
			found = session;
	}
	return found;
}

uint64_t sessions_needed_from(const struct sessions *sessions)
{
	uint64_t from = UINT64_MAX;
	for (size_t i = 0; i < sessions->count; i++)
		for (size_t k = 0; k < sessions->heap[i]->count; k++)
			if (sessions->heap[i]->kept[k]->held.sequence < from)
				from = sessions->heap[i]->kept[k]->held.sequence;
	return from;
}
