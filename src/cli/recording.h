/*
 * Requests that were recorded: single files, or a folder with a manifest.json that lists what was
 * sent, in which order and with which headers, and beside it hooks.jsonl, hooks-http.jsonl and notify.jsonl
 * with what CLIs gave their hooks, a line each.
 */
#ifndef TG_CLI_RECORDING_H
#define TG_CLI_RECORDING_H

#include "base/bytes.h"
#include "base/complaint.h"

/* All texts live during the visit. */
struct recording {
	const char *name; /* for people: the file's own */
	const char *file; /* where the body lies; NULL: it is `body` */
	struct bytes body;
	const char *path; /* it was posted to, from the host's root: "/v1/traces" */
	const char *content_type;
	const char *content_encoding; /* NULL: none */
};

/*
 * Calls `visit` for each request of a file or folder, hooks at their recorded places, in that order, until one returns other
 * than 0, and returns that.
 *
 *   signal  of a single file: "traces", "logs" or "metrics"; NULL: by its name, else traces
 *
 * 0, or -EINVAL with a complaint: nothing there, a manifest that is none, a name that leaves the folder.
 */
int recording_visit(const char *path, const char *signal,
	int (*visit)(const struct recording *recording, void *arg), void *arg,
	struct complaint *complaint);

#endif
