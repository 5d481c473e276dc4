/* The daemon under a service manager, which is the test: sockets that outlive it, and what it says. */
#include "stories/story.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/load.h"

enum { RESTARTS = 3, SPANS_MAX = 100000, REQUESTS_BETWEEN = 50, STEP_US = 10000 };

static struct story story;

static void begin(void)
{
	story_begin(&story);
	story.socket = listener_open(&story.daemon.port);
	cr_assert_gt(story.socket, 0);
}

static void end(void)
{
	story_end(&story);
	close(story.socket);
}

TestSuite(supervised, .init = begin, .fini = end, .timeout = 240);

/* ---- clients that never stop ---- */

/* Posts run after run, each with connections of its own. */
struct client {
	struct load_job job; /* of the next run */
	pthread_t thread;
	atomic_bool is_enough;
	int error;
};

static void *post(void *arg)
{
	struct client *client = arg;
	struct load_job *job = &client->job;
	uint64_t first = job->first;
	while (!atomic_load(&client->is_enough) && !client->error &&
		job->first + job->spans <= first + SPANS_MAX) {
		client->error = load_run(job);
		job->first += job->spans;
	}
	return NULL;
}

static void begin_posting(struct client *client, struct load_job job)
{
	job.port = story.daemon.port;
	job.payload = PAYLOAD_TINY;
	job.acknowledged = tally_new(job.first + SPANS_MAX);
	job.report = load_report_new();
	cr_assert(job.acknowledged && job.report);
	*client = (struct client){ .job = job };
	cr_assert_eq(pthread_create(&client->thread, NULL, post, client), 0);
}

static void await_answers(struct client *client)
{
	uint64_t wanted = client->job.report->requests + REQUESTS_BETWEEN;
	for (unsigned waited = 0; client->job.report->requests < wanted; waited++) {
		cr_assert_lt(waited, STORY_PATIENCE_MS * 1000 / STEP_US);
		usleep(STEP_US);
	}
}

static void end_posting(struct client *client, uint64_t first)
{
	struct load_report *report = client->job.report;
	atomic_store(&client->is_enough, true);
	pthread_join(client->thread, NULL);
	unsigned spans = (unsigned)(client->job.first - first);
	cr_expect_eq(client->error, 0);
	cr_expect_eq(report->broken, 0, "refused, or cut off before the answer");
	cr_expect_eq(report->refused, 0);
	cr_expect_eq(report->failed, 0);
	cr_expect_eq(client->job.acknowledged->distinct, spans);
	story_expect_each_once(story.tempo, first, spans);
	story_expect_each_once(story.langfuse, first, spans);
	tally_free(client->job.acknowledged);
	load_report_free(report);
}

/* The first requests wait before there was ever a daemon. */
static void restart_under_load(void)
{
	static struct client keeping, fresh;
	begin_posting(&keeping,
		(struct load_job){ .connections = 8, .spans = 1000, .spans_per_second = 1000 });
	/* As many requests as connections. */
	begin_posting(&fresh,
		(struct load_job){ .first = SPANS_MAX,
			.connections = 20,
			.spans = 100,
			.spans_per_second = 500 });
	story_start(&story, NULL);
	for (int i = 0; i < RESTARTS; i++) {
		await_answers(&keeping);
		await_answers(&fresh);
		story_stop(&story);
		story_start(&story, NULL);
		story_expect_log(&story, "socket=inherited");
	}
	end_posting(&keeping, 0);
	end_posting(&fresh, SPANS_MAX);
	cr_expect_eq(fake_destination_duplicate_count(story.tempo), 0);
	cr_expect_eq(fake_destination_duplicate_count(story.langfuse), 0);
	story_verify(&story, "tempo");
	story_stop(&story);
}

Test(supervised, no_connection_is_lost_when_the_daemon_starts_again)
{
	restart_under_load();
}

Test(supervised, nor_when_systemd_socket_activate_starts_it)
{
	static const char *const launcher[] = { "systemd-socket-activate", "-E", "ASAN_OPTIONS",
		"-E", "UBSAN_OPTIONS", "-E", "LSAN_OPTIONS", NULL };
	if (system("systemd-socket-activate --version >/dev/null 2>&1") != 0)
		cr_skip_test("systemd-socket-activate is not here");
	story.launcher = launcher;
	restart_under_load();
}

/* ---- what it is told ---- */

static int open_ear(char setting[SCRATCH_PATH_MAX + 32])
{
	const struct timeval patience = { .tv_sec = STORY_PATIENCE_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%.80s/notify", story.directory);
	cr_assert_eq(bind(ear, (struct sockaddr *)&address, sizeof address), 0);
	setsockopt(ear, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	snprintf(setting, SCRATCH_PATH_MAX + 32, "NOTIFY_SOCKET=%s", address.sun_path);
	return ear;
}

static const char *hear(int ear)
{
	static char message[1024];
	ssize_t len = recv(ear, message, sizeof message - 1, 0);
	message[len < 0 ? 0 : len] = '\0';
	return message;
}

/* Behind any number of signs of life. */
static void expect_heard(int ear, const char *beginning)
{
	const char *message = hear(ear);
	while (strcmp(message, "WATCHDOG=1") == 0)
		message = hear(ear);
	cr_expect(strncmp(message, beginning, strlen(beginning)) == 0, "%s instead of %s", message,
		beginning);
}

Test(supervised, the_manager_hears_that_it_is_ready_alive_reloading_and_stopping)
{
	char setting[SCRATCH_PATH_MAX + 32], ready[128];
	int ear = open_ear(setting);
	story_start(&story, (const char *const[]){ setting, "WATCHDOG_USEC=1000000", NULL });
	snprintf(ready, sizeof ready, "READY=1\nSTATUS=Listening on 127.0.0.1:%d",
		story.daemon.port);
	cr_expect_str_eq(hear(ear), ready);
	cr_expect_str_eq(hear(ear), "WATCHDOG=1");
	cr_expect_str_eq(hear(ear), "WATCHDOG=1");
	child_signal(&story.daemon.child, SIGHUP);
	expect_heard(ear, "RELOADING=1\nMONOTONIC_USEC=");
	expect_heard(ear, ready);
	story_stop(&story);
	expect_heard(ear, "STOPPING=1\n");
	char byte;
	cr_expect_lt(recv(ear, &byte, 1, MSG_DONTWAIT), 0, "it is the last that is said");
	close(ear);
}

Test(supervised, its_socket_stands_for_the_setting_and_the_log_says_so)
{
	char where[64];
	snprintf(where, sizeof where, "address=127.0.0.1:%d tls=no socket=inherited",
		story.daemon.port);
	story_start(&story, NULL);
	story_expect_log(&story, where);
	story_expect_log(&story, "event=setting_not_applied why=\"listen is 127.0.0.1:0, but");
	story_stop(&story);
}

Test(supervised, what_cannot_be_taken_over_keeps_it_from_starting)
{
	cr_expect_eq(story_start_refused(&story, (const char *const[]){ "LISTEN_FDS=2", NULL }), 2);
	story_expect_log(&story, "one socket");
	close(story.socket);
	story.socket = socket(AF_INET, SOCK_DGRAM, 0);
	cr_expect_eq(story_start_refused(&story, NULL), 2);
	story_expect_log(&story, "none that listens for TCP");
}
