/*
 * A file system that fills up for real: a tmpfs of a few megabytes under the state directory, in a mount
 * namespace of our own. The daemon has to answer 503, and to serve again once destinations take what
 * is stored, without a restart.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/rig.h"

enum { SPANS = 200000, REFUSALS = 200, WAIT_MS = 60000 };

static int mount_small(const char *directory)
{
	char state[SCRATCH_PATH_MAX + 8];
	snprintf(state, sizeof(state), "%s/state", directory);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mkdir(state, 0700) < 0 || mount("tollgate", state, "tmpfs", 0, "size=96m") < 0)
		return -errno;
	return 0;
}

/* Sends until the daemon refuses for want of space, then lets the sinks take everything. */
static int fill_and_drain(struct rig *rig, uint64_t *ret_stored)
{
	struct phase phase = { .payload = PAYLOAD_SMALL, .connections = 4, .spans = SPANS };
	struct load_job job = rig_job(rig, &phase);
	rig_answer(rig, 503);
	int error = child_start(&rig->load, load_child, &job);
	for (int waited_ms = 0; !error && rig->load_report->refused < REFUSALS; waited_ms += 20) {
		if (child_wait(&rig->load, 20) != -ETIMEDOUT)
			return -EPROTO;
		if (waited_ms > WAIT_MS)
			error = -ETIMEDOUT;
	}
	*ret_stored = rig->acknowledged->distinct;
	rig_answer(rig, 200);
	return error < 0 ? error : rig_drain(rig);
}

int main(void)
{
	static const char *const settings[] = {
		"TOLLGATE_SPOOL_SEGMENT_BYTES=8MiB",
		"TOLLGATE_SPOOL_MIN_FREE_BYTES=0",
		NULL,
	};
	struct rig rig;
	uint64_t stored = 0;
	bool is_well = false;
	int error = rig_open(&rig, &gateways[0], false, settings, SPANS + 1000);
	if (error == 0 && mount_small(rig.directory) < 0) {
		puts("full disk: skipped, this needs the right to mount");
		rig_close(&rig);
		return 77;
	}
	if (error == 0)
		error = rig_start(&rig);
	if (error == 0)
		error = fill_and_drain(&rig, &stored);
	if (error == 0) {
		struct tally_difference difference = rig_compare(&rig);
		int status = daemon_stop(&rig.daemon);
		is_well = difference.lost == 0 && rig.acknowledged->distinct == SPANS &&
			rig.load_report->failed == 0 && status == 0;
		printf("full disk of 96 MB: %llu spans stored until it was full, then %llu requests answered 503; "
		       "after the sinks returned %llu of %d acknowledged, lost %llu, received twice %llu; exit %d: %s\n",
			(unsigned long long)stored, (unsigned long long)rig.load_report->refused,
			(unsigned long long)rig.acknowledged->distinct, SPANS,
			(unsigned long long)difference.lost,
			(unsigned long long)difference.duplicated, status, is_well ? "ok" : "FAIL");
	}
	if (error < 0)
		printf("full disk: FAIL: %s\n", strerror(-error));
	if (!is_well)
		daemon_print_log(&rig.daemon);
	char state[SCRATCH_PATH_MAX + 8];
	snprintf(state, sizeof(state), "%s/state", rig.directory);
	daemon_kill(&rig.daemon);
	umount2(state, MNT_DETACH);
	rig_close(&rig);
	return !is_well;
}
