/*
 * Stored events with everybody around them: threads that store, and that pass others by as soon as the road is
 * clear for theirs. By then they have arrived, which is what the proxy relies on. A plain program: it also runs
 * under the thread sanitizer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/backlog.h"
#include "support/fake_langfuse.h"
#include "support/scratch.h"

enum { THREADS = 3, ROUNDS = 40, EVENTS = 3, PATIENCE_MS = 60 * 1000 };

static struct backlog backlog;
static struct fake_langfuse *fake;

static void *store_and_wait(void *name)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		backlog_wait(&backlog, "default",
			backlog_store(&backlog, "default", name, round * EVENTS, EVENTS));
		for (unsigned i = round * EVENTS; i < (round + 1) * EVENTS; i++) {
			char id[64];
			snprintf(id, sizeof id, "%s-%u", (char *)name, i);
			if (fake_langfuse_times(fake, "a", FAKE_EVENT, id) != 1)
				abort();
		}
	}
	return NULL;
}

int main(void)
{
	static const struct fake_project projects[] = { { "a", "pk-a", "sk-a" } };
	static char *names[THREADS] = { "one", "two", "three" };
	char directory[SCRATCH_PATH_MAX];
	pthread_t storing[THREADS];
	signal(SIGPIPE, SIG_IGN);
	if (scratch_make(directory) < 0)
		return 99;
	fake = fake_langfuse_start(
		&(struct fake_langfuse_options){ .projects = projects, .project_count = 1 });
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	for (int i = 0; i < THREADS; i++)
		pthread_create(&storing[i], NULL, store_and_wait, names[i]);
	for (int i = 0; i < 20; i++) {
		fake_langfuse_trouble(fake, &(struct fake_trouble){ .status = i % 2 ? 0 : 503 });
		fake_langfuse_wait_arrivals(fake, fake_langfuse_arrival_count(fake) + 2, 50);
	}
	fake_langfuse_trouble(fake, &(struct fake_trouble){ 0 });
	for (int i = 0; i < THREADS; i++)
		pthread_join(storing[i], NULL);
	backlog_close(&backlog, PATIENCE_MS);
	size_t count = fake_langfuse_count(fake, "a", FAKE_EVENT);
	fake_langfuse_stop(fake);
	scratch_remove(directory);
	return count == THREADS * ROUNDS * EVENTS ? 0 : 1;
}
