/* What people read of sessions: names of turns, calls and tools. */
#include <criterion/criterion.h>

#include "synthesize/names.h"

static struct arena arena;

static void begin(void)
{
	arena_init(&arena, 16 << 20, NULL);
}

static void end(void)
{
	arena_done(&arena);
}

TestSuite(session_names, .init = begin, .fini = end);

static void expect(struct bytes name, const char *expected)
{
	cr_expect(bytes_are(name, expected), "\"%.*s\" is not \"%s\"", (int)name.len,
		(const char *)name.at, expected);
}

static void expect_preview(const char *text, size_t chars, const char *expected)
{
	expect(name_preview(bytes_of(text), chars, &arena), expected);
}

Test(session_names, a_preview_is_one_line_of_whole_characters)
{
	expect_preview("What is 2+2?", 60, "What is 2+2?");
	expect_preview("  first\n\tsecond\r\n", 60, "first second");
	expect_preview("abcdef", 6, "abcdef");
	expect_preview("abcdefg", 6, "abcdef…");
	expect_preview("äöüß€", 3, "äöü…");
	expect_preview("a\xc2\xa0\xe2\x80\xa8"
		       "b",
		60, "a b");
	expect_preview("ab cd", 3, "ab …");
	expect_preview("a\xff\xfe", 60, "a\xef\xbf\xbd\xef\xbf\xbd");
	expect_preview("anything", 0, "");
	expect_preview(" \n ", 60, "");
}

Test(session_names, a_turn_and_its_trace_say_their_number)
{
	struct bytes preview = bytes_of("Please run echo hi");
	expect(name_of_turn(2, preview, &arena), "Turn #2: Please run echo hi");
	expect(name_of_turn(2, bytes_of(""), &arena), "Turn #2");
	expect(name_of_trace(bytes_of("project"), 2, preview, &arena),
		"project #2: Please run echo hi");
	expect(name_of_trace(bytes_of("project"), 2, bytes_of(""), &arena), "project #2");
}

static void expect_call(struct event said, const char *expected)
{
	expect(name_of_call(&said, &arena), expected);
}

Test(session_names, a_call_says_its_model_and_all_of_its_tokens)
{
	struct bytes model = bytes_of("claude-opus-5-5");
	struct tokens tokens = { .are_said = true,
		.input = 12,
		.cache_read = 8192,
		.cache_write = 2048,
		.output = 126 };
	expect_call((struct event){ .model = model, .tokens = tokens },
		"LLM Call: claude-opus-5-5 (10252→126 tokens)");
	expect_call((struct event){ .model = model }, "LLM Call: claude-opus-5-5");
	expect_call((struct event){ .tokens = tokens }, "LLM Call");
	expect_call((struct event){ .model = model,
			    .ending = ENDING_FAILED,
			    .status_code = 529,
			    .tokens = tokens },
		"LLM Call: claude-opus-5-5 (error 529)");
	expect_call((struct event){ .model = model, .ending = ENDING_FAILED },
		"LLM Call: claude-opus-5-5 (error)");
	expect_call((struct event){ .model = bytes_of("a\nb") }, "LLM Call: a b");
}

static void expect_tool(const char *tool, const char *input, const char *expected)
{
	expect(name_of_tool(bytes_of(tool), bytes_of(input), &arena), expected);
}

Test(session_names, a_tool_says_what_it_does_in_the_words_of_each_cli)
{
	expect_tool("Read", "{\"file_path\":\"/home/dev/notes.txt\"}", "Read file: notes.txt");
	expect_tool(
		"read_file", "{\"absolute_path\":\"/home/dev/notes.txt\"}", "Read file: notes.txt");
	expect_tool("Write", "{\"file_path\":\"a/b.c\",\"content\":\"x\"}", "Write file: b.c");
	expect_tool("MultiEdit", "{\"file_path\":\"b.c\"}", "Edit file: b.c");
	expect_tool("NotebookEdit", "{\"notebook_path\":\"/x/n.ipynb\"}", "Edit file: n.ipynb");
	expect_tool("apply_patch", "*** Begin Patch\n*** Add File: src/new.c\n+x\n",
		"Edit file: new.c");
	expect_tool("apply_patch",
		"{\"input\":\"*** Begin Patch\\n*** Update File: src/old.c\\n@@\"}",
		"Edit file: old.c");
	expect_tool("Grep", "{\"pattern\":\"TODO\"}", "Search code: \"TODO\"");
	expect_tool("glob", "{\"pattern\":\"**/*.c\"}", "Find files: **/*.c");
	expect_tool("WebSearch", "{\"query\":\"otlp links\"}", "Web search: \"otlp links\"");
	expect_tool(
		"WebFetch", "{\"url\":\"https://user@docs.rs:443/x?y\"}", "Fetch URL: docs.rs:443");
	expect_tool("web_fetch", "{\"prompt\":\"Read https://example.com/a and sum up\"}",
		"Fetch URL: example.com");
	expect_tool("Agent", "{\"description\":\"Explore alpha\",\"subagent_type\":\"general\"}",
		"Spawn subagent: Explore alpha");
	expect_tool("spawn_agent", "{\"message\":\"m\",\"task_name\":\"explore_beta\"}",
		"Spawn subagent: explore_beta");
	expect_tool(
		"invoke_agent", "{\"agent_name\":\"generalist\"}", "Spawn subagent: generalist");
	expect_tool("calendar", "{}", "Tool: calendar");
	expect_tool("mcp__github__search", "{}", "Tool: mcp__github__search");
}

Test(session_names, a_command_is_called_by_its_program)
{
	expect_tool("Bash", "{\"command\":\"git status\"}", "Execute command: git");
	expect_tool("exec_command", "{\"cmd\":\"/usr/bin/ls -la\"}", "Execute command: ls");
	expect_tool("run_shell_command", "{\"command\":\"A=1 B='x y' make -j2\"}",
		"Execute command: make");
	expect_tool(
		"shell", "{\"command\":[\"bash\",\"-lc\",\"echo hi\"]}", "Execute command: echo");
	expect_tool("Bash", "{\"command\":\"\\n  echo \\u00e4\"}", "Execute command: echo");
}

Test(session_names, what_was_withheld_or_is_no_json_leaves_the_kind_alone)
{
	expect_tool("Bash", "", "Execute command");
	expect_tool("Read", "{\"file_path\":", "Read file");
	expect_tool("Read", "{\"file_path\":5}", "Read file");
	expect_tool("Agent", "[]", "Spawn subagent");
	expect_tool("", "{}", "Tool");
	expect_tool(" Read ", "{}", "Tool: Read");
	expect_tool("Rea", "{}", "Tool: Rea");
}

Test(session_names, what_is_long_is_cut)
{
	expect_tool("Grep", "{\"pattern\":\"0123456789012345678901234567890\"}",
		"Search code: \"012345678901234567890123456789…\"");
	expect_tool("Agent", "{\"description\":\"0123456789012345678901234567890123456789X\"}",
		"Spawn subagent: 0123456789012345678901234567890123456789…");
}

Test(session_names, the_task_of_a_subagent_is_the_prompt_of_its_tool)
{
	expect(task_of_input(bytes_of("{\"prompt\":\"run \\\"it\\\"\",\"x\":1}"), &arena),
		"run \"it\"");
	expect(task_of_input(bytes_of("{\"message\":\"go\"}"), &arena), "go");
	expect(task_of_input(bytes_of("{\"other\":1}"), &arena), "{\"other\":1}");
}
