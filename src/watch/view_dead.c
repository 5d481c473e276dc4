/* Dead letters: which there are, what is in one, and what shall become of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/complaint.h"
#include "base/log.h"
#include "config/config.h"
#include "export/exporter.h"
#include "http/server.h"
#include "spool/dead_letter.h"
#include "watch/local_query.h"
#include "watch/watch.h"

enum { LIMIT = 100, LIMIT_MAX = 10000, REQUEST_MAX_BYTES = 40 << 20 };

static json_t *letter_json(const struct dead_letter *letter)
{
	char id[DEAD_ID_MAX];
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:I, s:i, s:s, s:I}", "id",
		dead_letter_id(letter, id), "destination", letter->destination, "lane",
		letter->lane, "record", (json_int_t)letter->sequence, "span",
		(json_int_t)letter->span, "spans", (json_int_t)letter->span_count, "signal",
		signal_name(letter->signal), "encoding",
		letter->encoding == ENCODING_GZIP ? "gzip" : "identity", "bytes",
		(json_int_t)letter->bytes, "status", letter->status, "reason", letter->reason,
		"time_ns", (json_int_t)letter->time_ns);
}

static int explain(int error, const char *id, struct complaint *complaint)
{
	switch (error) {
	case -EINVAL:
		complain(complaint, "%.120s is no id of a dead letter; one looks like tempo/17-4",
			id);
		break;
	case -ENOENT:
		complain(complaint, "there is no dead letter %.120s", id);
		break;
	case -EBUSY:
		complain(complaint, "somebody else is at dead letter %.120s", id);
		return -EAGAIN;
	default:
		complain(complaint, "the dead letters cannot be read: %s", strerror(-error));
	}
	return error;
}

static int read_id(
	const struct http_request *request, const char **ret_id, struct complaint *complaint)
{
	*ret_id = http_request_argument(request, "id");
	return *ret_id ? 0 : complain(complaint, "which letter? The argument id is missing");
}

/* ---- the list ---- */

struct listing {
	const char *destination, *reason; /* NULL: any; the reason need only contain it */
	int64_t left;
	json_t *letters;
	bool is_cut;
};

static int list_letter(void *arg, const struct dead_letter *letter)
{
	struct listing *listing = arg;
	if ((listing->destination && strcmp(letter->destination, listing->destination) != 0) ||
		(listing->reason && !strcasestr(letter->reason, listing->reason)))
		return 0;
	listing->is_cut = listing->left-- == 0;
	if (listing->is_cut)
		return 1;
	return json_array_append_new(listing->letters, letter_json(letter)) < 0 ? -ENOMEM : 0;
}

static int list(const struct watch *watch, const struct http_request *request, json_t **ret_answer,
	struct complaint *complaint)
{
	const char *after = http_request_argument(request, "after");
	struct listing listing = {
		.destination = http_request_argument(request, "destination"),
		.reason = http_request_argument(request, "reason"),
		.left = LIMIT,
	};
	int error = local_query_argument(request, "limit", 1, LIMIT_MAX, &listing.left, complaint);
	if (error < 0)
		return error;
	listing.letters = json_array();
	error = listing.letters ?
		dead_letters_list(watch->deliveries, after, list_letter, &listing) :
		-ENOMEM;
	if (error < 0) {
		json_decref(listing.letters);
		return explain(error, after, complaint);
	}
	*ret_answer = json_pack("{s:I, s:b, s:o}", "now_ns", (json_int_t)clock_unix_ns(), "is_cut",
		listing.is_cut, "letters", listing.letters);
	return *ret_answer ? 0 : -ENOMEM;
}

/* ---- one of them ---- */

static json_t *base64_json(struct bytes bytes)
{
	struct buf text;
	buf_init(&text, SIZE_MAX / 2, NULL);
	base64_encode(bytes, &text);
	json_t *string = text.error ? NULL : json_stringn((const char *)text.at, text.len);
	buf_done(&text);
	return string;
}

static int show(const struct watch *watch, const struct http_request *request, json_t **ret_answer,
	struct complaint *complaint)
{
	const char *id;
	struct dead_letter letter;
	struct buf body;
	int error = read_id(request, &id, complaint);
	if (error)
		return error;
	error = dead_letter_find(watch->deliveries, id, &letter);
	if (error)
		return explain(error, id, complaint);
	buf_init(&body, REQUEST_MAX_BYTES, NULL);
	error = dead_letter_read(watch->deliveries, &letter, &body);
	json_t *answer = error ? NULL : letter_json(&letter);
	if (error)
		complain(complaint, "the request of %.120s cannot be read: %s", id,
			strerror(-error));
	else if (json_object_set_new(answer, "request", base64_json(buf_bytes(&body))) < 0)
		error = -ENOMEM;
	buf_done(&body);
	if (error)
		json_decref(answer);
	else
		*ret_answer = answer;
	return error;
}

static const struct watched_destination *find_destination(
	const struct watch *watch, const struct dead_letter *letter, struct complaint *complaint)
{
	for (size_t i = 0; i < watch->destination_count; i++)
		if (strcmp(watch->destinations[i].config->name, letter->destination) == 0)
			return &watch->destinations[i];
	complain(complaint, "destination %s is not configured any more: export or drop its letters",
		letter->destination);
	return NULL;
}

/* Sends a held letter once. Negative errno: it was not sent. */
static int send_letter(const struct watch *watch, const struct dead_letter *letter,
	struct reply *ret_reply, struct complaint *complaint)
{
	struct buf body;
	const struct watched_destination *destination = find_destination(watch, letter, complaint);
	if (!destination)
		return -ENOENT;
	buf_init(&body, SIZE_MAX, NULL);
	int error = dead_letter_read(watch->deliveries, letter, &body);
	if (error)
		complain(complaint, "its request cannot be read: %s", strerror(-error));
	else
		*ret_reply = exporter_send_once(destination->exporter, letter->lane, letter->signal,
			letter->encoding, buf_bytes(&body));
	buf_done(&body);
	return error;
}

/* "delivered", "refused" for what it holds, or "unwilling" to take anything now. */
static const char *outcome_of(const struct reply *reply)
{
	const struct attempt attempt = { .span_count = 1, .may_split = true };
	switch (verdict_of(reply, &attempt)) {
	case DELIVERED:
		return reply->rejected ? "refused" : "delivered";
	case SPLIT:
	case SET_ASIDE:
		return "refused";
	case RETRY_LATER:
	case HOLD:
		break;
	}
	return "unwilling";
}

static void settle(const struct watch *watch, struct dead_letter *letter, const struct reply *reply)
{
	const char *outcome = outcome_of(reply);
	char id[DEAD_ID_MAX];
	if (strcmp(outcome, "delivered") == 0) {
		letter->reason[0] = '\0';
		dead_letter_end(watch->deliveries, letter, OUTCOME_DELIVERED);
	} else {
		snprintf(letter->reason, sizeof letter->reason, "%s",
			reply->rejected ? "rejected by partial success" : verdict_why(reply));
		letter->status = reply->status;
		letter->time_ns = clock_unix_ns();
		dead_letter_keep(watch->deliveries, letter);
	}
	log_event(LOG_LEVEL_INFO, "dead_letter_retried", "letter=%s spans=%u status=%d outcome=%s",
		dead_letter_id(letter, id), letter->span_count, reply->status, outcome);
}

static int retry(const struct watch *watch, const struct http_request *request, json_t **ret_answer,
	struct complaint *complaint)
{
	const char *id;
	struct dead_letter letter;
	struct reply reply;
	int error = read_id(request, &id, complaint);
	if (error)
		return error;
	error = dead_letter_hold(watch->deliveries, id, &letter);
	if (error)
		return explain(error, id, complaint);
	error = send_letter(watch, &letter, &reply, complaint);
	if (error) {
		dead_letter_keep(watch->deliveries, &letter);
		return error;
	}
	settle(watch, &letter, &reply);
	*ret_answer = json_pack("{s:s, s:I, s:s, s:i, s:s}", "id", id, "spans",
		(json_int_t)letter.span_count, "outcome", outcome_of(&reply), "status",
		reply.status, "reason", letter.reason);
	return *ret_answer ? 0 : -ENOMEM;
}

static int drop(const struct watch *watch, const struct http_request *request, json_t **ret_answer,
	struct complaint *complaint)
{
	const char *id;
	struct dead_letter letter;
	int error = read_id(request, &id, complaint);
	if (error)
		return error;
	error = dead_letter_hold(watch->deliveries, id, &letter);
	if (error)
		return explain(error, id, complaint);
	dead_letter_end(watch->deliveries, &letter, OUTCOME_DROPPED);
	log_event(LOG_LEVEL_WARNING, "dead_letter_dropped", "letter=%s spans=%u", id,
		letter.span_count);
	*ret_answer = json_pack("{s:s, s:I}", "id", id, "spans", (json_int_t)letter.span_count);
	return *ret_answer ? 0 : -ENOMEM;
}

static const char *const of_list[] = { "destination", "reason", "after", "limit", NULL };
static const char *const of_one[] = { "id", NULL };

const struct view view_dead = { "GET", "/v1/dead", list, of_list };
const struct view view_dead_letter = { "GET", "/v1/dead/letter", show, of_one };
const struct view view_dead_retry = { "POST", "/v1/dead/retry", retry, of_one };
const struct view view_dead_drop = { "POST", "/v1/dead/drop", drop, of_one };
