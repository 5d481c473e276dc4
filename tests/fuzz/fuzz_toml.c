/*
 * Any text as Codex' config.toml: what setup adds is well-formed, changes nothing else that is said there, is not
 * added twice, and goes again without a trace; or it is refused in words.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/toml_text.h"
#include "tools/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ours[] = { "notify", "otel.exporter", "otel.metrics_exporter",
	"otel.log_user_prompt", "otel.log_agent_responses" };

static bool is_other(const struct toml_item *item)
{
	if (item->kind == TOML_BLANK || item->kind == TOML_COMMENT)
		return false;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (toml_below(item->path, ours[i]))
			return false;
	return item->kind == TOML_PAIR || strcmp(item->path, "otel") != 0;
}

static bool next_other(struct toml_walk *walk, struct toml_item *item)
{
	while (toml_next(walk, item))
		if (is_other(item))
			return true;
	return false;
}

static bool say_the_same_else(struct bytes one, struct bytes other)
{
	struct toml_walk here = toml_begin(one), there = toml_begin(other);
	struct toml_item a, b;
	for (;;) {
		bool has_a = next_other(&here, &a), has_b = next_other(&there, &b);
		if (!has_a || !has_b)
			return has_a == has_b;
		if (a.kind != b.kind || strcmp(a.path, b.path) != 0 ||
			!bytes_equal(a.value, b.value))
			return false;
	}
}

/* How often it can be restored until nothing of ours is left; at most 2, which is never of our making. */
static int layers_of_ours(struct bytes text)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, TOML_MAX_BYTES, NULL);
	int error = toml_restore(text, &out, &complaint), layers = 0;
	if (error < 0)
		layers = 2;
	else if (!bytes_equal(buf_bytes(&out), text))
		layers = layers_of_ours(buf_bytes(&out)) ? 2 : 1;
	buf_done(&out);
	return layers;
}

static void try(struct bytes text, const struct wish *wish)
{
	const struct tool_file *file = &tool_codex.files[0];
	struct buf added, again, removed;
	struct complaint complaint = { 0 };
	buf_init(&added, 2 * TOML_MAX_BYTES, NULL);
	buf_init(&again, 2 * TOML_MAX_BYTES, NULL);
	buf_init(&removed, 2 * TOML_MAX_BYTES, NULL);
	bool is_sound = toml_check(text, &complaint) == 0;
	int error = file->add(wish, text, &added, &complaint);
	assert(error == 0 || (error == -EINVAL && complaint.text[0] && added.len == 0));
	assert(error == 0 ? is_sound : true);
	int layers = error == 0 ? layers_of_ours(text) : 2;
	if (error == 0)
		assert(toml_check(buf_bytes(&added), &complaint) == 0);
	if (layers < 2) {
		assert(file->add(wish, buf_bytes(&added), &again, &complaint) == 0);
		assert(bytes_equal(buf_bytes(&added), buf_bytes(&again)));
	}
	if (layers == 0) {
		assert(say_the_same_else(text, buf_bytes(&added)));
		assert(file->remove(wish->url, buf_bytes(&added), text, &removed, &complaint) == 0);
		assert(bytes_equal(buf_bytes(&removed), text));
	}
	buf_done(&added);
	buf_done(&again);
	buf_done(&removed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int i = 0; i < 4; i++) {
		struct wish wish = { "http://127.0.0.1:4318", "tollgate", i & 1, true, i & 2 };
		try((struct bytes){ data, size }, &wish);
	}
	return 0;
}
