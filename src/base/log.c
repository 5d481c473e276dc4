#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_MAX_BYTES = 2048 };

static _Atomic int threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;

	char line[LINE_MAX_BYTES];
	int len = snprintf(
		line, sizeof line, "level=%s event=%s%s", names[level], event, *fields ? " " : "");
	va_list args;
	va_start(args, fields);
	int more = vsnprintf(line + len, sizeof line - (size_t)len - 1, fields, args);
	va_end(args);
	if (more > 0)
		len += more;
	if (len > (int)sizeof line - 2)
		len = (int)sizeof line - 2;
	line[len++] = '\n';

	/* One write, so that lines of several threads do not mix. Nobody to tell when it fails. */
	ssize_t written = write(STDERR_FILENO, line, (size_t)len);
	(void)written;
}

const char *log_text(char out[LOG_TEXT_MAX], const char *text)
{
	size_t at = 0;
	bool quote = !*text;
	for (const char *c = text; *c && !quote; c++)
		quote = (unsigned char)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' ||
			*c == 0x7f;
	if (quote)
		out[at++] = '"';
	for (const char *c = text; *c; c++) {
		if (at > LOG_TEXT_MAX - 10) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		if (*c == '"' || *c == '\\') {
			out[at++] = '\\';
			out[at++] = *c;
		} else if ((unsigned char)*c < ' ' || *c == 0x7f) {
			at += (size_t)snprintf(out + at, 5, "\\x%02x", (unsigned char)*c);
		} else {
			out[at++] = *c;
		}
	}
	if (quote)
		out[at++] = '"';
	out[at] = '\0';
	return out;
}

bool log_gate_open(struct log_gate *gate, uint64_t interval_ms, uint64_t *ret_held)
{
	uint64_t now = clock_monotonic_ms(), passed = atomic_load(&gate->passed_ms);
	bool open = passed == 0 || now - passed >= interval_ms;
	if (!open || !atomic_compare_exchange_strong(&gate->passed_ms, &passed, now ? now : 1)) {
		atomic_fetch_add(&gate->held, 1);
		return false;
	}
	*ret_held = atomic_exchange(&gate->held, 0);
	return true;
}
