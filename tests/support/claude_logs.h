/* Claude Code's log events of a turn that nobody captured: as many calls as a test wants. */
#ifndef TG_TESTS_SUPPORT_CLAUDE_LOGS_H
#define TG_TESTS_SUPPORT_CLAUDE_LOGS_H

#include <stdbool.h>

#include "base/bytes.h"

struct claude_turn {
	const char *session, *prompt; /* ids */
	uint64_t at_ns;               /* of the first event, Unix time */
	unsigned first_call;          /* numbers in keys; those of one session must differ */
	unsigned calls;               /* each but the last asks for one tool */
	bool has_prompt;
	bool goes_on; /* the last one asks for a tool too */
};

enum { CLAUDE_CALL_MS = 300 }; /* from one call's end to the next one's */

/* An encoded ExportLogsServiceRequest, to be freed as .at. */
struct bytes claude_turn_logs(const struct claude_turn *turn);

/* How many log records that are. */
unsigned claude_turn_events(const struct claude_turn *turn);

#endif
