/*
 * Settings in TOML that a person wrote, edited as text. What we write is marked by the comment on its line, and what it
 * takes the place of stays as comments where it stood: so it can be put back from the text alone, whatever else was
 * changed since, and whoever reads the file sees what happened to it.
 */
#ifndef TG_TOOLS_TOML_TEXT_H
#define TG_TOOLS_TOML_TEXT_H

#include "tools/toml.h"

/*
 * Appends the text in which `path` has the value, in the way in which the tables around it are written already.
 *
 *   path  "notify", "otel.exporter": a key of the root, or of a table of it
 *
 * 0, or -EINVAL with a line and words: not well formed, or what surrounds it is no table that a line can be added to.
 */
int toml_set(struct bytes text, const char *path, struct bytes value, struct buf *out,
	struct complaint *complaint);

/*
 * Appends the text as it was before toml_set, however often that was called, with all that was changed since; byte for
 * byte where nothing was.
 *
 * 0, or -EINVAL with a line and words: not well formed, or what was added since would come into another table.
 */
int toml_restore(struct bytes text, struct buf *out, struct complaint *complaint);

#endif
