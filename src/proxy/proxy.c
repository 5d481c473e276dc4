#include "proxy/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "export/destination.h"
#include "proxy/copies.h"
#include "proxy/errors.h"
#include "proxy/post.h"
#include "proxy/relay.h"
#include "proxy/stream.h"
#include "receive/refusal.h"
#include "spool/spool.h"

enum { WAIT_MAX_MS = 1000, URL_MAX_BYTES = 4096 };

/* ---- projects and their keys ---- */

/* -ENOENT: the project is not configured any more. */
static int make_keys(const struct config *config, const char *lane, char **ret_public_key,
	char **ret_authorization)
{
	struct destination_config own;
	if (!destination_in_lane(
		    config_langfuse(config), config->projects, config->project_count, lane, &own))
		return -ENOENT;
	char *authorization;
	int error = langfuse_authorization(own.public_key, own.secret_key, &authorization);
	if (error)
		return error;
	char *public_key = strdup(own.public_key);
	if (!public_key) {
		free(authorization);
		return -ENOMEM;
	}
	*ret_public_key = public_key;
	*ret_authorization = authorization;
	return 0;
}

static void free_added(struct http_header *added)
{
	for (struct http_header *header = added; header && header->name; header++) {
		free((char *)header->name);
		free((char *)header->value);
	}
	free(added);
}

/* What else lets a request in at Langfuse, such as the tokens of a gate before it. */
static int copy_added(const struct config *config, struct http_header **ret_added)
{
	const struct destination_config *langfuse = config_langfuse(config);
	struct http_header *added = calloc(langfuse->header_count + 1, sizeof *added);
	bool is_whole = added;
	for (size_t i = 0; i < langfuse->header_count && is_whole; i++) {
		added[i].name = strdup(langfuse->headers[i].name);
		added[i].value = added[i].name ? strdup(langfuse->headers[i].value) : NULL;
		is_whole = added[i].value;
	}
	if (!is_whole) {
		free_added(added);
		return -ENOMEM;
	}
	*ret_added = added;
	return 0;
}

static void forget_keys(struct project *project)
{
	free(project->public_key);
	free(project->authorization);
	project->public_key = project->authorization = NULL;
}

static int make_projects(struct proxy *proxy)
{
	const struct config *config = proxy->options.config;
	uint64_t owed_below = spool_figures(proxy->options.spool).next_sequence;
	int error = copy_added(config, &proxy->added);
	proxy->projects = calloc(config->project_count + 1, sizeof *proxy->projects);
	if (!proxy->projects)
		return -ENOMEM;
	for (size_t i = 0; i <= config->project_count && !error; i++) {
		struct project *project = &proxy->projects[i];
		project->lane = i ? config->projects[i - 1].name : DEFAULT_LANE;
		atomic_store(&project->owed_below, owed_below);
		error = make_keys(
			config, project->lane, &project->public_key, &project->authorization);
		proxy->project_count++;
	}
	return error;
}

static void take_keys(struct proxy *proxy, struct project *project, struct project *keys)
{
	pthread_mutex_lock(&proxy->lock);
	struct project before = { .public_key = project->public_key,
		.authorization = project->authorization };
	project->public_key = keys->public_key;
	project->authorization = keys->authorization;
	pthread_mutex_unlock(&proxy->lock);
	forget_keys(&before);
}

int proxy_rekey(struct proxy *proxy, const struct config *config, struct complaint *complaint)
{
	const struct destination_config *langfuse = config_langfuse(config);
	/* Keys are not shown to another address than the one that they were given with. */
	if (!proxy->base_url || !langfuse ||
		!destination_same_address(langfuse, config_langfuse(proxy->options.config)))
		return 0;
	struct http_header *added = NULL;
	struct project *keys = calloc(proxy->project_count, sizeof *keys);
	int error = keys ? copy_added(config, &added) : -ENOMEM;
	for (size_t i = 0; i < proxy->project_count && !error; i++) {
		error = make_keys(config, proxy->projects[i].lane, &keys[i].public_key,
			&keys[i].authorization);
		error = error == -ENOENT ? 0 : error;
	}
	for (size_t i = 0; keys && i < proxy->project_count; i++) {
		if (!error && keys[i].authorization)
			take_keys(proxy, &proxy->projects[i], &keys[i]);
		else
			forget_keys(&keys[i]);
	}
	free(keys);
	if (!error) {
		pthread_mutex_lock(&proxy->lock);
		struct http_header *before = proxy->added;
		proxy->added = added;
		pthread_mutex_unlock(&proxy->lock);
		added = before;
	}
	free_added(added);
	if (error == -EINVAL)
		complain(complaint, "a key pair of Langfuse is too long");
	return error;
}

/* ---- the proxy ---- */

static int find_langfuse(struct proxy *proxy)
{
	const struct config *config = proxy->options.config;
	const struct destination_config *langfuse = config_langfuse(config);
	proxy->why_closed = !config->proxy.enabled ?
		"the proxy is switched off: proxy.enabled" :
		"no Langfuse is configured: LANGFUSE_PUBLIC_KEY and "
		"LANGFUSE_SECRET_KEY, or a destination of type langfuse";
	if (!config->proxy.enabled || !proxy->options.exporter || !langfuse)
		return 0;
	struct buf url;
	buf_init(&url, URL_MAX_BYTES, NULL);
	int error = langfuse_base_url(langfuse, &url);
	buf_append(&url, "", 1);
	if (!error)
		error = url.error;
	if (error) {
		buf_done(&url);
		return error;
	}
	proxy->base_url = (char *)url.at;
	return make_projects(proxy);
}

static int open_copies(struct proxy *proxy)
{
	const struct config *config = proxy->options.config;
	const struct copies_options options = {
		.directory = config->state_directory,
		.max_bytes = config->proxy.prompts_max_bytes,
		.max_age_ms = config->proxy.prompts_max_age_ms,
		.max_copy_bytes = COPY_MAX_BYTES,
	};
	return config->proxy.keep_prompts ? copies_open(&options, &proxy->copies) : 0;
}

static int open_upstream(struct proxy *proxy)
{
	const struct config *config = proxy->options.config;
	const struct upstream_options options = {
		.ca_file = proxy->base_url ? config_langfuse(config)->ca_file : NULL,
		.connections = (unsigned)config->proxy.max_connections,
		.connect_timeout_ms = config->proxy.connect_timeout_ms,
	};
	return upstream_new(&options, &proxy->upstream);
}

int proxy_new(
	const struct proxy_options *options, struct proxy **ret_proxy, struct complaint *complaint)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);
	if (!proxy)
		return -ENOMEM;
	proxy->options = *options;
	pthread_mutex_init(&proxy->lock, NULL);
	int error = find_langfuse(proxy);
	if (error == -EINVAL)
		complain(complaint, "a key pair of Langfuse is too long");
	if (!error)
		error = open_upstream(proxy);
	if (!error && proxy->base_url)
		error = open_copies(proxy);
	if (error)
		proxy_free(proxy);
	else
		*ret_proxy = proxy;
	return error;
}

void proxy_free(struct proxy *proxy)
{
	if (!proxy)
		return;
	upstream_free(proxy->upstream);
	copies_close(proxy->copies);
	for (size_t i = 0; i < proxy->project_count; i++)
		forget_keys(&proxy->projects[i]);
	free(proxy->projects);
	free_added(proxy->added);
	free(proxy->base_url);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}

/* ---- its routes ---- */

static void begin(struct http_request *request, void *owner)
{
	const struct proxy *proxy = owner;
	const char *method = http_request_method(request);
	if (is_our_own(request))
		refuse_error(request, 508, "this request was sent by Tollgate itself", NULL);
	else if (!proxy->base_url)
		refuse_error(request, 404, proxy->why_closed, NULL);
	/* TRACE would send the project's key back in the answer. */
	else if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0)
		refuse_error(request, 405, "this method is not passed through", NULL);
}

static void begin_post(struct http_request *request, void *owner)
{
	const struct proxy *proxy = owner;
	int64_t length = http_request_length(request);
	uint64_t max_bytes = proxy->options.config->proxy.max_events_bytes;
	if (length > 0 && (uint64_t)length > max_bytes)
		refuse_error(request, 413, "the body is larger than proxy.max_events_bytes", NULL);
	else
		begin(request, owner);
}

/* UI pages, to which SDKs make links with their base URL. */
static void redirect(struct http_request *request, void *owner)
{
	static const struct http_header allowed[] = { { "Allow", "GET, HEAD" }, { NULL, NULL } };
	struct proxy *proxy = owner;
	const char *method = http_request_method(request);
	struct buf url;
	if (!proxy->base_url) {
		refuse_error(request, 404, proxy->why_closed, NULL);
		return;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		refuse_error(request, 405, "method not allowed here", allowed);
		return;
	}
	relay_make_url(proxy, request, &url);
	const struct http_header location[] = { { "Location", (const char *)url.at },
		{ NULL, NULL } };
	if (url.error)
		refuse_error(request, 503, "other requests hold the memory", NULL);
	else
		http_reply(request, 302, NULL, (struct bytes){ 0 }, location);
	atomic_fetch_add(&proxy->families[FAMILY_PAGES].ended[url.error ? REFUSED : PASSED], 1);
	buf_done(&url);
}

void proxy_routes(struct proxy *proxy, struct http_route ret_routes[PROXY_ROUTE_COUNT])
{
	static const char *const pages[] = { "/project", "/project/", "/trace", "/trace/", "/auth",
		"/auth/" };
	enum { PAGES = 3 };
	ret_routes[0] = (struct http_route){ "POST", "/api/public/ingestion", begin_post,
		post_batch, proxy, NULL };
	ret_routes[1] = (struct http_route){ "POST", "/api/public/scores", begin_post, post_scores,
		proxy, NULL };
	ret_routes[2] =
		(struct http_route){ NULL, "/api/public/", begin, NULL, proxy, stream_begin };
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		ret_routes[PAGES + i] =
			(struct http_route){ NULL, pages[i], redirect, NULL, proxy, NULL };
}

/* ---- its thread ---- */

static struct relay *take_inbox(struct proxy *proxy)
{
	struct relay *newest = atomic_exchange(&proxy->inbox, NULL), *oldest = NULL;
	while (newest) {
		struct relay *next = newest->next_in_inbox;
		newest->next_in_inbox = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void enlist(struct proxy *proxy, struct relay *relay)
{
	relay->next = proxy->relays;
	relay->link = &proxy->relays;
	if (relay->next)
		relay->next->link = &relay->next;
	proxy->relays = relay;
}

static void go_on_with(struct proxy *proxy, struct relay *relay)
{
	/* Before it is looked at: what moves from now on puts it into the inbox again. */
	atomic_store(&relay->is_in_inbox, false);
	if (relay->is_closed) {
		relay->manner->free(relay);
	} else if (relay->call) {
		relay->manner->moved(relay);
	} else {
		enlist(proxy, relay);
		relay->manner->start(relay);
	}
}

static void go_on(struct proxy *proxy)
{
	for (struct relay *relay = take_inbox(proxy), *next; relay; relay = next) {
		next = relay->next_in_inbox;
		go_on_with(proxy, relay);
	}
}

static uint64_t time_left(const struct proxy *proxy)
{
	if (!atomic_load(&proxy->stops))
		return WAIT_MAX_MS;
	uint64_t now_ms = clock_monotonic_ms(), deadline_ms = atomic_load(&proxy->deadline_ms);
	uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	return left_ms < WAIT_MAX_MS ? left_ms : WAIT_MAX_MS;
}

static void break_off_late(struct proxy *proxy)
{
	while (proxy->relays && time_left(proxy) == 0)
		proxy->relays->manner->break_off(proxy->relays);
}

/* One that left before its answer began may have had no flow that could tell. */
static void look_after_clients(struct proxy *proxy)
{
	for (struct relay *relay = proxy->relays; relay; relay = relay->next)
		if (relay->manner->moved)
			relay_wake(relay);
}

void proxy_run(struct proxy *proxy, struct http_server *server)
{
	int departures = http_server_departures(server);
	for (;;) {
		go_on(proxy);
		break_off_late(proxy);
		if (atomic_load(&proxy->stops) && atomic_load(&proxy->open) == 0)
			break;
		upstream_run(proxy->upstream, proxy->relays ? time_left(proxy) : WAIT_MAX_MS,
			departures);
		if (http_server_drop_departed(server) > 0)
			look_after_clients(proxy);
	}
	go_on(proxy); /* closed ones are freed */
}

void proxy_stop(struct proxy *proxy, uint64_t deadline_ms)
{
	atomic_store(&proxy->deadline_ms, deadline_ms);
	atomic_store(&proxy->stops, true);
	upstream_wake(proxy->upstream);
}

/* ---- what is told of it ---- */

const char *passage_name(enum passage passage)
{
	static const char *const names[PASSAGE_COUNT] = {
		[PASSED] = "passed",
		[STORED] = "stored",
		[COPIED] = "copied",
		[FAILED] = "failed",
		[REFUSED] = "refused",
		[DEPARTED] = "departed",
	};
	return names[passage];
}

void proxy_figures(const struct proxy *proxy, struct proxy_figures *ret_figures)
{
	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		const struct family_counts *counts = &proxy->families[i];
		struct family_figures *family = &ret_figures->families[i];
		for (size_t j = 0; j < PASSAGE_COUNT; j++)
			family->ended[j] = atomic_load(&counts->ended[j]);
		family->last_status = atomic_load(&counts->last_status);
		family->last_ns = atomic_load(&counts->last_ns);
	}
	ret_figures->open = atomic_load(&proxy->open);
}
