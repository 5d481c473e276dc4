/*
 * What is wrong is named with its mend, and nothing else is: one thing after the other is broken around a whole
 * daemon, or around none.
 */
#include "stories/story.h"

#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/certificates.h"
#include "support/one_span.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED 0
#endif

enum { TEXTS = 64, TEXT_BYTES = 1024, ID_OF_NOBODY = 64733, DAY_S = 86400, ANSWER_TRIES = 100 };

#define KNOWN_MODEL "claude-sonnet-4-5-20250929" /* of story_post_spans */

static struct story story;
static const struct identity *asking; /* NULL: who runs the test */
static const char *gateway;           /* TOLLGATE_URL; empty: unset */
static char control_socket[SCRATCH_PATH_MAX + 32];

/* What a story changes in a set-up that is right. */
static struct {
	const char *listen;
	const char *state;   /* below the story's directory */
	const char *keys;    /* of Langfuse, in JSON */
	const char *further; /* members in JSON, a comma behind each */
} setup;

/* Each stays until as many others were written. */
static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...)
{
	static char texts[TEXTS][TEXT_BYTES];
	static unsigned next;
	char *out = texts[next++ % TEXTS];
	va_list args;
	va_start(args, format);
	vsnprintf(out, TEXT_BYTES, format, args);
	va_end(args);
	return out;
}

static const char *path_of(const char *name)
{
	return text("%s/%s", story.directory, name);
}

static void write_file(const char *name, mode_t mode, const char *content)
{
	FILE *file = fopen(path_of(name), "we");
	cr_assert_not_null(file);
	fputs(content, file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path_of(name), mode), 0);
}

/* A table with one model, of a day that is so long ago. */
static void write_prices(time_t age_s)
{
	char date[16];
	struct tm utc;
	time_t then = time(NULL) - age_s;
	strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&then, &utc));
	write_file("prices.json", 0644,
		text("{\"schema\": \"tollgate-prices/1\", \"as_of\": \"%s\", \"currency\": \"USD\",\n"
		     "  \"sources\": {\"s\": {}}, \"models\": [{\"id\": \"%s\", \"kind\": \"chat\",\n"
		     "  \"deprecated\": false, \"sources\": [\"s\"], \"confidence\": \"high\",\n"
		     "  \"provider\": \"anthropic\", \"aliases\": [\"%s\"], \"patterns\": [],\n"
		     "  \"periods\": [{\"from\": null, \"prices\": {\"input\": \"0.1\", \"output\": \"0.2\"}}]}]}\n",
			date, KNOWN_MODEL, KNOWN_MODEL));
}

static void write_config(void)
{
	snprintf(control_socket, sizeof control_socket, "%s/%s/control.sock", story.directory,
		setup.state);
	write_file("own.json", 0600,
		text("{ %s \"listen\": \"%s\", \"state_directory\": \"%s/%s\",\n"
		     "  \"pricing\": { \"file\": \"%s\" },\n"
		     "  \"destinations\": {\n"
		     "    \"langfuse\": { \"type\": \"langfuse\", \"endpoint\": \"%s\", %s },\n"
		     "    \"tempo\": { \"type\": \"otlp\", \"endpoint\": \"%s\" } } }\n",
			setup.further, setup.listen, story.directory, setup.state,
			path_of("prices.json"), fake_destination_url(story.langfuse), setup.keys,
			fake_destination_url(story.tempo)));
}

static void begin(void)
{
	story_begin(&story);
	asking = NULL;
	gateway = "";
	write_file("secret", 0600, STORY_SECRET_KEY);
	write_prices(0);
	setup.listen = "127.0.0.1:0";
	setup.state = "state";
	setup.keys = text("\"public_key\": \"%s\", \"secret_key_file\": \"%s\"", STORY_PUBLIC_KEY,
		path_of("secret"));
	setup.further = "";
}

static void end(void)
{
	story_end(&story);
}

TestSuite(doctor, .init = begin, .fini = end, .timeout = 180);

static void serve(const char *const *settings)
{
	static const char *const none[] = { NULL };
	write_config();
	int error = daemon_start(&story.daemon,
		&(struct daemon_start){
			.arguments = (const char *const[]){ daemon_program(), "serve", "--config",
				path_of("own.json"), NULL },
			.environment = settings ? settings : none,
			.directory = story.directory,
		});
	if (error < 0)
		cr_assert_fail("the daemon does not listen: %s", daemon_log(&story.daemon));
}

/* Exit status; what it said, to be freed. Destinations have stories of their own. */
static int examine(const char *form, char **ret_said)
{
	struct daemon child;
	char directory[SCRATCH_PATH_MAX];
	cr_assert_eq(scratch_make(directory), 0); /* for its log */
	struct daemon_start start = {
		.arguments = (const char *const[]){ daemon_program(), "doctor", "--config",
			path_of("own.json"), "--socket", control_socket, "--home", directory,
			"--offline", form, NULL },
		.environment = (const char *const[]){ "LC_ALL=C.UTF-8", "HOME=/nonexistent",
			text("TOLLGATE_URL=%s", gateway), NULL },
		.directory = directory,
		.identity = asking,
	};
	cr_assert_eq(daemon_spawn(&child, &start), 0);
	int status = child_wait(&child.child, DAEMON_START_MS);
	*ret_said = daemon_log(&child);
	child_kill(&child.child);
	scratch_remove(directory);
	return status;
}

static json_t *diagnose(int status)
{
	char *said;
	int ended = examine("--json", &said);
	json_t *answer = json_loads(said, 0, NULL);
	cr_assert(answer, "%s", said);
	cr_expect_eq(ended, status, "%d: %s", ended, said);
	free(said);
	return answer;
}

static void expect_nothing(void)
{
	json_t *answer = diagnose(0);
	char *said = json_dumps(answer, JSON_INDENT(1));
	cr_expect_eq(json_array_size(json_object_get(answer, "findings")), 0, "%s", said);
	cr_expect(json_is_null(json_object_get(answer, "first_broken")), "%s", said);
	free(said);
	json_decref(answer);
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value ? value : "";
}

enum { NOTE, WARNING, BROKEN }; /* exit statuses */

/* The one finding that there is. `what` and `mend` are in its texts. */
static void expect(int status, const char *name, const char *what, const char *mend)
{
	json_t *answer = diagnose(status);
	const json_t *findings = json_object_get(answer, "findings");
	const json_t *finding = json_array_get(findings, 0);
	char *said = json_dumps(answer, JSON_INDENT(1));
	cr_expect_eq(json_array_size(findings), 1, "%s", said);
	cr_expect_str_eq(member(finding, "name"), name, "%s", said);
	cr_expect(strstr(member(finding, "what"), what), "%s is not in %s", what, said);
	cr_expect(strstr(member(finding, "mend"), mend), "%s is not in %s", mend, said);
	cr_expect_str_eq(member(answer, "first_broken"), status == BROKEN ? name : "", "%s", said);
	free(said);
	json_decref(answer);
}

Test(doctor, nothing_is_wrong)
{
	char *said;
	serve(NULL);
	story_post_spans(&story, 0, 5);
	expect_nothing();
	cr_expect_eq(examine("--offline", &said), 0);
	cr_expect_str_eq(said,
		"Nothing is wrong.\n\n  tool         ok\n  door         ok\n"
		"  daemon       ok\n  disk         ok\n  prices       ok\n"
		"  destination  ok\n");
	free(said);
	story_stop(&story);
	expect(BROKEN, "daemon-down", text("there is no %s", control_socket), "tollgate serve");
}

/* ---- doors ---- */

Test(doctor, a_key_in_the_gateways_url_is_not_told)
{
	char *said;
	gateway = "https://any:tg-secret@me:tg-secret@gateway.example:4318/";
	write_config();
	cr_expect_eq(examine("--json", &said), BROKEN);
	cr_expect(strstr(said, "\"https://gateway.example:4318\""), "%s", said);
	cr_expect_not(strstr(said, "tg-secret"), "%s", said);
	free(said);
}

Test(doctor, the_daemon_was_killed)
{
	serve(NULL);
	daemon_kill(&story.daemon);
	expect(BROKEN, "daemon-down", text("nobody listens at %s any more", control_socket),
		"tollgate serve");
}

Test(doctor, who_asks_may_not)
{
	const struct identity nobody = { ID_OF_NOBODY, ID_OF_NOBODY, ID_OF_NOBODY };
	serve(NULL);
	if (geteuid() == 0) {
		asking = &nobody;
		cr_assert_eq(chmod(story.directory, 0711), 0);
	} else {
		cr_assert_eq(chmod(control_socket, 0), 0);
	}
	expect(WARNING, "control-denied", text("%s is for its owner alone", control_socket),
		"control_group");
	asking = NULL;
	story_stop(&story);
}

Test(doctor, another_program_has_the_port)
{
	char name[32] = "";
	int port, fd = listener_open(&port);
	FILE *comm = fopen("/proc/self/comm", "re");
	cr_assert(fd >= 0 && comm && fgets(name, sizeof name, comm));
	fclose(comm);
	name[strcspn(name, "\n")] = '\0';
	setup.listen = text("127.0.0.1:%d", port);
	write_config();
	expect(BROKEN, "port-taken", text("%s (process %d of the user ", name, (int)getpid()),
		"choose another port with the setting listen");
	close(fd);
	expect(BROKEN, "daemon-down", "the daemon is not running", "tollgate serve");
}

Test(doctor, another_daemon_has_the_port)
{
	setup.listen = text("127.0.0.1:%d", port_reserve());
	serve(NULL);
	setup.state = "elsewhere";
	write_config();
	expect(BROKEN, "port-taken",
		text("another daemon of Tollgate (process %d", (int)story.daemon.child.pid),
		"--socket");
	story_stop(&story);
}

static void serve_certificate(struct certificate_files *files, long ends_s)
{
	certificate_make(files, "localhost", ends_s);
	setup.further = text("\"tls\": { \"certificate_file\": \"%s\", \"key_file\": \"%s\" },",
		files->certificate_file, files->key_file);
	serve(NULL);
}

Test(doctor, the_listeners_certificate_ends_soon)
{
	struct certificate_files files;
	serve_certificate(&files, 3 * DAY_S + DAY_S / 2);
	expect(WARNING, "own-certificate-ends", "in 3 days", "tls.certificate_file");
	/* What is shown counts, not what could be read. */
	certificate_renew(&files, "localhost", 100 * DAY_S);
	expect(WARNING, "own-certificate-ends", "in 3 days", "SIGHUP");
	child_signal(&story.daemon.child, SIGHUP);
	story_expect_log(&story, "event=reloaded");
	expect_nothing();
	story_stop(&story);
	certificate_remove(&files);
}

Test(doctor, the_listeners_certificate_has_ended)
{
	struct certificate_files files;
	serve_certificate(&files, -DAY_S);
	expect(BROKEN, "own-certificate-ended", "the certificate ended on ", "SIGHUP");
	story_stop(&story);
	certificate_remove(&files);
}

/* ---- the configuration ---- */

Test(doctor, the_configuration_has_a_mistake)
{
	setup.further = "\n\"spol\": 1,";
	write_config();
	expect(BROKEN, "configuration",
		text("%s:2: spol is no setting; the nearest is spool", path_of("own.json")),
		"tollgate config --check");
}

Test(doctor, the_configuration_is_not_there)
{
	write_config();
	cr_assert_eq(unlink(path_of("own.json")), 0);
	expect(BROKEN, "configuration", "cannot be read: No such file", "tollgate config --check");
}

Test(doctor, a_running_daemons_configuration_was_damaged)
{
	serve(NULL);
	expect_nothing();
	write_file("own.json", 0600, "{ \"listen\" ");
	expect(BROKEN, "configuration", "no valid JSON", "tollgate config --check");
	story_stop(&story);
}

Test(doctor, a_start_would_stumble_over_what_is_no_mistake_by_itself)
{
	setup.further = text("\"access\": { \"keys_file\": \"%s\" },", path_of("keys"));
	write_config();
	write_file("keys", 0600, "# nothing yet\nci not-a-hash\n");
	expect(BROKEN, "configuration", text("%s:2: a line must be a name", path_of("keys")),
		"tollgate config --check");
}

/* ---- keys ---- */

static const char *about_secret(const char *what)
{
	return text("destinations.langfuse.secret_key_file names %s, which %s", path_of("secret"),
		what);
}

Test(doctor, a_key_file_is_missing)
{
	write_config();
	cr_assert_eq(unlink(path_of("secret")), 0);
	expect(BROKEN, "key-file-missing", about_secret("is not there"), "chmod 600");
}

Test(doctor, a_running_daemons_key_file_is_missing)
{
	serve(NULL);
	cr_assert_eq(unlink(path_of("secret")), 0);
	expect(BROKEN, "key-file-missing", about_secret("is not there"), "chmod 600");
	story_stop(&story);
}

Test(doctor, a_key_file_is_empty)
{
	write_config();
	write_file("secret", 0600, "\n");
	expect(BROKEN, "key-file-empty", about_secret("is empty"), "Write the key");
}

Test(doctor, everyone_can_read_a_key_file)
{
	write_config();
	write_file("secret", 0644, STORY_SECRET_KEY);
	expect(BROKEN, "key-file-open", about_secret("everyone on this machine can read"),
		text("chmod o= %s", path_of("secret")));
}

Test(doctor, everyone_can_read_the_listeners_key)
{
	struct certificate_files files;
	certificate_make(&files, "localhost", 100 * DAY_S);
	setup.further = text("\"tls\": { \"certificate_file\": \"%s\", \"key_file\": \"%s\" },",
		files.certificate_file, files.key_file);
	write_config();
	cr_assert_eq(chmod(files.key_file, 0604), 0);
	expect(BROKEN, "key-file-open", text("tls.key_file names %s", files.key_file),
		text("chmod o= %s", files.key_file));
	certificate_remove(&files);
}

Test(doctor, a_key_file_ends_with_a_newline)
{
	write_file("secret", 0600, STORY_SECRET_KEY "\n");
	serve(NULL);
	expect(NOTE, "key-file-newline", about_secret("ends with a newline"), "printf %s KEY");
	story_stop(&story);
}

Test(doctor, public_and_secret_key_are_exchanged)
{
	setup.keys = "\"public_key\": \"sk-lf-story\", \"secret_key\": \"pk-lf-story\"";
	serve(NULL);
	expect(BROKEN, "keys-swapped",
		"destinations.langfuse: public_key and secret_key are exchanged",
		"secret_key with sk-lf-");
	story_stop(&story);
}

Test(doctor, the_secret_key_stands_in_the_public_ones_place)
{
	setup.keys =
		text("\"public_key\": \"sk-lf-a\", \"secret_key_file\": \"%s\"", path_of("secret"));
	serve(NULL);
	expect(BROKEN, "keys-swapped", "public_key begins with sk-lf-", "pk-lf-");
	story_stop(&story);
}

Test(doctor, keys_that_only_the_service_sees_are_no_trouble)
{
	setup.keys = "\"public_key_file\": \"$CREDENTIALS_DIRECTORY/langfuse-public-key\","
		     "\"secret_key_file\": \"$CREDENTIALS_DIRECTORY/langfuse-secret-key\"";
	write_file("langfuse-public-key", 0600, STORY_PUBLIC_KEY);
	write_file("langfuse-secret-key", 0600, STORY_SECRET_KEY);
	serve((const char *const[]){ text("CREDENTIALS_DIRECTORY=%s", story.directory), NULL });
	expect_nothing();
	story_stop(&story);
	expect(BROKEN, "daemon-down", "the daemon is not running", "systemctl start tollgate");
}

/* Any group with a name that is nobody's here by its number. */
static const struct group *some_group(void)
{
	struct group *found;
	setgrent();
	while ((found = getgrent()) && !found->gr_gid)
		;
	return found;
}

Test(doctor, who_may_ask_a_daemon_but_not_read_its_keys_is_told_of_no_trouble)
{
	const struct group *group = geteuid() == 0 ? some_group() : NULL;
	if (!group) {
		end();
		cr_skip_test("only root can be another user");
	}
	const struct identity member = { ID_OF_NOBODY, ID_OF_NOBODY, group->gr_gid };
	cr_assert_eq(chmod(story.directory, 0711), 0);
	setup.further =
		text("\"control_group\": \"%s\", \"control_socket\": \"%s/run/control.sock\",",
			group->gr_name, story.directory);
	serve(NULL);
	snprintf(control_socket, sizeof control_socket, "%s/run/control.sock", story.directory);
	asking = &member;
	expect_nothing();
	/* It may see the file, but not the keys that it names. */
	cr_assert_eq(chmod(path_of("own.json"), 0644), 0);
	expect_nothing();
	story_stop(&story);
	expect(BROKEN, "key-file-missing", about_secret("you may not read"), "sudo -u USER");
	asking = NULL;
}

/* ---- the disk ---- */

Test(doctor, the_state_directory_cannot_be_made)
{
	write_file("file", 0600, "");
	setup.state = "file/state";
	write_config();
	expect(BROKEN, "state-not-writable", "cannot be made or written: Not a directory",
		"state_directory");
}

Test(doctor, the_disk_is_as_full_as_it_may_be)
{
	setup.further = "\"spool\": { \"min_free_bytes\": \"1024TiB\" },";
	serve(NULL);
	for (int i = 0; i < ANSWER_TRIES && story_get(&story, "/readyz", NULL) != 503; i++)
		usleep(100000);
	expect(BROKEN, "disk-floor", "doors close below 1073741824 MiB", "Make room");
	story_stop(&story);
}

Test(doctor, the_disk_fails)
{
	if (IS_SANITIZED) {
		end();
		cr_skip_test("the failing disk is preloaded; a sanitizer wants to be first");
	}
	char *build = realpath(getenv("builddir") ? getenv("builddir") : ".", NULL);
	serve((const char *const[]){ text("LD_PRELOAD=%s/tests/faults/failing_disk.so", build),
		text("FAILING_DISK=%s", path_of("failure")), NULL });
	free(build);
	story_post_spans(&story, 0, 5);
	expect_nothing();
	write_file("failure", 0600, "sync 5\n");
	struct bytes request = one_span("lost", (const char *const[]){ NULL });
	cr_expect_eq(story_post(&story, request).status, 503);
	expect(BROKEN, "disk-fails", "the last write failed", "dmesg");
	cr_assert_eq(unlink(path_of("failure")), 0);
	for (int i = 0; i < ANSWER_TRIES && story_post(&story, request).status != 200; i++)
		usleep(100000);
	expect_nothing();
	free((void *)request.at);
	story_stop(&story);
}

/* ---- prices ---- */

Test(doctor, the_price_table_is_old)
{
	write_prices(100 * DAY_S);
	serve(NULL);
	expect(WARNING, "prices-old", ", 100 days ago", "pricing.file");
	story_stop(&story);
}

static void post_call(const char *model)
{
	struct bytes request = one_span("chat",
		(const char *const[]){ "gen_ai.operation.name=chat",
			text("gen_ai.request.model=%s", model), "gen_ai.usage.input_tokens:=100",
			NULL });
	cr_assert_eq(story_post(&story, request).status, 200);
	free((void *)request.at);
}

Test(doctor, calls_of_a_model_got_no_cost)
{
	serve(NULL);
	post_call(KNOWN_MODEL);
	expect_nothing();
	post_call("nobody-knows");
	expect(WARNING, "unknown-models", "1 call got no cost, of 1 model: nobody-knows",
		"tollgate prices list --unknown");
	story_stop(&story);
}

/* ---- for people ---- */

Test(doctor, the_first_broken_hop_is_the_first_line)
{
	char *said;
	write_config();
	write_prices(100 * DAY_S);
	cr_expect_eq(examine("--offline", &said), BROKEN);
	const char *wanted = "First broken hop: door (daemon-down)\n\n  tool         ok\n"
			     "  door         daemon-down\n  daemon       ok\n  disk         ok\n"
			     "  prices       prices-old\n  destination  ok\n\n"
			     "broken: daemon-down: http://127.0.0.1:0\n  What   the daemon is not "
			     "running (there is no";
	cr_expect_eq(strncmp(said, wanted, strlen(wanted)), 0, "%s", said);
	cr_expect(strstr(said,
			  "\n  Mend   tollgate serve, or as a service: systemctl start tollgate\n"
			  "\nwarning: prices-old: prices\n"),
		"%s", said);
	free(said);
}
