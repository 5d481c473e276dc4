#include "base/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein over the first NEAREST_MAX - 1 bytes, without regard to case. */
static unsigned distance(const char *a, const char *b)
{
	size_t a_len = strnlen(a, NEAREST_MAX - 1), b_len = strnlen(b, NEAREST_MAX - 1);
	unsigned row[NEAREST_MAX];
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			int same = tolower((unsigned char)a[i - 1]) ==
				tolower((unsigned char)b[j - 1]);
			unsigned replaced = diagonal + (same ? 0 : 1);
			diagonal = row[j];
			row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	unsigned edits = distance(nearest->wanted, candidate);
	if (nearest->word[0] && edits >= nearest->distance)
		return;
	nearest->distance = edits;
	snprintf(nearest->word, sizeof nearest->word, "%s", candidate);
}
