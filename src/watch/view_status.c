/* What runs here, and since when. */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
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

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	struct prices *prices = tariff_hold(watch->tariff);
	size_t open_sessions =
		watch->synthesizer ? synthesizer_figures(watch->synthesizer).open_sessions : 0;
	*ret_answer = json_pack("{s:s, s:i, s:I, s:s, s:s, s:i, s:I, s:o?}", "version",
		PACKAGE_VERSION, "pid", (int)getpid(), "started_ns", (json_int_t)watch->started_ns,
		"listen", watch->config->listen, "prices_as_of", prices_as_of(prices),
		"prices_age_days", (int)prices_age_days(prices, clock_unix_ns()), "open_sessions",
		(json_int_t)open_sessions, "proxy", proxy_as_json(watch->proxy));
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
