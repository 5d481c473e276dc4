/*
 * Any bytes from a peer of the control socket: what comes back is HTTP with JSON (but libmicrohttpd's
 * own pages for what is no HTTP), and the daemon goes on answering.
 *
 * A first byte of 0x80 or more asks a view instead: the byte says which, the lines that follow are the
 * values of the arguments that it lists.
 */
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "dialects/dialect.h"
#include "export/exporter.h"
#include "http/unix_socket.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "sources.h"
#include "spool/dead_letter.h"
#include "spool/ledger.h"
#include "support/scratch.h"
#include "watch/control.h"
#include "watch/watch.h"

enum {
	INPUT_MAX_BYTES = 32 << 10, /* a socket takes it without a reader */
	ANSWERS_MAX_BYTES = 16 << 20,
	PATIENCE_MS = 60 * 1000,
	QUIET_MS = 20,
	LOOK_EVERY = 64,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lanes[] = { "default" };
static char directory[SCRATCH_PATH_MAX];
static struct unix_place place;
static struct watch watch;
static struct watched_destination watched;
static struct control *control;

static void require(int is_true)
{
	if (!is_true)
		abort();
}

static void leave(void)
{
	control_stop(control);
	exporter_free(watched.exporter);
	ledger_free(watch.ledger);
	spool_close(watch.spool);
	sources_close(watch.sources);
	deliveries_close(watch.deliveries);
	config_free((struct config *)watch.config);
	tariff_free(watch.tariff);
	unix_place_close(&place);
	scratch_remove(directory);
}

/* Dead letters of a destination that is gone, so that none is ever sent. */
static void set_letters_aside(void)
{
	struct delivery *delivery = delivery_of(watch.deliveries, "old", "default");
	struct dead_letter letter = { .span_count = 1, .signal = SIGNAL_TRACES, .status = 400 };
	for (letter.sequence = 1; letter.sequence <= 3; letter.sequence++)
		require(delivery_set_aside(delivery, &letter, bytes_of("letter")) == 0);
	require(deliveries_commit(watch.deliveries) == 0);
}

/* The real things, empty and without their threads. */
static void open_storage(struct config *config, struct complaint *complaint)
{
	struct exporter *exporter;
	require(sources_open(config->state_directory, &watch.sources) == 0);
	sources_note_hook(watch.sources, &dialect_codex, clock_unix_ns());
	require(deliveries_open(config->state_directory, &watch.deliveries) == 0);
	require(spool_open(&(struct spool_options){ .directory = config->state_directory,
				   .segment_bytes = config->spool.segment_bytes,
				   .max_bytes = config->spool.max_bytes,
				   .max_record_bytes = config->spool.max_record_bytes,
				   .cache_bytes = config->spool.cache_bytes },
			&watch.spool) == 0);
	require(exporter_new(&(struct exporter_options){ .config = &config->destinations[0],
				     .spool = watch.spool,
				     .deliveries = watch.deliveries,
				     .lanes = lanes,
				     .lane_count = 1,
				     .hold_initial_ms = EXPORTER_HOLD_INITIAL_MS,
				     .hold_max_ms = EXPORTER_HOLD_MAX_MS },
			&exporter, complaint) == 0);
	watched = (struct watched_destination){ &config->destinations[0], exporter };
	require(ledger_open(watch.spool, watch.deliveries, &watch.ledger) == 0);
	require(ledger_begin(watch.ledger) == 0);
	set_letters_aside();
	struct prices *prices;
	require(prices_builtin(&prices, complaint) == 0);
	watch.tariff = tariff_new(prices);
	require(watch.tariff != NULL);
}

static void begin(void)
{
	char state[SCRATCH_PATH_MAX + 32];
	struct config *config;
	struct complaint complaint = { 0 };
	char **notes;
	signal(SIGPIPE, SIG_IGN);
	require(scratch_make(directory) == 0);
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s", directory);
	char *environment[] = { state, "TOLLGATE_TEMPO_ENDPOINT=http://127.0.0.1:9", NULL };
	require(config_load(NULL, environment, NULL, &config, &notes, &complaint) == 0);
	config_notes_free(notes);
	open_storage(config, &complaint);
	watch.config = config;
	watch.started_ns = clock_unix_ns();
	watch.destinations = &watched;
	watch.destination_count = 1;
	require(control_start(&watch, &control, &complaint) == 0);
	require(unix_place_open(config->control_socket, &place) == 0);
	atexit(leave);
}

/* So that the server closes; after a question that lacks its end this is swallowed. */
static const char goodbye[] =
	"\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";

/*
 * Sends and reads until the other side closes. One that waits for more is told that there is none; not at
 * once, because libmicrohttpd then drops what it has not answered yet.
 */
static void exchange(struct bytes question, struct buf *answers)
{
	uint8_t piece[16 << 10];
	bool is_told = false;
	int fd = unix_place_connect(&place, PATIENCE_MS);
	require(fd >= 0);
	send(fd, question.at, question.len, MSG_NOSIGNAL);
	send(fd, goodbye, sizeof goodbye - 1, MSG_NOSIGNAL);
	for (ssize_t got = 1; got > 0;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int came = poll(&ready, 1, is_told ? PATIENCE_MS : QUIET_MS);
		require(came == 1 || !is_told);
		if (!came && shutdown(fd, SHUT_WR) == 0)
			is_told = true;
		got = came ? recv(fd, piece, sizeof piece, 0) : 1;
		if (came && got > 0)
			buf_append(answers, piece, (size_t)got);
	}
	require(!answers->error);
	close(fd);
}

static const char *header_value(const char *head, const char *name)
{
	const char *line = strcasestr(head, name);
	return line ? line + strlen(name) : NULL;
}

static void check_json(struct bytes body, int status)
{
	json_t *answer = json_loadb((const char *)body.at, body.len, 0, NULL);
	require(json_is_object(answer));
	require(status == 200 || json_is_string(json_object_get(answer, "error")));
	json_decref(answer);
}

/* Takes one reply from the front. Returns its status. */
static int take_reply(struct bytes *answers)
{
	char head[4096];
	int status = 0;
	const uint8_t *end = memmem(answers->at, answers->len, "\r\n\r\n", 4);
	require(end != NULL);
	size_t len = (size_t)(end + 4 - answers->at);
	require(len < sizeof head);
	memcpy(head, answers->at, len);
	head[len] = '\0';
	require(sscanf(head, "HTTP/1.%*1[01] %3d ", &status) == 1);
	answers->at += len;
	answers->len -= len;

	const char *length = header_value(head, "\r\nContent-Length: ");
	require(length || status == 100);
	size_t body = length ? strtoull(length, NULL, 10) : 0;
	if (!answers->len || *answers->at == 'H')
		return status; /* to HEAD, or without a body */
	require(body <= answers->len);
	if (header_value(head, "\r\nContent-Type: application/json"))
		check_json((struct bytes){ answers->at, body }, status);
	answers->at += body;
	answers->len -= body;
	return status;
}

static void write_question(struct buf *question, const uint8_t *data, size_t size)
{
	static const char *const none[] = { NULL };
	size_t count = 0;
	while (views[count])
		count++;
	const struct view *view = views[data[0] % count];
	const char *const *name = view->arguments ? view->arguments : none;
	buf_printf(question, "%s %s", view->method, view->path);
	for (size_t i = 0; i < size && *name; name += *name != NULL) {
		buf_printf(question, "%c%s=", i ? '&' : '?', *name);
		while (++i < size && data[i] != '\n')
			buf_printf(question, "%%%02x", data[i]);
	}
	buf_text(question, " HTTP/1.1\r\nHost: t\r\n");
}

/* However long that takes. */
static void look_whether_it_lives(void)
{
	static const char question[] =
		"GET /v1/status HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
	uint8_t answer[4096];
	int fd = unix_place_connect(&place, PATIENCE_MS);
	require(fd >= 0 && send(fd, question, sizeof question - 1, MSG_NOSIGNAL) > 0);
	ssize_t len = recv(fd, answer, sizeof answer, MSG_WAITALL);
	struct bytes rest = { answer, len > 0 ? (size_t)len : 0 };
	require(rest.len && take_reply(&rest) == 200);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned count;
	if (size > INPUT_MAX_BYTES)
		return 0;
	if (!control)
		begin();
	struct buf question, answers;
	buf_init(&question, 4 * INPUT_MAX_BYTES, NULL);
	buf_init(&answers, ANSWERS_MAX_BYTES, NULL);
	if (size && data[0] >= 0x80)
		write_question(&question, data, size);
	else
		buf_append(&question, data, size);
	exchange(buf_bytes(&question), &answers);
	struct bytes rest = buf_bytes(&answers);
	while (rest.len)
		take_reply(&rest);
	buf_done(&answers);
	buf_done(&question);
	if (count++ % LOOK_EVERY == 0)
		look_whether_it_lives();
	return 0;
}
