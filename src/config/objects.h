/* What a person named in the sections of a configuration, whatever it is; for config/ alone. */
#ifndef TG_CONFIG_OBJECTS_H
#define TG_CONFIG_OBJECTS_H

#include "config/config.h"
#include "config/settings.h"

enum { OBJECT_NAME_MAX = 128 };

struct object {
	const struct section *section;
	const char *name;
	void *base; /* what its settings' offsets count from */
	struct origin *origins;
};

/* Section by section, each in the order in which they came. False behind the last. */
bool object_at(const struct config *config, size_t index, struct object *ret_object);

bool object_find(const struct config *config, const struct section *section, const char *name,
	struct object *ret_object);

#endif
