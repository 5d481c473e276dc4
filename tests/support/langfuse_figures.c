#include "support/langfuse_row.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- money, and numbers as they were written ---- */

bool decimal_read(const char *text, __int128 *ret_fusd)
{
	bool is_negative = *text == '-';
	__int128 value = 0;
	int scale = 0, digits = 0;
	text += is_negative;
	for (bool in_fraction = false;
		isdigit((unsigned char)*text) || (*text == '.' && !in_fraction); text++) {
		if (*text == '.') {
			in_fraction = true;
			continue;
		}
		if (++digits > 36)
			return false;
		value = value * 10 + (*text - '0');
		scale -= in_fraction;
	}
	if (digits == 0)
		return false;
	if (*text == 'e' || *text == 'E')
		scale += (int)strtol(text + 1, (char **)&text, 10);
	if (*text || scale > 15)
		return false;
	for (scale += 15; scale > 0; scale--)
		value *= 10;
	for (; scale < 0; scale++)
		value /= 10;
	*ret_fusd = is_negative ? -value : value;
	return true;
}

json_t *decimal_json(__int128 fusd)
{
	char text[64], *at = text + sizeof text - 1;
	bool is_negative = fusd < 0;
	unsigned __int128 rest = is_negative ? -(unsigned __int128)fusd : (unsigned __int128)fusd;
	bool has_fraction = false;
	*at = '\0';
	for (int i = 0; i < 15; i++, rest /= 10) {
		has_fraction |= rest % 10 != 0;
		if (has_fraction)
			*--at = (char)('0' + rest % 10);
	}
	if (has_fraction)
		*--at = '.';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (is_negative)
		*--at = '-';
	return json_string(at);
}

/*
 * Where the n-th value of an object begins in its text, which jansson has read already; jansson keeps
 * doubles and not digits.
 */
static const char *nth_value(const char *text, size_t n)
{
	unsigned depth = 0;
	bool in_string = false;
	for (; *text; text++) {
		if (*text == '\\')
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			depth++;
		else if (!in_string && (*text == '}' || *text == ']'))
			depth--;
		else if (!in_string && *text == ':' && depth == 1 && n-- == 0)
			break;
	}
	for (text += *text == ':'; isspace((unsigned char)*text); text++)
		;
	return text;
}

/* The decimals of a JSON object as text by key; null for what is null, "0" for what is no number. */
static json_t *exact_amounts(const json_t *text, const json_t *object)
{
	json_t *amounts = json_object(), *value;
	const char *key;
	size_t n = 0;
	json_object_foreach((json_t *)object, key, value) {
		char digits[64] = "0";
		const char *at = nth_value(json_string_value(text), n++);
		__int128 fusd = 0;
		if (json_is_number(value))
			snprintf(digits, sizeof digits, "%.*s", (int)strspn(at, "+-.0123456789eE"),
				at);
		if (json_is_null(value))
			json_object_set_new(amounts, key, json_null());
		else if (decimal_read(digits, &fusd))
			json_object_set_new(amounts, key, decimal_json(fusd));
	}
	return amounts;
}

__int128 decimal_at(const json_t *amounts, const char *key)
{
	__int128 fusd = 0;
	const char *text = json_string_value(json_object_get(amounts, key));
	if (text)
		decimal_read(text, &fusd);
	return fusd;
}

/* ---- model ---- */

static const char *const model_names[] = { "langfuse.observation.model.name",
	"gen_ai.response.model", "ai.model.id", "gen_ai.request.model", "llm.response.model",
	"llm.model_name", "model", NULL };

/* Such spans lose model, usage and cost, whatever else says so. */
static bool is_agent_operation(const struct row *row)
{
	const char *operation = row_first_text(row->own, NAMES("gen_ai.operation.name"));
	return operation &&
		(strcmp(operation, "invoke_agent") == 0 || strcmp(operation, "agent_step") == 0);
}

static json_t *parameters_of(const struct row *row)
{
	static const char *const names[] = { "langfuse.observation.model.parameters",
		"llm.invocation_parameters", "model_config" };
	for (size_t i = 0; i < 3; i++) {
		json_t *object = row_parsed(json_object_get(row->own, names[i]));
		if (json_is_object(object))
			return object;
		json_decref(object);
	}
	json_t *all = json_object(), *value;
	const char *key;
	json_object_foreach((json_t *)row->own, key, value) {
		bool is_request = strncmp(key, "gen_ai.request.", 15) == 0;
		if (is_request && strcmp(key + 15, "model") != 0)
			json_object_set(all, key + 15, value);
		else if (strncmp(key, "llm.invocation_parameters.", 26) == 0)
			json_object_set(all, key + 26, value);
	}
	return all;
}

/* ---- usage ---- */

/* A number or numeric text as a count; -1 for anything else, for fractions and for what is negative. */
static int64_t units_of(const json_t *value)
{
	char *end = NULL;
	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_string(value) && json_string_length(value)) {
		double number = strtod(json_string_value(value), &end);
		return *end || !(number >= 0 && number < 0x1p63) ? -1 : (int64_t)number;
	}
	double number = json_real_value(value);
	if (!json_is_real(value) || number < 0 || number >= 0x1p63 || number != floor(number))
		return -1;
	return (int64_t)number;
}

/* What is no count is not taken. */
static void take_units(json_t *usage, const char *key, const json_t *value)
{
	if (units_of(value) >= 0)
		json_object_set_new(usage, key, json_integer(units_of(value)));
}

static void subtract(json_t *usage, const char *from, int64_t units)
{
	const json_t *whole = json_object_get(usage, from);
	if (!whole)
		return;
	int64_t rest = json_integer_value(whole) - units;
	json_object_set_new(usage, from, json_integer(rest > 0 ? rest : 0));
}

/* What was said under one of these names goes to one key, and off the whole that it is a part of. */
static void take_part(
	json_t *usage, json_t *said, const char *const *names, const char *key, const char *whole)
{
	for (; *names; names++) {
		json_t *units = json_object_get(said, *names);
		if (!units)
			continue;
		json_object_set(usage, key, units);
		subtract(usage, whole, json_integer_value(units));
		break;
	}
}

static void take_whole(json_t *usage, const json_t *said, const char *const *names, const char *key)
{
	for (; *names; names++) {
		json_t *units = json_object_get(said, *names);
		if (units) {
			json_object_set(usage, key, units);
			return;
		}
	}
}

static const char *const inputs[] = { "prompt_tokens", "input_tokens", "prompt", NULL };
static const char *const outputs[] = { "completion_tokens", "output_tokens", "completion", NULL };
static const char *const reads[] = { "cache_read.input_tokens", "cache_read_input_tokens",
	"cache_read_tokens", "details.cache_read_tokens", "details.cache_read_input_tokens",
	"prompt_details.cache_read", "input_cached_tokens", NULL };
static const char *const writes[] = { "cache_creation.input_tokens", "cache_creation_input_tokens",
	"cache_write_tokens", "details.cache_write_tokens", "details.cache_creation_input_tokens",
	"prompt_details.cache_write", "input_cache_creation", NULL };
static const char *const reasonings[] = { "reasoning.output_tokens", "completion_details.reasoning",
	NULL };
static const char *const audios[] = { "audio.output_tokens", "completion_details.audio", NULL };

/* From gen_ai.usage.* and llm.token_count.*: parts are taken off input and output, never below 0. */
static json_t *usage_of_attributes(const struct row *row)
{
	static const char *const *const known[] = { inputs, outputs, reads, writes, reasonings,
		audios };
	json_t *said = json_object(), *usage = json_object(), *value;
	const char *key;
	json_object_foreach((json_t *)row->own, key, value) {
		const char *suffix = strncmp(key, "gen_ai.usage.", 13) == 0 ? key + 13 :
			strncmp(key, "llm.token_count.", 16) == 0           ? key + 16 :
									      "cost";
		if (strcmp(suffix, "cost") != 0)
			take_units(said, suffix, value);
	}
	take_whole(usage, said, inputs, "input");
	take_whole(usage, said, outputs, "output");
	take_whole(usage, said, NAMES("total_tokens", "total"), "total");
	take_part(usage, said, reads, "input_cached_tokens", "input");
	take_part(usage, said, writes, "input_cache_creation", "input");
	take_part(usage, said, reasonings, "output_reasoning_tokens", "output");
	take_part(usage, said, audios, "output_audio_tokens", "output");
	json_object_foreach(said, key, value) {
		bool is_known = row_is_one_of(key, NAMES("total_tokens", "total"));
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known |= row_is_one_of(key, known[i]);
		if (!is_known)
			json_object_set(usage, key, value);
	}
	json_decref(said);
	return usage;
}

/* One of the shapes of OpenAI's APIs, with nothing else beside it. */
static bool is_openai_shape(const json_t *object, const char *input, const char *output)
{
	char input_details[64], output_details[64];
	const char *key;
	json_t *value;
	snprintf(input_details, sizeof input_details, "%s_details", input);
	snprintf(output_details, sizeof output_details, "%s_details", output);
	json_object_foreach((json_t *)object, key, value)
		if (!row_is_one_of(key,
			    NAMES(input, output, "total_tokens", input_details, output_details)))
			return false;
	return json_object_get(object, input) && json_object_get(object, output) &&
		json_object_get(object, "total_tokens");
}

static void take_side(json_t *usage, const json_t *object, const char *name, const char *side)
{
	char key[128];
	const char *detail;
	json_t *value;
	snprintf(key, sizeof key, "%s_details", name);
	take_units(usage, side, json_object_get(object, name));
	json_object_foreach(json_object_get(object, key), detail, value) {
		if (units_of(value) < 0)
			continue;
		snprintf(key, sizeof key, "%s_%s", side, detail);
		take_units(usage, key, value);
		subtract(usage, side, units_of(value));
	}
}

static json_t *usage_of_details(const json_t *object)
{
	static const char *const shapes[][2] = { { "prompt_tokens", "completion_tokens" },
		{ "input_tokens", "output_tokens" } };
	json_t *usage = json_object(), *value;
	const char *key;
	for (size_t i = 0; i < 2; i++)
		if (is_openai_shape(object, shapes[i][0], shapes[i][1])) {
			take_side(usage, object, shapes[i][0], "input");
			take_side(usage, object, shapes[i][1], "output");
			take_units(usage, "total", json_object_get(object, "total_tokens"));
			return usage;
		}
	json_object_foreach((json_t *)object, key, value)
		take_units(usage, key, value);
	return usage;
}

static json_t *usage_of(const struct row *row)
{
	json_t *details =
		row_parsed(json_object_get(row->own, "langfuse.observation.usage_details"));
	json_t *usage = json_is_object(details) ? usage_of_details(details) :
						  usage_of_attributes(row),
	       *sum = json_object(), *value;
	const char *key;
	json_object_foreach(usage, key, value)
		row_add_units(sum, "total", value);
	json_object_update_missing(usage, sum);
	json_decref(sum);
	json_decref(details);
	return usage;
}

/* ---- cost ---- */

static json_t *cost_of(const struct row *row)
{
	const json_t *text = json_object_get(row->own, "langfuse.observation.cost_details");
	json_t *details = row_parsed(text), *cost = json_object();
	if (json_is_object(details) && json_object_size(details)) {
		json_decref(cost);
		cost = exact_amounts(text, details);
	} else if (!json_is_object(details)) {
		const json_t *sent = row_first(row->own, NAMES("gen_ai.usage.cost"));
		char digits[64];
		__int128 fusd;
		if (!sent)
			sent = row_first(row->own, NAMES("llm.cost.total"));
		snprintf(digits, sizeof digits, "%.15f", json_number_value(sent));
		if (json_is_string(sent))
			snprintf(digits, sizeof digits, "%s", json_string_value(sent));
		if (sent && decimal_read(digits, &fusd))
			json_object_set_new(cost, "total", decimal_json(fusd));
	}
	json_decref(details);
	return cost;
}

/* The given total; input and output where they are all there is; else none. */
static json_t *total_of(const json_t *cost)
{
	const char *key;
	json_t *value;
	if (json_is_string(json_object_get(cost, "total")))
		return json_incref(json_object_get(cost, "total"));
	json_object_foreach((json_t *)cost, key, value)
		if (!row_is_one_of(key, NAMES("input", "output")))
			return json_null();
	if (json_object_size(cost) == 0)
		return json_null();
	return decimal_json(decimal_at(cost, "input") + decimal_at(cost, "output"));
}

static bool has_amount(const json_t *cost)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)cost, key, value)
		if (!json_is_null(value))
			return true;
	return false;
}

/* Models with a tokenizer there, with or without a vendor before the name: OpenAI's and Claude. */
static bool is_tokenized(const json_t *model)
{
	static const char *const starts[] = { "gpt-", "ft:gpt-", "chatgpt-", "o1", "o3", "o4",
		"text-" };
	const char *name = json_string_value(model), *slash = name ? strrchr(name, '/') : NULL;
	if (slash)
		name = slash + 1;
	for (size_t i = 0; name && i < sizeof starts / sizeof *starts; i++)
		if (strncasecmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return name && strcasestr(name, "claude");
}

void row_add_figures(struct row *row)
{
	bool is_agent = is_agent_operation(row);
	const json_t *model = is_agent ? NULL : row_first(row->own, model_names);
	json_t *usage = is_agent ? json_object() : usage_of(row);
	json_t *cost = is_agent ? json_object() : cost_of(row);
	bool has_text = !json_is_null(json_object_get(row->made, "input")) ||
		!json_is_null(json_object_get(row->made, "output"));
	row_set(row, "model", row_as_text(model));
	row_set(row, "model_parameters", parameters_of(row));
	bool is_counted = json_object_size(usage) || (has_text && is_tokenized(model));
	row_set(row, "is_priced_by_langfuse",
		json_boolean(model && !has_amount(cost) && is_counted));
	row_set(row, "usage", usage);
	row_set(row, "total_cost", total_of(cost));
	row_set(row, "cost", cost);
}
