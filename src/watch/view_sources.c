/* Who sends, what came of it, and what is missing in it. */
#include <errno.h>

#include "base/clock.h"
#include "sources.h"
#include "watch/watch.h"

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	(void)complaint;
	uint64_t now_ns = clock_unix_ns();
	json_t *times = json_pack("{s:I, s:I}", "now_ns", (json_int_t)now_ns, "since_ns",
		(json_int_t)watch->started_ns);
	json_t *found = sources_json(watch->sources, now_ns);
	int error = found && times && json_object_update(found, times) == 0 ? 0 : -ENOMEM;
	json_decref(times);
	if (error)
		json_decref(found);
	else
		*ret_answer = found;
	return error;
}

static const char *const no_arguments[] = { NULL };

const struct view view_sources = {
	.method = "GET",
	.path = "/v1/sources",
	.answer = answer,
	.arguments = no_arguments,
};
