/*
 * A thousand flipped bytes in the spool of a stopped daemon: it has to start, to say what is damaged,
 * to deliver what was not hit, and to go on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/rig.h"

enum { FLIPS = 1000, QUEUED_SPANS = 100000, NEW_SPANS = 5000, FILES_MAX = 256 };

struct spool_file {
	char path[512];
	uint64_t bytes;
};

struct spool_files {
	struct spool_file at[FILES_MAX];
	size_t count;
	uint64_t bytes;
};

/* The segments: every file below the state directory that is not SQLite's. */
static void collect(const char *path, struct spool_files *files)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	while (directory && (entry = readdir(directory))) {
		char child[512];
		struct stat status;
		snprintf(child, sizeof(child), "%.255s/%.250s", path, entry->d_name);
		if (entry->d_name[0] == '.' || strstr(entry->d_name, "sqlite") ||
			lstat(child, &status) < 0)
			continue;
		if (S_ISDIR(status.st_mode))
			collect(child, files);
		if (!S_ISREG(status.st_mode) || status.st_size == 0 || files->count == FILES_MAX)
			continue;
		struct spool_file *file = &files->at[files->count++];
		strcpy(file->path, child);
		file->bytes = (uint64_t)status.st_size;
		files->bytes += file->bytes;
	}
	if (directory)
		closedir(directory);
}

/* A chance byte of all files; how many were not zero, and so very likely belong to a record. */
static int flip(const struct spool_files *files, unsigned short chance[3], unsigned *ret_live)
{
	for (unsigned i = 0; i < FLIPS; i++) {
		uint64_t at = (uint64_t)(erand48(chance) * (double)files->bytes);
		const struct spool_file *file = files->at;
		for (; at >= file->bytes; file++)
			at -= file->bytes;
		uint8_t byte = 0;
		int fd = open(file->path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (pread(fd, &byte, 1, (off_t)at) == 1) {
			*ret_live += byte != 0;
			byte ^= (uint8_t)(1 + nrand48(chance) % 255);
			if (pwrite(fd, &byte, 1, (off_t)at) != 1)
				perror(file->path);
		}
		close(fd);
	}
	return 0;
}

/* Small records, one for each request, so that a flip costs little and most of the queue survives. */
static int fill(struct rig *rig)
{
	struct phase phase = { .payload = PAYLOAD_TINY, .connections = 1, .spans = QUEUED_SPANS };
	struct figures figures;
	rig_answer(rig, 503);
	int error = rig_start(rig);
	if (error == 0)
		error = rig_run(rig, &phase, &figures);
	if (error == 0 && daemon_stop(&rig->daemon) != 0)
		error = -EPROTO;
	return error;
}

static int serve_again(struct rig *rig)
{
	struct phase phase = { .payload = PAYLOAD_TINY, .connections = 4, .spans = NEW_SPANS };
	struct figures figures;
	rig_answer(rig, 200);
	int error = rig_start(rig);
	if (error == 0)
		error = rig_run(rig, &phase, &figures);
	return error;
}

/* Deliveries have ended when nothing has come for three seconds; some of it never will. */
static void wait_until_quiet(const struct rig *rig)
{
	uint64_t before = UINT64_MAX, now;
	while ((now = rig->received[0]->spans + rig->received[1]->spans) != before) {
		before = now;
		sleep(3);
	}
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "TOLLGATE_SPOOL_SEGMENT_BYTES=8MiB", NULL };
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	unsigned short chance[3] = { (unsigned short)seed, (unsigned short)(seed >> 16), 2 };
	struct spool_files *files = calloc(1, sizeof(*files));
	struct rig rig;
	unsigned live = 0;
	bool is_well = false;
	char state[SCRATCH_PATH_MAX + 8];
	printf("%d flipped bytes in the spool of a stopped daemon; seed %llu\n", FLIPS,
		(unsigned long long)seed);

	int error = rig_open(&rig, &gateways[0], false, settings, QUEUED_SPANS + NEW_SPANS + 1000);
	if (error == 0 && files)
		error = fill(&rig);
	if (error < 0 || !files)
		goto out;
	snprintf(state, sizeof(state), "%s/state", rig.directory);
	collect(state, files);
	if (files->bytes == 0 || flip(files, chance, &live) < 0) {
		error = -EIO;
		goto out;
	}
	error = serve_again(&rig);
	if (error < 0)
		goto out;
	wait_until_quiet(&rig);

	uint64_t lost_new = 0, lost_queued = 0;
	for (uint64_t i = 0; i < rig.acknowledged->capacity; i++)
		for (int sink = 0; sink < 2; sink++)
			if (rig.acknowledged->times[i] && !rig.received[sink]->times[i])
				*(i < QUEUED_SPANS ? &lost_queued : &lost_new) += 1;
	int status = daemon_stop(&rig.daemon);
	char *log = daemon_log(&rig.daemon);
	const char *damaged = strstr(log, "spool_records_damaged=");
	bool says_so = damaged && atoi(damaged + strlen("spool_records_damaged=")) > 0;
	uint64_t malformed = rig.sink_reports[0]->malformed + rig.sink_reports[1]->malformed;
	/* A flip costs at most the record that it hit: five spans, at each sink. */
	is_well = lost_new == 0 && lost_queued <= UINT64_C(5) * 2 * FLIPS && says_so &&
		malformed == 0 && status == 0;
	printf("%zu files, %.0f MB, %u flips in bytes that were not zero; of %d queued spans %.1f were lost on "
	       "average, of %d new ones %llu; malformed requests %llu; %s damage; exit %d: %s\n",
		files->count, (double)files->bytes / 1e6, live, QUEUED_SPANS,
		(double)lost_queued / 2, NEW_SPANS, (unsigned long long)lost_new,
		(unsigned long long)malformed, says_so ? "reports" : "does NOT report", status,
		is_well ? "ok" : "FAIL");
	free(log);
out:
	if (error < 0)
		printf("FAIL: %s\n", strerror(-error));
	if (!is_well)
		daemon_print_log(&rig.daemon);
	rig_close(&rig);
	free(files);
	return !is_well;
}
