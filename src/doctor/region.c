/* In which region of Langfuse Cloud a pair of keys is known: all others answer 401 to it, as if it were wrong. */
#include "doctor/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { REGION_URL_MAX = 256, WAIT_MS = 100 };

/* Nothing else that is sent to the destination goes to another address. */
static struct http_headers *make_headers(const struct destination_config *config)
{
	char *value;
	struct http_headers *headers = http_headers_new();
	if (!headers || langfuse_authorization(config->public_key, config->secret_key, &value) < 0)
		return headers;
	http_headers_add(headers, "Authorization", value);
	free(value);
	return headers;
}

static bool is_same_server(const char *a, const char *b)
{
	char hosts[2][HTTP_HOST_MAX];
	uint16_t ports[2];
	return http_url_read(a, hosts[0], &ports[0]) == 0 &&
		http_url_read(b, hosts[1], &ports[1]) == 0 && ports[0] == ports[1] &&
		strcasecmp(hosts[0], hosts[1]) == 0;
}

static bool is_among(const struct place *place, const char *const *regions)
{
	while (*regions && !is_same_server(place->server, *regions))
		regions++;
	return *regions;
}

/* All of them are asked at once; that of the place has answered already. */
static const char *ask(
	struct probes *probes, const char *const *regions, struct http_headers *headers)
{
	char urls[PROBES_MAX][REGION_URL_MAX];
	size_t count = 0;
	for (; count < PROBES_MAX && regions[count]; count++) {
		snprintf(urls[count], sizeof urls[count], "%s/api/public/projects", regions[count]);
		probes_get(probes, "a question", urls[count], headers);
	}
	while (probes_move(probes, WAIT_MS))
		;
	for (size_t i = 0; i < count; i++)
		if (probes->at[i].status == 200 && !probes->at[i].is_page)
			return regions[i];
	return NULL;
}

const char *region_find(const struct place *place, const char *const *regions)
{
	struct probes probes;
	if (!is_among(place, regions))
		return NULL;
	struct http_headers *headers = make_headers(&place->config);
	const char *found = NULL;
	if (probes_init(&probes, place->config.ca_file) == 0 && headers)
		found = ask(&probes, regions, headers);
	probes_done(&probes);
	http_headers_free(headers);
	return found;
}
