#include "watch/control.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "http/listen.h"
#include "http/server.h"
#include "watch/watch.h"

enum {
	VIEWS_MAX = 32,
	THREADS = 2, /* one may wait for a destination while the other answers */
	CONNECTIONS_MAX = 32,
	REQUEST_TIMEOUT_MS = 10 * 1000,
	BODY_MAX_BYTES = 1 << 20,
	STOP_TIMEOUT_MS = 2000,
};

struct asked {
	const struct watch *watch;
	const struct view *view;
};

struct control {
	struct http_server *server;
	const char *path;
	struct asked asked[VIEWS_MAX];
	struct http_route routes[VIEWS_MAX];
};

static void reply(struct http_request *request, unsigned status, json_t *answer,
	const struct http_header *headers)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	http_reply(request, text ? status : 503, "application/json",
		bytes_of(text ? text : "{\"error\":\"no memory for an answer\"}"), headers);
	free(text);
	json_decref(answer);
}

static void refuse(struct http_request *request, unsigned status, const char *why,
	const struct http_header *headers)
{
	reply(request, status, json_pack("{s:s}", "error", why), headers);
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

static void handle(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	const struct asked *asked = owner;
	struct complaint complaint = { 0 };
	json_t *answer = NULL;
	int error = asked->view->answer(asked->watch, request, &answer, &complaint);
	if (error)
		refuse(request, status_for(error), complaint.text, NULL);
	else
		reply(request, 200, answer, NULL);
}

int control_start(
	const struct watch *watch, struct control **ret_control, struct complaint *complaint)
{
	struct control *control = calloc(1, sizeof *control);
	if (!control)
		return -ENOMEM;
	size_t count = 0;
	for (; views[count] && count < VIEWS_MAX; count++) {
		const struct view *view = views[count];
		control->asked[count] = (struct asked){ watch, view };
		control->routes[count] = (struct http_route){ view->method, view->path, NULL,
			handle, &control->asked[count] };
	}
	struct http_server_options options = {
		.listen_fd = -1,
		.routes = control->routes,
		.route_count = count,
		.threads = THREADS,
		.max_connections = CONNECTIONS_MAX,
		.request_timeout_ms = REQUEST_TIMEOUT_MS,
		.idle_timeout_ms = REQUEST_TIMEOUT_MS,
		.max_body_bytes = BODY_MAX_BYTES,
		.refuse = refuse,
	};
	int error = http_listen_unix(watch->config->control_socket, watch->config->control_group,
		&options.listen_fd, complaint);
	if (!error) {
		control->path = watch->config->control_socket;
		error = http_server_start(&options, &control->server, complaint);
	}
	if (error)
		control_stop(control);
	else
		*ret_control = control;
	return error;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	if (control->server)
		http_server_stop(control->server, STOP_TIMEOUT_MS);
	http_server_free(control->server);
	if (control->path)
		unlink(control->path);
	free(control);
}
