#include "base/names.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct names sorts[SORT_COUNT]; /* guarded by lock */

static void clean(struct bytes name, char out[NAME_TEXT_MAX + 1])
{
	if (name.len == 0)
		name = bytes_of("(none)");
	size_t len = name.len < NAME_TEXT_MAX ? name.len : NAME_TEXT_MAX;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(name.at[i] >= ' ' && name.at[i] < 0x7f ? name.at[i] : '?');
	out[len] = '\0';
}

void names_add(enum sort sort, struct bytes name)
{
	struct names *names = &sorts[sort];
	char text[NAME_TEXT_MAX + 1];
	clean(name, text);
	pthread_mutex_lock(&lock);
	size_t i = 0;
	while (i < names->count && strcmp(names->at[i].text, text) != 0)
		i++;
	if (i < NAMES_MAX) {
		if (i == names->count) {
			memcpy(names->at[i].text, text, sizeof text);
			names->count++;
		}
		names->at[i].count++;
	} else {
		names->others++;
	}
	pthread_mutex_unlock(&lock);
}

void names_read(enum sort sort, struct names *ret_names)
{
	pthread_mutex_lock(&lock);
	*ret_names = sorts[sort];
	pthread_mutex_unlock(&lock);
}
