/*
 * Many ask over the control socket at once, some leave before the answer, and at last it stops under
 * load. A plain program, because Criterion does not start under the thread sanitizer.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "config/config.h"
#include "http/server.h"
#include "support/http_peer.h"
#include "support/scratch.h"
#include "watch/control.h"
#include "watch/watch.h"

enum { CLIENTS = 8, QUESTIONS = 150, LEAVES_EVERY = 16, TICKS_MAX = 1000000 };

static char directory[SCRATCH_PATH_MAX], path[96];
static atomic_uint asked, answered;

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)watch;
	(void)complaint;
	*ret_answer = json_pack("{s:i, s:s?}", "number", (int)atomic_fetch_add(&asked, 1), "text",
		http_request_argument(request, "text"));
	return *ret_answer ? 0 : -ENOMEM;
}

static const struct view view = { "GET", "/view", answer };
const struct view *const views[] = { &view, NULL };

static void *ask(void *arg)
{
	struct peer peer = { .fd = -1 };
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (peer.fd < 0 && !peer_open_unix(&peer, path))
			break;
		if (!peer_send_text(&peer, "GET /view?text=hello HTTP/1.1\r\nHost: t\r\n\r\n"))
			break;
		if (i % LEAVES_EVERY == LEAVES_EVERY - 1)
			peer_close(&peer); /* without waiting for the answer */
		else if (peer_reply(&peer).status != 200)
			break;
		else
			atomic_fetch_add(&answered, 1);
	}
	peer_close(&peer);
	return arg;
}

int main(void)
{
	struct config config = { .control_socket = path };
	struct watch watch = { .config = &config };
	struct control *control;
	struct complaint complaint = { 0 };
	signal(SIGPIPE, SIG_IGN);
	if (scratch_make(directory) < 0)
		return 1;
	snprintf(path, sizeof path, "%.80s/control.sock", directory);
	if (control_start(&watch, &control, &complaint) < 0) {
		fprintf(stderr, "%s\n", complaint.text);
		return 1;
	}

	pthread_t clients[CLIENTS], late;
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, ask, NULL);
	for (size_t i = 0; i < CLIENTS; i++) {
		control_tick(control);
		pthread_join(clients[i], NULL);
	}
	unsigned before_stop = atomic_load(&answered);

	pthread_create(
		&late, NULL, ask, NULL); /* is cut off by the stop, wherever it stands then */
	for (unsigned i = 0; i < TICKS_MAX && atomic_load(&answered) < before_stop + 10; i++)
		control_tick(control);
	control_stop(control);
	pthread_join(late, NULL);
	scratch_remove(directory);

	unsigned expected = CLIENTS * (QUESTIONS - QUESTIONS / LEAVES_EVERY);
	printf("answered=%u of %u\n", before_stop, expected);
	return before_stop != expected;
}
