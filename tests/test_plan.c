/* What spans there are, by the events of a session. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/oracle.h"
#include "support/session_events.h"

static struct scene scene;

static void begin(void)
{
	scene_begin(&scene);
}

static void end(void)
{
	scene_end(&scene);
}

TestSuite(plan, .init = begin, .fini = end, .timeout = 120);

/* ---- what events say most of the time ---- */

#define PROMPT(key, ms, ...) ADD(&scene, .kind = EVENT_PROMPT, .turn = T(key), AT(ms), __VA_ARGS__)
#define CALL(turn_key, key, ms, took, ...) \
	ADD(&scene, .kind = EVENT_CALL, .turn = T(turn_key), .call = T(key), .thread = T("main"), \
		AT(ms), TOOK(took), .model = T("opus"), __VA_ARGS__)
#define DECIDED(turn_key, key, ms, ...) \
	ADD(&scene, .kind = EVENT_TOOL_BEGIN, .turn = T(turn_key), .tool = T(key), AT(ms), \
		__VA_ARGS__)
#define TOOL(turn_key, key, ms, took, ...) \
	ADD(&scene, .kind = EVENT_TOOL, .turn = T(turn_key), .tool = T(key), AT(ms), TOOK(took), \
		__VA_ARGS__)
#define BASH .name = T("Bash")

/* A person asks, a call asks for a command, the next call answers. */
static void add_usual(void)
{
	PROMPT("p1", 0, .text = SAYS("Please run echo hi"), .text_length = 18);
	CALL("p1", "req1", 250, 200, TOKENS(12, 71), .output = SAYS("Running it."));
	DECIDED("p1", "toolu1", 240, .call = T("req1"), BASH);
	TOOL("p1", "toolu1", 300, 30, .call = T("req1"), BASH,
		.input = SAYS("{\"command\":\"echo hi\"}"));
	CALL("p1", "req2", 500, 150, TOKENS(20, 17), .output = SAYS("The command printed hi."));
}

static const struct unit *unit(enum unit_kind kind, const char *name)
{
	const struct unit *found = scene_unit(&scene, kind, name);
	cr_assert_not_null(found, "no %s", name ? name : "unit");
	return found;
}

static const struct planned_turn *turn(unsigned number)
{
	const struct planned_turn *found = scene_turn(&scene, number);
	cr_assert_not_null(found, "no turn %u", number);
	return found;
}

static const struct unit *turn_span(unsigned number)
{
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		if (scene.plan.units[i].kind == UNIT_TURN &&
			scene.plan.turns[scene.plan.units[i].turn].number == number)
			return &scene.plan.units[i];
	cr_assert_fail("no span of turn %u", number);
	return NULL;
}

static bool is_below(const struct unit *child, const struct unit *parent)
{
	return child->has_parent && memcmp(child->parent_id, parent->span_id, 8) == 0 &&
		memcmp(child->trace_id, parent->trace_id, 16) == 0;
}

static const struct unit *call(const char *key)
{
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		if (scene.plan.units[i].kind == UNIT_CALL &&
			bytes_are(scene.plan.units[i].said.call, key))
			return &scene.plan.units[i];
	cr_assert_fail("no call %s", key);
	return NULL;
}

static const struct unit *tool(const char *key)
{
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		if (scene.plan.units[i].kind == UNIT_TOOL &&
			bytes_are(scene.plan.units[i].said.tool, key))
			return &scene.plan.units[i];
	cr_assert_fail("no tool call %s", key);
	return NULL;
}

static const struct unit *agent(const char *id)
{
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		if (scene.plan.units[i].kind == UNIT_AGENT &&
			bytes_are(scene.plan.units[i].said.agent, id))
			return &scene.plan.units[i];
	cr_assert_fail("no subagent %s", id);
	return NULL;
}

static unsigned number_of(const struct unit *of)
{
	return scene.plan.turns[of->turn].number;
}

static bool links(const struct unit *from, const char *type, const struct unit *to)
{
	for (size_t i = 0; i < from->link_count; i++)
		if (strcmp(from->links[i].type, type) == 0 &&
			memcmp(from->links[i].span_id, to->span_id, 8) == 0 &&
			memcmp(from->links[i].trace_id, to->trace_id, 16) == 0)
			return true;
	return false;
}

static void expect_id(const uint8_t *id, size_t len, const char *hex)
{
	char text[33] = "";
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	cr_expect_str_eq(text, hex);
}

static void expect_text(struct bytes text, const char *expected)
{
	cr_expect(bytes_are(text, expected), "\"%.*s\" is not \"%s\"", (int)text.len,
		(const char *)text.at, expected);
}

/* ---- the tree ---- */

Test(plan, a_turn_holds_its_calls_and_tool_calls)
{
	add_usual();
	scene_plan(&scene);
	const struct unit *root = turn_span(1);
	cr_expect_eq(scene.plan.unit_count, 4);
	cr_expect(!root->has_parent);
	cr_expect(is_below(call("req1"), root) && is_below(call("req2"), root) &&
		is_below(tool("toolu1"), root));
	expect_text(root->name, "Turn #1: Please run echo hi");
	expect_text(root->trace_name, "project #1: Please run echo hi");
	expect_text(call("req1")->name, "LLM Call: opus (12→71 tokens)");
	expect_text(tool("toolu1")->name, "Execute command: echo");
	expect_text(turn(1)->output.text, "The command printed hi.");
}

Test(plan, times_are_those_of_the_request_of_the_execution_and_of_all_of_the_turn)
{
	add_usual();
	CALL("p1", "req3", 900, 100, .first_token_ns = MS(40));
	scene_plan(&scene);
	cr_expect_eq(call("req1")->start_ns, TEN + MS(50));
	cr_expect_eq(call("req1")->end_ns, TEN + MS(250));
	cr_expect_eq(tool("toolu1")->start_ns, TEN + MS(270));
	cr_expect_eq(call("req3")->first_token_ns, TEN + MS(840));
	cr_expect_eq(turn_span(1)->start_ns, TEN);
	cr_expect_eq(turn_span(1)->end_ns, TEN + MS(900));
}

Test(plan, ids_are_hashes_of_what_the_cli_wrote)
{
	add_usual();
	ADD(&scene, .kind = EVENT_AGENT_BEGIN, .turn = T("p1"), .agent = T("agent1"), AT(260));
	scene_plan(&scene);
	expect_id(turn(1)->trace_id, 16, "9b75ba88c28a1213a26b5236e434a004");
	expect_id(turn_span(1)->span_id, 8, "d4e38c197826ffc7");
	expect_id(call("req1")->span_id, 8, "9f19d38f9600d8d3");
	expect_id(tool("toolu1")->span_id, 8, "b181f35fcd073a02");
	expect_id(agent("agent1")->span_id, 8, "18aa96eabbfb4697");
}

Test(plan, what_has_no_key_is_known_by_its_thread_and_time)
{
	ADD(&scene, .kind = EVENT_PROMPT, AT(0), .text = SAYS("hi"));
	ADD(&scene, .kind = EVENT_CALL_BEGIN, .thread = T("main"), AT(100));
	ADD(&scene, .kind = EVENT_CALL, .thread = T("main"), AT(200), TOKENS(1, 1));
	ADD(&scene, .kind = EVENT_TOOL, .thread = T("main"), AT(300), TOOK(10),
		.name = T("calendar"), .input = SAYS("{\"a\":1}"));
	ADD(&scene, .kind = EVENT_TOOL, .thread = T("main"), AT(300), TOOK(20),
		.name = T("calendar"), .input = SAYS("{\"a\":1}"));
	scene_plan(&scene);
	expect_text(turn(1)->key, "@1795206000000000000");
	cr_expect_eq(unit(UNIT_CALL, NULL)->start_ns, TEN + MS(100));
	expect_id(unit(UNIT_CALL, NULL)->span_id, 8, "8953ec3433288f1d");
	const struct unit *later = unit(UNIT_TOOL, NULL), *earlier = later + 1;
	cr_expect_eq(earlier->kind, UNIT_TOOL);
	expect_id(earlier->span_id, 8, "85daf0638cd298b9");
	expect_id(later->span_id, 8, "9b08e478c0fd012f");
}

Test(plan, one_trace_holds_a_session_where_that_is_wanted)
{
	scene.question.scope = TRACE_PER_SESSION;
	add_usual();
	PROMPT("p2", 1000, .text = SAYS("thanks"));
	CALL("p2", "req9", 1100, 50, .side = T("title"));
	CALL("p2", "req3", 1200, 50, .output = SAYS("bye"));
	scene_plan(&scene);
	const struct unit *session = unit(UNIT_SESSION, "Claude Code Session");
	expect_id(session->trace_id, 16, "223a468b1765e5b83229188472a2cef1");
	expect_id(session->span_id, 8, "9737c483a63fbaee");
	cr_expect(!session->has_parent);
	cr_expect(is_below(turn_span(1), session) && is_below(turn_span(2), session));
	cr_expect(is_below(call("req9"), session));
	cr_expect(is_below(call("req3"), turn_span(2)));
	cr_expect_eq(session->start_ns, TEN);
	cr_expect_eq(session->end_ns, TEN + MS(1200));
}

Test(plan, parents_come_before_their_children)
{
	add_usual();
	ADD(&scene, .kind = EVENT_AGENT_BEGIN, .turn = T("p1"), .agent = T("agent1"), AT(10),
		.tool = T("toolu1"));
	CALL("p1", "req7", 5, 1, .agent = T("agent1"));
	scene_plan(&scene);
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		for (size_t k = i; k < scene.plan.unit_count; k++)
			cr_expect(!is_below(&scene.plan.units[i], &scene.plan.units[k]));
	cr_expect(is_below(agent("agent1"), tool("toolu1")));
	cr_expect(is_below(call("req7"), agent("agent1")));
}

/* ---- turns ---- */

Test(plan, without_keys_a_turn_is_what_follows_its_prompt)
{
	ADD(&scene, .kind = EVENT_PROMPT, AT(0), .text = SAYS("one"));
	ADD(&scene, .kind = EVENT_PROMPT, AT(1000), .text = SAYS("two"));
	ADD(&scene, .kind = EVENT_CALL, AT(900), TOOK(100), .call = T("first"));
	ADD(&scene, .kind = EVENT_CALL, AT(1100), TOOK(400), .call = T("across"));
	ADD(&scene, .kind = EVENT_CALL, AT(2000), TOOK(100), .call = T("second"));
	scene_plan(&scene);
	cr_expect_eq(number_of(call("first")), 1);
	cr_expect_eq(number_of(call("across")), 1, "what began in a turn belongs to it");
	cr_expect_eq(number_of(call("second")), 2);
}

Test(plan, turns_are_counted_on_from_those_that_are_over)
{
	const struct past_turn past[] = { { T("p0"), 4, TEN - MS(5000) } };
	scene.question.past = past;
	scene.question.past_count = 1;
	scene.question.last_number = 4;
	add_usual();
	CALL("p0", "late", -100, 10, );
	scene_plan(&scene);
	cr_expect_eq(number_of(call("req1")), 5);
	cr_expect_eq(number_of(call("late")), 4);
	cr_expect(call("late")->is_late && !call("req1")->is_late);
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 1, "a turn that is over has its span");
	cr_expect(call("late")->has_parent);
}

Test(plan, a_key_that_is_used_again_is_a_turn_of_its_own)
{
	PROMPT("k", 0, .text = SAYS("one"));
	CALL("k", "a", 100, 50, );
	PROMPT("k", 5000, .text = SAYS("two"));
	CALL("k", "b", 5100, 50, );
	scene_plan(&scene);
	cr_expect_eq(number_of(call("a")), 1);
	cr_expect_eq(number_of(call("b")), 2);
	cr_expect(memcmp(turn_span(1)->span_id, turn_span(2)->span_id, 8) != 0);
}

Test(plan, a_prompt_without_a_call_is_a_turn_and_a_command_without_one_is_none)
{
	PROMPT("p1", 0, .text = SAYS("are you there?"));
	PROMPT("p2", 1000, .text = SAYS("/exit"), .name = T("exit"));
	PROMPT("p3", 2000, .text = SAYS("/review"), .name = T("review"));
	CALL("p3", "req1", 2100, 50, );
	PROMPT("p4", 3000, .text = SAYS("/compact"), .name = T("compact"));
	CALL("p4", "req2", 3100, 50, .side = T("compact"));
	scene_plan(&scene);
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 2);
	expect_text(turn_span(1)->name, "Turn #1: are you there?");
	expect_text(turn_span(2)->name, "Turn #2: /review");
	cr_expect_eq(number_of(call("req2")), 0);
	cr_expect(!call("req2")->has_parent);
	expect_text(call("req2")->trace_name, "project: compact");
}

Test(plan, side_calls_have_traces_of_their_own_and_are_in_no_figures)
{
	add_usual();
	CALL("p1", "req9", 120, 100, .side = T("title"), TOKENS(1000, 10));
	scene_plan(&scene);
	expect_id(call("req9")->trace_id, 16, "6ad21572cf61839507488b0d50a724ad");
	cr_expect(!call("req9")->has_parent);
	cr_expect_eq(turn(1)->figures.calls, 2);
	cr_expect_eq(turn(1)->figures.tokens.input, 32);
	expect_text(turn(1)->output.text, "The command printed hi.");
}

Test(plan, what_comes_before_a_prompt_is_of_no_turn)
{
	CALL("", "early", 10, 5, );
	TOOL("", "toolu9", 20, 5, .call = T("early"), BASH);
	ADD(&scene, .kind = EVENT_PROMPT, AT(100), .text = SAYS("one"));
	scene_plan(&scene);
	cr_expect_eq(number_of(call("early")), 0);
	cr_expect(!call("early")->has_parent);
	cr_expect(is_below(tool("toolu9"), call("early")));
	cr_expect_eq(scene.plan.turns[0].number, 0);
	cr_expect(scene.plan.turns[0].is_nothing);
}

Test(plan, a_call_of_no_tokens_before_the_first_prompt_is_a_warm_up)
{
	for (unsigned process = 0; process < 2; process++) {
		unsigned at = process * 10000;
		ADD(&scene, .kind = EVENT_SESSION, AT(at));
		ADD(&scene, .kind = EVENT_CALL_BEGIN, .thread = T("main"), AT(at + 10));
		ADD(&scene, .kind = EVENT_CALL, .thread = T("main"), AT(at + 20), TOKENS(0, 0));
		ADD(&scene, .kind = EVENT_PROMPT, AT(at + 100), .text = SAYS("one"));
		ADD(&scene, .kind = EVENT_CALL_BEGIN, .thread = T("main"), AT(at + 110));
		ADD(&scene, .kind = EVENT_CALL, .thread = T("main"), AT(at + 120), TOKENS(5, 1));
	}
	scene_plan(&scene);
	cr_expect_eq(scene_count(&scene, UNIT_CALL), 2);
	cr_expect_eq(turn(1)->figures.calls, 1);
	cr_expect_eq(turn(2)->figures.calls, 1);
}

Test(plan, a_turn_is_known_by_its_calls_until_its_prompt_comes)
{
	CALL("p1", "req1", 250, 200, );
	scene_plan(&scene);
	cr_expect_eq(number_of(call("req1")), 1);
	cr_expect_eq(turn_span(1)->start_ns, TEN + MS(50));
	expect_text(turn_span(1)->name, "Turn #1");
	uint8_t id[8];
	memcpy(id, turn_span(1)->span_id, sizeof id);
	PROMPT("p1", 0, .text = SAYS("hi"));
	scene_plan(&scene);
	cr_expect(memcmp(turn_span(1)->span_id, id, sizeof id) == 0);
}

/* ---- continuations and subagents ---- */

static void add_background_agent(void)
{
	PROMPT("p1", 0, .text = SAYS("Start an agent"));
	CALL("p1", "req1", 200, 150, .output = SAYS("Starting."));
	TOOL("p1", "toolu1", 190, 10, .call = T("req1"), .name = T("Agent"),
		.input = SAYS("{\"prompt\":\"Look around\",\"subagent_type\":\"Explore\"}"));
	CALL("p1", "req2", 300, 90, .output = SAYS("It works on."));
	PROMPT("p2", 1000, .text = SAYS("And you?"));
	CALL("p2", "req3", 1200, 100, .output = SAYS("I wait."));
	CALL("p1", "req4", 1500, 300, .agent = T("agent1"), .output = SAYS("Seen it."));
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("agent1"), AT(1600),
		TOOK(1418), .name = T("Explore"), .is_background = true);
}

Test(plan, a_subagent_belongs_to_the_turn_that_started_it_whatever_came_since)
{
	add_background_agent();
	scene_plan(&scene);
	cr_expect_eq(number_of(agent("agent1")), 1);
	cr_expect_eq(number_of(call("req4")), 1);
	cr_expect(is_below(agent("agent1"), tool("toolu1")));
	cr_expect(is_below(call("req4"), agent("agent1")));
	cr_expect(links(agent("agent1"), "parent_task", tool("toolu1")));
	expect_text(agent("agent1")->name, "Subagent: Explore");
	expect_text(agent("agent1")->said.input.text, "Look around");
	expect_text(agent("agent1")->said.output.text, "Seen it.");
	cr_expect_eq(agent("agent1")->start_ns, TEN + MS(182));
	cr_expect_eq(agent("agent1")->figures.calls, 1);
	cr_expect_eq(turn(1)->figures.calls, 3);
	cr_expect_eq(turn(1)->figures.agents, 1);
	cr_expect_eq(turn_span(1)->end_ns, TEN + MS(1600));
}

Test(plan, a_continuation_goes_on_with_the_turn_of_its_subagent)
{
	add_background_agent();
	ADD(&scene, .kind = EVENT_CONTINUATION, .turn = T("p3"), .agent = T("agent1"), AT(1610));
	CALL("p3", "req5", 1900, 200, .output = SAYS("It has seen it."));
	scene_plan(&scene);
	cr_expect_eq(number_of(call("req5")), 1);
	cr_expect(is_below(call("req5"), turn_span(1)));
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 2);
	expect_text(turn(1)->output.text, "It has seen it.");
}

Test(plan, a_withheld_prompt_right_behind_a_background_agent_goes_on_with_its_turn)
{
	add_background_agent();
	struct said withheld = { .mark = "withheld" };
	PROMPT("p3", 1610, .text = withheld);
	PROMPT("p4", 1620, .text = withheld);
	CALL("p4", "req5", 1900, 200, .output = SAYS("It has seen it."));
	PROMPT("p5", 4000, .text = withheld);
	scene_plan(&scene);
	cr_expect_eq(number_of(call("req5")), 1);
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 3, "the last one is a person's");
	expect_text(turn_span(3)->name, "Turn #3");
}

Test(plan, a_hook_tells_that_a_prompt_is_a_continuation)
{
	add_background_agent();
	struct said withheld = { .mark = "withheld" };
	PROMPT("p3", 5000, .text = withheld);
	CALL("p3", "req5", 5100, 20, .output = SAYS("It has seen it."));
	ADD(&scene, .kind = EVENT_PROMPT_NAMED, .turn = T("p3"), .agent = T("agent1"),
		.text = SAYS("<task-notification>"));
	scene_plan(&scene);
	cr_expect_eq(number_of(call("req5")), 1);
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 2);
}

/* Two are started; whichever began first, each began beside one of the tool calls. */
static void add_two_agents(const char *first_tool, const char *second_tool)
{
	struct bytes tools[] = { bytes_of(first_tool), bytes_of(second_tool) };
	PROMPT("p1", 0, .text = SAYS("Start two"));
	CALL("p1", "req1", 200, 150, );
	TOOL("p1", "alpha", 195, 10, .call = T("req1"), .name = T("Agent"));
	TOOL("p1", "beta", 245, 10, .call = T("req1"), .name = T("Agent"));
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("one"), AT(1000), TOOK(763),
		.tool = tools[0]);
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("two"), AT(1100), TOOK(913),
		.tool = tools[1]);
}

Test(plan, a_subagent_is_matched_to_the_tool_call_that_began_when_it_did)
{
	add_two_agents("", "");
	scene_plan(&scene);
	cr_expect(is_below(agent("one"), tool("beta")));
	cr_expect(is_below(agent("two"), tool("alpha")));
}

Test(plan, what_is_said_of_a_subagents_tool_call_counts_before_its_time)
{
	add_two_agents("alpha", "");
	scene_plan(&scene);
	cr_expect(is_below(agent("one"), tool("alpha")));
	cr_expect(is_below(agent("two"), tool("beta")));
}

Test(plan, a_tool_call_says_itself_whom_it_started)
{
	PROMPT("p1", 0, .text = SAYS("Start one"));
	ADD(&scene, .kind = EVENT_TOOL, .turn = T("p1"), .name = T("invoke_agent"), AT(9000),
		TOOK(8900), .started_agent = T("one"));
	CALL("", "req4", 500, 300, .agent = T("one"));
	scene_plan(&scene);
	cr_expect(is_below(agent("one"), unit(UNIT_TOOL, NULL)));
	cr_expect_eq(number_of(call("req4")), 1);
}

Test(plan, subagents_start_subagents)
{
	PROMPT("p1", 0, .text = SAYS("Nest"));
	TOOL("p1", "outer", 1000, 900, .name = T("Agent"));
	TOOL("p1", "inner", 900, 700, .name = T("Agent"), .agent = T("one"));
	ADD(&scene, .kind = EVENT_AGENT, .agent = T("one"), AT(1000), TOOK(899));
	ADD(&scene, .kind = EVENT_AGENT, .agent = T("two"), .parent_agent = T("one"), AT(900),
		TOOK(699));
	CALL("", "req2", 800, 100, .agent = T("two"));
	scene_plan(&scene);
	cr_expect(is_below(agent("one"), tool("outer")));
	cr_expect(is_below(tool("inner"), agent("one")));
	cr_expect(is_below(agent("two"), tool("inner")));
	cr_expect(is_below(call("req2"), agent("two")));
	cr_expect_eq(number_of(call("req2")), 1);
}

Test(plan, who_started_each_other_hang_under_the_turn)
{
	PROMPT("p1", 0, .text = SAYS("Lie"));
	TOOL("p1", "a", 100, 10, .name = T("Agent"), .agent = T("one"));
	TOOL("p1", "b", 100, 10, .name = T("Agent"), .agent = T("two"));
	ADD(&scene, .kind = EVENT_AGENT_NAMED, .agent = T("one"), .tool = T("b"));
	ADD(&scene, .kind = EVENT_AGENT_NAMED, .agent = T("two"), .tool = T("a"));
	scene_plan(&scene);
	unsigned below_turn = 0;
	below_turn += is_below(agent("one"), turn_span(1));
	below_turn += is_below(agent("two"), turn_span(1));
	cr_expect_eq(below_turn, 1);
}

Test(plan, a_program_that_calls_tools_holds_them)
{
	PROMPT("p1", 0, .text = SAYS("Code mode"));
	CALL("p1", "req1", 100, 50, );
	TOOL("p1", "exec-1", 300, 50, .name = T("exec_command"));
	TOOL("p1", "call_1", 400, 200, .name = T("exec"));
	TOOL("p1", "exec-2", 900, 50, .name = T("exec_command"));
	scene_plan(&scene);
	cr_expect(is_below(tool("exec-1"), tool("call_1")));
	cr_expect(is_below(tool("exec-2"), turn_span(1)));
}

/* ---- links ---- */

Test(plan, a_tool_call_links_to_who_asked_and_the_next_call_to_its_result)
{
	add_usual();
	scene_plan(&scene);
	cr_expect(links(tool("toolu1"), "produced_by_llm", call("req1")));
	cr_expect(links(call("req2"), "consumes_tool_result", tool("toolu1")));
	expect_text(call("req2")->links[0].tool, "toolu1");
	cr_expect_eq(call("req1")->link_count, 0);
}

Test(plan, who_asked_is_told_by_time_where_nothing_else_does)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 100, );
	CALL("p1", "req2", 400, 100, .ending = ENDING_FAILED);
	TOOL("p1", "toolu1", 290, 50, BASH);
	CALL("p1", "req3", 600, 100, );
	scene_plan(&scene);
	cr_expect(links(tool("toolu1"), "produced_by_llm", call("req1")));
	cr_expect(links(call("req2"), "consumes_tool_result", tool("toolu1")));
	cr_expect(links(call("req3"), "consumes_tool_result", tool("toolu1")),
		"after a failed attempt so does the next");
}

/* ---- what hooks say ---- */

Test(plan, what_a_hook_says_of_a_tool_call_comes_to_it)
{
	add_usual();
	ADD(&scene, .kind = EVENT_TOOL_SAID, .turn = T("p1"), .tool = T("toolu1"),
		.name = T("Shell"), .output = SAYS("hi"));
	scene_plan(&scene);
	expect_text(tool("toolu1")->said.output.text, "hi");
	expect_text(tool("toolu1")->said.name, "Bash");
	cr_expect(tool("toolu1")->has_hook);
}

Test(plan, without_a_key_a_hook_speaks_of_a_call_of_its_name_and_input)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	for (unsigned i = 0; i < 3; i++)
		ADD(&scene, .kind = EVENT_TOOL, .turn = T("p1"), AT(100 + i), TOOK(1),
			.name = T("read_file"),
			.input = { i == 0      ? T("{\"path\": \"a\"}") :
					i == 1 ? T("{\"path\":\"b\"}") :
						 T("{\"path\":\"c\"}"),
				NULL });
	ADD(&scene, .kind = EVENT_TOOL_SAID, .name = T("read_file"),
		.input = SAYS("{\"path\":\"a\"}"), .output = SAYS("content of a"));
	ADD(&scene, .kind = EVENT_TOOL_SAID, .name = T("read_file"),
		.input = SAYS("{\"path\":\"b\"}"), .output = SAYS("content of b"));
	scene_plan(&scene);
	expect_text(scene.plan.units[1].said.output.text, "content of a");
	expect_text(scene.plan.units[2].said.output.text, "content of b");
	cr_expect_eq(scene.plan.units[3].said.output.text.len, 0);
}

Test(plan, a_prompt_that_was_withheld_is_told_by_a_hook)
{
	struct said withheld = { .mark = "withheld" };
	PROMPT("p1", 0, .text = withheld);
	CALL("p1", "req1", 200, 100, );
	scene_plan(&scene);
	cr_expect_eq(turn(1)->input.text.len, 0);
	cr_expect_str_eq(turn(1)->input.mark, "withheld");
	ADD(&scene, .kind = EVENT_PROMPT_NAMED, .turn = T("p1"), .text = SAYS("What is it?"));
	scene_plan(&scene);
	expect_text(turn_span(1)->name, "Turn #1: What is it?");
}

/* ---- ends ---- */

Test(plan, a_turn_is_over_by_its_stop_the_next_prompt_or_the_end_of_the_session)
{
	add_usual();
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_IS_OPEN);
	ADD(&scene, .kind = EVENT_SESSION_END);
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_SESSION_END);
	PROMPT("p2", 1000, .text = SAYS("next"));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_NEXT_PROMPT);
	cr_expect_eq(turn(1)->end_received_ns, scene.held[scene.count - 1].received_ns);
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("p1"), .output = SAYS("Done."));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_STOPPED);
	expect_text(turn(1)->output.text, "Done.");
	cr_expect_eq(turn(2)->end, TURN_IS_OPEN);
}

Test(plan, a_stop_without_a_key_is_found_by_the_text_of_its_prompt)
{
	for (unsigned i = 0; i < 3; i++) {
		ADD(&scene, .kind = EVENT_PROMPT, AT(i * 1000), .text = SAYS("again"));
		ADD(&scene, .kind = EVENT_CALL, AT(i * 1000 + 200), TOOK(100), .thread = T("main"),
			.output = SAYS("said"));
	}
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("a"), .text = SAYS("again"),
		.output = SAYS("first"));
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("b"), .text = SAYS("again"),
		.output = SAYS("second"));
	scene_plan(&scene);
	expect_text(turn(1)->output.text, "first");
	expect_text(turn(2)->output.text, "second");
	expect_text(turn(3)->output.text, "said");
	cr_expect_eq(turn(2)->end, TURN_STOPPED);
}

Test(plan, a_key_that_holds_its_time_finds_the_prompt_of_that_time)
{
	ADD(&scene, .kind = EVENT_PROMPT, AT(0), .text = SAYS("same"));
	ADD(&scene, .kind = EVENT_PROMPT, AT(60000), .text = SAYS("same"));
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("uuid"), .turn_ns = TEN + MS(59900),
		.output = SAYS("of the second"));
	scene_plan(&scene);
	expect_text(turn(2)->output.text, "of the second");
	cr_expect_eq(turn(1)->output.text.len, 0);
}

Test(plan, a_subagent_that_works_on_keeps_its_turn_open)
{
	PROMPT("p1", 0, .text = SAYS("Start an agent"));
	CALL("p1", "req1", 200, 150, );
	TOOL("p1", "toolu1", 190, 10, .call = T("req1"), .name = T("Agent"));
	CALL("p1", "req2", 300, 90, .output = SAYS("It works on."));
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("p1"));
	CALL("p1", "req4", 1500, 300, .agent = T("agent1"));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_IS_OPEN);
	cr_expect(turn(1)->is_busy);
	ADD(&scene, .kind = EVENT_AGENT, .agent = T("agent1"), AT(1600), TOOK(1418));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->end, TURN_STOPPED);
	cr_expect(!turn(1)->is_busy);
}

Test(plan, a_turn_is_busy_until_the_model_has_answered)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	scene_plan(&scene);
	cr_expect(turn(1)->is_busy, "a call must follow");
	CALL("p1", "req1", 200, 150, );
	DECIDED("p1", "toolu1", 190, .call = T("req1"), BASH);
	scene_plan(&scene);
	cr_expect(turn(1)->is_busy, "a tool call is open");
	TOOL("p1", "toolu1", 300, 10, .call = T("req1"), BASH);
	scene_plan(&scene);
	cr_expect(turn(1)->is_busy, "its result must be sent");
	CALL("p1", "req2", 400, 50, .output = SAYS("ok"));
	scene_plan(&scene);
	cr_expect(!turn(1)->is_busy);
}

Test(plan, a_tool_call_that_never_ended_was_interrupted_with_its_turn)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 150, );
	DECIDED("p1", "toolu1", 190, .call = T("req1"), BASH);
	scene_plan(&scene);
	cr_expect(tool("toolu1")->is_open && !tool("toolu1")->is_complete);
	cr_expect_eq(tool("toolu1")->said.ending, ENDING_INTERRUPTED);
	cr_expect_eq(tool("toolu1")->start_ns, TEN + MS(190));
	cr_expect_eq(tool("toolu1")->end_ns, turn(1)->end_ns);
	cr_expect_eq(turn(1)->ending, ENDING_INTERRUPTED);
	expect_text(turn(1)->why, "interrupted");
}

Test(plan, a_tool_call_that_a_person_rejected_never_ran)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 150, );
	DECIDED("p1", "toolu1", 4200, .call = T("req1"), .name = T("Write"),
		.ending = ENDING_REJECTED, .is_by_person = true);
	scene_plan(&scene);
	const struct unit *rejected = tool("toolu1");
	cr_expect(!rejected->is_open && rejected->is_complete);
	cr_expect_eq(rejected->start_ns, TEN + MS(4200));
	cr_expect_eq(rejected->end_ns, TEN + MS(4200));
	cr_expect_eq(rejected->said.wait_ns, MS(4000));
	cr_expect_eq(turn(1)->ending, ENDING_REJECTED);
	expect_text(turn(1)->why, "rejected by the user: Write");
	cr_expect(!turn(1)->is_busy);
}

Test(plan, a_turn_failed_when_its_last_call_did)
{
	add_usual();
	CALL("p1", "req3", 900, 100, .ending = ENDING_FAILED, .status_code = 529,
		.error = T("overloaded"));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->ending, ENDING_FAILED);
	expect_text(turn(1)->why, "overloaded");
	cr_expect_eq(turn(1)->figures.errors, 1);
	CALL("p1", "req4", 1900, 100, .output = SAYS("again"));
	scene_plan(&scene);
	cr_expect_eq(turn(1)->ending, ENDING_OK);
}

Test(plan, an_http_error_and_an_exit_code_are_failures)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 150, .status_code = 401);
	TOOL("p1", "toolu1", 300, 10, BASH, .has_exit_code = true, .exit_code = 1);
	scene_plan(&scene);
	cr_expect_eq(call("req1")->said.ending, ENDING_FAILED);
	cr_expect_eq(tool("toolu1")->said.ending, ENDING_FAILED);
	cr_expect_eq(turn(1)->figures.errors, 2);
}

Test(plan, figures_are_sums_and_cost_is_known_when_all_of_it_is)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 150, TOKENS(1, 2), .cost_usd = 0.1, .has_cost = true);
	CALL("p1", "req2", 300, 50, TOKENS(3, 4), .cost_usd = 0.2, .has_cost = true);
	CALL("p1", "req3", 400, 50, .ending = ENDING_FAILED);
	scene_plan(&scene);
	const struct turn_figures *figures = &turn(1)->figures;
	cr_expect_eq(figures->calls, 3);
	cr_expect_eq(figures->tokens.output, 6);
	cr_expect_eq(figures->unpriced, 0);
	cr_expect(figures->cost_fusd == (__int128)300000000000000);
	cr_expect_eq(figures->first_call_ns, TEN + MS(50));
}

/* ---- native spans ---- */

/* A turn as Claude Code's own spans and logs tell it. */
static void add_native(void)
{
	struct event span;
	scene.question.has_spans = scene.question.has_logs = true;
	PROMPT("p1", 0, .text = SAYS("Please run echo hi"), IN('t', 'i'));
	CALL("p1", "req1", 250, 200, TOKENS(12, 71), IN('t', 'i'));
	DECIDED("p1", "toolu1", 255, .call = T("req1"), BASH, IN('t', 'b'));
	TOOL("p1", "toolu1", 300, 30, .call = T("req1"), BASH, IN('t', 'i'),
		.input = SAYS("{\"command\":\"echo hi\"}"));
	span = native_event(ROLE_CALL, "claude_code.llm_request", 't', 'c', 'i', 45, 251);
	span.call = T("req1");
	scene_add(&scene, span);
	span = native_event(ROLE_TOOL, "claude_code.tool", 't', 'u', 'i', 253, 301);
	span.tool = T("toolu1");
	scene_add(&scene, span);
	scene_add(&scene,
		native_event(
			ROLE_WAIT, "claude_code.tool.blocked_on_user", 't', 'b', 'u', 253, 255));
	scene_add(&scene,
		native_event(
			ROLE_EXECUTION, "claude_code.tool.execution", 't', 'x', 'u', 255, 301));
	scene_add(&scene, native_event(ROLE_TURN, "claude_code.interaction", 't', 'i', 0, -5, 600));
}

Test(plan, native_spans_are_the_trace_and_have_no_twins)
{
	add_native();
	scene_plan(&scene);
	cr_expect_eq(scene.plan.unit_count, 5);
	const struct unit *root = turn_span(1);
	cr_expect(root->native && call("req1")->native && tool("toolu1")->native);
	cr_expect(memcmp(root->trace_id, repeated('t'), 16) == 0);
	cr_expect(memcmp(root->span_id, repeated('i'), 8) == 0);
	cr_expect(is_below(call("req1"), root) && is_below(tool("toolu1"), root));
	cr_expect_eq(call("req1")->start_ns, TEN + MS(45));
	expect_text(call("req1")->name, "LLM Call: opus (12→71 tokens)");
	cr_expect(links(tool("toolu1"), "produced_by_llm", call("req1")));
	cr_expect_eq(turn(1)->end, TURN_STOPPED);
	cr_expect(call("req1")->is_complete && call("req1")->has_log && call("req1")->has_span);
	for (size_t i = 0; i < scene.plan.unit_count; i++)
		cr_expect_eq(number_of(&scene.plan.units[i]), 1);
}

Test(plan, a_subagent_is_added_under_the_execution_of_its_tool_call)
{
	add_native();
	CALL("p1", "req7", 280, 10, .agent = T("agent1"), IN('t', 'x'));
	struct event span =
		native_event(ROLE_CALL, "claude_code.llm_request", 't', 'd', 'x', 270, 280);
	span.call = T("req7");
	span.agent = T("agent1");
	scene_add(&scene, span);
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("agent1"), AT(299), TOOK(40),
		IN('t', 'x'));
	scene_plan(&scene);
	cr_expect(is_below(agent("agent1"), unit(UNIT_NATIVE, "claude_code.tool.execution")));
	cr_expect(is_below(call("req7"), unit(UNIT_NATIVE, "claude_code.tool.execution")),
		"native spans keep their parents");
	cr_expect(links(agent("agent1"), "parent_task", tool("toolu1")));
}

Test(plan, what_lacks_its_native_span_stands_where_its_log_was_written)
{
	scene.question.has_spans = scene.question.has_logs = true;
	PROMPT("p1", 0, .text = SAYS("hi"), IN('t', 'i'));
	CALL("p1", "req1", 250, 200, IN('t', 'i'));
	CALL("p1", "req2", 350, 20, .agent = T("agent1"), IN('t', 'x'));
	scene_plan(&scene);
	cr_expect(!call("req1")->is_complete);
	cr_expect(memcmp(call("req1")->trace_id, repeated('t'), 16) == 0);
	cr_expect(memcmp(call("req1")->parent_id, repeated('i'), 8) == 0);
	cr_expect(memcmp(call("req2")->parent_id, repeated('x'), 8) == 0);
	cr_expect(is_below(call("req1"), turn_span(1)), "the turn's span is the one that was lost");
	scene.question.has_spans = false;
	scene_plan(&scene);
	cr_expect(is_below(call("req2"), agent("agent1")), "no spans come from there");
	cr_expect(memcmp(call("req1")->trace_id, repeated('t'), 16) != 0);
}

Test(plan, a_native_span_of_a_continuation_keeps_its_trace)
{
	add_native();
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("agent1"), AT(700), TOOK(400),
		.is_background = true);
	ADD(&scene, .kind = EVENT_CONTINUATION, .turn = T("p2"), .agent = T("agent1"), AT(710),
		IN('T', 'I'));
	CALL("p2", "req5", 900, 100, IN('T', 'I'));
	struct event span =
		native_event(ROLE_CALL, "claude_code.llm_request", 'T', 'C', 'I', 800, 901);
	span.call = T("req5");
	scene_add(&scene, span);
	scene_add(
		&scene, native_event(ROLE_TURN, "claude_code.interaction", 'T', 'I', 0, 705, 950));
	scene_plan(&scene);
	const struct unit *second = unit(UNIT_NATIVE, "Turn #1 (continued)");
	cr_expect(memcmp(second->trace_id, repeated('T'), 16) == 0);
	cr_expect(is_below(call("req5"), second));
	cr_expect_eq(number_of(call("req5")), 1);
	cr_expect_eq(scene_count(&scene, UNIT_TURN), 1);
}

Test(plan, native_spans_alone_are_turns_as_well)
{
	struct event span =
		native_event(ROLE_CALL, "claude_code.llm_request", 't', 'c', 'i', 45, 251);
	scene_add(&scene, span);
	scene_add(
		&scene, native_event(ROLE_TURN, "claude_code.interaction", 't', 'i', 'r', 0, 600));
	scene_plan(&scene);
	cr_expect_eq(scene.plan.unit_count, 2);
	cr_expect_eq(number_of(unit(UNIT_CALL, NULL)), 1);
	cr_expect(turn_span(1)->has_parent, "that somebody else began");
}

Test(plan, a_call_without_a_key_joins_its_native_span_by_time)
{
	scene.question.has_spans = scene.question.has_logs = true;
	PROMPT("p1", 0, .text = SAYS("hi"), IN('t', 'i'));
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), AT(250), TOOK(80), .ending = ENDING_FAILED,
		IN('t', 'i'));
	scene_add(
		&scene, native_event(ROLE_CALL, "claude_code.llm_request", 't', 'c', 'i', 45, 252));
	scene_plan(&scene);
	cr_expect_eq(scene_count(&scene, UNIT_CALL), 1);
	cr_expect(unit(UNIT_CALL, NULL)->native);
	cr_expect_eq(unit(UNIT_CALL, NULL)->said.ending, ENDING_FAILED);
}

/* ---- order and lies ---- */

/* Everything that a session may hold, so that every rule has its say. */
static void add_everything(void)
{
	add_native();
	add_background_agent();
	ADD(&scene, .kind = EVENT_CONTINUATION, .turn = T("p3"), .agent = T("agent1"), AT(1610));
	CALL("p3", "req5", 1900, 200, .output = SAYS("It has seen it."));
	CALL("p3", "req6", 1950, 200, .side = T("title"));
	ADD(&scene, .kind = EVENT_ANSWER, .turn = T("p3"), .call = T("req6"), AT(1950),
		.output = SAYS("A title"));
	PROMPT("p4", 3000, .text = SAYS("/exit"), .name = T("exit"));
	ADD(&scene, .kind = EVENT_PROMPT, AT(4000), .text = SAYS("keyless"));
	for (unsigned i = 0; i < 3; i++) {
		ADD(&scene, .kind = EVENT_CALL_BEGIN, .thread = T("t"), AT(4100 + 100 * i));
		ADD(&scene, .kind = EVENT_CALL, .thread = T("t"), AT(4150 + 100 * i), TOKENS(1, 2));
		ADD(&scene, .kind = EVENT_TOOL, .thread = T("t"), AT(4170 + 100 * (i / 2)), TOOK(5),
			.name = T("calendar"), .input = SAYS("{}"));
		ADD(&scene, .kind = EVENT_TOOL_SAID, .name = T("calendar"), .input = SAYS("{}"),
			.output = SAYS("out"), .said_ns = TEN + MS(4170 + i));
	}
	ADD(&scene, .kind = EVENT_TOOL_SAID, .tool = T("toolu1"), .output = SAYS("hi"));
	ADD(&scene, .kind = EVENT_AGENT_NAMED, .agent = T("agent1"), .tool = T("toolu1"));
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("p2"), .output = SAYS("I wait."));
	ADD(&scene, .kind = EVENT_TURN_END, .text = SAYS("keyless"), .output = SAYS("done"));
	ADD(&scene, .kind = EVENT_WAITING, .name = T("Bash"));
	ADD(&scene, .kind = EVENT_PLACE, .text = SAYS("/home/dev/project"));
	TOOL("p1", "a", 5000, 10, .name = T("Agent"), .agent = T("one"));
	TOOL("p1", "b", 5000, 10, .name = T("Agent"), .agent = T("two"));
	ADD(&scene, .kind = EVENT_AGENT_NAMED, .agent = T("one"), .tool = T("b"));
	ADD(&scene, .kind = EVENT_AGENT_NAMED, .agent = T("two"), .tool = T("a"));
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void shuffle(uint32_t seed)
{
	for (size_t i = scene.count; i > 1; i--) {
		size_t other = next_random(&seed) % i;
		struct held moved = scene.held[i - 1];
		scene.held[i - 1] = scene.held[other];
		scene.held[other] = moved;
	}
}

Test(plan, the_order_of_arrival_changes_nothing)
{
	add_everything();
	scene_plan(&scene);
	struct bytes first = scene_spans(&scene);
	cr_assert_gt(first.len, 5000);
	for (uint32_t seed = 1; seed <= 200; seed++) {
		shuffle(seed);
		scene_plan(&scene);
		struct bytes again = scene_spans(&scene);
		cr_expect(bytes_equal(first, again), "seed %u", seed);
		free((void *)again.at);
	}
	free((void *)first.at);
}

Test(plan, what_comes_twice_is_there_once)
{
	add_everything();
	scene_plan(&scene);
	struct bytes once = scene_spans(&scene);
	for (size_t i = 0, count = scene.count; i < count; i++)
		scene_add(&scene, scene.held[i].event);
	scene_plan(&scene);
	struct bytes twice = scene_spans(&scene);
	cr_expect(bytes_equal(once, twice));
	free((void *)once.at);
	free((void *)twice.at);
}

/* Parents are there unless they are somebody else's, ids are unique, and time goes on. */
static void expect_sound(const char *how, size_t which)
{
	for (size_t i = 0; i < scene.plan.unit_count; i++) {
		const struct unit *one = &scene.plan.units[i];
		bool has_parent =
			!one->has_parent || one->native || one->is_late || scene.question.has_spans;
		cr_expect_leq(one->start_ns, one->end_ns, "%s %zu", how, which);
		for (size_t k = 0; k < scene.plan.unit_count; k++) {
			const struct unit *other = &scene.plan.units[k];
			has_parent |= is_below(one, other);
			cr_expect(i == k || memcmp(one->span_id, other->span_id, 8) != 0,
				"%s %zu: an id twice", how, which);
		}
		cr_expect(has_parent, "%s %zu: a parent is missing", how, which);
		cr_expect_gt(scene_span(&scene, one).len, 0);
	}
}

Test(plan, every_beginning_of_a_session_and_every_gap_in_it_is_planned)
{
	add_everything();
	size_t count = scene.count;
	for (scene.count = 0; scene.count < count; scene.count++) {
		scene_plan(&scene);
		expect_sound("beginning of", scene.count);
	}
	for (size_t gap = 0; gap < count; gap++) {
		struct held last = scene.held[count - 1], left_out = scene.held[gap];
		scene.held[gap] = last;
		scene.count = count - 1;
		scene_plan(&scene);
		expect_sound("without", gap);
		scene.held[gap] = left_out;
	}
}

Test(plan, times_may_lie)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("a"), .time_ns = 0,
		.duration_ns = UINT64_MAX, .has_duration = true, .first_token_ns = UINT64_MAX);
	ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = T("b"), .time_ns = UINT64_MAX);
	ADD(&scene, .kind = EVENT_TOOL_BEGIN, .turn = T("p1"), .tool = T("c"), AT(500));
	ADD(&scene, .kind = EVENT_TOOL, .turn = T("p1"), .tool = T("c"), AT(100));
	ADD(&scene, .kind = EVENT_AGENT, .turn = T("p1"), .agent = T("d"), .time_ns = 5,
		.duration_ns = 10, .has_duration = true);
	scene_add(
		&scene, native_event(ROLE_CALL, "claude_code.llm_request", 't', 'c', 'c', 900, 1));
	scene_plan(&scene);
	expect_sound("lies", 0);
}

/* ---- as spans ---- */

static oracle_request *decoded(const struct unit *of)
{
	oracle_request *request = oracle_decode(scene_span(&scene, of));
	cr_assert_not_null(request);
	cr_assert_eq(oracle_span_count(request), 1);
	return request;
}

static const char *attribute(const oracle_request *request, const char *key)
{
	const char *text = oracle_text(oracle_span_at(request, 0), key);
	return text ? text : "";
}

static int64_t number(const oracle_request *request, const char *key)
{
	const oracle_attribute *found = oracle_find(oracle_span_at(request, 0), key);
	return found ? found->value->int_value : -1;
}

Test(plan, a_turns_span_says_what_the_turn_was)
{
	add_usual();
	ADD(&scene, .kind = EVENT_TURN_END, .turn = T("p1"));
	scene_plan(&scene);
	oracle_request *request = decoded(turn_span(1));
	cr_expect_str_eq(attribute(request, "openinference.span.kind"), "AGENT");
	cr_expect_str_eq(attribute(request, "gen_ai.operation.name"), "invoke_agent");
	cr_expect_str_eq(attribute(request, "session.id"), "session-1");
	cr_expect_str_eq(attribute(request, "gen_ai.system"), "anthropic");
	cr_expect_str_eq(attribute(request, "input.value"), "Please run echo hi");
	cr_expect_str_eq(attribute(request, "output.value"), "The command printed hi.");
	cr_expect_str_eq(attribute(request, "prompt.id"), "p1");
	cr_expect_str_eq(attribute(request, "turn.end.reason"), "stop");
	cr_expect_eq(number(request, "prompt.length"), 18);
	cr_expect_eq(number(request, "turn.number"), 1);
	cr_expect_eq(number(request, "tollgate.turn.llm_calls"), 2);
	cr_expect_eq(number(request, "tollgate.turn.tool_calls"), 1);
	cr_expect_eq(number(request, "tollgate.turn.output_tokens"), 88);
	cr_expect_eq(number(request, "tollgate.turn.duration_ms"), 500);
	cr_expect_eq(oracle_span_at(request, 0)->kind, 1);
	oracle_free(request);
}

Test(plan, a_native_span_is_completed_and_nothing_of_it_is_lost)
{
	add_native();
	scene_plan(&scene);
	oracle_request *request = decoded(call("req1"));
	const oracle_span *span = oracle_span_at(request, 0);
	cr_expect_eq(span->name.len, strlen("LLM Call: opus (12→71 tokens)"));
	cr_expect_str_eq(attribute(request, "tollgate.native_name"), "claude_code.llm_request");
	cr_expect_eq(span->start_time_unix_nano, TEN + MS(45));
	cr_expect_eq(span->span_id.data[0], 'c');
	cr_expect_eq(span->parent_span_id.data[0], 'i');
	cr_expect_str_eq(attribute(request, "prompt.id"), "p1");
	cr_expect_null(oracle_find(span, "tollgate.tokens.input"));
	oracle_free(request);
	struct span_options as_they_are = { 0 };
	oracle_request *plain = oracle_decode(span_of_unit(
		&scene.question, &scene.plan, call("req1"), &as_they_are, &scene.arena));
	cr_expect_eq(oracle_span_at(plain, 0)->name.len, strlen("claude_code.llm_request"));
	cr_expect_null(oracle_find(oracle_span_at(plain, 0), "tollgate.native_name"));
	oracle_free(plain);
}

Test(plan, a_span_that_goes_on_with_a_foreign_trace_is_marked_as_ours)
{
	scene_add(
		&scene, native_event(ROLE_TURN, "claude_code.interaction", 't', 'i', 'r', 0, 600));
	scene_plan(&scene);
	oracle_request *request = decoded(turn_span(1));
	const oracle_attribute *mark =
		oracle_find(oracle_span_at(request, 0), "langfuse.internal.is_app_root");
	cr_assert_not_null(mark);
	cr_expect(mark->value->bool_value);
	oracle_free(request);
}

Test(plan, failures_and_what_was_not_run_say_so)
{
	PROMPT("p1", 0, .text = SAYS("hi"));
	CALL("p1", "req1", 200, 150, .status_code = 529, .error = T("overloaded"));
	DECIDED("p1", "toolu1", 300, .name = T("Write"), .ending = ENDING_REJECTED,
		.is_by_person = true);
	scene_plan(&scene);
	oracle_request *failed = decoded(call("req1")), *rejected = decoded(tool("toolu1"));
	cr_expect_eq(oracle_span_at(failed, 0)->status->code, 2);
	cr_expect_str_eq(attribute(failed, "langfuse.observation.level"), "ERROR");
	cr_expect_str_eq(attribute(failed, "langfuse.observation.status_message"), "overloaded");
	cr_expect_str_eq(attribute(failed, "error.type"), "server");
	cr_expect_eq(number(failed, "http.response.status_code"), 529);
	cr_expect_null(oracle_span_at(rejected, 0)->status);
	cr_expect_str_eq(attribute(rejected, "langfuse.observation.level"), "WARNING");
	cr_expect_str_eq(attribute(rejected, "tool.status"), "rejected");
	oracle_free(failed);
	oracle_free(rejected);
}

Test(plan, what_was_withheld_is_marked_and_what_is_absent_is_not)
{
	struct said withheld = { .mark = "redacted by Claude Code, set OTEL_LOG_USER_PROMPTS=1" };
	PROMPT("p1", 0, .text = withheld);
	CALL("p1", "req1", 200, 150, );
	scene_plan(&scene);
	oracle_request *root = decoded(turn_span(1)), *of_call = decoded(call("req1"));
	cr_expect_str_eq(attribute(root, "input.value"), withheld.mark);
	cr_expect_null(oracle_find(oracle_span_at(of_call, 0), "output.value"));
	oracle_free(root);
	oracle_free(of_call);
}

Test(plan, a_session_that_is_not_told_is_called_unknown)
{
	scene.question.session = (struct bytes){ 0 };
	scene.question.project = (struct bytes){ 0 };
	add_usual();
	scene_plan(&scene);
	oracle_request *request = decoded(turn_span(1));
	cr_expect_null(oracle_find(oracle_span_at(request, 0), "session.id"));
	cr_expect_str_eq(attribute(request, "tollgate.session"), "unknown");
	cr_expect_str_eq(
		attribute(request, "langfuse.trace.name"), "Claude Code #1: Please run echo hi");
	oracle_free(request);
}

/* ---- many ---- */

static double seconds_for(size_t calls)
{
	enum { KEY = 32 };
	char(*keys)[KEY] = calloc(calls, 2 * KEY);
	struct timespec start, stop;
	PROMPT("p1", 0, .text = SAYS("Much"));
	for (size_t i = 0; i < calls; i++) {
		snprintf(keys[2 * i], KEY, "req%zu", i);
		snprintf(keys[2 * i + 1], KEY, "toolu%zu", i);
		ADD(&scene, .kind = EVENT_CALL, .turn = T("p1"), .call = bytes_of(keys[2 * i]),
			AT(100 + 20 * i), TOOK(8), TOKENS(i, i), .model = T("opus"));
		ADD(&scene, .kind = EVENT_TOOL, .turn = T("p1"), .tool = bytes_of(keys[2 * i + 1]),
			.call = bytes_of(keys[2 * i]), AT(110 + 20 * i), TOOK(8), BASH,
			.input = SAYS("{\"command\":\"echo hi\"}"));
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	scene_plan(&scene);
	clock_gettime(CLOCK_MONOTONIC, &stop);
	cr_expect_eq(turn(1)->figures.calls, calls);
	cr_expect_eq(scene.plan.unit_count, 2 * calls + 1);
	free(keys);
	return (double)(stop.tv_sec - start.tv_sec) + (double)(stop.tv_nsec - start.tv_nsec) / 1e9;
}

Test(plan, a_turn_of_five_thousand_calls_is_planned_soon)
{
	double seconds = seconds_for(5000);
	fprintf(stderr, "5000 calls and tool calls: %.0f ms\n", seconds * 1000);
	cr_expect_lt(seconds, 10);
}
