#include "support/settings_judge.h"

enum { OUT_MAX_BYTES = 64 << 20 };

/* Whether taking our things out of `text` gives `wanted`. */
static bool is_removed(const struct tool_file *file, const char *url, struct bytes text,
	struct bytes before, struct bytes wanted)
{
	struct buf out;
	struct complaint complaint = { 0 };
	buf_init(&out, OUT_MAX_BYTES, NULL);
	bool is = file->remove(url, text, before, &out, &complaint) == 0 &&
		bytes_equal(buf_bytes(&out), wanted);
	buf_done(&out);
	return is;
}

static const char *judge_added(const struct tool_file *file, const struct wish *wish,
	struct bytes text, struct bytes added, struct buf *again)
{
	struct complaint complaint = { 0 };
	if (file->add(wish, added, again, &complaint) < 0)
		return "what was added cannot be read";
	if (!bytes_equal(buf_bytes(again), added))
		return "adding twice is not adding once";
	const char *urls[] = { wish->url, NULL };
	for (size_t i = 0; i < 2; i++)
		if (is_removed(file, urls[i], text, text, text) &&
			!is_removed(file, urls[i], added, text, text))
			return "what was added is not removed without a trace";
	again->len = 0;
	if (file->remove(NULL, added, (struct bytes){ 0 }, again, &complaint) < 0)
		return "what was added cannot be removed by itself";
	return NULL;
}

const char *settings_judge(const struct tool_file *file, const struct wish *wish, struct bytes text,
	bool *ret_was_taken)
{
	struct buf added, again;
	struct complaint complaint = { 0 };
	buf_init(&added, OUT_MAX_BYTES, NULL);
	buf_init(&again, OUT_MAX_BYTES, NULL);
	int error = file->add(wish, text, &added, &complaint);
	const char *broken =
		error ? NULL : judge_added(file, wish, text, buf_bytes(&added), &again);
	if (error && (!complaint.text[0] || added.len))
		broken = "a refusal has no words, or writes";
	if (ret_was_taken)
		*ret_was_taken = !error;
	buf_done(&added);
	buf_done(&again);
	return broken;
}
