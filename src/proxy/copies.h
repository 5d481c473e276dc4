/*
 * The last good answer to each read that applications depend on at run time (prompts), for when Langfuse is
 * away: copies.sqlite, small derived state that is lost without harm.
 *
 * A copy belongs to a project and a target as it was asked for; nobody else sees it. Threads: one.
 */
#ifndef TG_PROXY_COPIES_H
#define TG_PROXY_COPIES_H

#include "base/buf.h"

struct copies;

struct copies_options {
	const char *directory; /* exists, private */
	uint64_t max_bytes;    /* of all bodies; the ones asked for longest ago go */
	uint64_t max_age_ms;   /* older ones are none */
	uint64_t max_copy_bytes;
};

/* 0 or negative errno; a damaged file is replaced, with a log line. */
int copies_open(const struct copies_options *options, struct copies **ret_copies);
void copies_close(struct copies *copies);

/* Keeps a body in place of the one before. What is too large is passed over. Failures are logged now and then. */
void copies_keep(struct copies *copies, const char *lane, const char *target,
	const char *content_type, struct bytes body, uint64_t now_ns);

struct copy {
	struct buf body; /* to be done by the caller */
	char content_type[128];
	uint64_t age_ms;
};

/* 0; -ENOENT: there is none that may be shown. */
int copies_find(struct copies *copies, const char *lane, const char *target, uint64_t now_ns,
	struct copy *ret_copy);

/* Langfuse says that it is gone: 404, or the caller may not see it any more. */
void copies_forget(struct copies *copies, const char *lane, const char *target);

#endif
