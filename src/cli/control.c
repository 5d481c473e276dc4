#include "cli/control.h"

#include <curl/curl.h>
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
	buf_printf(&asking->url, "http://tollgate%s", path);
	buf_append(&asking->url, "", 1);
	if (asking->url.error)
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(curl, CURLOPT_URL, asking->url.at);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, asking->daemon.address.sun_path);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_TIMEOUT_MS);
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

static int ask(struct asking *asking, const char *method, const char *path, json_t **ret_answer)
{
	long status = 0;
	CURL *curl = curl_easy_init();
	CURLcode result = curl ? perform(curl, asking, method, path, &status) : CURLE_FAILED_INIT;
	curl_easy_cleanup(curl);
	return result == CURLE_OK ? read_answer(status, buf_bytes(&asking->body), ret_answer) :
				    complain_of(result);
}

int control_ask(const char *socket, const char *method, const char *path, json_t **ret_answer)
{
	struct asking asking = { 0 };
	if (!*path) {
		fprintf(stderr, "tollgate: the question is too long for the daemon\n");
		return EXIT_USAGE;
	}
	if (control_socket_open(socket, &asking.daemon) < 0)
		return EXIT_FAILED;
	buf_init(&asking.url, SIZE_MAX, NULL);
	buf_init(&asking.body, ANSWER_MAX_BYTES, NULL);
	int exit_status = ask(&asking, method, path, ret_answer);
	unix_place_close(&asking.daemon);
	buf_done(&asking.url);
	buf_done(&asking.body);
	return exit_status;
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
