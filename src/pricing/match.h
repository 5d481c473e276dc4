/*
 * Which record names a model. Rules, in the order in which they are tried, in pricing/README.md; what
 * they do not decide stays unknown: no prefix, no family, no nearest name.
 */
#ifndef TG_PRICING_MATCH_H
#define TG_PRICING_MATCH_H

#include "base/bytes.h"
#include "pricing/memo.h"

enum { MODEL_NAME_MAX = 255, PROVIDER_NAME_MAX = 63 };

struct prices;

enum match_way {
	MATCH_ALIAS,
	MATCH_PATTERN,
	MATCH_NOTHING,     /* no record has the name */
	MATCH_NO_NAME,     /* empty, too long, or not printable ASCII */
	MATCH_UNPRICED,    /* on purpose */
	MATCH_AMBIGUOUS,   /* patterns of two records match */
	MATCH_NOT_ALLOWED, /* the provider of the call does not charge by this record */
};
/* "alias", "pattern", "nothing", "no_name", "unpriced", "ambiguous", "not_allowed" */
const char *match_way_name(enum match_way way);

/* How a name was looked up. Texts live as long as the table; what does not apply is NULL or empty. */
struct match {
	enum match_way way;
	const struct record *record;   /* of ALIAS, PATTERN, NOT_ALLOWED */
	char name[MODEL_NAME_MAX + 1]; /* in normal form */
	char found[PROVIDER_NAME_MAX + 1 + MODEL_NAME_MAX +
		1];          /* what was found: "bedrock/..." or the name */
	const char *prefix;  /* that the provider's scope gives; NULL: the provider has no scope */
	const char *pattern; /* that matched */
	const char *others[2]; /* ids of two records that claim the name */
	const char *words;     /* why it is unpriced */
};

/*
 * The name without blanks around it, in lower case, without path and without the marker of a long
 * context. Returns its length; 0 when no record can have it: empty, too long, not printable ASCII.
 */
size_t model_normalise(struct bytes model, char out[MODEL_NAME_MAX + 1]);

/* The same for what a span calls its provider, which has neither path nor marker. */
size_t provider_normalise(struct bytes provider, char out[PROVIDER_NAME_MAX + 1]);

/* How a name is looked up, each time anew. Safe from many threads, as the next. */
void match_search(const struct prices *prices, struct bytes provider, struct bytes model,
	struct match *ret_match);

/* The same once per name: the record that a call is charged by, or where its unknown name is counted. */
struct resolution match_model(
	const struct prices *prices, struct bytes provider, struct bytes model);

#endif
