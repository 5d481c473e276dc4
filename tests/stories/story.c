#include "stories/story.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 16, MAX_SETTINGS = 32, CONFIG_BYTES = 2048, BODY_MAX_BYTES = 1 << 20 };

/* What only the file can say: how fast it retries, so that a story takes no minutes. */
void story_configure(const struct story *story)
{
	char path[SCRATCH_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/config.json", story->directory);
	FILE *file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert_eq(fchmod(fileno(file), 0600), 0);
	fprintf(file,
		"{ %s \"listen\": \"127.0.0.1:0\", \"state_directory\": \"%s/state\",\n"
		"  \"shutdown_timeout_ms\": 2000, \"sessions\": { \"enabled\": %s,\n"
		"    \"join_wait_ms\": 200 },\n"
		"  \"destinations\": {\n"
		"    \"langfuse\": { %s \"type\": \"langfuse\", \"endpoint\": \"%s\", \"public_key\": \"%s\",\n"
		"      \"secret_key\": \"%s\", \"batch_timeout_ms\": 10, \"retry_initial_ms\": 20,\n"
		"      \"retry_max_ms\": 200 },\n"
		"    \"tempo\": { \"type\": \"otlp\", \"endpoint\": \"%s\", \"enabled\": %s,\n"
		"      \"signals\": %s, \"batch_timeout_ms\": 10,\n"
		"      \"retry_initial_ms\": 20, \"retry_max_ms\": 200 } } }\n",
		story->further ? story->further : "", story->directory,
		story->is_sessions_off ? "false" : "true",
		story->langfuse_further ? story->langfuse_further : "",
		story->front ? fake_langfuse_url(story->front) :
			       fake_destination_url(story->langfuse),
		STORY_PUBLIC_KEY, STORY_SECRET_KEY, fake_destination_url(story->tempo),
		story->is_tempo_off ? "false" : "true",
		story->tempo_signals ? story->tempo_signals : "[\"traces\"]");
	cr_assert_eq(fclose(file), 0);
}

void story_begin(struct story *story)
{
	*story = (struct story){ 0 };
	cr_assert_eq(scratch_make(story->directory), 0);
	story->langfuse = fake_destination_start(0);
	story->tempo = fake_destination_start(0);
	fake_destination_rule(story->langfuse, fake_langfuse, STORY_AUTHORIZATION);
}

void story_end(struct story *story)
{
	daemon_kill(&story->daemon);
	fake_langfuse_stop(story->front);
	fake_destination_stop(story->langfuse);
	fake_destination_stop(story->tempo);
	scratch_remove(story->directory);
}

/* Calls back with what it takes to start the daemon of this story. */
static int with_start(struct story *story, const char *const *settings,
	int (*call)(struct daemon *daemon, const struct daemon_start *start))
{
	static const char *const none[] = { NULL };
	char config[SCRATCH_PATH_MAX + 16];
	const char *arguments[MAX_ARGUMENTS + 5];
	size_t n = 0;
	snprintf(config, sizeof(config), "%s/config.json", story->directory);
	story_configure(story);
	for (const char *const *own = story->launcher; own && *own && n < MAX_ARGUMENTS; own++)
		arguments[n++] = *own;
	arguments[n++] = daemon_program();
	arguments[n++] = "serve";
	arguments[n++] = "--config";
	arguments[n++] = config;
	arguments[n] = NULL;
	return call(&story->daemon,
		&(struct daemon_start){
			.arguments = arguments,
			.environment = settings ? settings : none,
			.directory = story->directory,
			.socket = story->socket,
		});
}

void story_start(struct story *story, const char *const *settings)
{
	int error = with_start(story, settings, daemon_start);
	if (error < 0) {
		char *log = daemon_log(&story->daemon);
		cr_assert_fail("the daemon does not listen: %s\n%s", strerror(-error), log);
	}
}

int story_start_refused(struct story *story, const char *const *settings)
{
	cr_assert_eq(with_start(story, settings, daemon_spawn), 0);
	return child_wait(&story->daemon.child, DAEMON_START_MS);
}

void story_stop(struct story *story)
{
	int status = daemon_stop(&story->daemon);
	if (status != 0) {
		char *log = daemon_log(&story->daemon);
		cr_assert_fail("the daemon ended with %d\n%s", status, log);
	}
}

static size_t ignore_body(void *from, size_t size, size_t count, void *arg)
{
	return size * count;
}

static size_t read_header(void *from, size_t size, size_t count, void *arg)
{
	struct story_answer *answer = arg;
	char line[256];
	size_t len = size * count < sizeof(line) ? size * count : sizeof(line) - 1;
	memcpy(line, from, len);
	line[len] = '\0';
	if (strncasecmp(line, "Retry-After:", 12) == 0)
		answer->retry_after_s = strtol(line + 12, NULL, 10);
	if (strncasecmp(line, "Content-Type: ", 14) == 0)
		snprintf(answer->content_type, sizeof(answer->content_type), "%.*s",
			(int)strcspn(line + 14, "\r\n"), line + 14);
	return size * count;
}

static struct curl_slist *append_header(
	struct curl_slist *headers, const char *name, const char *value)
{
	char line[256];
	snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(headers, line);
}

struct story_answer story_send(const struct story *story, const char *path,
	const char *content_type, const char *coding, struct bytes body)
{
	struct story_answer answer = { .retry_after_s = -1 };
	char url[128];
	long status = 0;
	snprintf(url, sizeof(url), "http%s://127.0.0.1:%d%s", story->ca_file ? "s" : "",
		story->daemon.port, path);
	struct curl_slist *headers = append_header(NULL, "Content-Type", content_type);
	headers = curl_slist_append(headers, "Expect:");
	if (coding)
		headers = append_header(headers, "Content-Encoding", coding);
	if (story->authorization)
		headers = append_header(headers, "Authorization", story->authorization);
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (story->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, story->ca_file);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.at ? (const char *)body.at : "");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STORY_PATIENCE_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (int)status;
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return answer;
}

static size_t keep_body(void *from, size_t size, size_t count, void *body)
{
	buf_append(body, from, size * count);
	return size * count;
}

int story_get(const struct story *story, const char *path, char **ret_body)
{
	char url[128];
	long status = 0;
	struct buf body;
	buf_init(&body, BODY_MAX_BYTES, NULL);
	snprintf(url, sizeof(url), "http%s://127.0.0.1:%d%s", story->ca_file ? "s" : "",
		story->daemon.port, path);
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (story->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, story->ca_file);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)STORY_PATIENCE_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	buf_append(&body, "", 1);
	cr_assert_eq(body.error, 0);
	if (ret_body)
		*ret_body = strdup((const char *)body.at);
	buf_done(&body);
	return (int)status;
}

struct story_answer story_post(const struct story *story, struct bytes request)
{
	return story_send(story, "/v1/traces", "application/x-protobuf", NULL, request);
}

void story_post_spans(const struct story *story, uint64_t first, unsigned spans)
{
	struct payload payload;
	cr_assert_eq(payload_init(&payload, PAYLOAD_TINY, first), 0);
	for (unsigned sent = 0; sent < spans; sent += payload.span_count) {
		payload_stamp(&payload, payload.request.at, first + sent);
		cr_assert_eq(story_post(story, buf_bytes(&payload.request)).status, 200);
	}
	payload_done(&payload);
}

size_t story_times(struct fake_destination *destination, uint64_t number)
{
	uint8_t id[8];
	span_number_to_id(number, id);
	return fake_destination_times(destination, id);
}

void story_expect_each_once(struct fake_destination *destination, uint64_t first, unsigned spans)
{
	/* Others may have arrived before: wait for these alone, as often as something comes. */
	for (size_t seen = 0;; seen = fake_destination_span_count(destination)) {
		unsigned missing = 0;
		for (unsigned i = 0; i < spans; i++)
			missing += story_times(destination, first + i) == 0;
		if (missing == 0)
			break;
		cr_assert(fake_destination_wait_spans(destination, seen + 1, STORY_PATIENCE_MS),
			"%u of %u spans are missing at %s", missing, spans,
			fake_destination_url(destination));
	}
	for (unsigned i = 0; i < spans; i++)
		cr_expect_eq(story_times(destination, first + i), 1, "span %llu arrived %zu times",
			(unsigned long long)first + i, story_times(destination, first + i));
}

void story_expect_log(struct story *story, const char *text)
{
	if (daemon_wait_log(&story->daemon, text, STORY_PATIENCE_MS, NULL) < 0) {
		char *log = daemon_log(&story->daemon);
		cr_expect_fail("the daemon never says '%s':\n%s", text, log);
		free(log);
	}
}

int story_command(const struct story *story, char **ret_said, ...)
{
	char state[SCRATCH_PATH_MAX + 48], directory[SCRATCH_PATH_MAX];
	const char *arguments[MAX_ARGUMENTS + 2] = { daemon_program() };
	struct daemon child;
	va_list list;
	va_start(list, ret_said);
	for (size_t i = 1; i <= MAX_ARGUMENTS && (arguments[i] = va_arg(list, const char *)); i++)
		;
	va_end(list);
	cr_assert_eq(scratch_make(directory), 0); /* for its log */
	snprintf(state, sizeof state, "TOLLGATE_STATE_DIRECTORY=%s/state", story->directory);
	struct daemon_start start = {
		.arguments = arguments,
		.environment = (const char *const[]){ state, "LC_ALL=C.UTF-8", "TZ=UTC", NULL },
		.directory = directory,
	};
	cr_assert_eq(daemon_spawn(&child, &start), 0);
	int status = child_wait(&child.child, DAEMON_START_MS);
	if (status == -ETIMEDOUT) {
		child_print_threads(&child.child);
		child_print_threads(&story->daemon.child);
		daemon_print_log(&story->daemon);
	}
	if (ret_said)
		*ret_said = daemon_log(&child);
	child_kill(&child.child);
	scratch_remove(directory);
	return status;
}

static bool is_named(const json_t *row, const char *name)
{
	const char *destination = json_string_value(json_object_get(row, "destination"));
	const char *lane = json_string_value(json_object_get(row, "lane"));
	bool is_default = strcmp(lane, "default") == 0;
	char own[160];
	snprintf(own, sizeof own, "%s%s%s", destination, is_default ? "" : "/",
		is_default ? "" : lane);
	return strcmp(own, name) == 0;
}

struct story_books story_verify(const struct story *story, const char *destination)
{
	struct story_books books = { 0 };
	char *said;
	size_t i;
	json_t *row;
	int status = story_command(story, &said, "verify", "--json", NULL);
	cr_assert_eq(status, 0, "verify ends with %d: %s", status, said);
	json_t *answer = json_loads(said, 0, NULL);
	cr_assert(answer, "%s", said);
	bool is_found = false;
	json_array_foreach(json_object_get(answer, "destinations"), i, row)
		if (is_named(row, destination))
			is_found = json_unpack(row, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
					   "accepted", &books.accepted, "delivered",
					   &books.delivered, "rejected", &books.rejected, "dead",
					   &books.dead, "dropped", &books.dropped, "damaged",
					   &books.damaged, "waiting", &books.waiting) == 0;
	cr_assert(is_found, "%s is not in %s", destination, said);
	json_decref(answer);
	free(said);
	return books;
}

struct story_books story_verify_sent(
	const struct story *story, const char *destination, int64_t waiting)
{
	enum { LOOK_MS = 100 };
	struct story_books books = story_verify(story, destination);
	for (unsigned ms = 0; books.waiting > waiting && ms < STORY_PATIENCE_MS; ms += LOOK_MS) {
		usleep(LOOK_MS * 1000);
		books = story_verify(story, destination);
	}
	cr_assert_leq(
		books.waiting, waiting, "%lld wait for %s", (long long)books.waiting, destination);
	return books;
}
