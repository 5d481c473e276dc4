/* What runs here, since when, and what happened since. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/names.h"
#include "config/config.h"
#include "http/certificate.h"
#include "pricing/price.h"
#include "pricing/tariff.h"
#include "proxy/proxy.h"
#include "synthesize/synthesis.h"
#include "synthesizer.h"
#include "watch/watch.h"

static json_t *family_of_proxy(const struct family_figures *figures)
{
	json_t *family = json_pack("{s:i, s:I}", "last_status", figures->last_status, "last_ns",
		(json_int_t)figures->last_ns);
	for (enum passage passage = 0; passage < PASSAGE_COUNT; passage++)
		json_object_set_new(family, passage_name(passage),
			json_integer((json_int_t)figures->ended[passage]));
	return family;
}

/* NULL without a proxy, which json_pack takes with "o?". */
static json_t *proxy_as_json(const struct proxy *proxy)
{
	struct proxy_figures figures;
	if (!proxy)
		return NULL;
	proxy_figures(proxy, &figures);
	json_t *families = json_object();
	for (enum request_family family = 0; family < FAMILY_COUNT; family++)
		json_object_set_new(
			families, family_name(family), family_of_proxy(&figures.families[family]));
	return families;
}

/* All of them, so that whoever asks need not know which there are. */
static json_t *counters_as_json(void)
{
	json_t *counters = json_object();
	for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
		json_object_set_new(counters, counter_name(counter),
			json_integer((json_int_t)counter_read(counter)));
	return counters;
}

/* By name, how many events of traces they sent where OTLP carries them better. */
static json_t *ingestion_sdks(void)
{
	struct names *names = malloc(sizeof *names);
	json_t *sdks = names ? json_object() : NULL;
	if (names)
		names_read(NAMES_INGESTION_SDKS, names);
	for (size_t i = 0; sdks && i < names->count; i++)
		json_object_set_new(
			sdks, names->at[i].text, json_integer((json_int_t)names->at[i].count));
	free(names);
	return sdks;
}

/* NULL without TLS. */
static json_t *certificate_end(struct http_certificate *certificate)
{
	const int64_t ns_per_s = 1000000000, never_s = INT64_MAX / ns_per_s;
	int64_t ends_s = certificate ? http_certificate_ends(certificate) : 0;
	return certificate ? json_integer((ends_s < never_s ? ends_s : never_s) * ns_per_s) : NULL;
}

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	struct prices *prices = tariff_hold(watch->tariff);
	size_t open_sessions =
		watch->synthesizer ? synthesizer_figures(watch->synthesizer).open_sessions : 0;
	const char *address = watch->address ? watch->address : watch->config->listen;
	uint64_t now_ns = clock_unix_ns();
	*ret_answer = json_pack(
		"{s:s, s:i, s:I, s:I, s:s, s:o?, s:s, s:i, s:b, s:b, s:I, s:o?, s:o, s:o}",
		"version", PACKAGE_VERSION, "pid", (int)getpid(), "now_ns", (json_int_t)now_ns,
		"started_ns", (json_int_t)watch->started_ns, "listen", address,
		"certificate_ends_ns", certificate_end(watch->certificate), "prices_as_of",
		prices_as_of(prices), "prices_age_days", (int)prices_age_days(prices, now_ns),
		"local_view", watch->local != NULL, "sessions", watch->synthesizer != NULL,
		"open_sessions", (json_int_t)open_sessions, "proxy", proxy_as_json(watch->proxy),
		"counters", counters_as_json(), "ingestion_sdks", ingestion_sdks());
	tariff_release(watch->tariff, prices);
	if (*ret_answer)
		return 0;
	complain(complaint, "no memory for an answer");
	return -ENOMEM;
}

static const char *const no_arguments[] = { NULL };

const struct view view_status = {
	.method = "GET",
	.path = "/v1/status",
	.answer = answer,
	.arguments = no_arguments,
};
