/* Stored events from the pipeline to a Langfuse that is away, comes back, refuses some, and is met again. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "export/exporter.h"
#include "spool/dead_letter.h"
#include "spool/ledger.h"
#include "support/backlog.h"
#include "support/child.h"
#include "support/fake_langfuse.h"
#include "support/scratch.h"

enum { PATIENCE_MS = 60 * 1000, MANY = 5000 };

static char directory[SCRATCH_PATH_MAX];
static struct fake_langfuse *fake;
static struct backlog backlog;

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_assert(scratch_make(directory) == 0);
}

static void end(void)
{
	fake_langfuse_stop(fake);
	scratch_remove(directory);
}

TestSuite(backlog, .init = begin, .fini = end, .timeout = 300);

static void start_langfuse(uint16_t port)
{
	static const struct fake_project projects[] = { { "a", "pk-a", "sk-a" },
		{ "b", "pk-b", "sk-b" } };
	fake = fake_langfuse_start(&(struct fake_langfuse_options){
		.port = port, .projects = projects, .project_count = 2 });
	cr_assert(fake);
}

static void trouble(int status)
{
	fake_langfuse_trouble(fake, &(struct fake_trouble){ .status = status });
}

static void expect_once_and_in_order(const char *project, const char *name, unsigned count)
{
	json_t *order = fake_langfuse_order(fake, project, FAKE_EVENT);
	cr_expect(json_array_size(order) == count, "%zu", json_array_size(order));
	for (unsigned i = 0; i < count && i < json_array_size(order); i++) {
		char id[64];
		snprintf(id, sizeof id, "%s-%u", name, i);
		cr_assert_str_eq(json_string_value(json_array_get(order, i)), id);
	}
	json_decref(order);
}

static void expect_balance(
	const char *destination, int64_t accepted, int64_t delivered, int64_t dead)
{
	struct balance *balances;
	size_t count, found = 0;
	cr_assert(ledger_read(backlog.ledger, 0, true, &balances, &count) == 0);
	for (size_t i = 0; i < count; i++) {
		const struct balance *balance = &balances[i];
		cr_expect(balance->waiting == balance->measured, "%s does not add up",
			balance->destination);
		if (strcmp(balance->destination, destination) != 0 ||
			strcmp(balance->lane, "default") != 0)
			continue;
		found++;
		cr_expect(balance->sums.accepted == accepted, "%s: accepted %lld", destination,
			(long long)balance->sums.accepted);
		cr_expect(balance->sums.finished[OUTCOME_DELIVERED] == delivered,
			"%s: delivered %lld", destination,
			(long long)balance->sums.finished[OUTCOME_DELIVERED]);
		cr_expect(balance->sums.finished[OUTCOME_DEAD] == dead);
		cr_expect(balance->waiting == accepted - delivered - dead);
	}
	cr_expect(found == 1);
	free(balances);
}

Test(backlog, what_langfuse_did_not_take_arrives_once_and_in_order)
{
	uint64_t below = 0;
	start_langfuse(0);
	trouble(503);
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	for (unsigned i = 0; i < 1000; i += 40) {
		uint64_t next = backlog_store(&backlog, "default", "e", i, 40);
		cr_expect(next > below);
		below = next;
	}
	cr_expect_not(backlog_is_through(&backlog, "default", below));
	expect_balance("langfuse", 1000, 0, 0);
	trouble(0);
	backlog_wait(&backlog, "default", below);
	expect_once_and_in_order("a", "e", 1000);
	expect_balance("langfuse", 1000, 1000, 0);
	expect_balance("tempo", 0, 0, 0);
	const struct fake_arrival *arrival =
		fake_langfuse_arrival(fake, fake_langfuse_arrival_count(fake) - 1);
	cr_expect_str_eq(arrival->target, "/api/public/ingestion");
	cr_expect_str_eq(arrival->project, "a");
	cr_expect_str_eq(fake_arrival_header(arrival, "Content-Type"), "application/json");
	cr_expect_str_eq(fake_arrival_header(arrival, "Via"), "1.1 tollgate");
	cr_expect_null(fake_arrival_header(arrival, "Content-Encoding"));
	backlog_close(&backlog, PATIENCE_MS);
}

Test(backlog, a_restart_in_the_middle_sends_nothing_twice)
{
	start_langfuse(0);
	trouble(503);
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	backlog_store(&backlog, "default", "e", 0, MANY);
	fake_langfuse_trouble(fake, &(struct fake_trouble){ .delay_ms = 20 });
	cr_assert(fake_langfuse_wait_count(fake, "a", FAKE_EVENT, 100, PATIENCE_MS));
	trouble(503);
	/* Nothing is on its way any more that was done and not answered: the 503 is of this trouble. */
	struct exporter_figures figures;
	do {
		usleep(1000);
		figures = exporter_figures(backlog.exporters[BACKLOG_LANGFUSE]);
	} while (figures.delivered < 100 || figures.last_status != 503);
	backlog_close(&backlog, 0);
	size_t before = fake_langfuse_count(fake, "a", FAKE_EVENT);
	cr_expect(before >= 100 && before < MANY);
	trouble(0);
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	backlog_wait(&backlog, "default", backlog_store(&backlog, "default", "e", MANY, 1));
	expect_once_and_in_order("a", "e", MANY + 1);
	expect_balance("langfuse", MANY + 1, MANY + 1, 0);
	backlog_close(&backlog, PATIENCE_MS);
}

/* A process that stores events and sends them, and is killed while it does. */
struct life {
	int begin; /* a byte comes when the stand-in listens */
	char url[64];
};

static void live(void *arg)
{
	struct life *life = arg;
	char byte;
	signal(SIGPIPE, SIG_IGN);
	if (read(life->begin, &byte, 1) != 1)
		return;
	backlog_open(&backlog, directory, life->url);
	for (unsigned i = 0; i < 2000; i += 10)
		backlog_store(&backlog, "default", "e", i, 10);
	pause();
}

Test(backlog, a_kill_in_the_middle_loses_nothing_and_keeps_the_order)
{
	struct child child;
	struct life life;
	int pipe_fds[2], port = port_reserve();
	unsigned expected = 0;
	cr_assert(pipe(pipe_fds) == 0);
	life.begin = pipe_fds[0];
	snprintf(life.url, sizeof life.url, "http://127.0.0.1:%d", port);
	cr_assert(child_start(&child, live, &life) == 0);
	start_langfuse((uint16_t)port);
	cr_assert(write(pipe_fds[1], "", 1) == 1);
	cr_assert(fake_langfuse_wait_count(fake, "a", FAKE_EVENT, 300, PATIENCE_MS));
	child_kill(&child);
	close(pipe_fds[0]);
	close(pipe_fds[1]);

	backlog_open(&backlog, directory, life.url);
	backlog_wait(&backlog, "default", backlog_store(&backlog, "default", "last", 0, 1));
	backlog_close(&backlog, PATIENCE_MS);
	cr_expect(fake_langfuse_times(fake, "a", FAKE_EVENT, "last-0") == 1);
	/* Some came twice, which ids make harmless; leaving those out, all are there in their order. */
	json_t *order = fake_langfuse_order(fake, "a", FAKE_EVENT);
	size_t i;
	json_t *id;
	json_array_foreach(order, i, id) {
		unsigned number;
		if (sscanf(json_string_value(id), "e-%u", &number) != 1)
			continue;
		cr_assert(number <= expected, "%u came before %u", number, expected);
		expected += number == expected;
	}
	cr_expect(expected >= 300 && expected % 10 == 0, "requests are stored whole: %u", expected);
	json_decref(order);
}

struct letters {
	size_t count;
	struct dead_letter last;
};

static int note_letter(void *arg, const struct dead_letter *letter)
{
	struct letters *letters = arg;
	letters->count++;
	letters->last = *letter;
	return 0;
}

Test(backlog, what_langfuse_refuses_is_a_dead_letter_that_can_be_sent_again)
{
	struct letters letters = { 0 };
	struct buf line;
	char id[DEAD_ID_MAX];
	start_langfuse(0);
	fake_langfuse_refuse_event(fake, "e-7", 400);
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	backlog_wait(&backlog, "default", backlog_store(&backlog, "default", "e", 0, 20));
	cr_expect(fake_langfuse_count(fake, "a", FAKE_EVENT) == 19);
	expect_balance("langfuse", 20, 19, 1);
	cr_assert(dead_letters_list(backlog.deliveries, NULL, note_letter, &letters) == 0);
	cr_assert(letters.count == 1);
	cr_expect(letters.last.status == 400 && letters.last.span == 7 &&
		letters.last.span_count == 1 && letters.last.signal == SIGNAL_INGESTION);
	buf_init(&line, 1 << 20, NULL);
	cr_assert(dead_letter_read(backlog.deliveries, &letters.last, &line) == 0);
	cr_expect(bytes_start_with(buf_bytes(&line), "{\"id\":\"e-7\","));

	struct exporter *exporter = backlog.exporters[BACKLOG_LANGFUSE];
	struct reply reply = exporter_send_once(
		exporter, "default", SIGNAL_INGESTION, ENCODING_IDENTITY, buf_bytes(&line));
	cr_expect(reply.status == 207 && reply.rejected == 1, "it is refused again");
	fake_langfuse_refuse_event(fake, "e-7", 0);
	reply = exporter_send_once(
		exporter, "default", SIGNAL_INGESTION, ENCODING_IDENTITY, buf_bytes(&line));
	cr_expect(reply.status == 207 && reply.rejected == 0);
	cr_expect(fake_langfuse_times(fake, "a", FAKE_EVENT, "e-7") == 1);
	cr_assert(dead_letter_hold(backlog.deliveries, dead_letter_id(&letters.last, id),
			  &letters.last) == 0);
	dead_letter_end(backlog.deliveries, &letters.last, OUTCOME_DELIVERED);
	expect_balance("langfuse", 20, 20, 0);
	buf_done(&line);
	backlog_close(&backlog, PATIENCE_MS);
}

Test(backlog, answers_that_are_lost_are_asked_for_again)
{
	start_langfuse(0);
	fake_langfuse_trouble(fake, &(struct fake_trouble){ .is_cut = true });
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	uint64_t below = backlog_store(&backlog, "default", "e", 0, 30);
	cr_assert(fake_langfuse_wait_arrivals(fake, 3, PATIENCE_MS));
	cr_expect_not(backlog_is_through(&backlog, "default", below));
	trouble(0);
	backlog_wait(&backlog, "default", below);
	cr_expect(fake_langfuse_count(fake, "a", FAKE_EVENT) == 30);
	cr_expect(fake_langfuse_times(fake, "a", FAKE_EVENT, "e-0") >= 3, "done, and not answered");
	expect_balance("langfuse", 30, 30, 0);
	backlog_close(&backlog, PATIENCE_MS);
}

Test(backlog, each_project_has_its_own_and_none_waits_for_another)
{
	start_langfuse(0);
	fake_langfuse_refuse_event(fake, "a-0", 500);
	backlog_open(&backlog, directory, fake_langfuse_url(fake));
	uint64_t below = backlog_store(&backlog, "default", "a", 0, 5);
	for (unsigned i = 0; i < 100; i += 20)
		backlog_wait(&backlog, "team-b", backlog_store(&backlog, "team-b", "b", i, 20));
	expect_once_and_in_order("b", "b", 100);
	cr_expect_not(backlog_is_through(&backlog, "default", below));
	fake_langfuse_refuse_event(fake, "a-0", 0);
	backlog_wait(&backlog, "default", below);
	cr_expect(fake_langfuse_count(fake, "a", FAKE_EVENT) == 5);
	cr_expect(fake_langfuse_count(fake, "b", FAKE_EVENT) == 100);
	cr_expect(exporter_finished_below(
			  backlog.exporters[BACKLOG_LANGFUSE], "nobody", SIGNAL_INGESTION) == 0);
	backlog_close(&backlog, PATIENCE_MS);
}
