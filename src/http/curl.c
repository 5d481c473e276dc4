#include <config.h> /* asprintf */

#include "http/curl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MAX_MS = 60000 }; /* curl counts in int */

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* The hosts to reach directly: the environment's, and loopback whatever the environment says. */
static char *list_direct_hosts(void)
{
	const char *given = getenv("no_proxy");
	if (!given)
		given = getenv("NO_PROXY");
	if (given && strcmp(given, "*") == 0)
		return strdup(given);
	char *list;
	int len = asprintf(
		&list, "%s%slocalhost,127.0.0.0/8,::1", given ? given : "", given ? "," : "");
	return len < 0 ? NULL : list;
}

int http_connections_init(struct http_connections *connections, const char *ca_file, unsigned limit,
	uint64_t connect_timeout_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_curl);

	*connections = (struct http_connections){
		.multi = curl_multi_init(),
		.no_proxy = list_direct_hosts(),
		.ca_file = ca_file,
		.connect_timeout_ms = connect_timeout_ms,
	};
	if (!connections->multi || !connections->no_proxy)
		return -ENOMEM;
	curl_multi_setopt(connections->multi, CURLMOPT_MAXCONNECTS, (long)limit);
	return 0;
}

void http_connections_done(struct http_connections *connections)
{
	curl_multi_cleanup(connections->multi);
	free(connections->no_proxy);
}

CURL *http_connections_request(const struct http_connections *connections, void *owner)
{
	CURL *easy = curl_easy_init();
	if (!easy)
		return NULL;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connections->connect_timeout_ms);
	CURLcode code = curl_easy_setopt(easy, CURLOPT_NOPROXY, connections->no_proxy);
	if (code == CURLE_OK && connections->ca_file)
		code = curl_easy_setopt(easy, CURLOPT_CAINFO, connections->ca_file);
	if (code == CURLE_OK)
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}

void http_connections_run(struct http_connections *connections, uint64_t wait_ms, int fd)
{
	struct curl_waitfd also = { .fd = fd, .events = CURL_WAIT_POLLIN };
	int running;
	curl_multi_poll(connections->multi, &also, fd >= 0 ? 1 : 0,
		(int)(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS), NULL);
	curl_multi_perform(connections->multi, &running);
}

CURL *http_connections_ended(
	struct http_connections *connections, void **ret_owner, CURLcode *ret_code)
{
	int left;
	CURLMsg *message = curl_multi_info_read(connections->multi, &left);
	if (!message)
		return NULL;
	CURL *easy = message->easy_handle;
	*ret_code = message->data.result;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)ret_owner);
	curl_multi_remove_handle(connections->multi, easy);
	return easy;
}

enum http_outcome http_outcome_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_LATE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return HTTP_UNTRUSTED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return HTTP_UNUSABLE;
	default:
		return HTTP_FAILED;
	}
}

bool http_is_token(const char *text)
{
	static const char token[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return *text && !text[strspn(text, token)];
}
