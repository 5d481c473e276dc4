/*
 * What manuals say in words, as strings of C and files of man/ have it: paragraphs with a blank line between.
 *
 *   # HEADING         begins a section
 *   - TERM: text      says what TERM is
 *   (tab) text        is printed as it is, with its line ends
 *   `literal`         in any text stands around what is typed as it is
 */
#ifndef TG_CLI_PROSE_H
#define TG_CLI_PROSE_H

#include <stdbool.h>

#include "base/bytes.h"

enum prose_kind { PROSE_TEXT, PROSE_HEADING, PROSE_ITEM, PROSE_VERBATIM };

struct prose {
	enum prose_kind kind;
	struct bytes term; /* of an item */
	struct bytes text; /* without what marks its kind; lines of PROSE_VERBATIM keep their tab */
};

/* Moves `text` behind its first paragraph. False: there is none. */
bool prose_next(struct bytes *text, struct prose *ret_prose);

#endif
