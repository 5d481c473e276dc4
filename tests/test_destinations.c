#include "export/destination.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct destination_config langfuse(const char *endpoint)
{
	return (struct destination_config){ .name = "langfuse",
		.type = DESTINATION_LANGFUSE,
		.endpoint = (char *)endpoint,
		.signals = signal_bit(SIGNAL_TRACES),
		.public_key = "pk-lf-1",
		.secret_key = "sk-lf-2" };
}

static struct destination_config otlp(const char *endpoint)
{
	return (struct destination_config){ .name = "tempo",
		.type = DESTINATION_OTLP,
		.endpoint = (char *)endpoint,
		.signals = signal_bit(SIGNAL_TRACES) | signal_bit(SIGNAL_LOGS) |
			signal_bit(SIGNAL_METRICS) };
}

static void expect_url(const struct destination_config *config, enum signal signal, const char *url)
{
	struct complaint complaint = { 0 };
	struct endpoint endpoints[SIGNAL_COUNT];
	cr_assert(endpoints_init(endpoints, config, &complaint) == 0, "%s: %s", config->endpoint,
		complaint.text);
	if (url)
		cr_expect_str_eq(endpoints[signal].url, url);
	else
		cr_expect_null(endpoints[signal].url);
	endpoints_done(endpoints);
}

Test(langfuse, every_form_of_base_url_leads_to_the_same_place)
{
	static const char *const forms[][2] = {
		{ "", "" },
		{ "/", "" },
		{ "//", "" },
		{ "/api/public", "" },
		{ "/api/public/", "" },
		{ "/api/public/otel", "" },
		{ "/api/public/otel/", "" },
		{ "/api/public/otel/v1/traces", "" },
		{ "/api/public/otel/v1/traces/", "" },
		{ "/v1/traces", "" },
		{ "/langfuse", "/langfuse" },
		{ "/langfuse/", "/langfuse" },
		{ "/langfuse/api/public/otel/", "/langfuse" },
		{ "/otel", "/otel" },
	};
	static const char *const hosts[] = { "https://cloud.langfuse.com", "http://127.0.0.1:3000",
		"http://[::1]:3000" };
	for (size_t h = 0; h < sizeof hosts / sizeof *hosts; h++)
		for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
			char given[200], wanted[200];
			snprintf(given, sizeof given, "%s%s", hosts[h], forms[i][0]);
			snprintf(wanted, sizeof wanted, "%s%s/api/public/otel/v1/traces", hosts[h],
				forms[i][1]);
			struct destination_config config = langfuse(given);
			expect_url(&config, SIGNAL_TRACES, wanted);
		}
}

Test(langfuse, its_base_url_is_what_is_left_of_the_endpoint)
{
	static const char *const forms[][2] = {
		{ "https://lf.example", "https://lf.example" },
		{ "https://lf.example//", "https://lf.example" },
		{ "https://lf.example/x/api/public/", "https://lf.example/x" },
		{ "https://lf.example/api/public/otel/v1/traces", "https://lf.example" },
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct destination_config config = langfuse(forms[i][0]);
		struct buf url;
		buf_init(&url, 1000, NULL);
		cr_expect_eq(langfuse_base_url(&config, &url), 0);
		cr_expect(bytes_are(buf_bytes(&url), forms[i][1]), "%.*s", (int)url.len, url.at);
		buf_done(&url);
	}
}

Test(langfuse, a_pair_becomes_basic_authorization)
{
	static char longest[700];
	char *value = NULL;
	memset(longest, 'k', sizeof longest - 1);
	cr_assert_eq(langfuse_authorization("pk-lf-1", "sk-lf-2", &value), 0);
	cr_expect_str_eq(value, "Basic cGstbGYtMTpzay1sZi0y");
	free(value);
	cr_expect_eq(langfuse_authorization(longest, longest, &value), -EINVAL);
}

Test(langfuse, takes_traces_alone_and_its_own_endpoint_as_it_is)
{
	struct destination_config config = langfuse("http://127.0.0.1:3000");
	expect_url(&config, SIGNAL_LOGS, NULL);
	expect_url(&config, SIGNAL_METRICS, NULL);
	config.traces_endpoint = "http://127.0.0.1:3000/elsewhere";
	expect_url(&config, SIGNAL_TRACES, "http://127.0.0.1:3000/elsewhere");
}

Test(langfuse, takes_events_beside_wherever_traces_go)
{
	struct destination_config config = langfuse("https://cloud.langfuse.com/api/public/otel/");
	expect_url(&config, SIGNAL_INGESTION, "https://cloud.langfuse.com/api/public/ingestion");
	config.traces_endpoint = "http://127.0.0.1:3000/elsewhere";
	expect_url(&config, SIGNAL_INGESTION, "https://cloud.langfuse.com/api/public/ingestion");
	config.endpoint = NULL;
	config.traces_endpoint = "http://127.0.0.1:3000/base/api/public/otel/v1/traces";
	expect_url(&config, SIGNAL_INGESTION, "http://127.0.0.1:3000/base/api/public/ingestion");
	struct destination_config other = otlp("http://127.0.0.1:4318");
	expect_url(&other, SIGNAL_INGESTION, NULL);
}

Test(otlp, appends_the_signal_or_takes_an_endpoint_as_it_is)
{
	struct destination_config config = otlp("http://127.0.0.1:4318");
	expect_url(&config, SIGNAL_TRACES, "http://127.0.0.1:4318/v1/traces");
	expect_url(&config, SIGNAL_LOGS, "http://127.0.0.1:4318/v1/logs");
	expect_url(&config, SIGNAL_METRICS, "http://127.0.0.1:4318/v1/metrics");
	config.endpoint = "http://127.0.0.1:4318/base//";
	expect_url(&config, SIGNAL_TRACES, "http://127.0.0.1:4318/base/v1/traces");
	config.logs_endpoint = "http://127.0.0.1:3100/otlp/v1/logs";
	expect_url(&config, SIGNAL_LOGS, "http://127.0.0.1:3100/otlp/v1/logs");
	config.endpoint = NULL;
	expect_url(&config, SIGNAL_LOGS, "http://127.0.0.1:3100/otlp/v1/logs");
	expect_url(&config, SIGNAL_TRACES, NULL);
}

Test(otlp, has_no_url_for_a_signal_that_it_does_not_take)
{
	struct destination_config config = otlp("http://127.0.0.1:4318");
	config.signals = signal_bit(SIGNAL_LOGS);
	expect_url(&config, SIGNAL_TRACES, NULL);
	expect_url(&config, SIGNAL_LOGS, "http://127.0.0.1:4318/v1/logs");
	expect_url(&config, SIGNAL_METRICS, NULL);
	struct destination_config other = otlp("http://127.0.0.1:4318");
	cr_expect_not(destination_same_address(&config, &other));
}

Test(destination, wants_its_own_shape)
{
	cr_expect(destination_of(DESTINATION_LANGFUSE)->shapes == (SHAPE_ANY | SHAPE_LANGFUSE));
	cr_expect(destination_of(DESTINATION_OTLP)->shapes == (SHAPE_ANY | SHAPE_PLAIN));
}

static void expect_complaint(const struct destination_config *config, const char *word)
{
	struct complaint complaint = { 0 };
	struct endpoint endpoints[SIGNAL_COUNT];
	cr_expect(endpoints_init(endpoints, config, &complaint) == -EINVAL, "%s", word);
	cr_expect(strstr(complaint.text, word) && strstr(complaint.text, config->name), "%s: %s",
		word, complaint.text);
}

Test(destination, a_malformed_endpoint_is_complained_about_in_words)
{
	static const char *const endpoints[] = { "", "localhost:4318", "ftp://host", "http://",
		"http://host:99999", "http://host/?a=b", "http://host/#part", "http://host name/",
		"file:///etc/passwd", "://" };
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
		struct destination_config config = otlp(endpoints[i]);
		expect_complaint(&config, "endpoint is not an http");
	}
	struct destination_config missing = otlp(NULL), long_one = otlp(NULL);
	expect_complaint(&missing, "endpoint is missing");
	char endless[8192] = "http://";
	memset(endless + 7, 'a', sizeof endless - 8);
	long_one.endpoint = endless;
	expect_complaint(&long_one, "too long");
}

Test(destination, a_complaint_never_repeats_a_password)
{
	struct destination_config config = otlp("http://user:secret@host/?q");
	struct complaint complaint = { 0 };
	struct endpoint endpoints[SIGNAL_COUNT];
	cr_assert(endpoints_init(endpoints, &config, &complaint) == -EINVAL);
	cr_expect_null(strstr(complaint.text, "secret"));
}

Test(langfuse, keys_are_needed_and_cannot_break_the_request)
{
	struct destination_config config = langfuse("http://127.0.0.1:3000");
	config.secret_key = NULL;
	expect_complaint(&config, "secret_key");
	char endless[4096];
	memset(endless, 'k', sizeof endless - 1);
	endless[sizeof endless - 1] = '\0';
	config.secret_key = endless;
	expect_complaint(&config, "too long");
}

Test(destination, a_header_that_would_break_the_request_is_refused)
{
	struct header_setting bad[] = { { "X-Scope-OrgID", "a\r\nX-Evil: 1" }, { "Bad Name", "x" },
		{ "", "x" } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct destination_config config = otlp("http://127.0.0.1:4318");
		config.headers = &bad[i];
		config.header_count = 1;
		expect_complaint(&config, "header 1");
	}
}

static int check(const char *endpoint, const char *listen, struct complaint *complaint)
{
	struct destination_config config = otlp(endpoint);
	*complaint = (struct complaint){ 0 };
	return destination_check_not_ours(&config, listen, complaint);
}

Test(own_door, a_destination_that_is_our_own_door_is_refused)
{
	static const char *const pairs[][2] = {
		{ "http://127.0.0.1:4318", "127.0.0.1:4318" },
		{ "http://localhost:4318", "127.0.0.1:4318" },
		{ "http://127.0.0.1:4318/some/path", "127.0.0.1:4318" },
		{ "http://0.0.0.0:4318", "127.0.0.1:4318" },
		{ "http://127.0.0.1:4318", "0.0.0.0:4318" },
		{ "http://127.0.0.1:4318", ":4318" },
		{ "http://127.0.0.1", "127.0.0.1:80" },
		{ "http://127.0.0.1:4318", "localhost:4318" },
	};
	struct complaint complaint;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		cr_expect(check(pairs[i][0], pairs[i][1], &complaint) == -EINVAL, "%s at %s",
			pairs[i][0], pairs[i][1]);
		cr_expect(strstr(complaint.text, "own door"), "%s", complaint.text);
	}
}

Test(own_door, another_port_or_machine_is_not_ours)
{
	static const char *const pairs[][2] = {
		{ "http://127.0.0.1:4319", "127.0.0.1:4318" },
		{ "http://127.0.0.2:4318", "127.0.0.1:4318" },
		{ "http://192.0.2.1:4318", "0.0.0.0:4318" },
		{ "http://no-such-name.invalid:4318", "127.0.0.1:4318" },
	};
	struct complaint complaint;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		cr_expect(check(pairs[i][0], pairs[i][1], &complaint) == 0, "%s at %s: %s",
			pairs[i][0], pairs[i][1], complaint.text);
}

Test(own_door, is_seen_over_ipv6_too)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 loopback = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool has_ipv6 = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
	if (fd >= 0)
		close(fd);
	if (!has_ipv6)
		cr_skip("no IPv6 on this machine");
	struct complaint complaint;
	cr_expect(check("http://[::1]:4318", "[::1]:4318", &complaint) == -EINVAL);
	cr_expect(check("http://127.0.0.1:4318", "[::]:4318", &complaint) == -EINVAL,
		"a wildcard takes IPv4 too");
	cr_expect(check("http://[::1]:4318", "127.0.0.1:4318", &complaint) == 0);
}
