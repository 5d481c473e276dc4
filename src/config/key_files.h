/*
 * The files of keys that a configuration names, found in its file and the environment as they stand: so that of
 * one that cannot be loaded it can be told whether such a file is why.
 */
#ifndef TG_CONFIG_KEY_FILES_H
#define TG_CONFIG_KEY_FILES_H

#include <stdbool.h>

struct key_file {
	const char *named; /* the setting or variable that names it */
	const char *path;
	bool is_private; /* nobody but its owner and group may read it */
	bool is_one_key; /* and nothing else stands in it */
};

/*
 * A file that cannot be read, or is no JSON, names none. Credentials of a service are left out.
 *
 *   file         NULL: none
 *   environment  as config_load takes it
 */
void key_files_visit(const char *file, char *const *environment,
	void (*visit)(const struct key_file *key_file, void *arg), void *arg);

#endif
