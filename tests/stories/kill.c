/* A short version of tests/faults/kill, so that no change goes without it. */
#include <criterion/criterion.h>

#include "faults/rounds.h"

Test(kill, nothing_acknowledged_is_lost_by_kill_9_and_little_comes_twice, .timeout = 300)
{
	struct rounds_job job = { .rounds = 5, .seed = 20260822 };
	struct rounds_result result;
	cr_assert_eq(rounds_run(&job, &result), 0);
	cr_expect_gt(result.acknowledged, 0);
	cr_expect_eq(result.lost, 0);
	cr_expect_eq(result.strangers, 0);
	cr_expect_eq(result.malformed, 0);
	cr_expect_leq(result.duplicated, result.duplicated_most);
	cr_expect_eq(result.exit_status, 0);
}
