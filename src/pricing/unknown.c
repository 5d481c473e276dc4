#include "pricing/unknown.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unknown_models models; /* guarded by lock */

static void clean(struct bytes name, char out[UNKNOWN_NAME_MAX + 1])
{
	if (name.len == 0)
		name = bytes_of("(none)");
	size_t len = name.len < UNKNOWN_NAME_MAX ? name.len : UNKNOWN_NAME_MAX;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(name.at[i] >= ' ' && name.at[i] < 0x7f ? name.at[i] : '?');
	out[len] = '\0';
}

void unknown_models_add(struct bytes name)
{
	char text[UNKNOWN_NAME_MAX + 1];
	clean(name, text);
	pthread_mutex_lock(&lock);
	size_t i = 0;
	while (i < models.count && strcmp(models.at[i].name, text) != 0)
		i++;
	if (i < UNKNOWN_MODELS_MAX) {
		if (i == models.count) {
			memcpy(models.at[i].name, text, sizeof text);
			models.count++;
		}
		models.at[i].calls++;
	} else {
		models.other_calls++;
	}
	pthread_mutex_unlock(&lock);
}

void unknown_models_read(struct unknown_models *ret_models)
{
	pthread_mutex_lock(&lock);
	*ret_models = models;
	pthread_mutex_unlock(&lock);
}
