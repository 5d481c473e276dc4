#include "support/events_judge.h"

#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>

enum { PARSE = JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL };

static const uint64_t now_ns = UINT64_C(1798761600007000000); /* 2027-01-01T00:00:00.007Z */

/*
 * NULL too for what jansson refuses: numbers that it cannot hold, half surrogate pairs, NUL in names. A NUL
 * between tokens, which it passes over, is no JSON.
 */
static json_t *parse(struct bytes text)
{
	if (text.len && memchr(text.at, 0, text.len))
		return NULL;
	return json_loadb(text.len ? (const char *)text.at : "", text.len, PARSE, NULL);
}

/* Of the same size, so that the sanitizer sees what reads past the end. */
static struct bytes copy_of(struct bytes text)
{
	uint8_t *copy = malloc(text.len ? text.len : 1);
	if (text.len)
		memcpy(copy, text.at, text.len);
	return (struct bytes){ copy, text.len };
}

static unsigned depth_of(const json_t *value)
{
	unsigned deepest = 0, depth;
	const char *name;
	json_t *part;
	size_t index;
	json_object_foreach((json_t *)value, name, part)
		if ((depth = depth_of(part)) > deepest)
			deepest = depth;
	json_array_foreach(value, index, part)
		if ((depth = depth_of(part)) > deepest)
			deepest = depth;
	return json_is_object(value) || json_is_array(value) ? deepest + 1 : 0;
}

static bool is_filled(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_taken(const json_t *event)
{
	return is_filled(json_object_get(event, "id")) && is_filled(json_object_get(event, "type"));
}

static bool is_of_traces(const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	return strcmp(type, "score-create") != 0 && strcmp(type, "sdk-log") != 0 &&
		strcmp(type, "dataset-run-item-create") != 0;
}

static bool is_uuid(const char *text)
{
	regex_t pattern;
	regcomp(&pattern, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
		REG_EXTENDED | REG_NOSUB);
	bool is = text && regexec(&pattern, text, 0, NULL, 0) == 0;
	regfree(&pattern);
	return is;
}

/* ---- a batch ---- */

/* The next line, and *at behind its line feed; empty at the end. */
static struct bytes next_line(struct bytes lines, size_t *at)
{
	if (*at >= lines.len)
		return (struct bytes){ 0 };
	const uint8_t *from = lines.at + *at;
	const uint8_t *feed = memchr(from, '\n', lines.len - *at);
	if (!feed)
		return (struct bytes){ 0 };
	*at = (size_t)(feed - lines.at) + 1;
	return (struct bytes){ from, (size_t)(feed - from) };
}

static const char *judge_lines(const struct events *events, const json_t *batch)
{
	struct bytes lines = buf_bytes(&events->lines);
	size_t at = 0, index;
	uint32_t count = 0, of_traces = 0;
	json_t *event;
	json_array_foreach(batch, index, event) {
		if (!is_taken(event))
			continue;
		json_t *line = parse(next_line(lines, &at));
		bool is_same = json_equal(line, event);
		json_decref(line);
		if (!is_same)
			return "each line is the batch's event";
		count++;
		of_traces += is_of_traces(event);
	}
	if (at != lines.len || count != events->count)
		return "there is a line for each event";
	return of_traces == events->of_traces ? NULL : "events of traces are counted";
}

/* One of the answer's lists against the events that belong into it. */
static const char *judge_list(const json_t *list, const json_t *batch, bool is_of_taken, int status)
{
	size_t index, at = 0;
	json_t *event;
	json_array_foreach(batch, index, event) {
		if (is_taken(event) != is_of_taken)
			continue;
		json_t *told = json_array_get(list, at++);
		json_t *id = json_object_get(event, "id"), *told_id = json_object_get(told, "id");
		bool is_named = is_filled(id) ? json_equal(id, told_id) :
						json_is_string(told_id) &&
				strcmp(json_string_value(told_id), "unknown") == 0;
		if (!is_named || json_number_value(json_object_get(told, "status")) != status)
			return "the answer says of each event what became of it";
	}
	return at == json_array_size(list) ? NULL : "the answer says nothing else";
}

static const char *judge_answer(struct bytes answer, const json_t *batch)
{
	json_t *told = parse(answer);
	const char *wrong = judge_list(json_object_get(told, "successes"), batch, true, 201);
	if (!wrong)
		wrong = judge_list(json_object_get(told, "errors"), batch, false, 400);
	if (!json_is_array(json_object_get(told, "errors")))
		wrong = "the answer has both lists";
	json_decref(told);
	return wrong;
}

/* Line for line, the bytes of the text in their order; only its line feeds became blanks. */
static const char *judge_bytes(struct bytes text, struct bytes lines)
{
	struct bytes flat = copy_of(text);
	const uint8_t *from = flat.at;
	const char *wrong = NULL;
	for (uint8_t *at = (uint8_t *)flat.at; at < bytes_end(flat); at++)
		if (*at == '\n')
			*at = ' ';
	size_t at = 0;
	for (struct bytes line; !wrong && (line = next_line(lines, &at)).len;) {
		from = memmem(from, (size_t)(bytes_end(flat) - from), line.at, line.len);
		if (from)
			from += line.len;
		else
			wrong = "no byte of an event changes";
	}
	free((void *)flat.at);
	return wrong;
}

static const char *judge_refusal(const json_t *tree, int error, const struct complaint *complaint,
	const struct events_limits *limits)
{
	const json_t *batch = json_object_get(tree, "batch");
	if (!complaint->text[0])
		return "who is refused is told why";
	if (error == -EBADMSG)
		return json_is_array(batch) ? "a batch is read" : NULL;
	if (error != -E2BIG)
		return "nothing else goes wrong";
	return tree && depth_of(tree) <= limits->max_depth &&
			json_array_size(batch) <= limits->max_events ?
		"a batch within the limits is read" :
		NULL;
}

const char *events_judge_batch(struct bytes text, const struct events_limits *limits)
{
	struct budget budget = { .limit_bytes = SIZE_MAX };
	struct events_limits charged = *limits;
	struct complaint complaint = { 0 };
	struct events events;
	charged.budget = &budget;
	struct bytes copy = copy_of(text);
	json_t *tree = parse(text);
	const json_t *batch = json_object_get(tree, "batch");
	const char *wrong = NULL;

	int error = events_of_batch(copy, &charged, &events, &complaint);
	if (error) {
		wrong = judge_refusal(tree, error, &complaint, limits);
	} else {
		wrong = judge_bytes(text, buf_bytes(&events.lines));
		if (!wrong && events.of_traces > events.count)
			wrong = "events of traces are counted without being kept";
		if (!wrong && tree)
			wrong = judge_lines(&events, batch);
		if (!wrong && tree)
			wrong = judge_answer(buf_bytes(&events.answer), batch);
		events_done(&events);
	}
	if (!wrong && budget.used_bytes)
		wrong = "all memory is given back";
	json_decref(tree);
	free((void *)copy.at);
	return wrong;
}

/* ---- scores ---- */

/* One is a list of one; NULL for what is neither. */
static json_t *parse_scores(struct bytes text)
{
	json_t *tree = parse(text);
	return json_is_object(tree) ? json_pack("[o]", tree) : tree;
}

static const char *judge_score_name(json_t *before, json_t *after)
{
	const json_t *old = json_object_get(before, "id"), *new = json_object_get(after, "id");
	if (!json_is_object(before) || (old && !json_is_null(old)))
		return json_equal(before, after) ? NULL : "what needs no id stays as it is";
	if (!is_uuid(json_string_value(new)))
		return "a score without id gets one";
	json_object_del(before, "id");
	json_object_del(after, "id");
	return json_equal(before, after) ? NULL : "all else of a score stays";
}

static const char *judge_names(struct bytes text, struct bytes named)
{
	json_t *before = parse_scores(text), *after = parse_scores(named), *score;
	const char *wrong = NULL;
	size_t i;
	if (before && json_array_size(before) != json_array_size(after))
		wrong = "as many scores as there were";
	if (before && json_equal(before, after) && !bytes_equal(text, named))
		wrong = "scores with ids stay as they are";
	json_array_foreach(before, i, score)
		if (!wrong)
			wrong = judge_score_name(score, json_array_get(after, i));
	json_decref(before);
	json_decref(after);
	return wrong;
}

static const char *judge_event(struct bytes line, const json_t *score)
{
	json_t *event = parse(line);
	json_t *timestamp = json_object_get(event, "timestamp");
	const char *wrong = NULL;
	if (!json_equal(json_object_get(event, "body"), score))
		wrong = "it holds the score";
	else if (!is_uuid(json_string_value(json_object_get(event, "id"))) ||
		strcmp(json_string_value(timestamp), "2027-01-01T00:00:00.007Z") != 0 ||
		strcmp(json_string_value(json_object_get(event, "type")), "score-create") != 0)
		wrong = "it is an event";
	json_decref(event);
	return wrong;
}

static const char *judge_events(const struct events *events, struct bytes named)
{
	json_t *tree = parse(named), *scores = parse_scores(named), *score;
	json_t *told = parse(buf_bytes(&events->answer));
	struct bytes lines = buf_bytes(&events->lines);
	const char *wrong = NULL;
	size_t i, at = 0, count = 0;
	json_array_foreach(scores, i, score)
		if (!wrong)
			wrong = judge_event(next_line(lines, &at), score);
	for (at = 0; next_line(lines, &at).at;)
		count++;
	if (at != lines.len || count != events->count || events->of_traces ||
		(scores && count != json_array_size(scores)))
		wrong = "a line for each";
	if (json_is_object(tree) &&
		(events->status != 200 ||
			!json_equal(json_object_get(told, "id"), json_object_get(tree, "id"))))
		wrong = "the answer names the score";
	if (json_is_array(tree) && (events->status != 202 || !json_object_get(told, "message")))
		wrong = "the answer is that to a list";
	json_decref(tree);
	json_decref(scores);
	json_decref(told);
	return wrong;
}

static bool all_have_ids(const json_t *scores)
{
	size_t i;
	json_t *score;
	json_array_foreach(scores, i, score)
		if (!is_filled(json_object_get(score, "id")))
			return false;
	return json_array_size(scores) > 0;
}

static const char *judge_named(struct bytes named, const struct events_limits *limits)
{
	struct complaint complaint = { 0 };
	struct events events;
	json_t *scores = parse_scores(named);
	const char *wrong = NULL;
	int error = events_of_scores(named, now_ns, limits, &events, &complaint);
	if (error && error != -EBADMSG && json_array_size(scores) <= limits->max_events)
		wrong = "what can be named can be kept";
	else if (scores && error != -E2BIG && (error == 0) != all_have_ids(scores))
		wrong = "scores with ids are kept";
	else if ((error == 0) == (complaint.text[0] != '\0'))
		wrong = "who is refused is told why";
	if (!error) {
		if (!wrong)
			wrong = judge_events(&events, named);
		events_done(&events);
	}
	json_decref(scores);
	return wrong;
}

const char *events_judge_scores(struct bytes text, const struct events_limits *limits)
{
	struct complaint complaint = { 0 };
	struct bytes copy = copy_of(text);
	const char *wrong;
	struct buf named;
	buf_init(&named, 100 + 30 * text.len, NULL);
	int error = events_name_scores(copy, limits, &named, &complaint);
	if (error) {
		json_t *tree = parse(text);
		wrong = !complaint.text[0]                          ? "who is refused is told why" :
			tree && depth_of(tree) <= limits->max_depth ? "these are scores" :
								      NULL;
		json_decref(tree);
	} else {
		wrong = judge_names(text, buf_bytes(&named));
		if (!wrong)
			wrong = judge_named(buf_bytes(&named), limits);
	}
	buf_done(&named);
	free((void *)copy.at);
	return wrong;
}
