/* The known word that a mistyped one most likely meant, for error messages. */
#ifndef TG_BASE_NEAREST_H
#define TG_BASE_NEAREST_H

enum { NEAREST_MAX = 64 };

/* Begin with { .wanted = what was written }, offer every known word, read `word`. */
struct nearest {
	const char *wanted;
	char word[NEAREST_MAX]; /* empty until one was offered */
	unsigned distance;      /* edits between the two; the first of equals stays */
};
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
