#include "cli/control.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/commands.h"

enum {
	ANSWER_MAX_BYTES = 256 << 20,
	CONNECT_TIMEOUT_MS = 5000,
	ANSWER_TIMEOUT_MS = 120 * 1000,
	PATH_TEXT_MAX = 4096,
};

static const char service_socket[] = "/run/tollgate/control.sock";

/* The socket of a daemon that this person runs, else that of the service. */
static const char *find_socket(char path[PATH_TEXT_MAX])
{
	const char *given = getenv("TOLLGATE_CONTROL_SOCKET"), *xdg = getenv("XDG_STATE_HOME"),
		   *home = getenv("HOME"), *state = getenv("TOLLGATE_STATE_DIRECTORY");
	if (given && *given)
		return given;
	if (state && *state)
		snprintf(path, PATH_TEXT_MAX, "%s/control.sock", state);
	else if (xdg && *xdg == '/')
		snprintf(path, PATH_TEXT_MAX, "%s/tollgate/control.sock", xdg);
	else
		snprintf(path, PATH_TEXT_MAX, "%s/.local/state/tollgate/control.sock",
			home ? home : "");
	return access(path, F_OK) == 0 || access(service_socket, F_OK) < 0 ? path : service_socket;
}

static size_t keep(char *data, size_t size, size_t count, void *answer)
{
	struct buf *kept = answer;
	buf_append(kept, data, size * count);
	return kept->error ? 0 : size * count;
}

static int complain_of(const char *socket, CURLcode result)
{
	if (access(socket, F_OK) < 0 && errno != EACCES)
		fprintf(stderr,
			"tollgate: the daemon is not running (no %s); start it with tollgate serve\n",
			socket);
	else if (access(socket, W_OK) < 0)
		fprintf(stderr, "tollgate: %s is not for you: become a member of its group\n",
			socket);
	else
		fprintf(stderr, "tollgate: the daemon does not answer at %s: %s\n", socket,
			curl_easy_strerror(result));
	return EXIT_FAILED;
}

static int read_answer(long status, struct bytes body, json_t **ret_answer)
{
	json_error_t error;
	json_t *answer = json_loadb((const char *)body.at, body.len, 0, &error);
	const char *why = json_string_value(json_object_get(answer, "error"));
	if (status == 200 && answer) {
		*ret_answer = answer;
		return EXIT_DONE;
	}
	fprintf(stderr, "tollgate: %s\n", why ? why : "the daemon's answer cannot be read");
	json_decref(answer);
	return status == 400 ? EXIT_USAGE : EXIT_FAILED;
}

int control_ask(const char *socket, const char *method, const char *path, json_t **ret_answer)
{
	char found[PATH_TEXT_MAX], url[PATH_TEXT_MAX];
	struct buf body;
	buf_init(&body, ANSWER_MAX_BYTES, NULL);
	socket = socket ? socket : find_socket(found);
	snprintf(url, sizeof url, "http://tollgate%s", path);
	CURL *curl = curl_easy_init();
	if (!curl) {
		fprintf(stderr, "tollgate: no memory\n");
		return EXIT_FAILED;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	CURLcode result = curl_easy_perform(curl);
	long status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	int exit_status = result == CURLE_OK ? read_answer(status, buf_bytes(&body), ret_answer) :
					       complain_of(socket, result);
	curl_easy_cleanup(curl);
	buf_done(&body);
	return exit_status;
}

void control_argument(char *path, size_t size, const char *name, const char *value)
{
	char *escaped = value ? curl_easy_escape(NULL, value, 0) : NULL;
	size_t len = strlen(path);
	if (escaped && len < size)
		snprintf(path + len, size - len, "%c%s=%s", strchr(path, '?') ? '&' : '?', name,
			escaped);
	curl_free(escaped);
}
