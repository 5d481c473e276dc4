#include "watch/doors.h"

#include <errno.h>

#include "spool/spool.h"
#include "watch/metrics.h"
#include "watch/watch.h"

enum { PAGE_MAX_BYTES = 1 << 20 };

static void say(struct http_request *request, unsigned status, const char *line)
{
	http_reply(request, status, "text/plain; charset=utf-8", bytes_of(line),
		status == 503 ? http_retry_soon : NULL);
}

static void answer_health(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	(void)owner;
	say(request, 200, "ok\n");
}

static void answer_readiness(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	const struct watch *watch = owner;
	int error = spool_status(watch->spool);
	if (!error)
		say(request, 200, "ok\n");
	else if (error == -ENOSPC)
		say(request, 503, "the disk buffer is full\n");
	else
		say(request, 503, "the disk buffer cannot be written\n");
}

static void answer_metrics(struct http_request *request, struct bytes body, void *owner)
{
	(void)body;
	struct buf page;
	buf_init(&page, PAGE_MAX_BYTES, NULL);
	metrics_write(&page, owner);
	if (page.error)
		say(request, 503, "no memory for an answer\n");
	else
		http_reply(request, 200, METRICS_CONTENT_TYPE, buf_bytes(&page), NULL);
	buf_done(&page);
}

void watch_routes(struct watch *watch, struct http_route ret_routes[WATCH_ROUTE_COUNT])
{
	ret_routes[0] = (struct http_route){ "GET", "/healthz", NULL, answer_health, watch };
	ret_routes[1] = (struct http_route){ "GET", "/readyz", NULL, answer_readiness, watch };
	ret_routes[2] = (struct http_route){ "GET", "/metrics", NULL, answer_metrics, watch };
}
