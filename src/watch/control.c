#include "watch/control.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "config/config.h"
#include "http/server.h"
#include "http/unix_socket.h"
#include "watch/watch.h"

enum {
	VIEWS_MAX = 32,
	THREADS = 2, /* a quick answer need not wait for a slow one */
	CONNECTIONS_MAX = 32,
	REQUEST_TIMEOUT_MS = 5000,
	BODY_MAX_BYTES = 4096, /* nobody reads one: arguments stand in the query */
	ERROR_MAX_BYTES = 8192,
	ANSWER_MAX_BYTES = 64 << 20,
	ANSWERS_MAX_BYTES = 128 << 20, /* not yet taken by those who asked */
	STOP_TIMEOUT_MS = 2000,
};

struct question {
	const struct view *view;
	struct http_request *request;
};

/* What a route is handed. */
struct asked {
	struct control *control;
	const struct view *view;
};

struct control {
	const struct watch *watch;
	struct stat socket; /* the file as it was made; all zero before */
	struct http_server *server;
	struct budget answers;
	struct asked asked[VIEWS_MAX];
	struct http_route routes[VIEWS_MAX];

	pthread_t threads[THREADS];
	size_t thread_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct question waiting[CONNECTIONS_MAX]; /* a ring; guarded by lock, as is what follows */
	size_t first, count;
	bool ends;
};

static void refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	struct buf text;
	buf_init(&text, ERROR_MAX_BYTES, NULL);
	buf_text(&text, "{\"error\":");
	buf_json_string(&text, bytes_of(why));
	buf_text(&text, "}");
	http_reply(request, status, "application/json",
		text.error ? bytes_of("{\"error\":\"no memory\"}") : buf_bytes(&text), headers);
	buf_done(&text);
}

static unsigned status_for(int error)
{
	switch (error) {
	case -EINVAL:
		return 400;
	case -ENOENT:
		return 404;
	case -EAGAIN:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

static int append(const char *text, size_t len, void *to)
{
	struct buf *buf = to;
	buf_append(buf, text, len);
	return buf->error;
}

static void free_text(void *text)
{
	buf_done(text);
	free(text);
}

/* The text stays charged until its copy has been taken, so that peers who do not read cannot gather it. */
static int reply(struct control *control, struct http_request *request, const json_t *answer,
	struct complaint *complaint)
{
	struct buf *text = malloc(sizeof *text);
	if (!text)
		return -ENOMEM;
	buf_init(text, ANSWER_MAX_BYTES, &control->answers);
	if (json_dump_callback(answer, append, text, JSON_COMPACT) == 0) {
		http_request_own(request, text, free_text);
		http_reply(request, 200, "application/json", buf_bytes(text), NULL);
		return 0;
	}
	int error = text->error ? text->error : -ENOMEM;
	free_text(text);
	if (error == -E2BIG)
		complain(complaint, "the answer is larger than %d MiB: ask for less of it",
			ANSWER_MAX_BYTES >> 20);
	return error;
}

static int check_arguments(
	const struct view *view, const struct http_request *request, struct complaint *complaint)
{
	const char *odd =
		view->arguments ? http_request_odd_argument(request, view->arguments) : NULL;
	if (!odd)
		return 0;
	struct nearest nearest = { .wanted = odd };
	for (const char *const *known = view->arguments; *known; known++)
		nearest_offer(&nearest, *known);
	return nearest.word[0] ?
		complain(complaint, "%s has no argument %.100s; the nearest is %s", view->path, odd,
			nearest.word) :
		complain(complaint, "%s takes no argument, and so not %.100s", view->path, odd);
}

static void answer(struct control *control, struct question question)
{
	struct http_request *request = question.request;
	struct complaint complaint = { 0 };
	json_t *found = NULL;
	int error = check_arguments(question.view, request, &complaint);
	if (!error)
		error = question.view->answer(control->watch, request, &found, &complaint);
	if (!error)
		error = reply(control, request, found, &complaint);
	json_decref(found);
	if (!error)
		return;
	if (error == -ENOMEM)
		complain(&complaint, "no memory for an answer now; ask again later");
	complain(&complaint, "%s", strerror(-error));
	refuse(request, status_for(error), complaint.text, NULL);
}

static void *answer_all(void *arg)
{
	struct control *control = arg;
	pthread_setname_np(pthread_self(), "control");
	pthread_mutex_lock(&control->lock);
	while (!control->ends || control->count) {
		if (!control->count) {
			pthread_cond_wait(&control->changed, &control->lock);
			continue;
		}
		struct question question = control->waiting[control->first];
		control->first = (control->first + 1) % CONNECTIONS_MAX;
		control->count--;
		pthread_mutex_unlock(&control->lock);
		answer(control, question);
		pthread_mutex_lock(&control->lock);
	}
	pthread_mutex_unlock(&control->lock);
	return NULL;
}

/* A connection has one request at a time, so there is room. */
static void handle(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	const struct asked *asked = owner;
	struct control *control = asked->control;
	pthread_mutex_lock(&control->lock);
	assert(control->count < CONNECTIONS_MAX);
	control->waiting[(control->first + control->count++) % CONNECTIONS_MAX] =
		(struct question){ asked->view, request };
	pthread_cond_signal(&control->changed);
	pthread_mutex_unlock(&control->lock);
}

static size_t make_routes(struct control *control)
{
	size_t count = 0;
	for (const struct view *view; (view = views[count]); count++) {
		assert(count < VIEWS_MAX);
		control->asked[count] = (struct asked){ control, view };
		control->routes[count] = (struct http_route){ view->method, view->path, NULL,
			handle, &control->asked[count] };
	}
	return count;
}

static int start_threads(struct control *control)
{
	while (control->thread_count < THREADS) {
		int error = pthread_create(
			&control->threads[control->thread_count], NULL, answer_all, control);
		if (error)
			return -error;
		control->thread_count++;
	}
	return 0;
}

static int listen_and_serve(struct control *control, struct complaint *complaint)
{
	const struct config *config = control->watch->config;
	struct http_server_options options = {
		.routes = control->routes,
		.route_count = make_routes(control),
		.threads = 1,
		.max_connections = CONNECTIONS_MAX,
		.request_timeout_ms = REQUEST_TIMEOUT_MS,
		.idle_timeout_ms = REQUEST_TIMEOUT_MS,
		.max_body_bytes = BODY_MAX_BYTES,
		.refuse = refuse,
	};
	int error = unix_socket_listen(
		config->control_socket, config->control_group, &options.listen_fd, complaint);
	if (error)
		return error;
	if (stat(config->control_socket, &control->socket) < 0)
		control->socket = (struct stat){ 0 };
	return http_server_start(&options, &control->server, complaint);
}

int control_start(
	const struct watch *watch, struct control **ret_control, struct complaint *complaint)
{
	struct control *control = calloc(1, sizeof *control);
	if (!control)
		return -ENOMEM;
	control->watch = watch;
	control->answers.limit_bytes = ANSWERS_MAX_BYTES;
	pthread_mutex_init(&control->lock, NULL);
	pthread_cond_init(&control->changed, NULL);
	int error = start_threads(control);
	if (!error)
		error = listen_and_serve(control, complaint);
	if (error)
		control_stop(control);
	else
		*ret_control = control;
	return error;
}

void control_tick(struct control *control)
{
	http_server_tick(control->server);
}

/* Only our own, while it is open and its inode cannot be another's: the next daemon may have come. */
static void remove_socket(const struct control *control)
{
	const char *path = control->watch->config->control_socket;
	struct stat now;
	if (control->socket.st_ino && stat(path, &now) == 0 &&
		now.st_ino == control->socket.st_ino && now.st_dev == control->socket.st_dev)
		unlink(path);
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	remove_socket(control);
	if (control->server)
		http_server_stop(control->server, STOP_TIMEOUT_MS);
	http_server_free(control->server);
	pthread_mutex_lock(&control->lock);
	control->ends = true;
	pthread_cond_broadcast(&control->changed);
	pthread_mutex_unlock(&control->lock);
	for (size_t i = 0; i < control->thread_count; i++)
		pthread_join(control->threads[i], NULL);
	pthread_cond_destroy(&control->changed);
	pthread_mutex_destroy(&control->lock);
	free(control);
}
