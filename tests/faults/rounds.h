/*
 * kill -9 in rounds: under load, with one destination refusing part of the time, the daemon is killed
 * at a chance moment and started again on the state that it left. In the end everything that was ever
 * acknowledged has to be at both destinations.
 */
#ifndef TG_TESTS_FAULTS_ROUNDS_H
#define TG_TESTS_FAULTS_ROUNDS_H

#include <stdint.h>

struct rounds_job {
	unsigned rounds;
	uint64_t seed;       /* of the moments at which it is killed */
	unsigned print_each; /* a line of the table after so many rounds; 0: none */
};

struct rounds_result {
	uint64_t acknowledged;    /* spans */
	uint64_t lost;            /* acknowledged, and missing at a sink; both sinks together */
	uint64_t duplicated;      /* received again, both sinks together */
	uint64_t duplicated_most; /* what may be: in flight and a second of progress, each kill */
	uint64_t strangers;       /* ids that were never sent */
	uint64_t malformed;       /* requests that were no whole gzip or protobuf */
	double start_ms_longest;  /* from exec to accepting, of a start on an old state */
	int exit_status;          /* of the last, clean stop */
};

/*
 * 0, or negative errno when the daemon did not start or ended by itself. After the last round deliveries
 * get a minute since anything moved; what is missing then is lost.
 */
int rounds_run(const struct rounds_job *job, struct rounds_result *ret_result);

#endif
