#include "cli/control.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/commands.h"
#include "cli/control_socket.h"
#include "http/unix_socket.h"

enum {
	ANSWER_MAX_BYTES = 64 << 20, /* the daemon sends no more */
	ANSWER_TIMEOUT_MS = 120 * 1000,
};

struct asking {
	struct unix_place daemon;
	long timeout_ms;
	struct buf url;
	struct buf body;
};

static size_t keep(char *data, size_t size, size_t count, void *arg)
{
	struct asking *asking = arg;
	buf_append(&asking->body, data, size * count);
	return asking->body.error ? 0 : size * count;
}

static CURLcode perform(
	CURL *curl, struct asking *asking, const char *method, const char *path, long *ret_status)
{
	if (!curl)
		return CURLE_FAILED_INIT;
	buf_printf(&asking->url, "http://tollgate%s", path);
	buf_append(&asking->url, "", 1);
	if (asking->url.error)
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(curl, CURLOPT_URL, asking->url.at);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, asking->daemon.address.sun_path);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, asking->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, asking);
	CURLcode result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	return result;
}

static int complain_of(CURLcode result)
{
	if (result == CURLE_OPERATION_TIMEDOUT)
		fprintf(stderr, "tollgate: the daemon did not answer within %d s\n",
			ANSWER_TIMEOUT_MS / 1000);
	else if (result == CURLE_WRITE_ERROR)
		fprintf(stderr, "tollgate: the daemon's answer is larger than %d MiB\n",
			ANSWER_MAX_BYTES >> 20);
	else
		fprintf(stderr,
			"tollgate: the daemon hung up without an answer (%s); is it stopping?\n",
			curl_easy_strerror(result));
	return EXIT_FAILED;
}

/* Words may be a sender's: a terminal shall not obey them. */
static void print_line(const char *text)
{
	fprintf(stderr, "tollgate: ");
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, stderr);
	fputc('\n', stderr);
}

static int read_answer(long status, struct bytes body, json_t **ret_answer)
{
	json_t *answer = json_loadb((const char *)body.at, body.len, 0, NULL);
	const char *why = json_string_value(json_object_get(answer, "error"));
	if (status == 200 && answer) {
		*ret_answer = answer;
		return EXIT_DONE;
	}
	if (why)
		print_line(why);
	else
		fprintf(stderr, "tollgate: the daemon's answer cannot be read (HTTP status %ld)\n",
			status);
	json_decref(answer);
	return status == 400 ? EXIT_USAGE : EXIT_FAILED;
}

static CURLcode ask(struct asking *asking, const char *method, const char *path, long *ret_status)
{
	CURL *curl = curl_easy_init();
	buf_init(&asking->url, SIZE_MAX, NULL);
	buf_init(&asking->body, ANSWER_MAX_BYTES, NULL);
	CURLcode result = perform(curl, asking, method, path, ret_status);
	curl_easy_cleanup(curl);
	buf_done(&asking->url);
	return result;
}

int control_ask(const char *socket, const char *method, const char *path, json_t **ret_answer)
{
	struct asking asking = { .timeout_ms = ANSWER_TIMEOUT_MS };
	long status = 0;
	if (!*path) {
		fprintf(stderr, "tollgate: the question is too long for the daemon\n");
		return EXIT_USAGE;
	}
	if (control_socket_open(socket, &asking.daemon) < 0)
		return EXIT_FAILED;
	CURLcode result = ask(&asking, method, path, &status);
	int exit_status = result == CURLE_OK ?
		read_answer(status, buf_bytes(&asking.body), ret_answer) :
		complain_of(result);
	unix_place_close(&asking.daemon);
	buf_done(&asking.body);
	return exit_status;
}

int control_look(
	const struct unix_place *daemon, const char *path, long timeout_ms, json_t **ret_answer)
{
	struct asking asking = { .daemon = *daemon, .timeout_ms = timeout_ms };
	long status = 0;
	CURLcode result = ask(&asking, "GET", path, &status);
	json_t *answer = result == CURLE_OK && status == 200 ?
		json_loadb((const char *)asking.body.at, asking.body.len, 0, NULL) :
		NULL;
	buf_done(&asking.body);
	if (answer)
		*ret_answer = answer;
	return answer                               ? 0 :
		result == CURLE_OPERATION_TIMEDOUT  ? -ETIMEDOUT :
		result == CURLE_OK && status == 404 ? -ENOENT :
						      -EIO;
}

void control_argument(char *path, size_t size, const char *name, const char *value)
{
	if (!value || !*path)
		return;
	char *escaped = curl_easy_escape(NULL, value, 0);
	size_t len = strlen(path), room = size - len;
	int wanted = escaped ? snprintf(path + len, room, "%c%s=%s", strchr(path, '?') ? '&' : '?',
				       name, escaped) :
			       -1;
	if (wanted < 0 || (size_t)wanted >= room)
		*path = '\0';
	curl_free(escaped);
}
