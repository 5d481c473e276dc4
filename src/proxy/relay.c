#include "proxy/relay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "proxy/errors.h"
#include "proxy/headers.h"

enum { REPEAT_LOG_MS = 60 * 1000, URL_MAX_BYTES = 256 << 10 };

bool is_away(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

bool is_refused(int status)
{
	return status == 401 || status == 403;
}

/* ---- what is asked ---- */

struct collection {
	struct http_header headers[HEADERS_MAX + 1];
	size_t count;
	bool is_full;
};

static bool collect(void *arg, const char *name, const char *value)
{
	struct collection *collection = arg;
	collection->is_full = collection->count == HEADERS_MAX;
	if (!collection->is_full)
		collection->headers[collection->count++] =
			(struct http_header){ name, value ? value : "" };
	return !collection->is_full;
}

static bool names_public_key(const char *name)
{
	return strcasecmp(name, "x-langfuse-public-key") == 0 ||
		strcasecmp(name, "x_langfuse_public_key") == 0;
}

/*
 * With the proxy's lock. A gateway key's user is a name of ours, and the caller's own; Langfuse knows the project's
 * key alone.
 */
static int add_ours(struct relay *relay, bool shows_public_key)
{
	const struct project *project = relay->project;
	struct http_headers *headers = relay->asked.headers;
	int error = http_headers_add(headers, "Via", "1.1 tollgate");
	for (const struct http_header *own = relay->proxy->added; own->name && !error; own++)
		error = http_headers_add(headers, own->name, own->value);
	/* Whoever asks is let in without a look at the key (access/access.h), and gets none. */
	if (error || strcmp(relay->asked.method, "OPTIONS") == 0)
		return error;
	error = http_headers_add(headers, "Authorization", project->authorization);
	if (!error && shows_public_key)
		error = http_headers_add(headers, "x-langfuse-public-key", project->public_key);
	return error;
}

static int add_headers(struct relay *relay, const char *left_out)
{
	struct collection came = { 0 };
	struct http_header going[HEADERS_MAX + 1];
	bool shows_public_key = false;
	int error = 0;
	http_request_each_header(relay->request, collect, &came);
	if (came.is_full)
		return -E2BIG;
	headers_go_upstream(came.headers, going);
	pthread_mutex_lock(&relay->proxy->lock);
	for (const struct http_header *header = going; header->name && !error; header++) {
		if (names_public_key(header->name))
			shows_public_key = true;
		else if (!headers_find(relay->proxy->added, header->name) &&
			(!left_out || strcasecmp(header->name, left_out) != 0))
			error = http_headers_add(relay->asked.headers, header->name, header->value);
	}
	if (!error)
		error = add_ours(relay, shows_public_key);
	pthread_mutex_unlock(&relay->proxy->lock);
	return error;
}

void relay_make_url(const struct proxy *proxy, const struct http_request *request, struct buf *url)
{
	buf_init(url, URL_MAX_BYTES, NULL);
	buf_text(url, proxy->base_url);
	buf_text(url, http_request_target(request));
	buf_append(url, "", 1);
}

static int make_url(struct relay *relay)
{
	struct buf url;
	relay_make_url(relay->proxy, relay->request, &url);
	if (url.error)
		buf_done(&url);
	relay->asked.url = (const char *)url.at;
	return url.error;
}

static struct project *project_of(const struct proxy *proxy, const struct http_request *request)
{
	const char *lane = access_caller(request)->lane;
	for (size_t i = 0; i < proxy->project_count; i++)
		if (strcmp(proxy->projects[i].lane, lane) == 0)
			return &proxy->projects[i];
	return NULL;
}

static void set_timeouts(struct relay *relay)
{
	const struct config *config = relay->proxy->options.config;
	relay->asked.silence_timeout_ms = relay->family == FAMILY_MCP ?
		config->proxy.stream_silence_timeout_ms :
		config->proxy.silence_timeout_ms;
}

static int make_question(struct relay *relay, const char *left_out)
{
	/* A copy, because the client may leave before it is asked. */
	relay->asked.method = strdup(http_request_method(relay->request));
	relay->asked.headers = http_headers_new();
	int error = relay->asked.method && relay->asked.headers ? make_url(relay) : -ENOMEM;
	set_timeouts(relay);
	return error ? error : add_headers(relay, left_out);
}

static void refuse_question(struct relay *relay, int error)
{
	if (error == -EINVAL)
		relay_refuse(relay, 400, "the request is malformed");
	else if (error == -E2BIG)
		relay_refuse(relay, 431, "the request has more headers than are passed through");
	else
		relay_refuse(relay, 503, "other requests hold the memory");
}

/* ---- from open to close ---- */

/* Counted before it is asked whether the thread goes on: whoever is counted is waited for. */
static bool enter(struct proxy *proxy, const char **ret_why)
{
	uint64_t before = atomic_fetch_add(&proxy->open, 1);
	*ret_why = "the server is stopping";
	if (atomic_load(&proxy->stops))
		return false;
	*ret_why = "as many requests as may be are passed through already";
	return before < proxy->options.config->proxy.max_connections;
}

bool relay_open(struct relay *relay, const struct manner *manner, struct proxy *proxy,
	struct http_request *request, const char *left_out)
{
	const char *path = http_request_path(request), *why;
	*relay = (struct relay){ .manner = manner,
		.proxy = proxy,
		.project = project_of(proxy, request),
		.family = family_of(http_request_method(request), path),
		.request = request };
	assert(relay->project);
	if (!enter(proxy, &why)) {
		relay_refuse(relay, 503, why);
		relay_close(relay);
		return false;
	}
	int error = make_question(relay, left_out);
	if (!error)
		return true;
	refuse_question(relay, error);
	relay_close(relay);
	return false;
}

void relay_wake(struct relay *relay)
{
	struct proxy *proxy = relay->proxy;
	if (atomic_exchange(&relay->is_in_inbox, true))
		return;
	struct relay *first = atomic_load(&proxy->inbox);
	do
		relay->next_in_inbox = first;
	while (!atomic_compare_exchange_weak(&proxy->inbox, &first, relay));
	if (!first)
		upstream_wake(proxy->upstream);
}

void relay_flow_moved(void *relay)
{
	relay_wake(relay);
}

bool relay_ask(struct relay *relay)
{
	int error = upstream_begin(relay->proxy->upstream, &relay->asked, &relay->call);
	if (error)
		refuse_question(relay, error);
	return !error;
}

void relay_leave_thread(struct relay *relay)
{
	if (!relay->link)
		return;
	*relay->link = relay->next;
	if (relay->next)
		relay->next->link = relay->link;
	relay->link = NULL;
}

void relay_close(struct relay *relay)
{
	struct proxy *proxy = relay->proxy;
	struct family_counts *counts = &proxy->families[relay->family];
	assert(!relay->request);
	relay_leave_thread(relay);
	atomic_fetch_add(&counts->ended[relay->passage], 1);
	http_headers_free(relay->asked.headers);
	free((char *)relay->asked.method);
	free((char *)relay->asked.url);
	relay->asked = (struct upstream_request){ 0 };
	relay->is_closed = true;
	if (!atomic_load(&relay->is_in_inbox))
		relay->manner->free(relay);
	if (atomic_fetch_sub(&proxy->open, 1) == 1 && atomic_load(&proxy->stops))
		upstream_wake(proxy->upstream);
}

/* ---- how it went ---- */

/*   status  of Langfuse's answer; 0: there is none */
static void log_failure(enum request_family family, int status, const char *why)
{
	static struct log_gate gates[FAMILY_COUNT];
	char text[LOG_TEXT_MAX];
	uint64_t held;
	if (log_gate_open(&gates[family], REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "proxy_failed",
			"family=%s status=%d why=%s lines_held=%llu", family_name(family), status,
			log_text(text, why), (unsigned long long)held);
}

void relay_note_status(struct relay *relay, int status)
{
	struct family_counts *counts = &relay->proxy->families[relay->family];
	atomic_store(&counts->last_status, status);
	atomic_store(&counts->last_ns, clock_unix_ns());
	if (is_refused(status))
		log_failure(relay->family, status, "Langfuse refuses the project's keys");
	else if (is_away(status))
		log_failure(relay->family, status, "Langfuse does not take it now");
}

void relay_note_failure(struct relay *relay, enum http_outcome outcome, const char *error)
{
	if (outcome != HTTP_ANSWERED && outcome != HTTP_UNWANTED)
		log_failure(relay->family, 0, error);
}

void relay_fail(struct relay *relay, enum http_outcome outcome)
{
	static const char *const whys[] = {
		[HTTP_ANSWERED] = "Langfuse's answer is too large to be passed on",
		[HTTP_FAILED] = "Langfuse cannot be reached",
		[HTTP_LATE] = "Langfuse did not answer in time",
		[HTTP_UNWANTED] = "the request broke off",
		[HTTP_UNTRUSTED] = "Langfuse's certificate does not verify",
		[HTTP_UNUSABLE] = "Langfuse cannot be asked as it is configured",
	};
	reply_error(relay->request, outcome == HTTP_LATE ? 504 : 502, whys[outcome], NULL);
	relay->request = NULL;
	relay->passage = FAILED;
}

void relay_refuse(struct relay *relay, unsigned status, const char *why)
{
	refuse_error(relay->request, status, why, NULL);
	relay->request = NULL;
	relay->passage = REFUSED;
}

void relay_depart(struct relay *relay)
{
	enum { CLIENT_CLOSED_REQUEST = 499 }; /* nobody reads it */
	http_reply(relay->request, CLIENT_CLOSED_REQUEST, NULL, (struct bytes){ 0 }, NULL);
	relay->request = NULL;
	relay->passage = DEPARTED;
}
