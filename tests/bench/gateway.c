#include "bench/gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = SCRATCH_PATH_MAX + 64, TEXT_BYTES = 8192 };

static int write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return -errno;
	int error = fchmod(fileno(file), 0600) < 0 || fputs(text, file) < 0 ? -EIO : 0;
	return fclose(file) < 0 ? -EIO : error;
}

static int start_tollgate(const struct gateway_setup *setup, struct daemon *daemon)
{
	char config[PATH_BYTES], text[TEXT_BYTES];
	snprintf(config, sizeof(config), "%s/config.json", setup->directory);
	/* Retries come soon, because how long an outage is waited out is not what is measured. */
	snprintf(text, sizeof(text),
		"{ \"listen\": \"127.0.0.1:0\", \"state_directory\": \"%s/state\",\n"
		"  \"spool\": { \"compression\": \"%s\", \"max_bytes\": \"200GiB\" },\n"
		"  \"destinations\": {\n"
		"    \"langfuse\": { \"type\": \"langfuse\", \"endpoint\": \"http://127.0.0.1:%d\",\n"
		"      \"public_key\": \"pk-lf-bench\", \"secret_key\": \"sk-lf-bench\",\n"
		"      \"retry_initial_ms\": 100, \"retry_max_ms\": 1000 },\n"
		"    \"tempo\": { \"type\": \"otlp\", \"endpoint\": \"http://127.0.0.1:%d\",\n"
		"      \"retry_initial_ms\": 100, \"retry_max_ms\": 1000 } } }\n",
		setup->directory, setup->is_gzip ? "gzip" : "none", setup->sink_ports[0],
		setup->sink_ports[1]);
	int error = write_text(config, text);
	if (error < 0)
		return error;
	return daemon_start(daemon,
		&(struct daemon_start){
			.arguments = (const char *const[]){ daemon_program(), "serve", "--config",
				config, NULL },
			.environment = setup->environment,
			.directory = setup->directory,
		});
}

/* A peer says in no fixed words when it is ready: it is when it accepts a connection. */
static int wait_for_port(struct daemon *daemon)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)daemon->port) };
	for (int i = 0; i < DAEMON_START_MS / 20; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool is_open = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
		if (fd >= 0)
			close(fd);
		if (is_open)
			return 0;
		int status = child_wait(&daemon->child, 20);
		if (status != -ETIMEDOUT)
			return -ESRCH;
	}
	return -ETIMEDOUT;
}

static int start_peer(const struct gateway_setup *setup, const char *program, const char *option,
	const char *config, int port, struct daemon *daemon)
{
	char variable[PATH_BYTES];
	snprintf(variable, sizeof(variable), "HOME=%s", setup->directory);
	int error = daemon_spawn(daemon,
		&(struct daemon_start){
			.arguments = (const char *const[]){ program, option, config, NULL },
			.environment = (const char *const[]){ variable, NULL },
			.directory = setup->directory,
		});
	if (error < 0)
		return error;
	daemon->port = port;
	error = wait_for_port(daemon);
	if (error < 0)
		child_kill(&daemon->child);
	return error;
}

/*
 * On-disk buffer with its defaults (no fsync before the answer), retry without end, and five static
 * attributes per span: less than is asked of Tollgate, because it cannot compute.
 */
static int start_fluent_bit(const struct gateway_setup *setup, struct daemon *daemon)
{
	char config[PATH_BYTES], text[TEXT_BYTES];
	int port = port_reserve();
	size_t at = (size_t)snprintf(text, sizeof(text),
		"service:\n  flush: 1\n  log_level: error\n  scheduler.base: 1\n  scheduler.cap: 4\n"
		"  storage.path: %s/state\n  storage.sync: normal\n"
		"pipeline:\n  inputs:\n    - name: opentelemetry\n      listen: 127.0.0.1\n      port: %d\n"
		"      tag: bench\n      storage.type: filesystem\n      processors:\n        traces:\n",
		setup->directory, port);
	for (int i = 1; i <= 5; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"          - name: content_modifier\n            context: span_attributes\n"
			"            action: upsert\n            key: bench.attribute.%d\n"
			"            value: \"value %d\"\n",
			i, i);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "  outputs:\n");
	for (int i = 0; i < 2; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"    - name: opentelemetry\n      match: '*'\n      host: 127.0.0.1\n      port: %d\n"
			"      traces_uri: /v1/traces\n      retry_limit: no_limits\n%s",
			setup->sink_ports[i], setup->is_gzip ? "      compress: gzip\n" : "");
	snprintf(config, sizeof(config), "%s/fluent-bit.yaml", setup->directory);
	int error = write_text(config, text);
	return error < 0 ? error :
			   start_peer(setup, getenv("FLUENT_BIT"), "-c", config, port, daemon);
}

/*
 * Persistent queues with their default (no fsync), retry without end, and five static attributes per
 * span. Needs the contrib distribution for file_storage and the attributes processor.
 */
static int start_collector(const struct gateway_setup *setup, struct daemon *daemon)
{
	char config[PATH_BYTES], state[PATH_BYTES], text[TEXT_BYTES];
	int port = port_reserve();
	snprintf(state, sizeof(state), "%s/state", setup->directory);
	if (mkdir(state, 0700) < 0)
		return -errno;
	size_t at = (size_t)snprintf(text, sizeof(text),
		"extensions:\n  file_storage:\n    directory: %s\n"
		"receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:%d\n"
		"processors:\n  attributes:\n    actions:\n",
		state, port);
	for (int i = 1; i <= 5; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"      - key: bench.attribute.%d\n        value: value %d\n        action: upsert\n",
			i, i);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "exporters:\n");
	for (int i = 0; i < 2; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"  otlphttp/%d:\n    endpoint: http://127.0.0.1:%d\n    compression: %s\n"
			"    sending_queue:\n      storage: file_storage\n      queue_size: 100000\n"
			"    retry_on_failure:\n      initial_interval: 1s\n      max_interval: 4s\n"
			"      max_elapsed_time: 0s\n",
			i, setup->sink_ports[i], setup->is_gzip ? "gzip" : "none");
	snprintf(text + at, sizeof(text) - at,
		"service:\n  extensions: [file_storage]\n  telemetry:\n    logs:\n      level: error\n"
		"    metrics:\n      level: none\n  pipelines:\n    traces:\n      receivers: [otlp]\n"
		"      processors: [attributes]\n      exporters: [otlphttp/0, otlphttp/1]\n");
	snprintf(config, sizeof(config), "%s/collector.yaml", setup->directory);
	int error = write_text(config, text);
	return error < 0 ? error :
			   start_peer(setup, getenv("OTELCOL"), "--config", config, port, daemon);
}

const struct gateway gateways[] = {
	{ .name = "tollgate", .start = start_tollgate },
	{ .name = "fluent-bit", .variable = "FLUENT_BIT", .start = start_fluent_bit },
	{ .name = "collector", .variable = "OTELCOL", .start = start_collector },
	{ 0 },
};

bool gateway_is_present(const struct gateway *gateway)
{
	return !gateway->variable || getenv(gateway->variable);
}
