/* Who gives up records for whom; exporters and delivery state are played by this program. */
#include <criterion/criterion.h>
#include <string.h>

#include "export/exporter.h"
#include "export/shares.h"
#include "spool/delivery.h"
#include "spool/spool.h"

enum { TIMEOUT_MS = 3000, LOG_BYTES = 8000 };

struct exporter {
	uint64_t answered_ns[2]; /* by lane, as the next */
	unsigned enforced[2];
	uint64_t refused_since_ns; /* lane 1 */
	int status;
	uint64_t max_bytes, safe_below;
};

struct delivery {
	uint64_t cursor;
};

static struct exporter langfuse, tempo;
static struct delivery langfuse_has = { 70 }, tempo_has = { 30 }, team_has = { 20 },
		       tempo_has_of_team = { 40 };

struct lane_health exporter_lane_health(const struct exporter *exporter, size_t lane)
{
	return (struct lane_health){ .last_success_ns = exporter->answered_ns[lane],
		.failing_since_ns = lane == 1 ? exporter->refused_since_ns : 0,
		.status = exporter->status };
}

void exporter_enforce_share(
	struct exporter *exporter, size_t lane, uint64_t max_bytes, uint64_t safe_below)
{
	exporter->enforced[lane]++;
	exporter->max_bytes = max_bytes;
	exporter->safe_below = safe_below;
}

uint64_t delivery_cursor(struct delivery *delivery)
{
	return delivery->cursor;
}

static uint64_t next_sequence = 100;

struct spool_figures spool_figures(struct spool *unused)
{
	(void)unused;
	return (struct spool_figures){ .next_sequence = next_sequence };
}

/* The tests of one project have two of them. */
static struct share lanes[] = {
	{ .exporter = &langfuse, .name = "default", .delivery = &langfuse_has },
	{ .exporter = &tempo, .name = "default", .delivery = &tempo_has },
	{ .exporter = &langfuse, .lane = 1, .name = "team", .delivery = &team_has },
	{ .exporter = &tempo, .lane = 1, .name = "team", .delivery = &tempo_has_of_team },
};
static struct shares shares = {
	.at = lanes, .count = 2, .max_bytes = LOG_BYTES, .silence_timeout_ms = TIMEOUT_MS
};

static void pass_seconds(uint64_t from_s, uint64_t to_s, bool langfuse_answers, bool tempo_answers)
{
	for (uint64_t second = from_s; second < to_s; second++) {
		if (langfuse_answers)
			langfuse.answered_ns[0] = second * 1000 + 900;
		if (tempo_answers)
			tempo.answered_ns[0] = second * 1000 + 100;
		shares_enforce(&shares, second * 1000 + 999);
	}
}

Test(shares, nothing_is_given_up_for_a_destination_that_answers)
{
	pass_seconds(1, 20, true, true);
	cr_expect_eq(langfuse.enforced[0] + tempo.enforced[0], 0);
}

Test(shares, one_that_is_silent_while_the_other_answers_keeps_no_more_than_its_share)
{
	pass_seconds(1, 5, true, true);
	pass_seconds(5, 7, true, false);
	cr_expect_eq(tempo.enforced[0], 0, "not at once");
	pass_seconds(7, 10, true, false);
	cr_expect(tempo.enforced[0] > 0);
	cr_expect_eq(tempo.max_bytes, LOG_BYTES / 8 * 7);
	cr_expect_eq(tempo.safe_below, 70, "what langfuse has");
	cr_expect_eq(langfuse.enforced[0], 0);

	unsigned before = tempo.enforced[0];
	pass_seconds(10, 20, true, true);
	cr_expect_eq(tempo.enforced[0], before, "and no longer when it is back");
}

/* Its cursor passes logs, which it does not take: it has not got them. */
Test(shares, what_the_other_does_not_take_is_not_given_up)
{
	enum { TRACES = 1, LOGS = 2 };
	lanes[0].signals = TRACES;
	lanes[1].signals = TRACES | LOGS;
	pass_seconds(1, 5, true, true);
	pass_seconds(5, 10, true, false);
	cr_expect(tempo.enforced[0] > 0);
	cr_expect_eq(tempo.safe_below, 0);
	pass_seconds(10, 15, true, true);
	pass_seconds(15, 20, false, true);
	cr_expect(langfuse.enforced[0] > 0);
	cr_expect_eq(langfuse.safe_below, 30, "tempo has all that langfuse lacks");
}

Test(shares, being_away_together_costs_nothing)
{
	pass_seconds(1, 5, true, true);
	pass_seconds(5, 50, false, false);
	cr_expect_eq(langfuse.enforced[0] + tempo.enforced[0], 0);
	/* The one that comes back first does not cost the other anything at once. */
	pass_seconds(50, 51, true, false);
	pass_seconds(51, 60, true, true);
	cr_expect_eq(langfuse.enforced[0] + tempo.enforced[0], 0);
}

Test(shares, one_that_has_everything_need_not_answer_to_be_well)
{
	next_sequence = 70;
	pass_seconds(1, 5, true, true);
	pass_seconds(5, 10, false, false);
	cr_expect(tempo.enforced[0] > 0);
	cr_expect_eq(langfuse.enforced[0], 0);
}

Test(shares, rest_is_no_silence)
{
	next_sequence = 30;
	pass_seconds(1, 5, true, true);
	pass_seconds(5, 100, false, false); /* both have everything */
	next_sequence = 100;
	pass_seconds(100, 110, false, false); /* both are away */
	pass_seconds(110, 111, true, false);
	pass_seconds(111, 120, true, true);
	cr_expect_eq(langfuse.enforced[0] + tempo.enforced[0], 0);
}

Test(shares, a_destination_alone_is_waited_for)
{
	shares.count = 1;
	pass_seconds(1, 5, true, false);
	pass_seconds(5, 50, false, false);
	cr_expect_eq(langfuse.enforced[0], 0);
}

/* ---- two projects ---- */

static void answer(struct exporter *exporter, size_t lane, uint64_t from_s, uint64_t to_s)
{
	shares.count = 4;
	for (uint64_t second = from_s; second < to_s; second++) {
		exporter->answered_ns[lane] = second * 1000 + 500;
		shares_enforce(&shares, second * 1000 + 999);
	}
}

Test(shares, a_lane_may_lose_what_another_destination_has_of_the_same_lane)
{
	answer(&tempo, 0, 1, 20);
	cr_expect(langfuse.enforced[1] > 0);
	cr_expect_eq(langfuse.safe_below, 40, "what tempo has of the team, not what it has of all");
	cr_expect_eq(tempo.enforced[0], 0);
}

Test(shares, a_destination_that_has_not_got_the_lane_is_no_safety)
{
	lanes[3].name = "another";
	lanes[0].name = "other";
	answer(&tempo, 0, 1, 20);
	cr_expect(langfuse.enforced[1] > 0);
	cr_expect_eq(langfuse.safe_below, 0);
}

Test(shares, a_project_that_is_shut_out_alone_keeps_no_more_than_its_share)
{
	answer(&langfuse, 0, 1, 3);
	cr_expect_eq(langfuse.enforced[1], 0, "not at once");
	answer(&langfuse, 0, 3, 10);
	cr_expect(langfuse.enforced[1] > 0);
	cr_expect_eq(langfuse.max_bytes, LOG_BYTES / 8 * 7);
	cr_expect_eq(langfuse.safe_below, UINT64_MAX, "whoever has it");
	cr_expect_eq(langfuse.enforced[0], 0);

	unsigned before = langfuse.enforced[1];
	answer(&langfuse, 1, 10, 20);
	cr_expect_eq(langfuse.enforced[1], before, "and no longer when it is let in");
}

/* The doors are closed, so that nobody is answered any more. */
Test(shares, whose_keys_are_refused_is_shut_out_where_others_were_let_in_since)
{
	shares.count = 3;
	team_has.cursor = 20;
	langfuse.status = 401;
	answer(&langfuse, 0, 1, 2);
	shares.count = 3;
	langfuse.refused_since_ns = 1400;
	pass_seconds(2, 10, false, false);
	cr_expect(langfuse.enforced[1] > 0);
	cr_expect_eq(langfuse.enforced[0], 0);

	unsigned before = langfuse.enforced[1];
	langfuse.status = 503;
	lanes[2].shut_out_ms = 0;
	pass_seconds(10, 20, false, false);
	cr_expect_eq(langfuse.enforced[1], before, "it is away, for all as far as is known");
	langfuse.status = 401;
	langfuse.refused_since_ns = 1600;
	pass_seconds(20, 30, false, false);
	cr_expect_eq(langfuse.enforced[1], before, "all may be refused");
}

Test(shares, what_a_project_left_behind_has_an_eighth)
{
	lanes[2].is_left_behind = true;
	answer(&tempo, 0, 1, 2);
	cr_expect_eq(langfuse.enforced[1], 1);
	cr_expect_eq(langfuse.max_bytes, LOG_BYTES / 8);
	cr_expect_eq(langfuse.safe_below, UINT64_MAX);
}
