#include "cli/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS_PER_S = 1000000000, FUSD_DIGITS_MAX = 39 };

char *figure_count(char out[FIGURE_MAX], int64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)count);
	char *to = out;
	for (int i = 0; i < len; i++) {
		*to++ = digits[i];
		int left = len - i - 1;
		if (left > 0 && left % 3 == 0 && digits[i] != '-')
			*to++ = ',';
	}
	*to = '\0';
	return out;
}

char *figure_cost(char out[FIGURE_MAX], fusd amount)
{
	char text[FUSD_TEXT_MAX];
	size_t len = fusd_text(text, amount < 0 ? -amount : amount);
	const char *point = strchr(text, '.');
	size_t decimals = point ? len - (size_t)(point - text) - 1 : 0;
	snprintf(out, FIGURE_MAX, "%s$%s%s%.*s", amount < 0 ? "-" : "", text, point ? "" : ".",
		decimals < 2 ? (int)(2 - decimals) : 0, "00");
	return out;
}

char *figure_cost_of(char out[FIGURE_MAX], const json_t *row, const struct terminal *terminal)
{
	char figure[FIGURE_MAX];
	fusd cost;
	bool is_least = json_uint(row, "unpriced") || json_uint(row, "lower_bounds");
	if (json_cost(row, &cost))
		snprintf(out, FIGURE_MAX, "%s%.70s", is_least ? terminal_at_least(terminal) : "",
			figure_cost(figure, cost));
	else
		snprintf(out, FIGURE_MAX, "%s", json_uint(row, "calls") ? "-" : "");
	return out;
}

static uint64_t rounded(uint64_t ns, uint64_t unit_ns)
{
	return ns / unit_ns + (ns % unit_ns >= unit_ns / 2);
}

char *figure_duration(char out[FIGURE_MAX], uint64_t ns)
{
	unsigned long long us = ns / 1000, s = rounded(ns, NS_PER_S),
			   tenths = rounded(ns, NS_PER_S / 10);
	if (us < 1000)
		snprintf(out, FIGURE_MAX, "0.%llu ms", us / 100);
	else if (us < 1000000)
		snprintf(out, FIGURE_MAX, "%llu ms", us / 1000);
	else if (tenths < 600)
		snprintf(out, FIGURE_MAX, "%llu.%llu s", tenths / 10, tenths % 10);
	else if (s < 3600)
		snprintf(out, FIGURE_MAX, "%llu m %02llu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, FIGURE_MAX, "%llu h %02llu m", s / 3600, s / 60 % 60);
	else
		snprintf(out, FIGURE_MAX, "%llu d %02llu h", s / 86400, s / 3600 % 24);
	return out;
}

char *figure_age(char out[FIGURE_MAX], uint64_t then_ns, uint64_t now_ns)
{
	unsigned long long s = now_ns > then_ns ? (now_ns - then_ns) / NS_PER_S : 0;
	if (now_ns < then_ns)
		snprintf(out, FIGURE_MAX, "now");
	else if (s < 60)
		snprintf(out, FIGURE_MAX, "%llu s", s);
	else if (s < 3600)
		snprintf(out, FIGURE_MAX, "%llu m", s / 60);
	else if (s < 2 * 86400)
		snprintf(out, FIGURE_MAX, "%llu h", s / 3600);
	else
		snprintf(out, FIGURE_MAX, "%llu d", s / 86400);
	return out;
}

char *figure_time(char out[FIGURE_MAX], uint64_t unix_ns)
{
	time_t at = (time_t)(unix_ns / NS_PER_S);
	struct tm local;
	if (!localtime_r(&at, &local) || !strftime(out, FIGURE_MAX, "%Y-%m-%d %H:%M:%S", &local))
		out[0] = '\0';
	return out;
}

char *figure_bytes(char out[FIGURE_MAX], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		size /= 1024;
	snprintf(out, FIGURE_MAX, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
	return out;
}

uint64_t json_uint(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));
	return value > 0 ? (uint64_t)value : 0;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

bool json_cost(const json_t *object, fusd *ret_amount)
{
	const json_t *cost = json_object_get(object, "cost_fusd");
	const char *text = json_string_value(cost);
	if (json_is_integer(cost))
		*ret_amount = json_integer_value(cost);
	if (!text)
		return json_is_integer(cost);
	bool is_negative = *text == '-';
	fusd amount = 0;
	text += is_negative;
	size_t digits = strspn(text, "0123456789");
	if (!digits || digits >= FUSD_DIGITS_MAX || text[digits])
		return false;
	for (; *text; text++)
		amount = amount * 10 + (*text - '0');
	*ret_amount = is_negative ? -amount : amount;
	return true;
}
