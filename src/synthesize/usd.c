#include "synthesize/usd.h"

#include "otlp/value.h"
#include "pricing/price.h"

__int128 usd_read(double usd, struct arena *arena)
{
	struct value value = { .type = VALUE_DOUBLE, .number = usd };
	fusd amount = 0;
	if (usd > 0 && usd < 1e15)
		fusd_read(value_text(&value, arena), &amount);
	return amount;
}

struct bytes usd_text(__int128 amount, struct arena *arena)
{
	char text[FUSD_TEXT_MAX];
	size_t len = fusd_text(text, amount);
	const uint8_t *at = arena_copy(arena, text, len);
	return (struct bytes){ at, at ? len : 0 };
}
