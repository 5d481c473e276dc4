#include "doctor/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

enum { URL_MAX_BYTES = 4096 };

/* Scheme, host and port of a URL: whatever else stands in it may be a password. */
static void read_server(const char *url, char server[PLACE_SERVER_MAX])
{
	char host[HTTP_HOST_MAX], port_text[8] = "";
	uint16_t port;
	bool is_tls = strncasecmp(url, "https", 5) == 0;
	if (http_url_read(url, host, &port) < 0)
		return;
	bool is_v6 = strchr(host, ':');
	if (port != (is_tls ? 443 : 80))
		snprintf(port_text, sizeof port_text, ":%u", port);
	snprintf(server, PLACE_SERVER_MAX, "http%s://%s%s%s%s", is_tls ? "s" : "", is_v6 ? "[" : "",
		host, is_v6 ? "]" : "", port_text);
}

static int make_projects_url(struct place *place)
{
	struct buf url;
	buf_init(&url, URL_MAX_BYTES, NULL);
	langfuse_base_url(&place->config, &url);
	buf_text(&url, "/api/public/projects");
	buf_append(&url, "", 1);
	place->projects_url = url.error ? NULL : strdup((const char *)url.at);
	buf_done(&url);
	return place->projects_url ? 0 : -ENOMEM;
}

static void begin(
	struct place *place, const char *name, const char *lane, enum destination_type type)
{
	bool is_default = strcmp(lane, DEFAULT_LANE) == 0;
	*place = (struct place){ .name = name, .lane = lane, .type = type };
	snprintf(place->about, sizeof place->about, "%s%s%s", name, is_default ? "" : "/",
		is_default ? "" : lane);
}

int place_init(struct place *place, const struct destination_config *config, const char *lane,
	struct complaint *complaint)
{
	begin(place, config->name, lane, config->type);
	place->is_configured = true;
	place->config = *config;
	int error = endpoints_init(place->endpoints, config, complaint);
	for (int signal = SIGNAL_INGESTION; signal >= SIGNAL_TRACES && !error; signal--)
		if (place->endpoints[signal].url)
			read_server(place->endpoints[signal].url, place->server);
	if (!error && config->type == DESTINATION_LANGFUSE)
		error = make_projects_url(place);
	return error;
}

void place_init_remembered(struct place *place, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "destination"));
	const char *lane = json_string_value(json_object_get(row, "lane"));
	const char *type = json_string_value(json_object_get(row, "type"));
	bool is_langfuse = strcmp(type, destination_langfuse.name) == 0;
	begin(place, name, lane, is_langfuse ? DESTINATION_LANGFUSE : DESTINATION_OTLP);
	place->row = row;
}

void place_done(struct place *place)
{
	probes_done(&place->probes);
	endpoints_done(place->endpoints);
	free(place->projects_url);
}

int place_ask(struct place *place)
{
	static const char *const exports[] = {
		[SIGNAL_TRACES] = "an empty export of traces",
		[SIGNAL_LOGS] = "an empty export of logs",
		[SIGNAL_METRICS] = "an empty export of metrics",
	};
	int error = probes_init(&place->probes, place->config.ca_file);
	if (error)
		return error;
	if (place->projects_url)
		probes_get(&place->probes, "a question", place->projects_url,
			place->endpoints[SIGNAL_INGESTION].headers[ENCODING_IDENTITY]);
	for (int signal = SIGNAL_TRACES; signal <= SIGNAL_METRICS; signal++)
		if (place->endpoints[signal].url)
			probes_post(&place->probes, exports[signal], place->endpoints[signal].url,
				place->endpoints[signal].headers[ENCODING_IDENTITY]);
	return 0;
}
