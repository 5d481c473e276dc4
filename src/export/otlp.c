/* Any OTLP/HTTP receiver: Tempo, a Collector, Alloy. */
#include "export/destination.h"

#include <errno.h>

static int write_url(const struct destination_config *config, enum signal signal, struct buf *url,
	struct complaint *complaint)
{
	static const char *const paths[SIGNAL_COUNT] = {
		[SIGNAL_TRACES] = "/v1/traces",
		[SIGNAL_LOGS] = "/v1/logs",
		[SIGNAL_METRICS] = "/v1/metrics",
	};
	if (signal == SIGNAL_INGESTION)
		return -ENOENT;
	const char *own = signal == SIGNAL_TRACES ? config->traces_endpoint :
		signal == SIGNAL_LOGS             ? config->logs_endpoint :
						    config->metrics_endpoint;
	if (own) {
		buf_text(url, own);
		return 0;
	}
	if (!config->endpoint) {
		if (config->traces_endpoint || config->logs_endpoint || config->metrics_endpoint)
			return -ENOENT;
		return complain(complaint,
			"destinations.%s: endpoint is missing; for a receiver on this "
			"machine write \"http://localhost:4318\"",
			config->name);
	}
	struct bytes base = bytes_of(config->endpoint);
	while (base.len > 0 && base.at[base.len - 1] == '/')
		base.len--;
	buf_append(url, base.at, base.len);
	buf_text(url, paths[signal]);
	return 0;
}

const struct destination destination_otlp = {
	.name = "otlp",
	.shapes = SHAPE_ANY | SHAPE_PLAIN,
	.write_url = write_url,
};
