/* What a request of OTLP is about. */
#ifndef TG_OTLP_SIGNAL_H
#define TG_OTLP_SIGNAL_H

enum signal { SIGNAL_TRACES = 1, SIGNAL_LOGS = 2, SIGNAL_METRICS = 3 };

static inline const char *signal_name(enum signal signal)
{
	return signal == SIGNAL_TRACES ? "traces" : signal == SIGNAL_LOGS ? "logs" : "metrics";
}

/* The same in a set of signals, such as destination_config.signals. */
static inline unsigned signal_bit(enum signal signal)
{
	return 1U << (signal - SIGNAL_TRACES);
}

#endif
