/*
 * What real CLIs sent, recorded under tests/fixtures/captures: bodies, hooks and notify of one scenario,
 * in the order of their arrival.
 */
#ifndef TG_TESTS_SUPPORT_CAPTURE_H
#define TG_TESTS_SUPPORT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "batch.h"

/* One request: OTLP, or a hook's (notify's) JSON. */
struct delivery {
	const char *path; /* "/v1/logs", "/hooks/codex" */
	bool is_hook;
	enum signal signal; /* of what it is stored as: hooks travel as logs */
	uint64_t time_ns;   /* when it arrived */
	struct bytes body;  /* OTLP in protobuf, whatever it was sent in; of a hook its JSON text */
};

struct capture {
	char name[64];   /* "claude/b-tool" */
	const char *cli; /* "claude-code" */
	struct delivery *deliveries;
	size_t count;
};

/* The scenarios' names, ended by NULL; only $CAPTURE where that is set. Lives as long as the process. */
const char *const *capture_names(void);

/* The test fails when it is not there or cannot be read. */
struct capture capture_open(const char *name);
void capture_close(struct capture *capture);

#endif
