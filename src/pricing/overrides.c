#include "pricing/overrides.h"

#include <errno.h>
#include <string.h>

#include "pricing/rates.h"

static const json_t *record_of(const json_t *document, const json_t *id)
{
	const json_t *models = json_object_get(document, "models"), *model;
	size_t i;
	json_array_foreach(models, i, model)
		if (json_is_string(id) && json_equal(json_object_get(model, "id"), id))
			return model;
	return NULL;
}

bool overrides_have(const json_t *document, const json_t *id)
{
	return record_of(document, id) != NULL;
}

/* Takes the default. */
static int set_missing(json_t *object, const char *key, json_t *fallback)
{
	if (!json_object_get(object, key))
		return json_object_set_new(object, key, fallback) < 0 ? -ENOMEM : 0;
	json_decref(fallback);
	return 0;
}

/* What a record of another price keeps of the one that it stands for. */
static int inherit(json_t *record, const json_t *listed)
{
	static const char *const names[] = { "provider", "kind", "aliases", "patterns",
		"per_unit_fees", "region_multipliers", "context_window", NULL };
	bool has_prices = json_object_get(record, "periods") ||
		json_object_get(record, PER_TOKEN) || json_object_get(record, PER_MILLION);
	int error = 0;
	for (const char *const *name = names; *name && error == 0; name++)
		if (json_object_get(listed, *name))
			error = set_missing(
				record, *name, json_deep_copy(json_object_get(listed, *name)));
	if (error == 0 && !has_prices && json_object_get(listed, "periods"))
		error = set_missing(
			record, "periods", json_incref(json_object_get(listed, "periods")));
	return error;
}

/* The id is one of the names, whether it is said or not. */
static int name_by_id(json_t *record, json_t *id)
{
	json_t *aliases = json_object_get(record, "aliases"), *alias;
	size_t i;
	json_array_foreach(aliases, i, alias)
		if (json_equal(alias, id))
			return 0;
	return !json_is_array(aliases) || json_array_append(aliases, id) == 0 ? 0 : -ENOMEM;
}

static int complete_record(json_t *record, const json_t *table)
{
	json_t *id = json_object_get(record, "id");
	if (!json_is_string(id))
		return 0;
	const json_t *listed = record_of(table, id);
	int error = listed ? inherit(record, listed) : 0;
	if (error == 0)
		error = set_missing(record, "provider", json_string(ANY_PROVIDER));
	if (error == 0)
		error = set_missing(record, "kind", json_string("chat"));
	if (error == 0)
		error = set_missing(record, "aliases", json_array());
	if (error == 0)
		error = set_missing(record, "patterns", json_array());
	if (error == 0)
		error = set_missing(record, "deprecated", json_false());
	if (error == 0)
		error = set_missing(record, "confidence", json_string("high"));
	if (error == 0)
		error = set_missing(record, "sources", json_pack("[s]", "own"));
	return error == 0 ? name_by_id(record, id) : error;
}

int overrides_complete(json_t *document, const json_t *table)
{
	if (!json_is_object(document))
		return 0;
	json_t *record;
	size_t i;
	int error = set_missing(document, "schema", json_string("tollgate-prices/1"));
	if (error == 0)
		error = set_missing(document, "currency", json_string("USD"));
	if (error == 0)
		error = set_missing(
			document, "as_of", json_incref(json_object_get(table, "as_of")));
	if (error == 0)
		error = set_missing(document, "sources", json_pack("{s:{}}", "own"));
	if (error == 0)
		error = set_missing(document, "models", json_array());
	json_array_foreach(json_object_get(document, "models"), i, record)
		if (error == 0)
			error = complete_record(record, table);
	return error;
}
