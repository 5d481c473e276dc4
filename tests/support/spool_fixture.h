/* A spool in a directory of its own, its writer's thread, and hands for tests. */
#ifndef TG_TESTS_SPOOL_FIXTURE_H
#define TG_TESTS_SPOOL_FIXTURE_H

#include <pthread.h>

#include "spool/spool.h"

struct fixture {
	char directory[64];
	struct spool_options options; /* may be changed before fixture_open */
	struct spool *spool;
	pthread_t writer;
	bool is_writing;
};

/* Makes the directory; options are small and uncompressed. */
void fixture_init(struct fixture *fixture);
/* Closes the spool when it is open and removes the directory. */
void fixture_done(struct fixture *fixture);

void fixture_open(struct fixture *fixture);
void fixture_start_writer(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* What a crash at this moment would leave, in a directory of its own; not opened yet. */
void fixture_copy(struct fixture *copy, const struct fixture *from);

/* Bytes on disk as the file system counts them. */
uint64_t fixture_disk_bytes(const struct fixture *fixture);

/* One request with its own memory. */
struct request {
	struct batch batch;
	struct part parts[4];
	char lane[LANE_NAME_MAX + 1];
	pthread_mutex_t lock;
	pthread_cond_t called;
	bool is_called; /* guarded by lock, as error */
	int error;
};

/* A request of one part; `text` must live until it is called back. */
struct request *request_new(const char *lane, const void *text, size_t bytes);
/* Waits until it was called back, frees it and returns the error. */
int request_wait(struct request *request);

/* Appends one text and waits. */
int store(struct fixture *fixture, const char *lane, const char *text);
int store_bytes(struct fixture *fixture, const char *lane, const void *bytes, size_t count);

/* A reader of every lane, stage out and all shapes. */
struct spool_reader *read_all(struct fixture *fixture, uint64_t from);

/* The next record's body as text, to be freed; NULL at the end. Its sequence in ret_sequence if not NULL. */
char *next_text(struct spool_reader *reader, uint64_t *ret_sequence);

/* Faults, set by tests; the programs are linked with --wrap. */
extern _Atomic int fail_sync;      /* errno of fdatasync; 0 for none */
extern _Atomic int fail_write;     /* errno of pwrite */
extern _Atomic int fail_allocate;  /* errno of fallocate */
extern _Atomic bool refuse_direct; /* EINVAL for transfers with O_DIRECT */
extern _Atomic bool tear_write;    /* pwrite stores the first block only and fails */
extern _Atomic uint64_t clock_ahead_ms;

#endif
