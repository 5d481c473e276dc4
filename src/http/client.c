#include <config.h> /* asprintf, the version */

#include "http/client.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/curl.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	SEND_BUFFER_BYTES =
		128 * 1024, /* measured: a third cheaper than 64 KB, and than 256 KB and more */
};

/* One curl handle with its answer; used again for the next request, which keeps its options. */
struct exchange {
	struct exchange *next_free, *next_made;
	CURL *easy;
	struct http_post post;
	struct http_headers *headers; /* of the request on its way; NULL: none is */
	size_t piece, offset;         /* how far the body is sent */
	struct buf body;
};

struct http_client {
	struct http_connections connections;
	uint64_t timeout_ms;
	struct exchange *free, *made;
	struct buf body; /* of the answer handed out last */
};

int http_client_new(const struct http_client_options *options, struct http_client **ret_client)
{
	struct http_client *client = calloc(1, sizeof *client);
	if (!client)
		return -ENOMEM;
	client->timeout_ms = options->timeout_ms;
	buf_init(&client->body, HTTP_ANSWER_MAX_BYTES, NULL);
	uint64_t connect_ms =
		options->timeout_ms < CONNECT_TIMEOUT_MS ? options->timeout_ms : CONNECT_TIMEOUT_MS;
	int error = http_connections_init(
		&client->connections, options->ca_file, options->connections, connect_ms);
	if (error)
		http_client_free(client);
	else
		*ret_client = client;
	return error;
}

void http_client_cancel(struct http_client *client)
{
	client->free = NULL;
	while (client->made) {
		struct exchange *exchange = client->made;
		client->made = exchange->next_made;
		curl_multi_remove_handle(client->connections.multi, exchange->easy);
		curl_easy_cleanup(exchange->easy);
		http_headers_free(exchange->headers);
		buf_done(&exchange->body);
		free(exchange);
	}
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	http_client_cancel(client);
	http_connections_done(&client->connections);
	buf_done(&client->body);
	free(client);
}

static size_t send_body(char *to, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	size_t room = size * count, sent = 0;
	while (sent < room && exchange->piece < exchange->post.piece_count) {
		const struct bytes *piece = &exchange->post.pieces[exchange->piece];
		size_t some = piece->len - exchange->offset;
		if (some > room - sent)
			some = room - sent;
		memcpy(to + sent, piece->at + exchange->offset, some);
		sent += some;
		exchange->offset += some;
		if (exchange->offset == piece->len) {
			exchange->piece++;
			exchange->offset = 0;
		}
	}
	return sent;
}

/* curl begins again by itself when a kept connection turns out to be closed. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct exchange *exchange = arg;
	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	exchange->piece = exchange->offset = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t keep_body(char *from, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	size_t bytes = size * count, room = HTTP_ANSWER_MAX_BYTES - exchange->body.len;
	buf_append(&exchange->body, from, bytes < room ? bytes : room);
	return bytes;
}

static struct exchange *make_exchange(struct http_client *client)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);
	CURL *easy = exchange ? http_connections_request(&client->connections, exchange) : NULL;
	if (!easy) {
		free(exchange);
		return NULL;
	}
	exchange->easy = easy;
	exchange->next_made = client->made;
	client->made = exchange;
	buf_init(&exchange->body, HTTP_ANSWER_MAX_BYTES, NULL);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "tollgate/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, send_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	return exchange;
}

static int start(struct http_client *client, const struct http_post *post, CURLoption method)
{
	struct exchange *exchange = client->free;
	if (exchange)
		client->free = exchange->next_free;
	else if (!(exchange = make_exchange(client)))
		return -ENOMEM;

	curl_off_t bytes = 0;
	for (size_t i = 0; i < post->piece_count; i++)
		bytes += (curl_off_t)post->pieces[i].len;
	exchange->post = *post;
	exchange->piece = exchange->offset = 0;
	exchange->body.len = 0;
	if (curl_easy_setopt(exchange->easy, method, 1L) != CURLE_OK ||
		curl_easy_setopt(exchange->easy, CURLOPT_URL, post->url) != CURLE_OK ||
		curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, post->headers->list) !=
			CURLE_OK ||
		curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, bytes) != CURLE_OK ||
		curl_multi_add_handle(client->connections.multi, exchange->easy) != CURLM_OK) {
		exchange->next_free = client->free;
		client->free = exchange;
		return -ENOMEM;
	}
	exchange->headers = post->headers;
	exchange->headers->holders++;
	return 0;
}

int http_client_post(struct http_client *client, const struct http_post *post)
{
	return start(client, post, CURLOPT_POST);
}

int http_client_get(
	struct http_client *client, const char *url, struct http_headers *headers, void *owner)
{
	const struct http_post get = { .url = url, .headers = headers, .owner = owner };
	return start(client, &get, CURLOPT_HTTPGET);
}

void http_client_run(struct http_client *client, uint64_t wait_ms)
{
	http_connections_run(&client->connections, wait_ms, -1);
}

/* What is wrong with a certificate, which curl says in the same words of all. */
static const char *distrust(CURL *easy)
{
	long why = X509_V_OK;
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &why);
	return why == X509_V_OK ? "the certificate is for another name" :
				  X509_verify_cert_error_string(why);
}

static const char *header_of(const struct exchange *exchange, const char *name)
{
	struct curl_header *header;
	bool is_there =
		curl_easy_header(exchange->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
	return is_there ? header->value : NULL;
}

static void read_answer(struct exchange *exchange, CURLcode code, struct http_answer *ret_answer)
{
	struct http_answer answer = { .outcome = HTTP_ANSWERED };
	long status = 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (int)status;
	/* A final status is the answer: what breaks behind it does not undo what the peer did. */
	if (status < 200) {
		answer.status = 0;
		answer.outcome = http_outcome_of(code);
		answer.error = answer.outcome == HTTP_UNTRUSTED ? distrust(exchange->easy) :
								  curl_easy_strerror(code);
	}
	const char *retry_after = header_of(exchange, "Retry-After");
	if (retry_after)
		snprintf(answer.retry_after, sizeof answer.retry_after, "%s", retry_after);
	const char *date = header_of(exchange, "Date");
	answer.date_s = date ? (int64_t)curl_getdate(date, NULL) : -1;
	*ret_answer = answer;
}

bool http_client_next(struct http_client *client, void **ret_owner, struct http_answer *ret_answer)
{
	void *owner;
	CURLcode code;
	if (!http_connections_ended(&client->connections, &owner, &code))
		return false;
	struct exchange *exchange = owner;
	read_answer(exchange, code, ret_answer);
	http_headers_free(exchange->headers);
	exchange->headers = NULL;

	/* The body stays here, so that its exchange is free at once. */
	struct buf body = client->body;
	client->body = exchange->body;
	exchange->body = body;
	ret_answer->body = buf_bytes(&client->body);
	*ret_owner = exchange->post.owner;
	exchange->next_free = client->free;
	client->free = exchange;
	return true;
}

void http_client_wake(struct http_client *client)
{
	curl_multi_wakeup(client->connections.multi);
}

struct http_headers *http_headers_new(void)
{
	struct http_headers *headers = calloc(1, sizeof *headers);
	/* Waiting for "100 Continue" costs a round trip, and a second where nobody answers it. */
	struct curl_slist *list = headers ? curl_slist_append(NULL, "Expect:") : NULL;
	if (!list) {
		free(headers);
		return NULL;
	}
	*headers = (struct http_headers){ list, 1 };
	return headers;
}

void http_headers_free(struct http_headers *headers)
{
	if (!headers || --headers->holders > 0)
		return;
	curl_slist_free_all(headers->list);
	free(headers);
}

int http_headers_add(struct http_headers *headers, const char *name, const char *value)
{
	if (!http_is_token(name))
		return -EINVAL;
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return -EINVAL;
	char *line;
	/* "Name;" is how curl is told of a header without a value. */
	if (asprintf(&line, *value ? "%s: %s" : "%s;", name, value) < 0)
		return -ENOMEM;
	struct curl_slist *list = curl_slist_append(headers->list, line);
	free(line);
	if (!list)
		return -ENOMEM;
	headers->list = list;
	return 0;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
	curl_free(text);
	return has;
}

int http_url_read(const char *text, char ret_host[HTTP_HOST_MAX], uint16_t *ret_port)
{
	/* curl would also take one slash, or three. */
	size_t prefix = strncasecmp(text, "https://", 8) == 0 ? 8 :
		strncasecmp(text, "http://", 7) == 0          ? 7 :
								0;
	if (prefix == 0 || text[prefix] == '/')
		return -EINVAL;
	char *host = NULL, *port = NULL;
	int error = -EINVAL;
	CURLU *url = curl_url();
	if (!url)
		return -ENOMEM;
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		goto out;
	if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		goto out;
	size_t len = strlen(host);
	bool is_bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	const char *name = is_bracketed ? host + 1 : host;
	len -= is_bracketed ? 2 : 0;
	if (len == 0 || len >= HTTP_HOST_MAX)
		goto out;
	memcpy(ret_host, name, len);
	ret_host[len] = '\0';
	*ret_port = (uint16_t)strtoul(port, NULL, 10);
	error = 0;
out:
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return error;
}
