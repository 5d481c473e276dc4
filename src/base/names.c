#include "base/names.h"

#include <pthread.h>
#include <stdatomic.h>

/* Counted without the lock; what else is in here is guarded by it. */
struct kept {
	char text[NAME_TEXT_MAX + 1];
	_Atomic uint64_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct kept at[NAMES_MAX];
	size_t count;
	_Atomic uint64_t others;
} sorts[SORT_COUNT];

static void clean(struct bytes name, char out[NAME_TEXT_MAX + 1])
{
	if (name.len == 0)
		name = bytes_of("(none)");
	size_t len = name.len < NAME_TEXT_MAX ? name.len : NAME_TEXT_MAX;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(name.at[i] >= ' ' && name.at[i] < 0x7f ? name.at[i] : '?');
	out[len] = '\0';
}

_Atomic uint64_t *names_counter(enum sort sort, struct bytes name)
{
	char text[NAME_TEXT_MAX + 1];
	clean(name, text);
	pthread_mutex_lock(&lock);
	size_t i = 0;
	while (i < sorts[sort].count && strcmp(sorts[sort].at[i].text, text) != 0)
		i++;
	if (i == sorts[sort].count && i < NAMES_MAX) {
		memcpy(sorts[sort].at[i].text, text, sizeof text);
		sorts[sort].count++;
	}
	pthread_mutex_unlock(&lock);
	return i < NAMES_MAX ? &sorts[sort].at[i].count : &sorts[sort].others;
}

void names_add(enum sort sort, struct bytes name)
{
	atomic_fetch_add_explicit(names_counter(sort, name), 1, memory_order_relaxed);
}

void names_read(enum sort sort, struct names *ret_names)
{
	pthread_mutex_lock(&lock);
	ret_names->count = sorts[sort].count;
	ret_names->others = sorts[sort].others;
	for (size_t i = 0; i < ret_names->count; i++) {
		memcpy(ret_names->at[i].text, sorts[sort].at[i].text, sizeof ret_names->at[i].text);
		ret_names->at[i].count = sorts[sort].at[i].count;
	}
	pthread_mutex_unlock(&lock);
}
