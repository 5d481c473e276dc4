#include "support/enriched_span.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/enrich.h"
#include "pricing/price.h"
#include "support/fixture.h"
#include "support/oracle.h"

static struct prices *prices(void)
{
	static struct prices *table;
	struct complaint complaint = { 0 };
	if (!table)
		cr_assert_eq(prices_builtin(&table, &complaint), 0, "%s", complaint.text);
	return table;
}

static bool is_list(const Otlp__AnyValue *value, const char *items)
{
	if (value->value_case != OTLP__ANY_VALUE__VALUE_ARRAY_VALUE)
		return false;
	const Otlp__ArrayValue *list = value->array_value;
	size_t i = 0;
	for (size_t len; *items; items += items[len] == ',' ? len + 1 : len, i++) {
		len = strcspn(items, ",");
		if (i == list->n_values ||
			list->values[i]->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE ||
			list->values[i]->string_value.len != len ||
			memcmp(list->values[i]->string_value.data, items, len) != 0)
			return false;
	}
	return i == list->n_values;
}

static bool holds(const oracle_span *span, const char *expected)
{
	char key[128];
	const char *equals = strchr(expected, '=');
	char sign = equals ? equals[-1] : 0;
	size_t len = equals ? (size_t)(equals - expected) - (strchr(":~@", sign) != NULL) :
			      strlen(expected);
	snprintf(key, sizeof key, "%.*s", (int)len, expected);
	const oracle_attribute *found = oracle_find(span, key);
	if (!equals)
		return !found;
	if (!found || !found->value)
		return false;
	if (sign == ':')
		return found->value->value_case == OTLP__ANY_VALUE__VALUE_INT_VALUE &&
			found->value->int_value == strtoll(equals + 1, NULL, 10);
	if (sign == '~')
		return found->value->value_case == OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE &&
			fabs(found->value->double_value - strtod(equals + 1, NULL)) < 1e-15;
	if (sign == '@')
		return is_list(found->value, equals + 1);
	const char *text = oracle_text(span, key);
	return text && strcmp(text, equals + 1) == 0;
}

static void print(const oracle_span *span)
{
	for (size_t i = 0; i < span->n_attributes; i++) {
		const oracle_attribute *attribute = span->attributes[i];
		char key[128];
		snprintf(key, sizeof key, "%.*s", (int)attribute->key.len, attribute->key.data);
		const char *text = oracle_text(span, key);
		fprintf(stderr, "    %s=%s\n", key, text ? text : "(no text)");
	}
}

static void expect_span(struct bytes copy, const char *const *expected)
{
	oracle_request *out = oracle_decode(copy);
	cr_assert_not_null(out);
	const oracle_span *span = oracle_span_at(out, 0);
	int wrong = 0;
	for (; *expected; expected++) {
		if (holds(span, *expected))
			continue;
		cr_expect_fail("%s", *expected);
		wrong++;
	}
	if (wrong)
		print(span);
	oracle_free(out);
}

static void expect_copy(struct bytes request, const struct config *config, bool is_langfuses,
	const char *const *expected)
{
	struct enriched enriched;
	struct arena arena;
	const char *why;
	arena_init(&arena, 32 << 20, NULL);
	cr_assert_eq(enrich(request, config, prices(), &arena, &enriched), 0);
	cr_expect(oracle_only_added(request, enriched.plain, &why), "%s", why);
	bool has_own = is_langfuses && enriched.langfuse.at;
	expect_span(has_own ? enriched.langfuse : enriched.plain, expected);
	arena_done(&arena);
	free((void *)request.at);
}

void expect_request(struct bytes request, bool flattens, const char *const *expected)
{
	struct config config = fixture_config();
	config.content.flatten_messages = flattens;
	expect_copy(request, &config, false, expected);
}

void expect_enriched(
	const char *scope, const char *name, const char *const *sent, const char *const *expected)
{
	expect_request(one_span_of(scope, name, sent), false, expected);
}

void expect_for_langfuse(
	const char *scope, const char *name, const char *const *sent, const char *const *expected)
{
	struct config config = fixture_config();
	expect_copy(one_span_of(scope, name, sent), &config, true, expected);
}
