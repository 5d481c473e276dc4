#include "export/ingestion.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/json_skim.h"
#include "base/lines.h"

enum {
	SAID_MAX = 2 * INGESTION_MAX_EVENTS,
	MAX_DEPTH = 64,
	NOT_SAID = 0,
	TAKEN = 201,
	FAILED = 500,
};

/* What is said of one event. */
struct said {
	struct bytes id; /* as it is written, with its quotes */
	int status;
};

struct sayings {
	size_t count;
	struct said at[SAID_MAX];
};

int ingestion_wrap(struct bytes lines, uint32_t count, struct bytes *ret_pieces)
{
	static const struct bytes open = BYTES("{\"batch\":["), comma = BYTES(","),
				  close = BYTES("],\"metadata\":{\"sdk_name\":\"tollgate\"}}");
	struct bytes line;
	for (uint32_t i = 0; i < count; i++) {
		if (!lines_next(&lines, &line))
			return -EBADMSG;
		if (line.at[line.len - 1] == '\n')
			line.len--;
		*ret_pieces++ = i == 0 ? open : comma;
		*ret_pieces++ = line;
	}
	*ret_pieces = close;
	return lines.len == 0 ? 0 : -EBADMSG;
}

/* ---- reading ---- */

static int read_status(struct bytes text)
{
	int status = 0;
	if (text.len != 3)
		return NOT_SAID;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return NOT_SAID;
		status = status * 10 + (text.at[i] - '0');
	}
	return status >= 100 && status < 600 ? status : NOT_SAID;
}

static bool read_name(struct skim *s, struct bytes *ret_name)
{
	bool has_escapes;
	skim_blanks(s);
	if (!skim_string(s, ret_name, &has_escapes))
		return false;
	skim_blanks(s);
	if (!skim_byte(s, ':'))
		return false;
	skim_blanks(s);
	return true;
}

/* Behind a member or an element: whether another one follows. */
static bool has_next(struct skim *s)
{
	skim_blanks(s);
	return skim_byte(s, ',');
}

/* False where the text breaks off; what was read before stands. */
static bool read_entry(struct skim *s, struct said *said)
{
	struct bytes name;
	if (!skim_byte(s, '{'))
		return skim_value(s, MAX_DEPTH);
	skim_blanks(s);
	if (skim_byte(s, '}'))
		return true;
	do {
		if (!read_name(s, &name))
			return false;
		const uint8_t *from = s->at;
		if (!skim_value(s, MAX_DEPTH) || s->at == s->end) /* a number may go on */
			return false;
		const struct bytes value = { from, (size_t)(s->at - from) };
		if (bytes_are(name, "id") && said->id.len == 0)
			said->id = value;
		else if (bytes_are(name, "status") && said->status == NOT_SAID)
			said->status = read_status(value);
	} while (has_next(s));
	return skim_byte(s, '}');
}

static void note(struct sayings *sayings, struct said said, bool is_whole, bool is_taken)
{
	bool is_success = said.status >= 200 && said.status < 300;
	if (is_taken && said.id.len > 0)
		said.status = TAKEN;
	else if (!is_taken && (is_success || (is_whole && said.status == NOT_SAID)))
		said.status = FAILED;
	if (said.status != NOT_SAID && sayings->count < SAID_MAX)
		sayings->at[sayings->count++] = said;
}

static bool read_entries(struct skim *s, bool is_taken, struct sayings *sayings)
{
	skim_byte(s, '[');
	skim_blanks(s);
	if (skim_byte(s, ']'))
		return true;
	do {
		struct said said = { 0 };
		skim_blanks(s);
		bool is_whole = read_entry(s, &said);
		note(sayings, said, is_whole, is_taken);
		if (!is_whole)
			return false;
	} while (has_next(s));
	return skim_byte(s, ']');
}

static bool read_lists(struct skim *s, struct sayings *sayings, bool *is_ours)
{
	struct bytes name;
	skim_blanks(s);
	if (!skim_byte(s, '{'))
		return false;
	skim_blanks(s);
	if (skim_byte(s, '}'))
		return true;
	do {
		if (!read_name(s, &name))
			return false;
		bool is_taken = bytes_are(name, "successes");
		bool is_list =
			(is_taken || bytes_are(name, "errors")) && s->at < s->end && *s->at == '[';
		*is_ours |= is_list;
		if (is_list ? !read_entries(s, is_taken, sayings) : !skim_value(s, MAX_DEPTH))
			return false;
	} while (has_next(s));
	return skim_byte(s, '}');
}

/* Whether what cannot be read is nothing but the beginning of something. */
static bool is_begun(struct bytes rest)
{
	static const char *const words[] = { "true", "false", "null", "-0" };
	bool is_begun = rest.len == 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		is_begun |= rest.len > 0 && rest.len < strlen(words[i]) &&
			memcmp(rest.at, words[i], rest.len) == 0;
	return is_begun;
}

static enum answer_kind read_answer(struct bytes answer, struct sayings *sayings)
{
	struct skim s = { answer.at, bytes_end(answer) };
	bool is_ours = false;
	sayings->count = 0;
	bool is_whole = read_lists(&s, sayings, &is_ours);
	skim_blanks(&s);
	const struct bytes rest = { s.at, (size_t)(s.end - s.at) };
	if (is_whole)
		return is_ours && rest.len == 0 ? ANSWER_WHOLE : ANSWER_FOREIGN;
	return is_begun(rest) ? ANSWER_CUT : ANSWER_FOREIGN;
}

/* ---- whom it is about ---- */

static bool has_escapes(struct bytes text)
{
	return memchr(text.at, '\\', text.len) != NULL;
}

static bool is_same_text(struct bytes one, struct bytes other)
{
	json_t *a = json_loadb((const char *)one.at, one.len, JSON_DECODE_ANY, NULL);
	json_t *b = json_loadb((const char *)other.at, other.len, JSON_DECODE_ANY, NULL);
	bool is_same = a && b && json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return is_same;
}

/* One may have escapes where the other has none. */
static bool is_same_id(struct bytes one, struct bytes other)
{
	enum { ESCAPED_BYTES = 6 }; /* of a letter, at most: longer ones need not be read */
	if (bytes_equal(one, other))
		return true;
	if (one.len > ESCAPED_BYTES * other.len || other.len > ESCAPED_BYTES * one.len)
		return false;
	return one.len > 0 && other.len > 0 && (has_escapes(one) || has_escapes(other)) &&
		is_same_text(one, other);
}

/* An id that came twice has two entries, and the first one counts for both. */
static int find_status(const struct sayings *sayings, struct bytes event)
{
	struct bytes id;
	if (!json_find(event, "id", &id))
		return NOT_SAID;
	for (size_t i = 0; i < sayings->count; i++)
		if (is_same_id(sayings->at[i].id, id))
			return sayings->at[i].status;
	return NOT_SAID;
}

/* Of one event alone it does not matter by which name it is called, or whether it is called at all. */
static int status_of_single(const struct sayings *sayings, enum answer_kind kind)
{
	if (sayings->count > 0)
		return sayings->at[0].status;
	return kind == ANSWER_WHOLE ? TAKEN : NOT_SAID;
}

enum answer_kind ingestion_read(
	struct bytes answer, const struct bytes *pieces, uint32_t count, int *ret_statuses)
{
	struct sayings sayings;
	enum answer_kind kind = read_answer(answer, &sayings);
	for (uint32_t i = 0; i < count; i++)
		ret_statuses[i] = count == 1 ? status_of_single(&sayings, kind) :
					       find_status(&sayings, pieces[2 * (size_t)i + 1]);
	return kind;
}

/* ---- what it means ---- */

enum verdict ingestion_verdict(int status)
{
	if (status >= 200 && status < 300)
		return DELIVERED;
	if (status == 401 || status == 403)
		return HOLD;
	bool is_refusal = status >= 400 && status < 500 && status != 408 && status != 429;
	return is_refusal ? SET_ASIDE : RETRY_LATER;
}

const char *ingestion_why(int status)
{
	const struct reply reply = { .outcome = HTTP_ANSWERED, .status = status };
	return status == 404 ? "what it belongs to is not there" : verdict_why(&reply);
}

struct reply ingestion_said(enum answer_kind kind, int status)
{
	if (status != NOT_SAID)
		return (struct reply){ .outcome = HTTP_ANSWERED, .status = status };
	if (kind == ANSWER_FOREIGN)
		return (struct reply){ .outcome = HTTP_UNUSABLE,
			.error = "the answer is not Langfuse's" };
	return (struct reply){ .outcome = HTTP_FAILED,
		.error = kind == ANSWER_CUT ? "the answer breaks off" :
					      "the answer passes over events" };
}

/* What is not said to be refused in an answer that is whole was taken. */
static struct reply sum_up(enum answer_kind kind, const int *statuses, uint32_t count)
{
	struct reply sum = { .outcome = HTTP_ANSWERED, .status = 207 };
	for (uint32_t i = 0; i < count; i++) {
		enum verdict verdict = ingestion_verdict(statuses[i]);
		bool is_passed_over = statuses[i] == NOT_SAID && kind == ANSWER_WHOLE;
		sum.rejected += verdict == SET_ASIDE;
		if (!is_passed_over && (verdict == HOLD || verdict == RETRY_LATER))
			return ingestion_said(kind, statuses[i]);
	}
	return sum;
}

struct reply ingestion_reply(const struct reply *reply, const struct bytes *pieces, uint32_t count)
{
	static const struct reply no_memory = { .outcome = HTTP_FAILED, .error = "out of memory" };
	struct reply sum = *reply;
	bool is_taken =
		reply->outcome == HTTP_ANSWERED && reply->status >= 200 && reply->status < 300;
	int *statuses = is_taken ? calloc(count, sizeof *statuses) : NULL;
	if (statuses)
		sum = sum_up(ingestion_read(reply->body, pieces, count, statuses), statuses, count);
	else if (is_taken)
		sum = no_memory;
	free(statuses);
	sum.body = (struct bytes){ 0 };
	return sum;
}
