#include "base/duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

static int read_ago(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	static const struct {
		char name;
		uint64_t ns;
	} units[] = {
		{ 's', NS_PER_S },
		{ 'm', 60ull * NS_PER_S },
		{ 'h', 3600ull * NS_PER_S },
		{ 'd', 86400ull * NS_PER_S },
	};
	char *unit;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	uint64_t count = strtoull(text, &unit, 10); /* too much is UINT64_MAX, which is long ago */
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (unit[0] != units[i].name || unit[1])
			continue;
		*ret_ns = count > now_ns / units[i].ns ? 0 : now_ns - count * units[i].ns;
		return 0;
	}
	return -EINVAL;
}

static int read_date(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	struct tm day = { .tm_isdst = -1 };
	const char *end = strptime(text, "%Y-%m-%d", &day);
	if (!end || *end)
		return -EINVAL;
	int day_of_month = day.tm_mday;
	time_t at = mktime(&day);
	if (day.tm_mday != day_of_month) /* no month has this day: it became one of the next */
		return -EINVAL;
	uint64_t at_s = at > 0 ? (uint64_t)at : 0;
	*ret_ns = at_s > now_ns / NS_PER_S ? now_ns : at_s * NS_PER_S;
	return 0;
}

int duration_since(const char *text, uint64_t now_ns, uint64_t *ret_ns, struct complaint *complaint)
{
	if (read_ago(text, now_ns, ret_ns) == 0 || read_date(text, now_ns, ret_ns) == 0)
		return 0;
	return complain(complaint,
		"%s is no time: write how long ago, as 7d, 24h, 30m or 90s, or a date such as 2026-11-01",
		text);
}
