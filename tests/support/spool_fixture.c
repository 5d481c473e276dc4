#include <config.h>

#include "support/spool_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(bool is_good, const char *what)
{
	if (!is_good) {
		fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
		abort();
	}
}

void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){
		.directory = "/tmp/tollgate-spool-XXXXXX",
		.options = {
			.segment_bytes = 256 << 10,
			.max_bytes = UINT64_C(1) << 40,
			.max_record_bytes = 64 << 10,
			.cache_bytes = 64 << 10,
		},
	};
	check(mkdtemp(fixture->directory), "mkdtemp");
}

void fixture_open(struct fixture *fixture)
{
	fixture->options.directory = fixture->directory;
	int error = spool_open(&fixture->options, &fixture->spool);
	errno = -error;
	check(error == 0, "spool_open");
}

static void *run_writer(void *spool)
{
	spool_write(spool);
	return NULL;
}

void fixture_start_writer(struct fixture *fixture)
{
	check(pthread_create(&fixture->writer, NULL, run_writer, fixture->spool) == 0, "thread");
	fixture->is_writing = true;
}

void fixture_close(struct fixture *fixture)
{
	if (fixture->is_writing) {
		spool_stop(fixture->spool);
		pthread_join(fixture->writer, NULL);
	}
	spool_close(fixture->spool);
	fixture->spool = NULL;
	fixture->is_writing = false;
}

static void for_each_file(const struct fixture *fixture,
	void (*visit)(const char *path, const char *name, void *arg), void *arg)
{
	DIR *directory = opendir(fixture->directory);
	check(directory, fixture->directory);
	for (struct dirent *file; (file = readdir(directory));) {
		char path[400];
		snprintf(path, sizeof path, "%s/%s", fixture->directory, file->d_name);
		if (file->d_name[0] != '.')
			visit(path, file->d_name, arg);
	}
	closedir(directory);
}

static void remove_file(const char *path, const char *name, void *arg)
{
	unlink(path);
}

void fixture_done(struct fixture *fixture)
{
	fixture_close(fixture);
	for_each_file(fixture, remove_file, NULL);
	rmdir(fixture->directory);
}

static void copy_file(const char *path, const char *name, void *to)
{
	char target[400];
	snprintf(target, sizeof target, "%s/%s", ((struct fixture *)to)->directory, name);
	FILE *in = fopen(path, "r"), *out = fopen(target, "w");
	check(in && out, "fopen");
	char piece[64 << 10];
	for (size_t got; (got = fread(piece, 1, sizeof piece, in)) > 0;)
		check(fwrite(piece, 1, got, out) == got, "fwrite");
	fclose(in);
	check(fclose(out) == 0, "fclose");
}

void fixture_copy(struct fixture *copy, const struct fixture *from)
{
	fixture_init(copy);
	copy->options = from->options;
	for_each_file(from, copy_file, copy);
}

static void add_size(const char *path, const char *name, void *sum)
{
	struct stat status;
	check(stat(path, &status) == 0, "stat");
	*(uint64_t *)sum += (uint64_t)status.st_blocks * 512;
}

uint64_t fixture_disk_bytes(const struct fixture *fixture)
{
	uint64_t sum = 0;
	for_each_file(fixture, add_size, &sum);
	return sum;
}

static void committed(struct batch *batch, int error)
{
	struct request *request = batch->owner;
	pthread_mutex_lock(&request->lock);
	check(!request->is_called, "called back twice");
	request->error = error;
	request->is_called = true;
	pthread_cond_signal(&request->called);
	pthread_mutex_unlock(&request->lock);
}

struct request *request_new(const char *lane, const void *text, size_t bytes)
{
	struct request *request = calloc(1, sizeof *request);
	check(request, "calloc");
	snprintf(request->lane, sizeof request->lane, "%s", lane);
	request->parts[0] = (struct part){ { text, bytes }, 1, SHAPE_ANY, STAGE_OUT };
	request->batch = (struct batch){
		.lane = request->lane,
		.signal = SIGNAL_TRACES,
		.received_ns = 1000,
		.parts = request->parts,
		.part_count = 1,
		.span_count = 1,
		.committed = committed,
		.owner = request,
	};
	pthread_mutex_init(&request->lock, NULL);
	pthread_cond_init(&request->called, NULL);
	return request;
}

int request_wait(struct request *request)
{
	pthread_mutex_lock(&request->lock);
	while (!request->is_called)
		pthread_cond_wait(&request->called, &request->lock);
	pthread_mutex_unlock(&request->lock);
	int error = request->error;
	pthread_mutex_destroy(&request->lock);
	pthread_cond_destroy(&request->called);
	free(request);
	return error;
}

int store_bytes(struct fixture *fixture, const char *lane, const void *bytes, size_t count)
{
	struct request *request = request_new(lane, bytes, count);
	spool_append(fixture->spool, &request->batch);
	return request_wait(request);
}

int store(struct fixture *fixture, const char *lane, const char *text)
{
	return store_bytes(fixture, lane, text, strlen(text));
}

struct spool_reader *read_all(struct fixture *fixture, uint64_t from)
{
	return spool_reader_new(fixture->spool, NULL, STAGE_OUT,
		SHAPE_ANY | SHAPE_PLAIN | SHAPE_LANGFUSE, from, NULL, NULL);
}

char *next_text(struct spool_reader *reader, uint64_t *ret_sequence)
{
	struct record *record;
	if (spool_reader_next(reader, &record) < 0)
		return NULL;
	char *text = strndup((const char *)record->body.at, record->body.len);
	if (ret_sequence)
		*ret_sequence = record->sequence;
	record_release(record);
	return text;
}

_Atomic int fail_sync, fail_write, fail_allocate;
_Atomic bool refuse_direct, tear_write;
_Atomic uint64_t clock_ahead_ms;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_pwrite(int fd, const void *from, size_t bytes, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t offset);
int __real_fallocate(int fd, int mode, off_t offset, off_t bytes);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes);
uint64_t __real_clock_monotonic_ms(void);
uint64_t __wrap_clock_monotonic_ms(void);

static int fail(int error)
{
	errno = error;
	return -1;
}

int __wrap_fdatasync(int fd)
{
	return fail_sync ? fail(fail_sync) : __real_fdatasync(fd);
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	if (refuse_direct && fcntl(fd, F_GETFL) & O_DIRECT)
		return fail(EINVAL);
	if (fail_write)
		return fail(fail_write);
	if (tear_write && bytes > 4096) {
		check(__real_pwrite(fd, from, 4096, offset) == 4096, "pwrite");
		return fail(EIO);
	}
	return __real_pwrite(fd, from, bytes, offset);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	return fail_allocate ? fail(fail_allocate) : __real_fallocate(fd, mode, offset, bytes);
}

uint64_t __wrap_clock_monotonic_ms(void)
{
	return __real_clock_monotonic_ms() + clock_ahead_ms;
}
