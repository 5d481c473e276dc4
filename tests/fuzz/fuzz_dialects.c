/*
 * What a CLI says in any bytes: no crash, texts that outlive what they were read from, and a split that neither
 * makes nor loses an event. The first byte says whose hook it is ('l', 'o', 'e'),
 * or that it is traces ('T') or logs.
 */
#include <stdlib.h>

#include "support/events.h"

enum { ARENA_BYTES = 64 << 20, MAX_DEPTH = 24, MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_request(
	struct bytes request, enum signal signal, struct arena *arena, size_t *ret_count)
{
	struct events events = { .arena = arena };
	int error = dialects_read(request, signal, MAX_DEPTH, &events);
	free(events_text(&events));
	*ret_count = events.count;
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > MAX_BYTES)
		return 0;
	struct arena arena;
	struct bytes request = { data + 1, size - 1 }, theirs, others;
	enum signal signal = data[0] == 'T' ? SIGNAL_TRACES : SIGNAL_LOGS;
	const struct dialect *const *hooked = dialects;
	size_t count, their_count, other_count;
	arena_init(&arena, ARENA_BYTES, NULL);
	while (*hooked && (*hooked)->cli.name[1] != data[0])
		hooked++;
	if (*hooked)
		request = hook_as_logs(*hooked, request, 1, &arena);
	int error = read_request(request, signal, &arena, &count);
	if (!error &&
		(dialects_split(request, true, &arena, &theirs, &others) ||
			read_request(theirs, signal, &arena, &their_count) ||
			read_request(others, signal, &arena, &other_count) ||
			their_count + other_count != count))
		abort();
	arena_done(&arena);
	return 0;
}
