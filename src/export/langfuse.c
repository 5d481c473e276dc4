/* Langfuse: traces over OTLP and stored events, with a project's key pair (facts: langfuse 1, 4). */
#include "export/destination.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void strip_slashes(struct bytes *url)
{
	while (url->len > 0 && url->at[url->len - 1] == '/')
		url->len--;
}

static void strip_suffix(struct bytes *url, const char *suffix)
{
	size_t len = strlen(suffix);
	if (url->len >= len && memcmp(url->at + url->len - len, suffix, len) == 0)
		url->len -= len;
	strip_slashes(url);
}

/* People copy the base URL from four places, each with another part of the path on it. */
int langfuse_base_url(const struct destination_config *config, struct buf *url)
{
	const char *given = config->endpoint ? config->endpoint : config->traces_endpoint;
	if (!given)
		return -ENOENT;
	struct bytes base = bytes_of(given);
	strip_slashes(&base);
	strip_suffix(&base, "/v1/traces");
	strip_suffix(&base, "/api/public/otel");
	strip_suffix(&base, "/api/public");
	buf_append(url, base.at, base.len);
	return url->error;
}

static int write_url(const struct destination_config *config, enum signal signal, struct buf *url,
	struct complaint *complaint)
{
	static const char *const paths[SIGNAL_COUNT] = {
		[SIGNAL_TRACES] = "/api/public/otel/v1/traces",
		[SIGNAL_INGESTION] = "/api/public/ingestion",
	};
	if (!paths[signal])
		return -ENOENT;
	if (signal == SIGNAL_TRACES && config->traces_endpoint) {
		buf_text(url, config->traces_endpoint);
		return 0;
	}
	if (langfuse_base_url(config, url) == -ENOENT)
		return complain(complaint,
			"destinations.%s: endpoint is missing; for Langfuse Cloud write "
			"\"https://cloud.langfuse.com\"",
			config->name);
	buf_text(url, paths[signal]);
	return 0;
}

int langfuse_authorization(const char *public_key, const char *secret_key, char **ret_value)
{
	enum { PAIR_MAX = 1024 };
	char pair[PAIR_MAX], value[sizeof "Basic " + PAIR_MAX * 4 / 3 + 4] = "Basic ";
	int len = snprintf(pair, sizeof pair, "%s:%s", public_key, secret_key);
	if (len >= (int)sizeof pair)
		return -EINVAL;
	EVP_EncodeBlock((unsigned char *)value + strlen(value), (const unsigned char *)pair, len);
	char *copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	*ret_value = copy;
	return 0;
}

static int add_authorization(const struct destination_config *config, struct http_headers *headers)
{
	char *value;
	int error = langfuse_authorization(config->public_key, config->secret_key, &value);
	if (error)
		return error;
	error = http_headers_add(headers, "Authorization", value);
	free(value);
	return error;
}

static int add_headers(const struct destination_config *config, struct http_headers *headers,
	struct complaint *complaint)
{
	if (!config->public_key || !config->secret_key)
		return complain(complaint,
			"destinations.%s: public_key and secret_key are missing; Langfuse "
			"shows them under Settings, API keys",
			config->name);
	/* 4 stores rows at once; without it they take the old path and show ten minutes later. */
	int error = http_headers_add(headers, "x-langfuse-ingestion-version", "4");
	if (!error)
		error = add_authorization(config, headers);
	return error == -EINVAL ?
		complain(complaint, "destinations.%s: the keys are too long", config->name) :
		error;
}

const struct destination destination_langfuse = {
	.name = "langfuse",
	.shapes = SHAPE_ANY | SHAPE_LANGFUSE,
	.write_url = write_url,
	.add_headers = add_headers,
};
