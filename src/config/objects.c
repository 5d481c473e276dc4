#include "config/objects.h"

#include <string.h>

static struct object destination_object(struct destination_config *destination)
{
	return (struct object){ &sections[SECTION_DESTINATIONS], destination->name, destination,
		destination->origins };
}

static struct object project_object(struct project_config *project)
{
	return (struct object){ &sections[SECTION_PROJECTS], project->name, project,
		project->origins };
}

bool object_at(const struct config *config, size_t index, struct object *ret_object)
{
	if (index < config->destination_count) {
		*ret_object = destination_object(&config->destinations[index]);
		return true;
	}
	index -= config->destination_count;
	if (index >= config->project_count)
		return false;
	*ret_object = project_object(&config->projects[index]);
	return true;
}

bool object_find(const struct config *config, const struct section *section, const char *name,
	struct object *ret_object)
{
	struct object object;
	for (size_t i = 0; object_at(config, i, &object); i++)
		if (object.section == section && strcmp(object.name, name) == 0) {
			*ret_object = object;
			return true;
		}
	return false;
}
