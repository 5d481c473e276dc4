/*
 * Keys are taken in and out again and again while threads ask for them. One key is always good and one never; the
 * others are of one project whenever they are of any. A plain program: it also runs under the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "access/keys.h"
#include "config/config.h"

enum { THREADS = 4, QUESTIONS = 500, RELOADS = 200 };

static struct access *access_to;
static struct project_config project = {
	.name = "team", .public_key = "pk-t", .secret_key = "sk-t"
};
static struct config config = { .projects = &project, .project_count = 1 };
static _Atomic bool is_over;
static _Atomic unsigned wrong;

static const char *lane_of(const char *authorization)
{
	const struct claims claims = { .authorization = authorization, .host = "localhost" };
	const struct caller *caller;
	const char *why;
	return access_judge(access_to, &claims, &caller, &why) == 0 ? caller->lane : "";
}

static void *ask(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < QUESTIONS || !is_over; i++) {
		const char *now_and_then = lane_of("Bearer tg-now-and-then");
		wrong += strcmp(lane_of("Basic cGstdDpzay10"), "team") != 0; /* pk-t:sk-t */
		wrong += *lane_of("Bearer tg-never") != '\0';
		wrong += *now_and_then && strcmp(now_and_then, "default") != 0;
	}
	return NULL;
}

static bool take(unsigned round)
{
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	if (access_read(access_to, &config, &keys, &complaint) < 0)
		return false;
	for (unsigned i = 0; i < round % 50; i++)
		if (keyring_add(&keys, KEY_GATEWAY, bytes_of(i ? "tg-x" : "tg-now-and-then"), 0) <
			0)
			return false;
	access_take(access_to, &keys);
	return true;
}

int main(void)
{
	struct complaint complaint = { 0 };
	if (access_new(&config, &access_to, &complaint) < 0)
		return 99;
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, ask, NULL) != 0)
			return 99;
	for (unsigned round = 0; round < RELOADS; round++)
		wrong += !take(round);
	is_over = true;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	access_free(access_to);
	printf("%u answers were wrong\n", wrong);
	return wrong != 0;
}
