#include "http/upstream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/curl.h"

enum {
	HEAD_MAX_BYTES = 64 << 10, /* with what comes before it as 1xx */
	HEADERS_MAX = 256,
	READY_AT_ONCE = 64,
	WAIT_MAX_MS = 60000, /* poll counts in int */
};

struct upstream {
	struct http_connections connections;
	struct upstream_call *calls;
	int ready; /* epoll: curl's sockets, so that only those are looked at that have moved */
	int wake;  /* eventfd */
	uint64_t due_ms; /* curl wants to be called then; UINT64_MAX: it does not */
};

struct upstream_call {
	struct upstream *upstream;
	struct upstream_call *next, **link;
	struct upstream_request request;
	CURL *easy;
	struct curl_slist unasked[2]; /* ahead of the caller's: what curl would add by itself */
	struct flow *answer;          /* NULL before the head, or where the body is forgotten */
	const char *why;              /* it cannot go on, where curl's own words would not tell */

	uint64_t begun_ms;
	uint64_t heard_ms;     /* the peer moved then, or got its turn */
	curl_off_t sent_bytes; /* of the body */
	int64_t taken_bytes;   /* out of body_flow */
	size_t passed_bytes;   /* of the piece that curl will hand over again */
	size_t head_bytes;
	unsigned head_lines;
	bool has_head;
	bool is_body_over;                        /* all of body_flow was taken */
	bool is_sending_paused, is_answer_paused; /* until upstream_moved */
	bool is_unwanted;                         /* a flow was broken from its other side */
	bool has_moved;
};

/* A socket that was closed has left by itself; one that cannot be watched is silent, and ends as such. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct upstream *upstream = arg;
	struct epoll_event event = { .data.fd = fd };
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (what == CURL_POLL_REMOVE)
		epoll_ctl(upstream->ready, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(upstream->ready, EPOLL_CTL_MOD, fd, &event) < 0)
		epoll_ctl(upstream->ready, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct upstream *upstream = arg;
	upstream->due_ms =
		timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ms() + (uint64_t)timeout_ms;
	return 0;
}

static int watch(struct upstream *upstream)
{
	CURLM *multi = upstream->connections.multi;
	upstream->ready = epoll_create1(EPOLL_CLOEXEC);
	upstream->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (upstream->ready < 0 || upstream->wake < 0)
		return -errno;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, upstream);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, upstream);
	return 0;
}

int upstream_new(const struct upstream_options *options, struct upstream **ret_upstream)
{
	struct upstream *upstream = malloc(sizeof *upstream);
	if (!upstream)
		return -ENOMEM;
	*upstream = (struct upstream){ .ready = -1, .wake = -1, .due_ms = UINT64_MAX };
	int error = http_connections_init(&upstream->connections, options->ca_file,
		options->connections, options->connect_timeout_ms);
	if (!error)
		error = watch(upstream);
	if (error)
		upstream_free(upstream);
	else
		*ret_upstream = upstream;
	return error;
}

void upstream_free(struct upstream *upstream)
{
	if (!upstream)
		return;
	while (upstream->calls)
		upstream_cancel(upstream->calls);
	http_connections_done(&upstream->connections);
	if (upstream->ready >= 0)
		close(upstream->ready);
	if (upstream->wake >= 0)
		close(upstream->wake);
	free(upstream);
}

/* ---- the end of a call ---- */

/* Leaves nothing to be done but telling the owner. */
static void break_off(struct upstream_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	curl_multi_remove_handle(call->upstream->connections.multi, call->easy);
	curl_easy_cleanup(call->easy);
	if (call->answer)
		flow_break(call->answer);
	flow_release(call->answer);
	if (call->request.body_flow && !call->is_body_over)
		flow_break(call->request.body_flow);
	flow_release(call->request.body_flow);
	http_headers_free(call->request.headers);
}

void upstream_cancel(struct upstream_call *call)
{
	break_off(call);
	free(call);
}

static void end(struct upstream_call *call, CURLcode code)
{
	/* A peer that closes behind a 1xx has not answered. */
	if (code == CURLE_OK && !call->has_head)
		code = CURLE_GOT_NOTHING;
	if (code == CURLE_OK && call->answer) {
		flow_end(call->answer);
		flow_release(call->answer);
		call->answer = NULL;
	}
	break_off(call);
	const char *error = call->why ? call->why : curl_easy_strerror(code);
	call->request.listener->on_end(call->request.owner,
		call->is_unwanted ? HTTP_UNWANTED : http_outcome_of(code),
		code == CURLE_OK ? NULL : error);
	free(call);
}

/* ---- what curl asks for ---- */

/*
 * Before each try: curl begins again by itself when a kept connection turns out to be closed. What was taken
 * from a flow by then is gone.
 */
static int allow_try(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct upstream_call *call = arg;
	if (!call->taken_bytes)
		return CURL_PREREQFUNC_OK;
	call->why = "the connection was closed before the answer";
	return CURL_PREREQFUNC_ABORT;
}

static size_t send_flow(char *to, size_t size, size_t count, void *arg)
{
	struct upstream_call *call = arg;
	size_t room = size * count;
	const int64_t left = call->request.length - call->taken_bytes; /* negative: chunked */
	if (left >= 0 && (uint64_t)left < room)
		room = (size_t)left;
	ssize_t got = room ? flow_read(call->request.body_flow, to, room) : FLOW_ENDED;
	if (got == FLOW_NOTHING_YET) {
		call->is_sending_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (got == FLOW_BROKEN || (got == FLOW_ENDED && left > 0)) {
		call->why = "the body broke off on its way here";
		call->is_unwanted = true;
		return CURL_READFUNC_ABORT;
	}
	if (got > 0)
		call->taken_bytes += got;
	call->is_body_over = got == FLOW_ENDED || got == left;
	return got > 0 ? (size_t)got : 0;
}

static void tell_head(struct upstream_call *call, long status)
{
	struct http_header headers[HEADERS_MAX + 1];
	struct upstream_head head = { .status = (int)status, .headers = headers, .length = -1 };
	struct curl_header *at = NULL;
	bool is_chunked = false;
	size_t count = 0;
	while (count < HEADERS_MAX &&
		(at = curl_easy_nextheader(call->easy, CURLH_HEADER, -1, at))) {
		headers[count++] = (struct http_header){ at->name, at->value };
		if (strcasecmp(at->name, "Retry-After") == 0)
			snprintf(head.retry_after, sizeof head.retry_after, "%s", at->value);
		else if (strcasecmp(at->name, "Content-Length") == 0)
			head.length = strtoll(at->value, NULL, 10); /* curl has checked it */
		else if (strcasecmp(at->name, "Transfer-Encoding") == 0)
			is_chunked = true;
	}
	headers[count] = (struct http_header){ NULL, NULL };
	if (is_chunked)
		head.length = -1;
	call->has_head = true;
	call->answer = call->request.listener->on_head(call->request.owner, &head);
	if (call->answer)
		flow_hold(call->answer);
}

/* A line at a time: of 1xx, of the answer, and behind a chunked body once more. */
static size_t read_head(char *line, size_t size, size_t count, void *arg)
{
	struct upstream_call *call = arg;
	size_t len = size * count;
	call->heard_ms = clock_monotonic_ms();
	call->head_bytes += len;
	call->head_lines++;
	if (call->head_bytes > HEAD_MAX_BYTES || call->head_lines > HEADERS_MAX) {
		call->why = "the headers of the answer are too large";
		return CURL_WRITEFUNC_ERROR;
	}
	bool is_last = line[0] == '\r' || line[0] == '\n';
	long status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (is_last && !call->has_head && status >= 200)
		tell_head(call, status);
	return len;
}

/* A peer that takes the body in small bites is not silent. */
static int see_progress(void *arg, curl_off_t all_received, curl_off_t received,
	curl_off_t all_sent, curl_off_t sent_bytes)
{
	struct upstream_call *call = arg;
	if (call->sent_bytes != sent_bytes)
		call->heard_ms = clock_monotonic_ms();
	call->sent_bytes = sent_bytes;
	return 0;
}

/* What the flow has no room for, curl hands over again, from the start of the piece. */
static size_t pass_answer(char *from, size_t size, size_t count, void *arg)
{
	struct upstream_call *call = arg;
	size_t len = size * count;
	struct bytes piece = { (const uint8_t *)from + call->passed_bytes,
		len - call->passed_bytes };
	call->heard_ms = clock_monotonic_ms();
	if (call->answer) {
		ssize_t put = flow_write(call->answer, piece.at, piece.len);
		if (put < 0) {
			call->why = put == -EPIPE ? "the answer is not wanted any more" :
						    "no memory for the answer";
			call->is_unwanted = put == -EPIPE;
			return CURL_WRITEFUNC_ERROR;
		}
		piece.len = (size_t)put;
	}
	if (piece.len && call->request.listener->on_body)
		call->request.listener->on_body(call->request.owner, piece);
	call->passed_bytes += piece.len;
	if (call->passed_bytes < len) {
		call->is_answer_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	call->passed_bytes = 0;
	return len;
}

/* ---- the start of a call ---- */

static bool is_url(const char *url)
{
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return false;
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			return false;
	return true;
}

/* curl's names for kinds of requests matter no more than for what is sent after the headers. */
static void say_body(CURL *easy, struct upstream_call *call)
{
	const struct upstream_request *request = &call->request;
	static const char *const with_body[] = { "POST", "PUT", "PATCH" };
	bool has_body = request->body.len > 0;
	for (size_t i = 0; i < sizeof with_body / sizeof with_body[0]; i++)
		has_body = has_body || strcmp(request->method, with_body[i]) == 0;
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (request->body_flow) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->length);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, send_flow);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
	} else if (has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
			request->body.len ? (const char *)request->body.at : "");
	}
}

static CURL *make_easy(struct upstream_call *call)
{
	CURL *easy = http_connections_request(&call->upstream->connections, call);
	if (!easy)
		return NULL;
	say_body(easy, call);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, allow_try);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, see_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->unasked);
	if (curl_easy_setopt(easy, CURLOPT_URL, call->request.url) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->request.method) == CURLE_OK)
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}

int upstream_begin(struct upstream *upstream, const struct upstream_request *request,
	struct upstream_call **ret_call)
{
	bool has_body = request->body_flow || request->body.len;
	if (!is_url(request->url) || !http_is_token(request->method) ||
		(has_body && strcmp(request->method, "HEAD") == 0))
		return -EINVAL;
	struct upstream_call *call = calloc(1, sizeof *call);
	if (!call)
		return -ENOMEM;
	call->upstream = upstream;
	call->request = *request;
	call->unasked[0] = (struct curl_slist){ "Accept:", &call->unasked[1] };
	call->unasked[1] = (struct curl_slist){ "Content-Type:", request->headers->list };
	call->begun_ms = call->heard_ms = clock_monotonic_ms();
	call->easy = make_easy(call);
	if (!call->easy ||
		curl_multi_add_handle(upstream->connections.multi, call->easy) != CURLM_OK) {
		curl_easy_cleanup(call->easy);
		free(call);
		return -ENOMEM;
	}
	request->headers->holders++;
	if (request->body_flow)
		flow_hold(request->body_flow);
	call->next = upstream->calls;
	call->link = &upstream->calls;
	if (call->next)
		call->next->link = &call->next;
	upstream->calls = call;
	*ret_call = call;
	return 0;
}

/* ---- time ---- */

/* 0: it may take as long as it likes. */
static uint64_t head_due(const struct upstream_call *call)
{
	return call->has_head || !call->request.head_timeout_ms ?
		0 :
		call->begun_ms + call->request.head_timeout_ms;
}

/* The same; the peer has its turn unless the call waits for one of its flows. */
static uint64_t silence_due(const struct upstream_call *call)
{
	return call->is_sending_paused || call->is_answer_paused ||
			!call->request.silence_timeout_ms ?
		0 :
		call->heard_ms + call->request.silence_timeout_ms;
}

static bool is_late(const struct upstream_call *call, uint64_t now_ms)
{
	uint64_t head_ms = head_due(call), silence_ms = silence_due(call);
	return (head_ms && now_ms >= head_ms) || (silence_ms && now_ms >= silence_ms);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b && b < a ? b : a;
}

static uint64_t wait_until_due(const struct upstream *upstream, uint64_t wait_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t until_ms = now_ms + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
	if (upstream->due_ms < until_ms)
		until_ms = upstream->due_ms;
	for (const struct upstream_call *call = upstream->calls; call; call = call->next)
		until_ms = earlier(earlier(until_ms, head_due(call)), silence_due(call));
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

/* ---- going on ---- */

void upstream_moved(struct upstream_call *call)
{
	call->has_moved = true;
}

void upstream_allow_silence(struct upstream_call *call, uint64_t silence_timeout_ms)
{
	call->request.silence_timeout_ms = silence_timeout_ms;
}

/* curl hands over what it kept at once, and says here what came of that. */
static CURLcode resume(struct upstream_call *call)
{
	call->has_moved = false;
	if (!call->is_sending_paused && !call->is_answer_paused)
		return CURLE_OK;
	call->is_sending_paused = call->is_answer_paused = false;
	call->heard_ms = clock_monotonic_ms();
	return curl_easy_pause(call->easy, CURLPAUSE_CONT);
}

static void resume_moved(struct upstream *upstream)
{
	for (struct upstream_call *call = upstream->calls, *next; call; call = next) {
		next = call->next;
		CURLcode code = call->has_moved ? resume(call) : CURLE_OK;
		if (code != CURLE_OK)
			end(call, code);
	}
}

static void end_late(struct upstream *upstream)
{
	uint64_t now_ms = clock_monotonic_ms();
	for (struct upstream_call *call = upstream->calls, *next; call; call = next) {
		next = call->next;
		if (is_late(call, now_ms))
			end(call, CURLE_OPERATION_TIMEDOUT);
	}
}

static void end_over(struct upstream *upstream)
{
	void *call;
	CURLcode code;
	while (http_connections_ended(&upstream->connections, &call, &code))
		end(call, code);
}

static int curls_name(uint32_t events)
{
	return (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		(events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		(events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static void go_on(struct upstream *upstream)
{
	CURLM *multi = upstream->connections.multi;
	struct epoll_event ready[READY_AT_ONCE];
	int running, count = epoll_wait(upstream->ready, ready, READY_AT_ONCE, 0);
	for (int i = 0; i < count; i++)
		curl_multi_socket_action(
			multi, ready[i].data.fd, curls_name(ready[i].events), &running);
	if (upstream->due_ms <= clock_monotonic_ms()) {
		upstream->due_ms = UINT64_MAX; /* unless curl says another time */
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

static void wait_for_any(struct upstream *upstream, uint64_t wait_ms, int fd)
{
	struct pollfd polled[] = { { upstream->ready, POLLIN, 0 }, { upstream->wake, POLLIN, 0 },
		{ fd, POLLIN, 0 } };
	eventfd_t woken;
	if (poll(polled, 3, (int)wait_until_due(upstream, wait_ms)) > 0 && polled[1].revents)
		eventfd_read(upstream->wake, &woken);
}

void upstream_run(struct upstream *upstream, uint64_t wait_ms, int fd)
{
	resume_moved(upstream);
	wait_for_any(upstream, wait_ms, fd);
	go_on(upstream);
	end_over(upstream);
	end_late(upstream);
}

void upstream_wake(struct upstream *upstream)
{
	eventfd_write(upstream->wake, 1);
}
