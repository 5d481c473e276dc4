#include "daemon.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "access/access.h"
#include "access/keys.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/files.h"
#include "base/log.h"
#include "base/supervisor.h"
#include "config/config.h"
#include "export/exporters.h"
#include "export/lanes.h"
#include "export/local.h"
#include "http/certificate.h"
#include "http/server.h"
#include "pipeline.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "proxy/proxy.h"
#include "receive/hooks.h"
#include "receive/otlp.h"
#include "sources.h"
#include "startup.h"
#include "spool/delivery.h"
#include "spool/ledger.h"
#include "spool/spool.h"
#include "synthesizer.h"
#include "watch/control.h"
#include "watch/doors.h"
#include "watch/watch.h"

enum {
	TICK_MS = 1000,
	REPEAT_LOG_MS = 60 * 1000,
	STOP_SLACK_MS = 10 * 1000, /* beyond what doors and exporters get */
	LOCAL_SHARE = 8,           /* of the spool, which the local view may keep at most */
	LOCAL_FREE_FACTOR = 2,     /* times the free disk that doors need: so much it leaves */
};

struct worker {
	pthread_t thread;
	bool runs;
};

/*
 * Everything that runs, in the order in which it starts; it stops in the reverse order.
 *
 *   writer     the spool's writer: commits what waits, then calls the doors back
 *   exporters  one per destination: reads its own copy from the spool, keeps its delivery state
 *   local      the same for the local view, with the lowest priority: writes its file
 *   sessions   makes spans of what coding CLIs say: reads the inbox, writes to the outbox
 *   server     libmicrohttpd's pool: receives, enriches its own batch, suspends the connection
 *   proxy      takes what passes through to Langfuse and back, and its copies of prompts
 *   control    one thread of that library watches the control socket, two answer the commands
 *   (main)     signals, and each second: delivery state to disk, shares of the disk, time limits
 */
struct daemon {
	const struct startup_sources *sources;
	struct supervisor *supervisor;
	const struct config *config; /* of the start; what was made from it points into it */
	struct startup latest;       /* read at the last SIGHUP; empty before */
	sigset_t signals;
	int signal_fd;
	int lock_fd;
	struct budget budget;
	struct tariff *tariff;
	struct sources *senders;
	struct deliveries *deliveries;
	struct spool *spool;
	struct ledger *ledger;
	struct pipeline *pipeline;
	struct worker writer;
	struct exporters exporters;
	struct lanes local_lanes;
	struct local *local; /* NULL: off */
	struct worker local_worker;
	struct synthesizer *synthesizer; /* NULL: off */
	struct worker synthesizer_worker;
	struct access *access;
	struct otlp_door door;
	struct hook_doors hooks;
	struct proxy *proxy;
	struct http_certificate *certificate; /* NULL: no TLS */
	struct http_server *server;
	char address[320]; /* where it listens */
	struct worker proxy_worker;
	struct watched_destination *watched;
	struct watch watch;
	struct control *control;
};

static int fail(const char *what, int error)
{
	char text[LOG_TEXT_MAX];
	log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s error=%s", what,
		log_text(text, strerror(-error)));
	return error;
}

/* Where there are none, in those for the error. */
static int fail_in_words(const char *what, int error, const struct complaint *complaint)
{
	char text[LOG_TEXT_MAX];
	if (!complaint->text[0])
		return fail(what, error);
	log_event(LOG_LEVEL_ERROR, "start_failed", "step=%s why=%s", what,
		log_text(text, complaint->text));
	return error;
}

static int start(struct worker *worker, const char *what, void *(*run)(void *), void *arg)
{
	int error = pthread_create(&worker->thread, NULL, run, arg);
	worker->runs = !error;
	return error ? fail(what, -error) : 0;
}

static void join(struct worker *worker)
{
	if (worker->runs)
		pthread_join(worker->thread, NULL);
}

static enum log_level level_named(const char *name)
{
	if (strcmp(name, "error") == 0)
		return LOG_LEVEL_ERROR;
	if (strcmp(name, "warning") == 0)
		return LOG_LEVEL_WARNING;
	return strcmp(name, "debug") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

/* Blocked here and so in every thread; they arrive at signal_fd. */
static int take_signals(struct daemon *daemon)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&daemon->signals);
	sigaddset(&daemon->signals, SIGTERM);
	sigaddset(&daemon->signals, SIGINT);
	sigaddset(&daemon->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &daemon->signals, NULL);
	daemon->signal_fd = signalfd(-1, &daemon->signals, SFD_CLOEXEC);
	return daemon->signal_fd < 0 ? fail("signals", -errno) : 0;
}

static int take_state_directory(struct daemon *daemon)
{
	const char *path = daemon->config->state_directory;
	char text[LOG_TEXT_MAX];
	int error = directory_make_private(path);
	if (error)
		return fail("state_directory", error);
	daemon->lock_fd = directory_lock(path);
	if (daemon->lock_fd == -EBUSY)
		log_event(LOG_LEVEL_ERROR, "start_failed",
			"step=state_directory why=\"another tollgate runs on this state directory\" path=%s",
			log_text(text, path));
	else if (daemon->lock_fd < 0)
		fail("state_directory", daemon->lock_fd);
	return daemon->lock_fd < 0 ? daemon->lock_fd : 0;
}

static int post_prices(struct daemon *daemon, struct startup *startup)
{
	log_event(LOG_LEVEL_INFO, "prices_loaded", "models=%zu as_of=%s",
		prices_count(startup->prices), prices_as_of(startup->prices));
	startup_warn_old_prices(startup->prices);
	daemon->tariff = tariff_new(startup->prices);
	if (!daemon->tariff)
		return fail("prices", -ENOMEM);
	startup->prices = NULL;
	return 0;
}

static int open_storage(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct spool_options options = {
		.directory = config->state_directory,
		.segment_bytes = config->spool.segment_bytes,
		.max_bytes = config->spool.max_bytes,
		.min_free_bytes = config->spool.min_free_bytes,
		.max_record_bytes = config->spool.max_record_bytes,
		.cache_bytes = config->spool.cache_bytes,
		.compress = strcmp(config->spool.compression, "gzip") == 0,
	};
	int error = sources_open(config->state_directory, &daemon->senders);
	if (error)
		return fail("sources", error);
	error = deliveries_open(config->state_directory, &daemon->deliveries);
	if (error)
		return fail("delivery_state", error);
	deliveries_limit_dead(daemon->deliveries, config->spool.max_dead_bytes);
	error = spool_open(&options, &daemon->spool);
	if (error)
		return fail("spool", error);
	spool_begin_at(daemon->spool, deliveries_end(daemon->deliveries));
	error = ledger_open(daemon->spool, daemon->deliveries, &daemon->ledger);
	if (error)
		return fail("ledger", error);
	daemon->pipeline = pipeline_new(config, daemon->tariff, daemon->spool, daemon->senders);
	return daemon->pipeline ? 0 : fail("pipeline", -ENOMEM);
}

static void *run_writer(void *arg)
{
	pthread_setname_np(pthread_self(), "spool");
	spool_write(arg);
	return NULL;
}

static void *run_local(void *arg)
{
	pthread_setname_np(pthread_self(), "local");
	local_run(arg);
	return NULL;
}

static void *run_synthesizer(void *arg)
{
	pthread_setname_np(pthread_self(), "sessions");
	synthesizer_run(arg);
	return NULL;
}

static void *run_proxy(void *arg)
{
	const struct daemon *daemon = arg;
	pthread_setname_np(pthread_self(), "proxy");
	proxy_run(daemon->proxy, daemon->server);
	return NULL;
}

static int make_exporters(struct daemon *daemon)
{
	struct complaint complaint = { 0 };
	int error = exporters_make(
		daemon->config, daemon->spool, daemon->deliveries, &daemon->exporters, &complaint);
	return error ? fail_in_words("destinations", error, &complaint) : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void warn_without_destination(const struct daemon *daemon)
{
	if (daemon->exporters.count > 0)
		return;
	log_event(LOG_LEVEL_WARNING, "no_destination",
		"why=\"%s: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, TOLLGATE_TEMPO_ENDPOINT, or "
		"destinations in the configuration file\"",
		daemon->local ?
			"spans are in the local view alone, and do not reach a destination that "
			"is configured later" :
			"spans are kept on disk until one is configured");
}

static int make_local(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	int error = config->local.enabled ?
		lanes_find(config, NULL, daemon->spool, daemon->deliveries, &daemon->local_lanes) :
		0;
	if (error)
		return fail("lanes", error);
	struct local_options options = {
		.directory = config->state_directory,
		.max_bytes = config->local.max_bytes,
		.max_age_days = config->local.max_age_days,
		.content_max_bytes = config->local.content_max_bytes,
		.max_lag_bytes =
			smaller(config->local.max_lag_bytes, config->spool.max_bytes / LOCAL_SHARE),
		.min_free_bytes = config->spool.min_free_bytes * LOCAL_FREE_FACTOR,
		.spool = daemon->spool,
		.deliveries = daemon->deliveries,
		.lanes = daemon->local_lanes.names,
		.lane_count = daemon->local_lanes.count,
	};
	error = config->local.enabled ? local_open(&options, &daemon->local) : 0;
	if (error)
		return fail("local", error);
	warn_without_destination(daemon);
	return 0;
}

static int make_synthesizer(struct daemon *daemon)
{
	const struct synthesizer_options options = { daemon->config, daemon->spool,
		daemon->pipeline, daemon->senders };
	int error = daemon->config->sessions.enabled ?
		synthesizer_new(&options, &daemon->synthesizer) :
		0;
	return error ? fail("sessions", error) : 0;
}

static int make_proxy(struct daemon *daemon)
{
	struct complaint complaint = { 0 };
	const struct proxy_options options = {
		.config = daemon->config,
		.budget = &daemon->budget,
		.pipeline = daemon->pipeline,
		.spool = daemon->spool,
		.exporter = exporters_find(&daemon->exporters, config_langfuse(daemon->config)),
	};
	int error = proxy_new(&options, &daemon->proxy, &complaint);
	if (error)
		return fail_in_words("proxy", error, &complaint);
	return 0;
}

static int start_threads(struct daemon *daemon)
{
	int error = ledger_begin(daemon->ledger);
	if (error)
		return fail("ledger", error);
	error = start(&daemon->writer, "writer", run_writer, daemon->spool);
	if (error)
		return error;
	error = exporters_start(&daemon->exporters);
	if (error)
		return fail("exporter", error);
	if (daemon->local)
		error = start(&daemon->local_worker, "local", run_local, daemon->local);
	if (!error && daemon->synthesizer)
		error = start(&daemon->synthesizer_worker, "sessions", run_synthesizer,
			daemon->synthesizer);
	return error;
}

static void log_keys(const struct daemon *daemon)
{
	log_event(LOG_LEVEL_INFO, "keys_loaded", "gateway_keys=%zu",
		access_gateway_keys(daemon->access));
}

static int make_access(struct daemon *daemon)
{
	struct complaint complaint = { 0 };
	char text[LOG_TEXT_MAX];
	int error = access_new(daemon->config, &daemon->access, &complaint);
	if (error)
		return fail_in_words("access", error, &complaint);
	log_keys(daemon);
	if (access_is_open(daemon->config))
		log_event(LOG_LEVEL_WARNING, "open_to_everyone",
			"listen=%s why=\"access.anonymous is everyone: whoever reaches this address "
			"writes into the default project and reads it\"",
			log_text(text, daemon->config->listen));
	return 0;
}

static void warn_old_certificate(const struct daemon *daemon)
{
	if (!daemon->certificate)
		return;
	int64_t left_s = http_certificate_ends(daemon->certificate) -
		(int64_t)(clock_unix_ns() / 1000000000);
	if (left_s < HTTP_CERTIFICATE_OLD_S)
		log_event(LOG_LEVEL_WARNING, "certificate_ends",
			"days_left=%lld why=\"clients refuse it then: renew it and send SIGHUP\"",
			(long long)left_s / 86400);
}

static int make_certificate(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct complaint complaint = { 0 };
	int error = config->tls.certificate_file ?
		http_certificate_new(config->tls.certificate_file, config->tls.key_file,
			&daemon->certificate, &complaint) :
		0;
	if (error)
		return fail_in_words("certificate", error, &complaint);
	warn_old_certificate(daemon);
	return 0;
}

static int open_doors(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	enum {
		HOOKS = OTLP_ROUTE_COUNT,
		WATCH = HOOKS + HOOK_ROUTE_COUNT,
		PROXY = WATCH + WATCH_ROUTE_COUNT,
	};
	static struct http_route routes[PROXY + PROXY_ROUTE_COUNT];
	struct complaint complaint = { 0 };
	bool is_inherited = daemon->supervisor->socket >= 0;
	daemon->budget.limit_bytes = config->limits.max_memory_bytes;
	daemon->door =
		(struct otlp_door){ config, &daemon->budget, daemon->pipeline, daemon->spool };
	daemon->hooks = (struct hook_doors){ .config = config,
		.budget = &daemon->budget,
		.pipeline = daemon->pipeline,
		.spool = daemon->spool };
	receive_otlp_routes(&daemon->door, routes);
	receive_hooks_routes(&daemon->hooks, routes + HOOKS);
	watch_routes(&daemon->watch, routes + WATCH);
	proxy_routes(daemon->proxy, routes + PROXY);
	struct http_server_options options = {
		.listen = is_inherited ? NULL : config->listen,
		.listen_fd = daemon->supervisor->socket,
		.is_inherited = is_inherited,
		.routes = routes,
		.route_count = PROXY + PROXY_ROUTE_COUNT,
		.threads = (unsigned)config->http.threads,
		.max_connections = (unsigned)config->http.max_connections,
		.request_timeout_ms = config->http.request_timeout_ms,
		.idle_timeout_ms = config->http.idle_timeout_ms,
		.max_body_bytes = config->limits.max_body_bytes,
		.budget = &daemon->budget,
		.flow_bytes = config->proxy.buffer_bytes,
		.certificate = daemon->certificate,
		.admit = access_admit,
		.admit_owner = daemon->access,
		.refuse = proxy_refuse,
	};
	int error = http_server_start(&options, &daemon->server, &complaint);
	daemon->supervisor->socket = -1;
	if (error)
		return fail_in_words("listen", error, &complaint);
	error = start(&daemon->proxy_worker, "proxy", run_proxy, daemon);
	if (error)
		return error;

	const char *colon = strrchr(config->listen, ':');
	int host = colon ? (int)(colon - config->listen) : (int)strlen(config->listen);
	snprintf(daemon->address, sizeof daemon->address, "%.*s:%u", host, config->listen,
		http_server_port(daemon->server));
	log_event(LOG_LEVEL_INFO, "listening", "address=%s tls=%s socket=%s", daemon->address,
		daemon->certificate ? "yes" : "no", is_inherited ? "inherited" : "own");
	return 0;
}

static int open_control(struct daemon *daemon)
{
	const struct exporters *exporters = &daemon->exporters;
	struct complaint complaint = { 0 };
	daemon->watched = calloc(exporters->count + 1, sizeof *daemon->watched);
	if (!daemon->watched)
		return fail("control", -ENOMEM);
	for (size_t i = 0; i < exporters->count; i++)
		daemon->watched[i] = (struct watched_destination){ exporters->at[i].config,
			exporters->at[i].exporter };
	daemon->watch = (struct watch){
		.config = daemon->config,
		.address = daemon->address,
		.started_ns = clock_unix_ns(),
		.sources = daemon->senders,
		.spool = daemon->spool,
		.deliveries = daemon->deliveries,
		.ledger = daemon->ledger,
		.destinations = daemon->watched,
		.destination_count = exporters->count,
		.local = daemon->local,
		.tariff = daemon->tariff,
		.synthesizer = daemon->synthesizer,
		.proxy = daemon->proxy,
		.certificate = daemon->certificate,
	};
	int error = control_start(&daemon->watch, &daemon->control, &complaint);
	if (error)
		return fail_in_words("control", error, &complaint);
	return 0;
}

/* What is not written now is written by a later try; until then a crash would mean sending it again. */
static void commit_ledger(struct daemon *daemon)
{
	static struct log_gate gate;
	char text[LOG_TEXT_MAX];
	uint64_t held;
	int error = ledger_commit(daemon->ledger);
	if (error && log_gate_open(&gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_ERROR, "delivery_state_not_written", "error=%s lines_held=%llu",
			log_text(text, strerror(-error)), (unsigned long long)held);
}

static void save_sources(struct daemon *daemon)
{
	static struct log_gate gate;
	char text[LOG_TEXT_MAX];
	uint64_t held;
	int error = sources_save(daemon->senders);
	if (error && log_gate_open(&gate, REPEAT_LOG_MS, &held))
		log_event(LOG_LEVEL_WARNING, "sources_not_written", "error=%s lines_held=%llu",
			log_text(text, strerror(-error)), (unsigned long long)held);
}

static void tick(struct daemon *daemon, uint64_t now_ms)
{
	shares_enforce(&daemon->exporters.shares, now_ms);
	commit_ledger(daemon);
	save_sources(daemon);
	spool_tick(daemon->spool);
	http_server_tick(daemon->server);
	control_tick(daemon->control);
}

/* SIGHUP: all or nothing, unless memory ends on the way. */
static void reload(struct daemon *daemon)
{
	struct complaint complaint = { 0 };
	struct startup startup = { 0 };
	struct keyring keys = { 0 };
	int error = startup_read(daemon->sources, &startup, &complaint);
	if (!error)
		error = access_read(daemon->access, startup.config, &keys, &complaint);
	if (!error && daemon->certificate)
		error = http_certificate_reload(daemon->certificate, &complaint);
	if (!error)
		error = exporters_rekey(&daemon->exporters, startup.config, &complaint);
	if (!error)
		error = proxy_rekey(daemon->proxy, startup.config, &complaint);
	if (error) {
		complain(&complaint, "%s", strerror(-error));
		startup_log_failure(&complaint);
		keyring_done(&keys);
		startup_done(&startup);
		return;
	}
	access_take(daemon->access, &keys);
	log_keys(daemon);
	warn_old_certificate(daemon);
	log_set_level(level_named(startup.config->log_level));
	startup_log_changes(daemon->config, &daemon->latest, &startup);
	tariff_replace(daemon->tariff, startup.prices);
	startup.prices = NULL;
	startup_done(&daemon->latest);
	daemon->latest = startup;
}

static void say_ready(const struct daemon *daemon)
{
	char status[sizeof daemon->address + 32];
	snprintf(status, sizeof status, "Listening on %s", daemon->address);
	supervisor_say_ready(daemon->supervisor, status);
}

/* False: it is time to stop. */
static bool obey(struct daemon *daemon, unsigned signal)
{
	if (signal == SIGHUP) {
		supervisor_say_reloading(daemon->supervisor);
		reload(daemon);
		say_ready(daemon);
		return true;
	}
	log_event(LOG_LEVEL_INFO, "stopping", "signal=%u", signal);
	supervisor_say_stopping(
		daemon->supervisor, 2 * daemon->config->shutdown_timeout_ms + STOP_SLACK_MS);
	return false;
}

static void serve_until_told(struct daemon *daemon)
{
	struct pollfd signals = { .fd = daemon->signal_fd, .events = POLLIN };
	uint64_t next = clock_monotonic_ms() + TICK_MS;
	say_ready(daemon);
	for (;;) {
		struct signalfd_siginfo info;
		uint64_t now = clock_monotonic_ms();
		if (now >= next) {
			tick(daemon, now);
			next = now + TICK_MS;
			continue;
		}
		uint64_t sign = supervisor_tick(daemon->supervisor, now);
		if (poll(&signals, 1, (int)(smaller(next, sign) - now)) > 0 &&
			read(daemon->signal_fd, &info, sizeof info) == sizeof info &&
			!obey(daemon, info.ssi_signo))
			return;
	}
}

/* What happened in this run; what did not is left out. */
static void log_figures(void)
{
	char line[1024];
	size_t len = 0;
	for (enum counter counter = 0; counter < COUNTER_COUNT && len < sizeof line; counter++)
		if (counter == COUNTER_REQUESTS_RECEIVED || counter_read(counter))
			len += (size_t)snprintf(line + len, sizeof line - len, "%s%s=%llu",
				len ? " " : "", counter_name(counter),
				(unsigned long long)counter_read(counter));
	log_event(LOG_LEVEL_INFO, "stopped", "%s", line);
}

/* The doors are closed: what is still on its way has had its time. */
static void stop_proxy(struct daemon *daemon)
{
	if (!daemon->proxy)
		return;
	proxy_stop(daemon->proxy, clock_monotonic_ms());
	if (daemon->proxy_worker.runs)
		join(&daemon->proxy_worker);
	else if (daemon->server)
		run_proxy(daemon);
}

/* Works on what was started so far; every step does nothing when its part is not there. */
static void stop(struct daemon *daemon)
{
	uint64_t timeout_ms = daemon->config->shutdown_timeout_ms;
	if (daemon->server)
		http_server_stop(daemon->server, timeout_ms);
	stop_proxy(daemon);
	control_stop(daemon->control);
	if (daemon->synthesizer_worker.runs)
		synthesizer_stop(daemon->synthesizer);
	join(&daemon->synthesizer_worker);
	if (daemon->writer.runs)
		spool_stop(daemon->spool);
	join(&daemon->writer);
	http_server_free(daemon->server);
	http_certificate_free(daemon->certificate);
	proxy_free(daemon->proxy);
	access_free(daemon->access);
	free(daemon->watched);

	uint64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	exporters_stop(&daemon->exporters, deadline_ms);
	if (daemon->local_worker.runs)
		local_stop(daemon->local, deadline_ms);
	exporters_done(&daemon->exporters);
	join(&daemon->local_worker);
	local_free(daemon->local);
	lanes_done(&daemon->local_lanes);

	synthesizer_free(daemon->synthesizer);
	pipeline_free(daemon->pipeline);
	if (daemon->ledger)
		commit_ledger(daemon);
	ledger_free(daemon->ledger);
	deliveries_close(daemon->deliveries);
	spool_close(daemon->spool);
	sources_close(daemon->senders);
	tariff_free(daemon->tariff);
	startup_done(&daemon->latest);
	if (daemon->lock_fd >= 0)
		close(daemon->lock_fd);
	if (daemon->signal_fd >= 0)
		close(daemon->signal_fd);
}

/*
 * Requests come and go with buffers of up to some megabytes. With malloc's defaults each would be mapped
 * and unmapped again, which costs more than reading it; memory below this much stays with the process.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	mallopt(M_ARENA_MAX, 4);
}

int daemon_run(const struct startup_sources *sources, struct startup *startup,
	struct supervisor *supervisor)
{
	const struct config *config = startup->config;
	struct daemon daemon = { .sources = sources,
		.supervisor = supervisor,
		.config = config,
		.signal_fd = -1,
		.lock_fd = -1 };
	int error;

	keep_memory();
	log_set_level(level_named(config->log_level));
	for (char **note = startup->notes; *note; note++) {
		char text[LOG_TEXT_MAX];
		log_event(
			LOG_LEVEL_WARNING, "setting_not_applied", "why=%s", log_text(text, *note));
	}
	(void)((error = take_signals(&daemon)) || (error = take_state_directory(&daemon)) ||
		(error = post_prices(&daemon, startup)) || (error = open_storage(&daemon)) ||
		(error = make_exporters(&daemon)) || (error = make_local(&daemon)) ||
		(error = make_synthesizer(&daemon)) || (error = make_access(&daemon)) ||
		(error = make_certificate(&daemon)) || (error = make_proxy(&daemon)) ||
		(error = start_threads(&daemon)) || (error = open_control(&daemon)) ||
		(error = open_doors(&daemon)));
	if (!error)
		serve_until_told(&daemon);
	stop(&daemon);
	if (!error)
		log_figures();
	return error ? 1 : 0;
}
