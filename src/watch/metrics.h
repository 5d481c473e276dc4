/*
 * Figures for Prometheus: what was counted since the start and what is the case now, in its text format
 * 0.0.4. Names of models and destinations are the only texts in it that are not ours.
 */
#ifndef TG_WATCH_METRICS_H
#define TG_WATCH_METRICS_H

#include "base/buf.h"

struct watch;

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends all families, each with its HELP and TYPE. From any thread. */
void metrics_write(struct buf *page, const struct watch *watch);

#endif
