/* One record of a price file: its names, what people are told of it, its prices. */
#ifndef TG_PRICING_RECORD_H
#define TG_PRICING_RECORD_H

#include "pricing/fields.h"
#include "pricing/table.h"

/* Both into a book that has room: 0, -EINVAL with a complaint, -ENOMEM. */
int record_read(struct prices *prices, struct book *book, const json_t *object,
	const json_t *sources, const struct place *place);
/*   alias  all but the name, which must be in normal form */
int record_add_alias(struct prices *prices, struct book *book, const json_t *name,
	const struct alias *alias, const struct place *place);

#endif
