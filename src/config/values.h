/* What a person wrote, checked against its row and stored in the member that the row names. */
#ifndef TG_CONFIG_VALUES_H
#define TG_CONFIG_VALUES_H

#include <jansson.h>

#include "base/arena.h"
#include "base/complaint.h"
#include "config/settings.h"

/* For one value: where its texts live, and whom to tell. */
struct value_place {
	const char *named; /* the setting as it was written: a key, a variable or a flag */
	struct arena *arena;
	struct complaint *complaint;
	const char *credentials; /* $CREDENTIALS_DIRECTORY; NULL: unset */
};

/*
 * From a variable, a flag or a default. Lists are a JSON array or divided by commas; headers are
 * k=v,k=v with %XX, as in OTEL_EXPORTER_OTLP_HEADERS.
 *
 *   base  the struct that setting->offset counts from
 */
int value_set_text(const struct setting *setting, void *base, const char *text,
	const struct value_place *place);

/* From the JSON file, where numbers are no strings; null leaves the member as it is. */
int value_set_json(const struct setting *setting, void *base, const json_t *json,
	const struct value_place *place);

/* A value as the JSON file would have it, sizes as numbers: a new reference, null when it is unset. */
json_t *value_json(const struct setting *setting, const void *base);

/* A number as short as is exact where it counts bytes: "64MiB", "4MB". */
enum { VALUE_NUMBER_MAX = 32 };
void value_print_number(const struct setting *setting, uint64_t number, char out[VALUE_NUMBER_MAX]);

/* What a value may be: "bytes, 1KiB to 1GiB", "one of gzip, none"; empty where anything may. */
enum { VALUE_BOUNDS_MAX = 128 };
void value_print_bounds(const struct setting *setting, char out[VALUE_BOUNDS_MAX]);

/*
 * true: 1 true yes on; false: 0 false no off, in any case. 0 or -EINVAL.
 */
int value_parse_bool(const char *text, bool *ret_value);

#endif
