/*
 * The price table in force. Another one takes its place while calls are being priced: whoever holds the
 * old one ends with it, and the last one frees it.
 */
#ifndef TG_PRICING_TARIFF_H
#define TG_PRICING_TARIFF_H

struct prices;
struct tariff;

/* Takes the table. NULL without memory, when nothing is taken. */
struct tariff *tariff_new(struct prices *prices);

/* When nobody holds a table any more. */
void tariff_free(struct tariff *tariff);

/* From any thread, as the next. What is held stays as it is until it is released. */
struct prices *tariff_hold(struct tariff *tariff);
void tariff_release(struct tariff *tariff, struct prices *prices);

/* Takes the table. */
void tariff_replace(struct tariff *tariff, struct prices *prices);

#endif
