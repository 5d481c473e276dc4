/* TLS on the listener: who trusts it, how its certificate is renewed, and what keeps it from starting. */
#include "stories/story.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "support/certificates.h"
#include "support/tls_client.h"

enum { YEAR_S = 365 * 86400, HOUR_S = 3600, TRIES = 10, SETTING_MAX = CERTIFICATE_PATH_MAX + 40 };

static struct story story;
static struct certificate_files files;
static char certificate_setting[SETTING_MAX], key_setting[SETTING_MAX];
static const char *const settings[] = { certificate_setting, key_setting, NULL };

static void begin(void)
{
	story_begin(&story);
	certificate_make(&files, "first", YEAR_S);
	snprintf(certificate_setting, SETTING_MAX, "TOLLGATE_TLS_CERTIFICATE_FILE=%s",
		files.certificate_file);
	snprintf(key_setting, SETTING_MAX, "TOLLGATE_TLS_KEY_FILE=%s", files.key_file);
	story.ca_file = files.ca_file;
}

static void end(void)
{
	certificate_remove(&files);
	story_end(&story);
}

TestSuite(tls, .init = begin, .fini = end, .timeout = 120);

static bool opens(struct tls_client *client)
{
	return tls_client_open(client, (unsigned)story.daemon.port, files.ca_file, 0);
}

static bool log_has(const char *text)
{
	char *log = daemon_log(&story.daemon);
	bool has = strstr(log, text);
	free(log);
	return has;
}

Test(tls, spans_come_in_and_keys_stay_inside)
{
	char line[128];
	struct buf key;
	story_start(&story, settings);
	story_expect_log(&story, "tls=yes");
	story_post_spans(&story, 1, 50);
	story_expect_each_once(story.langfuse, 1, 50);
	story_expect_each_once(story.tempo, 1, 50);
	story_stop(&story);

	/* Not a line of what must be nobody's. */
	buf_init(&key, 1 << 16, NULL);
	cr_assert(file_read(files.key_file, &key) == 0);
	buf_append(&key, "", 1);
	cr_assert(sscanf((const char *)key.at, "%*[^\n]\n%127s", line) == 1 && strlen(line) > 40);
	cr_expect(!log_has(line));
	cr_expect(!log_has("certificate_ends"));
	buf_done(&key);
}

Test(tls, sighup_renews_the_certificate_and_open_connections_live_on)
{
	struct tls_client before, after;
	story_start(&story, settings);
	cr_assert(opens(&before), "%s", before.error);
	certificate_renew(&files, "second", HOUR_S);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded");
	story_expect_log(&story, "event=certificate_ends days_left=0");
	cr_assert(opens(&after), "%s", after.error);
	cr_expect_str_eq(after.name, "second");
	cr_expect_str_eq(before.name, "first");
	cr_expect(tls_client_get(&before, "/healthz") == 200, "%s", before.error);
	cr_expect(tls_client_get(&after, "/healthz") == 200, "%s", after.error);
	tls_client_close(&before);
	tls_client_close(&after);
	story_post_spans(&story, 1, 5);
	story_stop(&story);
}

Test(tls, files_that_will_not_do_leave_everything_as_it_was)
{
	struct certificate_files kept = files;
	struct tls_client client;
	story_start(&story, settings);
	certificate_make(&files, "second", YEAR_S);
	cr_assert(rename(files.certificate_file, kept.certificate_file) == 0);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reload_failed");
	story_expect_log(&story, "is not the one that");
	cr_expect(!opens(&client), "the new one is not in force");
	tls_client_close(&client);
	story.ca_file = kept.ca_file;
	story_post_spans(&story, 1, 5);
	cr_assert(rename(files.key_file, kept.key_file) == 0);
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded");
	cr_expect(opens(&client), "%s", client.error);
	tls_client_close(&client);
	story_stop(&story);
	certificate_remove(&files);
	files = kept;
}

static void expect_refusal(const char *const *wrong, const char *why)
{
	cr_expect_neq(story_start_refused(&story, wrong), 0);
	cr_expect(log_has(why), "%s", daemon_log(&story.daemon));
}

Test(tls, what_cannot_be_served_is_refused_at_start)
{
	expect_refusal((const char *const[]){ certificate_setting, NULL },
		"tls.certificate_file needs tls.key_file beside it");
	expect_refusal((const char *const[]){ key_setting, NULL },
		"tls.key_file needs tls.certificate_file beside it");
	cr_assert(chmod(files.key_file, 0604) == 0);
	expect_refusal(
		settings, "must be the path of a file that can be read, but not by everyone");
	cr_assert(chmod(files.key_file, 0600) == 0);
	cr_assert(file_replace(files.certificate_file, bytes_of("none"), 0600) == 0);
	expect_refusal(settings, "holds no certificates in PEM form");
}

/* `tollgate hook` of somebody whose configuration is the daemon's but for the certificate. */
static void run_hook(const char *certificate_file)
{
	char listen[64], certificate[SETTING_MAX], directory[SCRATCH_PATH_MAX];
	struct daemon hook;
	snprintf(listen, sizeof listen, "TOLLGATE_LISTEN=0.0.0.0:%d", story.daemon.port);
	snprintf(certificate, sizeof certificate, "TOLLGATE_TLS_CERTIFICATE_FILE=%s",
		certificate_file);
	cr_assert_eq(scratch_make(directory), 0);
	const struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "hook", "claude-code",
			"{\"hook_event_name\":\"Stop\",\"session_id\":\"s\"}", NULL },
		.environment = (const char *const[]){ listen, certificate, NULL },
		.directory = directory,
	};
	cr_assert_eq(daemon_spawn(&hook, &start), 0);
	cr_expect_eq(child_wait(&hook.child, DAEMON_START_MS), 0);
	scratch_remove(directory);
}

Test(tls, a_hook_trusts_the_certificate_that_the_configuration_names_under_any_name)
{
	struct certificate_files others;
	certificate_make(&others, "others", YEAR_S);
	certificate_renew(&files, "gateway.example", YEAR_S);
	story_start(&story, settings);
	for (size_t i = 0; i < TRIES; i++)
		run_hook(files.certificate_file);
	story_stop(&story);
	cr_expect(log_has("hooks_received="), "of many tries one is quick enough");

	story_start(&story, settings);
	for (size_t i = 0; i < TRIES; i++)
		run_hook(others.certificate_file);
	story_stop(&story);
	cr_expect(!log_has("hooks_received="), "and no other");
	certificate_remove(&others);
}

Test(tls, send_is_told_whom_to_trust)
{
	char url[64], file[SCRATCH_PATH_MAX + 32], *said;
	struct payload payload;
	story_start(&story, settings);
	snprintf(url, sizeof url, "https://127.0.0.1:%d", story.daemon.port);
	snprintf(file, sizeof file, "%s/traces.pb", story.directory);
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, 1), 0);
	payload_stamp(&payload, payload.request.at, 1);
	cr_assert_eq(file_replace(file, buf_bytes(&payload.request), 0600), 0);

	cr_expect_neq(story_command(&story, &said, "send", "--to", url, file, NULL), 0);
	cr_expect(strstr(said, "0 taken"), "%s", said);
	free(said);
	cr_expect_eq(story_command(
			     &story, &said, "send", "--ca", files.ca_file, "--to", url, file, NULL),
		0, "%s", said);
	free(said);
	story_expect_each_once(story.tempo, 1, payload.span_count);
	payload_done(&payload);
	story_stop(&story);
}
