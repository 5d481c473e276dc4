/*
 * The proxy between its server's threads, its own, the one that stores, and one that gives it other keys, while
 * Langfuse has a fault now and then, clients leave in the middle, and at last all stops under load. A plain
 * program, because Criterion does not start under the thread sanitizer.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "batch.h"
#include "config/config.h"
#include "export/exporter.h"
#include "pipeline.h"
#include "proxy/proxy.h"
#include "spool/spool.h"
#include "support/fake_langfuse.h"
#include "support/http_peer.h"
#include "support/scratch.h"

enum { CLIENTS = 8, ROUNDS = 60 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct batch *first;
	bool is_over;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static atomic_uint_fast64_t finished_below;
static atomic_uint strange; /* replies that nobody may get */
static atomic_bool is_over;
static unsigned port;
static struct config config;
static struct proxy *proxy;
static struct http_server *server;
static struct fake_langfuse *langfuse;

/*
 * A socket that still connects when its call is cancelled is closed by libcurl before libcurl says that it needs
 * no watching any more, and another thread may have its number by then. An epoll instance goes by sockets and
 * not by their numbers, so that nothing comes of it; the sanitizer goes by numbers.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race_top:epoll_ctl\n";
}

/* ---- what stands behind the proxy, played by this program ---- */

int pipeline_accept_events(
	struct pipeline *pipeline, struct batch *batch, struct bytes lines, uint32_t count)
{
	(void)pipeline;
	(void)lines;
	(void)count;
	pthread_mutex_lock(&disk.lock);
	batch->next = disk.first;
	disk.first = batch;
	pthread_cond_signal(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

int pipeline_accept(struct pipeline *pipeline, struct batch *batch, struct bytes request)
{
	(void)pipeline;
	(void)batch;
	(void)request;
	return -EINVAL;
}

int pipeline_accept_hook(struct pipeline *pipeline, struct batch *batch,
	const struct dialect *dialect, struct bytes payload)
{
	(void)dialect;
	return pipeline_accept(pipeline, batch, payload);
}

int spool_status(struct spool *spool)
{
	(void)spool;
	return 0;
}

struct spool_figures spool_figures(struct spool *spool)
{
	(void)spool;
	return (struct spool_figures){ .next_sequence = 1 };
}

uint64_t exporter_finished_below(
	const struct exporter *exporter, const char *lane, enum signal signal)
{
	(void)exporter;
	(void)lane;
	(void)signal;
	return atomic_load(&finished_below);
}

static void *commit_all(void *arg)
{
	uint64_t sequence = 1;
	pthread_mutex_lock(&disk.lock);
	while (!disk.is_over || disk.first) {
		struct batch *batch = disk.first;
		if (!batch) {
			pthread_cond_wait(&disk.changed, &disk.lock);
			continue;
		}
		disk.first = batch->next;
		pthread_mutex_unlock(&disk.lock);
		batch->stored_below = ++sequence;
		batch->committed(batch, 0);
		if (sequence % 8 == 0) /* delivered, so that the next ones pass through again */
			atomic_store(&finished_below, sequence);
		pthread_mutex_lock(&disk.lock);
	}
	pthread_mutex_unlock(&disk.lock);
	return arg;
}

static void *run_proxy(void *arg)
{
	proxy_run(proxy, server);
	return arg;
}

/* ---- troubles ---- */

static void *trouble_all(void *arg)
{
	struct complaint complaint;
	struct proxy_figures figures;
	for (unsigned i = 0; !atomic_load(&is_over); i++) {
		struct fake_trouble trouble = { .below = "/api/public/scores",
			.status = i % 2 ? 503 : 0 };
		fake_langfuse_trouble(langfuse, &trouble);
		proxy_rekey(proxy, &config, &complaint);
		proxy_figures(proxy, &figures);
		usleep(10000);
	}
	return arg;
}

/* ---- clients ---- */

static void expect(int status, int other, int got)
{
	if (got != status && got != other && !atomic_load(&is_over))
		atomic_fetch_add(&strange, 1);
}

static int ask(struct peer *peer, const char *method, const char *target, const char *body)
{
	peer_printf(peer, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
		method, target, strlen(body), body);
	return peer_reply(peer).status;
}

static void leave_in_the_middle(unsigned i)
{
	static const char *const targets[] = { "/api/public/stand-in/events?interval_ms=5",
		"/api/public/stand-in/source?bytes=5000000", "/api/public/projects" };
	struct peer peer;
	char some[4096];
	if (!peer_open(&peer, port))
		return;
	peer_printf(&peer, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", targets[i % 3]);
	if (i % 2 && recv(peer.fd, some, sizeof some, 0) < 0 && !atomic_load(&is_over))
		atomic_fetch_add(&strange, 1);
	peer_close(&peer);
}

static void *send_requests(void *arg)
{
	static const char score[] = "{\"traceId\":\"t\",\"name\":\"n\",\"value\":1}";
	struct peer peer;
	bool is_open = peer_open(&peer, port);
	for (unsigned i = 0; i < ROUNDS && is_open && !atomic_load(&is_over); i++) {
		expect(200, 200, ask(&peer, "GET", "/api/public/projects", ""));
		expect(200, 200, ask(&peer, "POST", "/api/public/scores", score));
		expect(200, 200, ask(&peer, "PUT", "/api/public/stand-in/sink", score));
		expect(404, 200, ask(&peer, "GET", "/api/public/v2/prompts/a", ""));
		leave_in_the_middle(i);
	}
	peer_close(&peer);
	return arg;
}

/* ---- the whole ---- */

static struct destination_config destination = { .name = "langfuse",
	.type = DESTINATION_LANGFUSE,
	.enabled = true,
	.public_key = "pk",
	.secret_key = "sk" };
static const struct fake_project project = { "default", "pk", "sk" };
static struct http_route routes[PROXY_ROUTE_COUNT];

static int start(const char *directory, struct budget *budget)
{
	struct complaint complaint = { 0 };
	langfuse = fake_langfuse_start(&(struct fake_langfuse_options){
		.projects = &project, .project_count = 1, .forgets = true });
	destination.endpoint = (char *)fake_langfuse_url(langfuse);
	config = (struct config){ .state_directory = (char *)directory,
		.limits = { .max_depth = 100,
			.max_spans = 1000,
			.max_request_memory_bytes = 1 << 20 },
		.proxy = { .enabled = true,
			.max_connections = 64,
			.buffer_bytes = 16 << 10,
			.connect_timeout_ms = 20000,
			.answer_timeout_ms = 20000,
			.silence_timeout_ms = 20000,
			.max_events_bytes = 1 << 20,
			.keep_prompts = true,
			.prompts_max_bytes = 1 << 20,
			.prompts_max_age_ms = 1 << 20 },
		.destinations = &destination,
		.destination_count = 1 };
	const struct proxy_options options = {
		.config = &config, .budget = budget, .exporter = (struct exporter *)&disk
	}; /* is never looked into */
	int error = proxy_new(&options, &proxy, &complaint);
	if (error)
		return error;
	proxy_routes(proxy, routes);
	const struct http_server_options serving = {
		.listen = "127.0.0.1:0",
		.routes = routes,
		.route_count = PROXY_ROUTE_COUNT,
		.threads = 3,
		.max_connections = 128,
		.request_timeout_ms = 20000,
		.idle_timeout_ms = 60000,
		.max_body_bytes = 1 << 20,
		.flow_bytes = 16 << 10,
		.budget = budget,
		.refuse = proxy_refuse,
	};
	error = http_server_start(&serving, &server, &complaint);
	if (!error)
		port = http_server_port(server);
	return error;
}

static void stop(pthread_t thread)
{
	http_server_stop(server, 50);
	proxy_stop(proxy, clock_monotonic_ms());
	pthread_join(thread, NULL);
	pthread_mutex_lock(&disk.lock);
	disk.is_over = true;
	pthread_cond_signal(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	http_server_free(server);
}

static uint64_t sum(const struct proxy_figures *figures, enum passage passage)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		sum += figures->families[i].ended[passage];
	return sum;
}

int main(void)
{
	char directory[SCRATCH_PATH_MAX];
	struct budget budget = { .limit_bytes = 64 << 20 };
	struct proxy_figures figures;
	pthread_t thread, committer, troubler, clients[CLIENTS], late[CLIENTS];
	signal(SIGPIPE, SIG_IGN);
	if (scratch_make(directory) < 0 || start(directory, &budget) < 0)
		return 1;
	pthread_create(&thread, NULL, run_proxy, NULL);
	pthread_create(&committer, NULL, commit_all, NULL);
	pthread_create(&troubler, NULL, trouble_all, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, send_requests, NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&late[i], NULL, send_requests, NULL);
	usleep(50000);
	atomic_store(&is_over, true);
	pthread_join(troubler, NULL);
	stop(thread);
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(late[i], NULL);
	pthread_join(committer, NULL);
	proxy_figures(proxy, &figures);
	proxy_free(proxy);
	fake_langfuse_stop(langfuse);
	scratch_remove(directory);

	printf("passed=%llu stored=%llu departed=%llu failed=%llu strange=%u open=%llu held=%zu\n",
		(unsigned long long)sum(&figures, PASSED),
		(unsigned long long)sum(&figures, STORED),
		(unsigned long long)sum(&figures, DEPARTED),
		(unsigned long long)sum(&figures, FAILED), atomic_load(&strange),
		(unsigned long long)figures.open, atomic_load(&budget.used_bytes));
	return sum(&figures, PASSED) < CLIENTS * ROUNDS || !sum(&figures, STORED) ||
		!sum(&figures, DEPARTED) || atomic_load(&strange) || figures.open ||
		atomic_load(&budget.used_bytes);
}
