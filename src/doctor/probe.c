#include "doctor/probe.h"

#include <string.h>
#include <strings.h>
#include <time.h>

int probes_init(struct probes *probes, const char *ca_file)
{
	const struct http_client_options options = {
		.ca_file = ca_file, .timeout_ms = PROBE_TIMEOUT_MS, .connections = PROBES_MAX
	};
	*probes = (struct probes){ 0 };
	return http_client_new(&options, &probes->client);
}

void probes_done(struct probes *probes)
{
	http_client_free(probes->client);
	*probes = (struct probes){ 0 };
}

/*   error  of its beginning */
static void note_begun(struct probes *probes, const char *what, int error)
{
	probes->at[probes->count++] =
		(struct probe){ .what = what, .outcome = HTTP_FAILED, .error = "no memory" };
	probes->open += error == 0;
}

void probes_get(
	struct probes *probes, const char *what, const char *url, struct http_headers *headers)
{
	struct probe *owner = &probes->at[probes->count];
	note_begun(probes, what, http_client_get(probes->client, url, headers, owner));
}

void probes_post(
	struct probes *probes, const char *what, const char *url, struct http_headers *headers)
{
	const struct http_post post = {
		.url = url, .headers = headers, .owner = &probes->at[probes->count]
	};
	note_begun(probes, what, http_client_post(probes->client, &post));
}

static bool begins_as_page(struct bytes body)
{
	static const char *const marks[] = { "<!doctype html", "<html" };
	const char *at = (const char *)body.at;
	size_t blanks = 0;
	while (blanks < body.len && strchr(" \t\r\n", at[blanks]))
		blanks++;
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t len = strlen(marks[i]);
		if (body.len - blanks >= len && strncasecmp(at + blanks, marks[i], len) == 0)
			return true;
	}
	return false;
}

static void read_answer(struct probe *probe, const struct http_answer *answer)
{
	static const char suspended[] = "Usage threshold exceeded";
	const struct bytes body = answer->body;
	*probe = (struct probe){
		.what = probe->what,
		.outcome = answer->outcome,
		.status = answer->status,
		.error = answer->error,
		.has_clock = answer->date_s >= 0,
		.ahead_s = answer->date_s - (int64_t)time(NULL),
		.is_page = begins_as_page(body),
		.is_suspended = body.len &&
			memmem(body.at, body.len, suspended, sizeof suspended - 1) != NULL,
	};
}

bool probes_move(struct probes *probes, uint64_t wait_ms)
{
	struct http_answer answer;
	void *probe;
	if (probes->open)
		http_client_run(probes->client, wait_ms);
	while (probes->open && http_client_next(probes->client, &probe, &answer)) {
		read_answer(probe, &answer);
		probes->open--;
	}
	return probes->open > 0;
}
