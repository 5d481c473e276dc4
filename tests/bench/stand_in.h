/*
 * What stands in for Langfuse behind the proxy: small answers, bodies of any length both ways, and streams
 * of server-sent events. It reads and writes as cheaply as it can, because it shares the machine with what
 * is measured.
 *
 *   GET  /api/public/v2/prompts/...      a prompt of 2 KB
 *   GET  /api/public/media/x?bytes=N     that many bytes
 *   GET  /api/public/mcp                 an event at once, and another one each time `events` grows
 *   all else                             300 bytes of JSON, once the body has been read and forgotten
 */
#ifndef TG_TESTS_BENCH_STAND_IN_H
#define TG_TESTS_BENCH_STAND_IN_H

#include <stdatomic.h>
#include <stdint.h>

/* In memory shared with the driver, which may let `events` grow. */
struct stand_in_report {
	_Atomic uint64_t events;     /* that every stream shall have had behind its first one */
	_Atomic uint64_t body_bytes; /* received */
};

struct stand_in_job {
	int listener; /* from listener_open */
	struct stand_in_report *report;
};

struct stand_in_report *stand_in_report_new(void);
void stand_in_report_free(struct stand_in_report *report);

/* An event says when it was sent, by monotonic_ns, in so many digits. */
#define STAND_IN_EVENT "data: %020llu\n\n"
enum { STAND_IN_EVENT_BYTES = 28 };

/* Serves until the process is ended; returns only when it cannot begin. Fits child_start. */
void stand_in_run(void *stand_in_job);

#endif
