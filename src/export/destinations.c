#include "export/destination.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX_BYTES = 4096 };

static const struct destination *const destinations[] = {
	[DESTINATION_LANGFUSE] = &destination_langfuse,
	[DESTINATION_OTLP] = &destination_otlp,
};

const struct destination *destination_of(enum destination_type type)
{
	return destinations[type];
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool destination_same_address(
	const struct destination_config *a, const struct destination_config *b)
{
	return a->type == b->type && a->signals == b->signals &&
		same_text(a->endpoint, b->endpoint) &&
		same_text(a->traces_endpoint, b->traces_endpoint) &&
		same_text(a->logs_endpoint, b->logs_endpoint) &&
		same_text(a->metrics_endpoint, b->metrics_endpoint) &&
		same_text(a->ca_file, b->ca_file);
}

bool destination_in_lane(const struct destination_config *config,
	const struct project_config *projects, size_t project_count, const char *lane,
	struct destination_config *ret_config)
{
	*ret_config = *config;
	if (config->type != DESTINATION_LANGFUSE || strcmp(lane, DEFAULT_LANE) == 0)
		return true;
	for (size_t i = 0; i < project_count; i++)
		if (strcmp(projects[i].name, lane) == 0) {
			ret_config->public_key = projects[i].public_key;
			ret_config->secret_key = projects[i].secret_key;
			return true;
		}
	return false;
}

static int make_url(const struct destination_config *config, enum signal signal, char **ret_url,
	struct complaint *complaint)
{
	char host[HTTP_HOST_MAX];
	uint16_t port;
	struct buf url;
	buf_init(&url, URL_MAX_BYTES, NULL);
	int error = destination_of(config->type)->write_url(config, signal, &url, complaint);
	buf_append(&url, "", 1);
	if (error)
		goto out;
	if (url.error == -E2BIG)
		error = complain(
			complaint, "destinations.%s: the endpoint is too long", config->name);
	else if (url.error)
		error = url.error;
	else if (http_url_read((char *)url.at, host, &port) < 0)
		/* Not quoted: a URL may hold a password. */
		error = complain(complaint,
			"destinations.%s: the endpoint is not an http:// or https:// URL "
			"without query; write one like \"http://localhost:4318\"",
			config->name);
	else
		*ret_url = strdup((char *)url.at);
	if (!error && !*ret_url)
		error = -ENOMEM;
out:
	buf_done(&url);
	return error;
}

static int add_common(struct http_headers *headers, enum signal signal, enum encoding encoding)
{
	/* Events are sent as they are made of what is stored, which is never compressed. */
	bool is_json = signal == SIGNAL_INGESTION;
	int error = http_headers_add(
		headers, "Content-Type", is_json ? "application/json" : "application/x-protobuf");
	if (!error && encoding == ENCODING_GZIP && !is_json)
		error = http_headers_add(headers, "Content-Encoding", "gzip");
	/* Seen again at our own door it is answered 508. */
	return error ? error : http_headers_add(headers, "Via", "1.1 tollgate");
}

static int make_headers(const struct destination_config *config, enum signal signal,
	enum encoding encoding, struct http_headers **ret_headers, struct complaint *complaint)
{
	const struct destination *destination = destination_of(config->type);
	struct http_headers *headers = http_headers_new();
	int error = headers ? add_common(headers, signal, encoding) : -ENOMEM;
	if (!error && destination->add_headers)
		error = destination->add_headers(config, headers, complaint);
	for (size_t i = 0; i < config->header_count && !error; i++) {
		error = http_headers_add(
			headers, config->headers[i].name, config->headers[i].value);
		if (error == -EINVAL)
			complain(complaint,
				"destinations.%s: header %zu has a name with blanks or colons, or a "
				"value with control characters",
				config->name, i + 1);
	}
	if (error) {
		http_headers_free(headers);
		return error;
	}
	*ret_headers = headers;
	return 0;
}

int endpoints_init(struct endpoint endpoints[SIGNAL_COUNT], const struct destination_config *config,
	struct complaint *complaint)
{
	memset(endpoints, 0, SIGNAL_COUNT * sizeof *endpoints);
	for (int signal = SIGNAL_TRACES; signal < SIGNAL_COUNT; signal++) {
		struct endpoint *endpoint = &endpoints[signal];
		if (signal != SIGNAL_INGESTION &&
			!(config->signals & signal_bit((enum signal)signal)))
			continue;
		int error = make_url(config, (enum signal)signal, &endpoint->url, complaint);
		if (error == -ENOENT)
			continue;
		if (!error)
			error = make_headers(config, (enum signal)signal, ENCODING_IDENTITY,
				&endpoint->headers[ENCODING_IDENTITY], complaint);
		if (!error)
			error = make_headers(config, (enum signal)signal, ENCODING_GZIP,
				&endpoint->headers[ENCODING_GZIP], complaint);
		if (error) {
			endpoints_done(endpoints);
			return error;
		}
	}
	return 0;
}

void endpoints_done(struct endpoint endpoints[SIGNAL_COUNT])
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		free(endpoints[i].url);
		http_headers_free(endpoints[i].headers[ENCODING_IDENTITY]);
		http_headers_free(endpoints[i].headers[ENCODING_GZIP]);
	}
	memset(endpoints, 0, SIGNAL_COUNT * sizeof *endpoints);
}
