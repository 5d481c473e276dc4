/* What runs here, and since when. */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "config/config.h"
#include "watch/watch.h"

static int answer(const struct watch *watch, const struct http_request *request,
	json_t **ret_answer, struct complaint *complaint)
{
	(void)request;
	*ret_answer = json_pack("{s:s, s:i, s:I, s:s}", "version", PACKAGE_VERSION, "pid",
		(int)getpid(), "started_ns", (json_int_t)watch->started_ns, "listen",
		watch->config->listen);
	if (*ret_answer)
		return 0;
	complain(complaint, "no memory for an answer");
	return -ENOMEM;
}

static const char *const no_arguments[] = { NULL };

const struct view view_status = {
	.method = "GET",
	.path = "/v1/status",
	.answer = answer,
	.arguments = no_arguments,
};
