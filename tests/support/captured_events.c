#include "support/captured_events.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/capture.h"
#include "support/fixture.h"

enum { ARENA_BYTES = 64 << 20, MAX_DEPTH = 100 };

char *captured_events(const char *name, bool with_spans)
{
	struct arena arena;
	struct capture capture = capture_open(name);
	const struct dialect *dialect = dialect_named(bytes_of(capture.cli));
	arena_init(&arena, ARENA_BYTES, NULL);
	struct events events = { .arena = &arena };
	for (size_t i = 0; i < capture.count; i++) {
		const struct delivery *delivery = &capture.deliveries[i];
		struct bytes body = delivery->body;
		if (delivery->signal == SIGNAL_METRICS ||
			(delivery->signal == SIGNAL_TRACES && !with_spans))
			continue;
		if (delivery->is_hook)
			body = hook_as_logs(dialect, body, delivery->time_ns, &arena);
		cr_assert_eq(dialects_read(body, delivery->signal, MAX_DEPTH, &events), 0);
	}
	char *text = events_text(&events);
	arena_done(&arena);
	capture_close(&capture);
	return text;
}

void expect_captured_events(const char *name, bool with_spans)
{
	char path[96];
	size_t number = 1;
	snprintf(path, sizeof path, "events/%s.txt", name);
	struct bytes file = fixture(path);
	char *actual = captured_events(name, with_spans);
	const char *expected = (const char *)file.at, *left = expected, *right = actual;
	while (*left || *right) {
		size_t left_len = strcspn(left, "\n"), right_len = strcspn(right, "\n");
		cr_assert(left_len == right_len && memcmp(left, right, left_len) == 0,
			"%s, line %zu:\n%.*s\nis\n%.*s", name, number, (int)left_len, left,
			(int)right_len, right);
		number++;
		left += left_len + (left[left_len] == '\n');
		right += right_len + (right[right_len] == '\n');
	}
	free(actual);
	free((void *)file.at);
}
