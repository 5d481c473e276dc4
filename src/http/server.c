#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/listen.h"
#include "http/request.h"
#include "http/tls.h"

enum {
	/* Headers must fit, and half of it is what one read takes of a body. */
	CONNECTION_MEMORY_BYTES = 64 << 10,
	TARGET_MAX_BYTES = 2 * CONNECTION_MEMORY_BYTES, /* as it came, and its path */
	/* How much later than due a connection is closed unheard: a sender that drips gets its 408 first. */
	GRACE_MS = 2000,
	LOG_INTERVAL_MS = 60 * 1000,
	/* What a client may need from an answer to its next request. */
	LINGER_MS = 250,
};

/* NULL: no memory when the connection came. */
static struct http_request *request_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* The only time that the target is seen as it came. */
static void *on_target(void *server, const char *target, struct MHD_Connection *connection)
{
	(void)server;
	struct http_request *request = request_of(connection);
	if (request)
		http_request_aim(request, target);
	return NULL;
}

static enum MHD_Result on_request(void *server, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *size, void **ret_context)
{
	(void)server;
	(void)path;
	struct http_request *request = *ret_context;
	if (request)
		return *size ? http_request_read(request, data, size) :
			       http_request_finish(request);

	request = request_of(connection);
	*ret_context = request;
	return request ? http_request_begin(request, method, version) : MHD_NO;
}

static void on_request_end(void *server, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	(void)server;
	(void)connection;
	(void)code;
	if (*context)
		http_request_end(*context);
	*context = NULL;
}

static void connection_open(
	struct http_server *server, struct MHD_Connection *connection, void **ret_context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_certificate *certificate = server->options.certificate;
	struct http_request *request = calloc(1, sizeof *request);
	if (!info || !request) {
		free(request);
		if (certificate)
			http_tls_begin(connection, NULL);
		return;
	}
	if (certificate)
		request->identity = http_tls_begin(connection, certificate);
	request->server = server;
	request->connection = connection;
	request->fd = info->connect_fd;
	buf_init(&request->target, TARGET_MAX_BYTES, NULL);
	atomic_store(&request->due_ms,
		clock_monotonic_ms() + server->options.idle_timeout_ms +
			server->options.request_timeout_ms);
	*ret_context = request;

	pthread_mutex_lock(&server->lock);
	request->next = server->requests;
	request->link = &server->requests;
	if (request->next)
		request->next->link = &request->next;
	server->requests = request;
	server->begun++;
	pthread_mutex_unlock(&server->lock);
}

/* Called before the socket is closed, so that the tick never meets a descriptor that is another's. */
static void connection_closed(struct http_server *server, struct http_request *request)
{
	pthread_mutex_lock(&server->lock);
	*request->link = request->next;
	if (request->next)
		request->next->link = request->link;
	pthread_mutex_unlock(&server->lock);
	http_identity_release(request->identity);
	http_request_leave(request);
}

static void on_connection(void *server, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connection_open(server, connection, context);
	else if (*context)
		connection_closed(server, *context);
}

/*
 * Only the format is logged, never what would be put into it. What a peer does wrong is for debugging;
 * what this machine lacks is for its operator.
 */
static void on_log(void *arg, const char *format, va_list args)
{
	(void)arg;
	(void)args;
	static const char *const serious[] = { "Error accepting", "Error allocating", "Hit process",
		"Server reached connection limit", "Failed to create", "Failed to signal",
		"poll failed" };
	static struct log_gate gate;
	enum log_level level = LOG_LEVEL_DEBUG;
	for (size_t i = 0; i < sizeof serious / sizeof serious[0]; i++)
		if (strncmp(format, serious[i], strlen(serious[i])) == 0)
			level = LOG_LEVEL_WARNING;

	uint64_t held = 0;
	if (level == LOG_LEVEL_WARNING && !log_gate_open(&gate, LOG_INTERVAL_MS, &held))
		return;
	char line[LOG_TEXT_MAX], text[LOG_TEXT_MAX];
	size_t len = strcspn(format, "\n");
	snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1),
		format);
	log_event(level, "http_library", "message=%s lines_held=%llu", log_text(text, line),
		(unsigned long long)held);
}

static struct MHD_Daemon *start_library(struct http_server *server, int fd)
{
	const struct http_server_options *options = &server->options;
	unsigned pool =
		options->threads > 1 ? options->threads : 0; /* 0 is one thread without a pool */
	unsigned idle_timeout_s = (unsigned)((options->idle_timeout_ms + 999) / 1000);
	unsigned flags =
		MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	if (options->certificate)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target,
		server, MHD_OPTION_NOTIFY_COMPLETED, on_request_end, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_CONNECTION_LIMIT,
		options->max_connections, MHD_OPTION_CONNECTION_TIMEOUT, idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		options->certificate ? MHD_OPTION_ARRAY : MHD_OPTION_END, http_tls_options,
		MHD_OPTION_END);
}

int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
	struct complaint *complaint)
{
	int fd = options->listen ? -1 : options->listen_fd;
	struct http_server *server = calloc(1, sizeof *server);
	if (!server) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	server->options = *options;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->changed, &monotonic);
	server->departures = -1;
	pthread_condattr_destroy(&monotonic);

	int error = options->listen ? http_listen(options->listen, &fd, complaint) : 0;
	if (error)
		goto out;
	server->departures = epoll_create1(EPOLL_CLOEXEC);
	if (server->departures < 0) {
		error = -errno;
		close(fd);
		goto out;
	}
	server->port = http_listen_port(fd);
	server->mhd = start_library(server, fd);
	if (!server->mhd) {
		close(fd);
		error = -EIO;
		complain(complaint, "cannot start the HTTP server on %s",
			options->listen ? options->listen : "a socket of its own");
	}
out:
	if (error)
		http_server_free(server);
	else
		*ret_server = server;
	return error;
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

/* Shut, not closed: the connection's own thread then sees the end, and closes. */
void http_server_tick(struct http_server *server)
{
	uint64_t now = clock_monotonic_ms();
	pthread_mutex_lock(&server->lock);
	for (struct http_request *request = server->requests; request; request = request->next) {
		uint64_t due = atomic_load(&request->due_ms);
		if (due && now > due + GRACE_MS)
			shutdown(request->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->lock);
}

static struct timespec from_now(uint64_t ms)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += (time_t)(ms / 1000);
	time.tv_nsec += (long)(ms % 1000) * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* With the lock, as the next two. */
static void wait_for_requests(struct http_server *server, const struct timespec *until)
{
	int status = 0;
	while (server->in_progress && status == 0)
		status = pthread_cond_timedwait(&server->changed, &server->lock, until);
}

/*
 * Who has just been answered is sending the next request, and who has just connected the first one: they are heard.
 * False: nothing has begun for a while, or there is no time for that.
 */
static bool linger(struct http_server *server, const struct timespec *until)
{
	unsigned before = server->begun;
	const struct timespec silence = from_now(LINGER_MS);
	if (!is_before(&silence, until))
		return false;
	while (pthread_cond_timedwait(&server->changed, &server->lock, &silence) == 0)
		;
	return server->begun != before;
}

/* Who sends a request all the same learns from this that it was not taken, and may send it again. */
static void hang_up(struct http_server *server)
{
	for (struct http_request *request = server->requests; request; request = request->next)
		if (!request->is_begun)
			shutdown(request->fd, SHUT_WR);
}

static void stop_listening(struct http_server *server)
{
	int fd = MHD_quiesce_daemon(server->mhd);
	if (fd < 0)
		return;
	/* Closed alone it goes on listening for as long as a thread polls it. */
	if (!server->options.is_inherited)
		shutdown(fd, SHUT_RDWR);
	close(fd);
}

unsigned http_server_stop(struct http_server *server, uint64_t timeout_ms)
{
	if (!atomic_exchange(&server->stopping, true))
		stop_listening(server);
	const struct timespec until = from_now(timeout_ms);
	bool is_inherited = server->options.is_inherited;
	pthread_mutex_lock(&server->lock);
	do
		wait_for_requests(server, &until);
	while (is_inherited && linger(server, &until));
	server->closed = true;
	while (server->starting)
		pthread_cond_wait(&server->changed, &server->lock);
	if (is_inherited)
		hang_up(server);
	unsigned left = server->in_progress;
	pthread_mutex_unlock(&server->lock);
	return left;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	if (server->mhd) {
		http_server_stop(server, 0);
		/* libmicrohttpd aborts the process when it is stopped with a suspended connection. */
		pthread_mutex_lock(&server->lock);
		while (server->handed_out)
			pthread_cond_wait(&server->changed, &server->lock);
		http_streams_break(server);
		pthread_mutex_unlock(&server->lock);
		MHD_stop_daemon(server->mhd);
	}
	if (server->departures >= 0)
		close(server->departures);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
