/* Settings files that are JSON, edited as text: what is added looks as its neighbours do, and goes without a trace. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/json_text.h"

static struct json_text json;
static struct complaint complaint;

static void end(void)
{
	json_text_close(&json);
}

TestSuite(json_text, .fini = end, .timeout = 60);

static const struct json_step env_a[] = { { "env" }, { "A" } }, env_b[] = { { "env" }, { "B" } };
static const struct json_step hooks_stop[] = { { "hooks" }, { "Stop" } };

static void edit(const char *text)
{
	complaint = (struct complaint){ 0 };
	cr_assert_eq(json_text_open(&json, bytes_of(text), &complaint), 0, "%s: %s", text,
		complaint.text);
}

static void expect_text(const char *wanted)
{
	cr_assert_eq(json.error, 0, "%s", complaint.text);
	cr_expect(bytes_are(buf_bytes(&json.text), wanted), "%.*s\nis not\n%s", (int)json.text.len,
		(char *)json.text.at, wanted);
}

/* Two members of "env" are set and taken out again. */
static void expect_set(const char *text, const char *wanted)
{
	struct json_text before;
	edit(text);
	cr_assert_eq(json_text_open(&before, bytes_of(text), &complaint), 0);
	json_text_set(&json, env_a, 2, "\"1\"");
	json_text_set(&json, env_b, 2, "true");
	expect_text(wanted);
	json_text_remove(&json, env_a, 2, &before);
	json_text_remove(&json, env_b, 2, &before);
	expect_text(text);
	json_text_close(&before);
	json_text_close(&json);
}

static void expect_appended(const char *text, const char *wanted)
{
	struct json_text before;
	struct json_step path[] = { hooks_stop[0], hooks_stop[1], { NULL, 0 } };
	edit(text);
	cr_assert_eq(json_text_open(&before, bytes_of(text), &complaint), 0);
	json_text_append(&json, hooks_stop, 2, "{\"hooks\":[{\"type\":\"command\"}]}");
	expect_text(wanted);
	json_t *tree = json_text_tree(&json);
	path[2].index =
		json_array_size(json_object_get(json_object_get(tree, "hooks"), "Stop")) - 1;
	json_decref(tree);
	json_text_remove(&json, path, 3, &before);
	expect_text(text);
	json_text_close(&before);
	json_text_close(&json);
}

static void expect_complaint(const char *text, int line, const char *words)
{
	complaint = (struct complaint){ 0 };
	if (json_text_open(&json, bytes_of(text), &complaint) == 0) {
		json_text_set(&json, env_a, 2, "1");
		json_text_append(&json, hooks_stop, 2, "1");
	}
	cr_expect_eq(json.error, -EINVAL, "%s", text);
	cr_expect_eq(complaint.line, line, "%s: %d", text, complaint.line);
	cr_expect_str_eq(complaint.text, words);
	json_text_close(&json);
}

Test(json_text, nothing_becomes_an_object_of_two_blanks)
{
	static const char wanted[] =
		"{\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": true\n  }\n}\n";
	expect_set("", wanted);
	expect_set(" \n", wanted);
	expect_set("{}\n", wanted);
	expect_set("{ }\n", wanted);
	expect_set("{\n}\n", wanted);
	expect_set("{\n  \"env\": {}\n}\n", wanted);
	expect_set("{\n  \"env\": {   \n}\n}\n", wanted);
}

Test(json_text, a_byte_order_mark_stays_at_the_start)
{
	expect_set("\xef\xbb\xbf",
		"\xef\xbb\xbf{\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": true\n  }\n}\n");
	expect_set("\xef\xbb\xbf{\n    \"x\": 1\n}",
		"\xef\xbb\xbf{\n    \"x\": 1,\n    \"env\": {\n        \"A\": \"1\",\n        \"B\": true\n    }\n}");
}

Test(json_text, members_stand_where_the_last_one_does)
{
	expect_set("{\n\t\"env\": {\n\t\t\"Z\": \"z\"\n\t},\n\t\"x\": [1, 2]\n}",
		"{\n\t\"env\": {\n\t\t\"Z\": \"z\",\n\t\t\"A\": \"1\",\n\t\t\"B\": true\n\t},\n\t\"x\": [1, 2]\n}");
	expect_set("{\n\t\"x\": {}\n}\n",
		"{\n\t\"x\": {},\n\t\"env\": {\n\t\t\"A\": \"1\",\n\t\t\"B\": true\n\t}\n}\n");
	expect_set("{\n\"x\":1}", "{\n\"x\":1,\n\"env\":{\n\"A\":\"1\",\n\"B\":true\n}}");
}

Test(json_text, one_line_stays_one_line)
{
	expect_set("{\"x\":1}", "{\"x\":1,\"env\":{\"A\":\"1\",\"B\":true}}");
	expect_set("{ \"x\": 1 }\n", "{ \"x\": 1, \"env\": {\"A\": \"1\", \"B\": true} }\n");
	expect_set("{\n  \"env\": {\"Z\": 0}\n}\n",
		"{\n  \"env\": {\"Z\": 0, \"A\": \"1\", \"B\": true}\n}\n");
}

Test(json_text, lines_end_as_the_first_one)
{
	expect_set("{\r\n  \"x\": 1\r\n}\r\n",
		"{\r\n  \"x\": 1,\r\n  \"env\": {\r\n    \"A\": \"1\",\r\n    \"B\": true\r\n  }\r\n}\r\n");
	expect_set("\r\n",
		"{\r\n  \"env\": {\r\n    \"A\": \"1\",\r\n    \"B\": true\r\n  }\r\n}\r\n");
}

Test(json_text, comments_stay_with_what_they_are_about)
{
	expect_set("// mine\n{\n  \"x\": 1 // one, \"two\"\n  // no more\n}\n",
		"// mine\n{\n  \"x\": 1, // one, \"two\"\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": true\n  }\n  // no more\n}\n");
	expect_set("{\n  \"x\": \"//\" /* a\n b */ /* } */\n}",
		"{\n  \"x\": \"//\", /* a\n b */ /* } */\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": true\n  }\n}");
	expect_set(
		"{ \"x\": 1 // c\n}", "{ \"x\": 1, \"env\": {\"A\": \"1\", \"B\": true} // c\n}");
	expect_set("{\n  \"env\": { // none\n  }\n}",
		"{\n  \"env\": { // none\n    \"A\": \"1\",\n    \"B\": true\n  }\n}");
	expect_set("{\n  \"env\": { /* none */ }\n}",
		"{\n  \"env\": { /* none */\n    \"A\": \"1\",\n    \"B\": true\n   }\n}");
	expect_set("{\n  \"env\": {\n    /*z*/ \"Z\": 1 //\r\r\n  }\n}",
		"{\n  \"env\": {\n    /*z*/ \"Z\": 1, //\n    \"A\": \"1\",\n    \"B\": true\r\r\n  }\n}");
}

Test(json_text, arrays_grow_at_their_end)
{
	expect_appended(
		"{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"a\": 1\n      }\n    ]\n  }\n}\n",
		"{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"a\": 1\n      },\n      {\n"
		"        \"hooks\": [\n          {\n            \"type\": \"command\"\n          }\n        ]\n      }\n"
		"    ]\n  }\n}\n");
	expect_appended("{\"hooks\": {\"Stop\": [1, [2]]}}",
		"{\"hooks\": {\"Stop\": [1, [2], {\"hooks\": [{\"type\": \"command\"}]}]}}");
	expect_appended("{\"hooks\":{\"Start\":[]}}",
		"{\"hooks\":{\"Start\":[],\"Stop\":[{\"hooks\":[{\"type\":\"command\"}]}]}}");
	expect_appended("{\n \"hooks\": {\n  \"Stop\": [ ]}}",
		"{\n \"hooks\": {\n  \"Stop\": [\n   {\n    \"hooks\": [\n     {\n      \"type\": \"command\"\n     }\n    ]\n   }\n  ]}}");
}

Test(json_text, a_value_is_replaced_where_it_stands)
{
	static const char text[] = "{\"env\" : /*a*/ {\"\\u0041\" :\t[1, {}] /*b*/ , \"Z\": 1}}";
	edit(text);
	json_text_set(&json, env_a, 2, "\"1\"");
	expect_text("{\"env\" : /*a*/ {\"\\u0041\" :\t\"1\" /*b*/ , \"Z\": 1}}");
	json_text_replace(&json, env_a, 2, bytes_of("[1, {}]"));
	expect_text(text);
}

Test(json_text, of_members_of_one_name_the_last_is_meant)
{
	struct bytes value;
	edit("{\"env\": {\"A\": 1}, \"env\": {\"A\": 2, \"A\": 3}}");
	cr_assert(json_text_find(&json, env_a, 2, &value));
	cr_expect(bytes_are(value, "3"));
	json_text_set(&json, env_a, 2, "4");
	expect_text("{\"env\": {\"A\": 1}, \"env\": {\"A\": 2, \"A\": 4}}");
	cr_expect_not(json_text_find(&json, env_b, 2, &value));
}

/* What a person wrote between the two edits. */
static void expect_removed(const char *before, const char *text, const char *wanted)
{
	struct json_text then;
	edit(text);
	cr_assert_eq(json_text_open(&then, bytes_of(before), &complaint), 0);
	json_text_remove(&json, env_a, 2, &then);
	expect_text(wanted);
	json_text_close(&then);
	json_text_close(&json);
}

Test(json_text, what_a_person_wrote_meanwhile_stays)
{
	expect_removed("", "{\n  \"env\": {\n    \"A\": 1\n  }\n}\n", "");
	expect_removed("", "// mine\n{\n  \"env\": {\n    \"A\": 1\n  }\n}\n", "// mine\n{\n}\n");
	expect_removed("{}", "{\"env\": {\"A\": 1}}", "{}");
	expect_removed("{}", "{\"env\": {\"A\": 1 /* why */}}", "{\"env\": { /* why */}}");
	expect_removed("{\"env\": { }}", "{\"env\": {\"A\": 1}}", "{\"env\": { }}");
	expect_removed(
		"{\"env\": { }}", "{\"env\": {\"A\": 1, \"C\": 2}}", "{\"env\": { \"C\": 2}}");
	expect_removed("{\"env\": {\"C\": 2}}", "{\"env\": {\"A\": 1}}", "{\"env\": {}}");
	expect_removed("", "{\n  \"env\": {\n    \"A\": 1, // why\n    \"C\": 2\n  }\n}\n",
		"{\n  \"env\": { // why\n    \"C\": 2\n  }\n}\n");
	expect_removed(
		"", "{\"env\": { // c\n  \"A\": 1, \"C\": 2}}", "{\"env\": { // c\n \"C\": 2}}");
	expect_removed(
		"", "{\"env\": {\"C\": 2 // c\n  ,\"A\": 1}}", "{\"env\": {\"C\": 2 // c\n  }}");
	expect_removed(
		"", "{\"env\": {\"A\": 1 /*x*/ , \"C\": 2}}", "{\"env\": { /*x*/  \"C\": 2}}");
}

Test(json_text, what_is_not_there_is_not_removed)
{
	expect_removed("{}", "{\"env\": {}}", "{\"env\": {}}");
	expect_removed("", "", "");
	expect_removed("", "[1]", "[1]");
	expect_removed("", "{\"env\": [\"A\"]}", "{\"env\": [\"A\"]}");
}

Test(json_text, a_mistake_is_told_with_its_line)
{
	expect_complaint("{\n\"a\": 1,\n}", 3, "no valid JSON");
	expect_complaint("// only this\n", 2, "no valid JSON");
	expect_complaint("{} /* open", 1, "no valid JSON");
	expect_complaint("{\"a\": 1} x", 1, "no valid JSON");
	expect_complaint("\n{\"a", 2, "no valid JSON");
	expect_complaint("\n[]", 2, "the outermost value has to be an object");
	expect_complaint("{\n /*\n*/ \"env\": []}", 3, "env has to be an object");
	expect_complaint("{\"env\": {},\n\"hooks\": 1}", 2, "hooks has to be an object");
	expect_complaint("{\"hooks\": {\n\"Stop\": {}}}", 2, "Stop has to be an array");
}

Test(json_text, depth_and_length_have_limits)
{
	char *text = malloc(JSON_TEXT_MAX_BYTES + 2);
	memset(text, '[', 600);
	memset(text + 600, ']', 600);
	text[1200] = '\0';
	expect_complaint(text, 1, "nested too deep");
	memset(text, ' ', JSON_TEXT_MAX_BYTES + 1);
	text[JSON_TEXT_MAX_BYTES + 1] = '\0';
	expect_complaint(text, 1, "longer than 1 MiB");
	/* An indentation that would be repeated until nothing holds it. */
	memcpy(text, "{\n", 2);
	memcpy(text + JSON_TEXT_MAX_BYTES - 8, "\"x\": 1}", 8);
	expect_complaint(text, 1, "there is no room for what has to be added");
	free(text);
}
