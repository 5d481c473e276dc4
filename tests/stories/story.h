/*
 * The stage of a story: the real daemon between a client and two destinations in the test's own
 * process, a state directory on a real disk. All ends when the test does.
 */
#ifndef TG_TESTS_STORIES_STORY_H
#define TG_TESTS_STORIES_STORY_H

#include <criterion/criterion.h>

#include "bench/payload.h"
#include "bench/tally.h"
#include "support/daemon.h"
#include "support/fake_destination.h"
#include "support/fake_langfuse.h"

enum { STORY_PATIENCE_MS = 20000 };

/* Langfuse's key pair in every story, and what it looks like in a request. */
#define STORY_PUBLIC_KEY "pk-lf-story"
#define STORY_SECRET_KEY "sk-lf-story"
#define STORY_AUTHORIZATION "Basic cGstbGYtc3Rvcnk6c2stbGYtc3Rvcnk="

struct story {
	char directory[SCRATCH_PATH_MAX]; /* with "state" and "log" in it */
	struct fake_destination *langfuse, *tempo;
	/*
	 * A whole Langfuse in place of `langfuse`, for what the gateway stands in front of; started by the
	 * story that wants it, stopped with the story. NULL: none.
	 */
	struct fake_langfuse *front;
	struct daemon daemon;
	/* Of the next start. */
	int socket; /* the service manager's; 0: it opens its own */
	/* Who is started in its place and becomes it, NULL at the end; NULL: nobody. */
	const char *const *launcher;
	bool is_tempo_off;         /* it is no destination */
	bool is_sessions_off;      /* coding CLIs are senders as all others */
	const char *tempo_signals; /* a list in JSON; NULL: traces */
	const char *further; /* of its file: members in JSON, a comma behind each; NULL: none */
	const char *langfuse_further; /* the same within Langfuse's destination */
	/* What story_send and all that use it show from now on; NULL: nothing. */
	const char *authorization;
	/* Whose certificates they trust; NULL: they speak plain HTTP. */
	const char *ca_file;
};

/* Destinations that take everything, and an empty directory; no daemon yet. */
void story_begin(struct story *story);
void story_end(struct story *story);

/* Writes the daemon's file as the next start does by itself: for SIGHUP. */
void story_configure(const struct story *story);

/*
 * Starts the daemon, after a stop or a kill on the state that it left. The test fails with the
 * daemon's log when it does not begin to listen.
 *
 *   settings  further NAME=value for its environment, NULL at the end; NULL for none
 */
void story_start(struct story *story, const char *const *settings);

/* The same without expecting anything. Exit status as child_wait. */
int story_start_refused(struct story *story, const char *const *settings);

/* SIGTERM; the test fails unless it ends with 0. */
void story_stop(struct story *story);

struct story_answer {
	int status;         /* 0: no answer */
	long retry_after_s; /* -1: none */
	char content_type[64];
};
struct story_answer story_post(const struct story *story, struct bytes request);

/*
 * GET of a path on the main listener; its status, 0 without an answer.
 *
 *   ret_body  to be freed; may be NULL
 */
int story_get(const struct story *story, const char *path, char **ret_body);

/* A body to any path. `coding` is its Content-Encoding, NULL for none. */
struct story_answer story_send(const struct story *story, const char *path,
	const char *content_type, const char *coding, struct bytes body);

/* Posts so many spans, numbered from `first` on, in requests of five; all have to be answered 200. */
void story_post_spans(const struct story *story, uint64_t first, unsigned spans);

/* How often a destination accepted the span with this number. */
size_t story_times(struct fake_destination *destination, uint64_t number);

/* The test fails unless a destination gets these spans, each exactly once. */
void story_expect_each_once(struct fake_destination *destination, uint64_t first, unsigned spans);

/*
 * `tollgate ARGUMENT...` of somebody on this machine, NULL at the end, who runs in the story's directory and
 * has nothing on the standard input. Its exit status.
 *
 *   ret_said  all that it said, to be freed; may be NULL
 */
int story_command(const struct story *story, char **ret_said, ...);

/*
 * The books of one destination ("tempo"; "tempo/team" for a project), proven by `tollgate verify`; the test fails
 * unless they add up.
 */
struct story_books {
	int64_t accepted, delivered, rejected, dead, dropped, damaged, waiting;
};
struct story_books story_verify(const struct story *story, const char *destination);

/* The same once no more than this waits: a destination has counted what came before its answer is booked. */
struct story_books story_verify_sent(
	const struct story *story, const char *destination, int64_t waiting);

/* The test fails unless the daemon logs a line with this text. */
void story_expect_log(struct story *story, const char *text);

#endif
