/* What a request is about: OTLP's three, and the events of Langfuse's own ingestion API. */
#ifndef TG_OTLP_SIGNAL_H
#define TG_OTLP_SIGNAL_H

enum signal {
	SIGNAL_TRACES = 1,
	SIGNAL_LOGS = 2,
	SIGNAL_METRICS = 3,
	SIGNAL_INGESTION = 4, /* JSON, an event a line: proxy/events.h */
};

enum { SIGNAL_COUNT = SIGNAL_INGESTION + 1 };

static inline const char *signal_name(enum signal signal)
{
	static const char *const names[] = { [SIGNAL_TRACES] = "traces",
		[SIGNAL_LOGS] = "logs",
		[SIGNAL_METRICS] = "metrics",
		[SIGNAL_INGESTION] = "ingestion" };
	return names[signal];
}

/* The same in a set of signals, such as destination_config.signals. */
static inline unsigned signal_bit(enum signal signal)
{
	return 1U << (signal - SIGNAL_TRACES);
}

#endif
