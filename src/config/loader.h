/* What the sources of the configuration share while they are read; for config/ alone. */
#ifndef TG_CONFIG_LOADER_H
#define TG_CONFIG_LOADER_H

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"
#include "config/settings.h"

enum { DESTINATIONS_MAX = 16 };

struct loader {
	struct config *config;
	struct arena *arena; /* all texts of the configuration */
	struct complaint *complaint;
	const char *credentials; /* the directory of them; NULL: none */
	char **notes;            /* NULL-terminated; NULL while there is none */
	size_t note_count;
	const char *file; /* NULL: none */
	int origin;       /* enum of struct origin: the source that is being read */
	struct buf text;  /* what the file holds, terminated, for line numbers */
};

/* One value of the configuration: its row, the struct that it is in, and where it came from. */
struct loader_place {
	const struct setting *setting;
	void *base;
	struct origin *origin;
};

/* That of a dotted name ("http.threads", "destinations.tempo.endpoint"); false when there is none. */
bool loader_find(const struct loader *loader, const char *name, struct loader_place *ret_place);

/* The section of that name; NULL when there is none. */
const struct section *loader_section(const char *name);

/* The known name that is nearest to an unknown one, with as many parts. */
void loader_nearest(const struct loader *loader, const char *name, char out[128]);

/* Sets `name` from a text; `named` is the variable or flag that it came from. */
int loader_set(struct loader *loader, const char *name, const char *text, const char *named);

/*
 * Notes that a value comes from the source that is being read.
 *
 *   named  the variable; copied
 *   line   of the file
 */
void loader_note_origin(struct loader *loader, struct origin *origin, const char *named, int line);

/* With the defaults of its type. NULL after a complaint about `named`. */
struct destination_config *loader_add_destination(
	struct loader *loader, const char *name, enum destination_type type, const char *named);

/* NULL after a complaint. */
struct project_config *loader_add_project(struct loader *loader, const char *name);

void loader_note(struct loader *loader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds file and line of a key to the complaint, when the file has that key. Returns -EINVAL. */
int loader_locate(struct loader *loader, const char *name);

/* The sources, each 0 or -EINVAL with a complaint. */
int loader_read_file(struct loader *loader);
int loader_read_environment(struct loader *loader, char *const *environment);

#endif
