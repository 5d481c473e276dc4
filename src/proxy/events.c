#include "proxy/events.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/json_skim.h"
#include "base/utf8.h"
#include "otlp/json_scalar.h"

/* ---- a text that is known to be well formed ---- */

/* A name or type that is known by us, with each of its letters escaped, is no longer. */
enum { WORD_MAX = 160 };

/*   raw  between the quotes of a string */
static bool is_word(struct bytes raw, const char *word)
{
	uint8_t plain[WORD_MAX];
	if (!raw.len || !memchr(raw.at, '\\', raw.len))
		return bytes_are(raw, word);
	if (raw.len > sizeof plain)
		return false;
	return bytes_are(
		(struct bytes){ plain, (size_t)(scalar_unescape(raw, plain) - plain) }, word);
}

/* A string that is not empty. */
static bool is_filled(struct bytes value)
{
	return value.len > 2 && *value.at == '"';
}

static struct bytes unquoted(struct bytes string)
{
	return (struct bytes){ string.at + 1, string.len - 2 };
}

struct member {
	struct bytes name;  /* between the quotes */
	struct bytes value; /* as it is written */
};

/* The first behind the brace, or the one behind the one before; at the end the closing brace is read. */
static bool next_member(struct skim *s, struct member *ret_member)
{
	bool has_escapes;
	skim_blanks(s);
	if (skim_byte(s, ','))
		skim_blanks(s);
	if (skim_byte(s, '}'))
		return false;
	skim_string(s, &ret_member->name, &has_escapes);
	skim_blanks(s);
	skim_byte(s, ':');
	skim_blanks(s);
	const uint8_t *start = s->at;
	skim_value(s, SKIM_MAX_DEPTH);
	ret_member->value = (struct bytes){ start, (size_t)(s->at - start) };
	return true;
}

static struct skim open_object(struct bytes object)
{
	struct skim s = { object.at, bytes_end(object) };
	skim_blanks(&s);
	skim_byte(&s, '{');
	return s;
}

/* Of several of that name the last, as JavaScript reads them; empty: there is none. */
static struct bytes find(struct bytes object, const char *name)
{
	struct skim s = open_object(object);
	struct bytes value = { 0 };
	for (struct member member; next_member(&s, &member);)
		if (is_word(member.name, name))
			value = member.value;
	return value;
}

/* ---- what is posted ---- */

/* One value that begins so, with nothing but blanks around it; *ret_bytes of the text are read. */
static bool is_sound_value(
	struct bytes text, uint8_t bracket, unsigned max_depth, size_t *ret_bytes)
{
	struct skim s = { text.at, bytes_end(text) };
	skim_blanks(&s);
	bool is_sound = s.at < s.end && *s.at == bracket && skim_value(&s, max_depth);
	if (is_sound)
		skim_blanks(&s);
	*ret_bytes = (size_t)(s.at - text.at);
	return is_sound && s.at == s.end;
}

static int check(struct bytes text, uint8_t bracket, const struct events_limits *limits,
	struct complaint *complaint)
{
	size_t sound_bytes = utf8_valid_bytes(text);
	if (sound_bytes < text.len) {
		complain(complaint, "no UTF-8 at byte %zu", sound_bytes);
		return -EBADMSG;
	}
	if (is_sound_value(text, bracket, limits->max_depth, &sound_bytes))
		return 0;
	if (is_sound_value(text, bracket, SKIM_MAX_DEPTH, &sound_bytes)) {
		complain(complaint, "more than %u levels of brackets", limits->max_depth);
		return -E2BIG;
	}
	complain(complaint, "no JSON at byte %zu", sound_bytes);
	return -EBADMSG;
}

/* Checks the body; its events are read from *ret_events on. */
static int open_batch(struct bytes body, const struct events_limits *limits,
	struct skim *ret_events, struct complaint *complaint)
{
	int error = check(body, '{', limits, complaint);
	if (error)
		return error;
	struct bytes batch = find(body, "batch");
	struct skim s = { batch.at, bytes_end(batch) };
	if (!skim_byte(&s, '[')) {
		complain(complaint, "no array \"batch\"");
		return -EBADMSG;
	}
	*ret_events = s;
	return 0;
}

/* One element of a batch, or a score. What it lacks is empty. */
struct event {
	struct bytes text, id, type;
};

static struct event read_event(struct skim *s)
{
	struct event event = { 0 };
	const uint8_t *start = s->at;
	if (!skim_byte(s, '{')) {
		skim_value(s, SKIM_MAX_DEPTH);
	} else {
		for (struct member member; next_member(s, &member);)
			if (is_word(member.name, "id"))
				event.id = member.value;
			else if (is_word(member.name, "type"))
				event.type = member.value;
	}
	event.text = (struct bytes){ start, (size_t)(s->at - start) };
	return event;
}

static bool next_event(struct skim *s, struct event *ret_event)
{
	skim_blanks(s);
	if (skim_byte(s, ','))
		skim_blanks(s);
	if (skim_byte(s, ']'))
		return false;
	*ret_event = read_event(s);
	return true;
}

static bool is_taken(const struct event *event)
{
	return is_filled(event->id) && is_filled(event->type);
}

static bool is_of_traces(const struct event *event)
{
	static const char *const others[] = { "score-create", "sdk-log",
		"dataset-run-item-create" };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (is_word(unquoted(event->type), others[i]))
			return false;
	return true;
}

/* ---- what is kept, and what is answered ---- */

/* A line feed in well-formed JSON stands between two tokens, and any blank will do there. */
static void append_flat(struct buf *lines, struct bytes json)
{
	size_t from = lines->len;
	buf_append(lines, json.at, json.len);
	if (lines->error)
		return;
	uint8_t *at = lines->at + from, *end = lines->at + lines->len;
	while ((at = memchr(at, '\n', (size_t)(end - at))))
		*at = ' ';
}

/* An element of one of the two lists of an answer. */
static void tell(struct buf *list, struct bytes id, const char *rest)
{
	buf_text(list, list->len ? ",{\"id\":" : "{\"id\":");
	buf_append(list, id.at, id.len);
	buf_text(list, rest);
}

static void take_event(
	struct events *events, struct buf *successes, struct buf *errors, const struct event *event)
{
	static const struct bytes unknown = BYTES("\"unknown\"");
	if (!is_taken(event)) {
		tell(errors, is_filled(event->id) ? event->id : unknown,
			",\"status\":400,\"message\":\"Invalid request data\","
			"\"error\":\"An event has an id and a type.\"}");
		return;
	}
	append_flat(&events->lines, event->text);
	buf_append(&events->lines, "\n", 1);
	tell(successes, event->id, ",\"status\":201}");
	events->count++;
	events->of_traces += is_of_traces(event);
}

static void begin(struct events *events, unsigned status, const struct events_limits *limits)
{
	*events = (struct events){ .status = status };
	buf_init(&events->lines, SIZE_MAX / 2, limits->budget);
	buf_init(&events->answer, SIZE_MAX / 2, limits->budget);
}

static int finish(struct events *events, int error, struct events *ret_events)
{
	if (!error)
		error = events->lines.error ? events->lines.error : events->answer.error;
	if (error)
		events_done(events);
	else
		*ret_events = *events;
	return error;
}

int events_of_batch(struct bytes body, const struct events_limits *limits,
	struct events *ret_events, struct complaint *complaint)
{
	struct skim s;
	int error = open_batch(body, limits, &s, complaint);
	if (error)
		return error;
	struct events events;
	struct buf successes, errors;
	begin(&events, 207, limits);
	buf_init(&successes, SIZE_MAX / 2, limits->budget);
	buf_init(&errors, SIZE_MAX / 2, limits->budget);
	uint32_t met = 0;
	for (struct event event; !error && next_event(&s, &event);)
		if (met++ < limits->max_events)
			take_event(&events, &successes, &errors, &event);
		else
			error = -E2BIG;
	if (error)
		complain(complaint, "more than %u events", limits->max_events);

	buf_text(&events.answer, "{\"successes\":[");
	buf_append(&events.answer, successes.at, successes.len);
	buf_text(&events.answer, "],\"errors\":[");
	buf_append(&events.answer, errors.at, errors.len);
	buf_text(&events.answer, "]}");
	if (!error)
		error = successes.error ? successes.error : errors.error;
	buf_done(&successes);
	buf_done(&errors);
	return finish(&events, error, ret_events);
}

void events_done(struct events *events)
{
	buf_done(&events->lines);
	buf_done(&events->answer);
}

/* ---- scores ---- */

enum { UUID_BYTES = 37, TIMESTAMP_BYTES = 40 };

/* Version 4 of RFC 9562: random. */
static int make_uuid(char uuid[UUID_BYTES])
{
	uint8_t r[16];
	ssize_t got;
	do
		got = getrandom(r, sizeof r, 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof r)
		return -EIO;
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	snprintf(uuid, UUID_BYTES,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		r[15]);
	return 0;
}

static int print_timestamp(uint64_t unix_ns, char timestamp[TIMESTAMP_BYTES])
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm utc;
	if (!gmtime_r(&seconds, &utc))
		return -EINVAL;
	size_t len = strftime(timestamp, TIMESTAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(timestamp + len, TIMESTAMP_BYTES - len, ".%03uZ",
		(unsigned)(unix_ns / 1000000 % 1000));
	return 0;
}

/* One score, or, as Python's SDK does since version 5, a list of them. */
struct scores {
	struct skim rest;
	bool is_list;
};

static int open_scores(struct bytes body, const struct events_limits *limits,
	struct scores *ret_scores, struct complaint *complaint)
{
	struct scores scores = { .rest = { body.at, bytes_end(body) } };
	skim_blanks(&scores.rest);
	scores.is_list = skim_byte(&scores.rest, '[');
	int error = check(body, scores.is_list ? '[' : '{', limits, complaint);
	if (!error)
		*ret_scores = scores;
	return error;
}

static bool next_score(struct scores *scores, struct event *ret_score)
{
	if (scores->is_list)
		return next_event(&scores->rest, ret_score);
	skim_blanks(&scores->rest);
	if (scores->rest.at == scores->rest.end)
		return false;
	*ret_score = read_event(&scores->rest);
	return true;
}

static int keep_score(struct events *events, const struct event *score, const char *timestamp,
	struct complaint *complaint)
{
	char uuid[UUID_BYTES];
	if (!is_filled(score->id)) {
		complain(complaint, "a score's id is no string");
		return -EBADMSG;
	}
	int error = make_uuid(uuid);
	if (error)
		return error;
	buf_printf(&events->lines,
		"{\"id\":\"%s\",\"timestamp\":\"%s\",\"type\":\"score-create\",\"body\":", uuid,
		timestamp);
	append_flat(&events->lines, score->text);
	buf_text(&events->lines, "}\n");
	events->count++;
	return 0;
}

int events_of_scores(struct bytes body, uint64_t now_ns, const struct events_limits *limits,
	struct events *ret_events, struct complaint *complaint)
{
	char timestamp[TIMESTAMP_BYTES];
	struct scores scores;
	struct events events;
	int error = open_scores(body, limits, &scores, complaint);
	if (!error)
		error = print_timestamp(now_ns, timestamp);
	if (error)
		return error;
	begin(&events, scores.is_list ? 202 : 200, limits);
	for (struct event score; !error && next_score(&scores, &score);)
		if (events.count == limits->max_events) {
			complain(complaint, "more than %u scores", limits->max_events);
			error = -E2BIG;
		} else {
			error = keep_score(&events, &score, timestamp, complaint);
			if (!error && !scores.is_list)
				tell(&events.answer, score.id, "}");
		}
	if (!error && events.count == 0) {
		complain(complaint, "a list without scores");
		error = -EBADMSG;
	}
	if (scores.is_list)
		buf_text(&events.answer, "{\"message\":\"Accepted\"}");
	return finish(&events, error, ret_events);
}

/* What stands between *from and the score's id, and the id. */
static int name_score(const struct event *score, const uint8_t **from, struct buf *named)
{
	char uuid[UUID_BYTES];
	if (*score->text.at != '{' || (score->id.len && !bytes_are(score->id, "null")))
		return 0;
	int error = make_uuid(uuid);
	if (error)
		return error;
	struct skim inside = open_object(score->text);
	const uint8_t *at = score->id.len ? score->id.at : inside.at;
	buf_append(named, *from, (size_t)(at - *from));
	if (score->id.len) {
		buf_printf(named, "\"%s\"", uuid);
	} else {
		skim_blanks(&inside);
		buf_printf(named, "\"id\":\"%s\"%s", uuid, skim_byte(&inside, '}') ? "" : ",");
	}
	*from = at + score->id.len;
	return 0;
}

int events_name_scores(struct bytes body, const struct events_limits *limits, struct buf *named,
	struct complaint *complaint)
{
	struct scores scores;
	const uint8_t *from = body.at;
	int error = open_scores(body, limits, &scores, complaint);
	if (error)
		return error;
	for (struct event score; !error && next_score(&scores, &score);)
		error = name_score(&score, &from, named);
	buf_append(named, from, (size_t)(bytes_end(body) - from));
	return error ? error : named->error;
}
