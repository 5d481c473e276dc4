/* kill -9 under load, many times; see rounds.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faults/rounds.h"

int main(int argc, char **argv)
{
	struct rounds_job job = {
		.rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100,
		.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL),
		.print_each = 10,
	};
	struct rounds_result result;
	if (job.rounds == 0) {
		fputs("usage: kill [ROUNDS [SEED]]\n", stderr);
		return 2;
	}
	printf("kill -9 in %u rounds under load, one sink refusing half of the time; seed %llu\n",
		job.rounds, (unsigned long long)job.seed);
	int error = rounds_run(&job, &result);
	if (error < 0) {
		printf("FAIL: %s\n", strerror(-error));
		return 1;
	}
	bool is_well = result.lost == 0 && result.strangers == 0 && result.malformed == 0 &&
		result.exit_status == 0 && result.duplicated <= result.duplicated_most;
	printf("acknowledged %llu spans; lost %llu; received twice %llu of at most %llu; unknown ids %llu; "
	       "malformed requests %llu; last exit %d: %s\n",
		(unsigned long long)result.acknowledged, (unsigned long long)result.lost,
		(unsigned long long)result.duplicated, (unsigned long long)result.duplicated_most,
		(unsigned long long)result.strangers, (unsigned long long)result.malformed,
		result.exit_status, is_well ? "ok" : "FAIL");
	return !is_well;
}
