/*
 * What must hold of events that are kept, for whatever was posted: with jansson as the oracle, line by line
 * and id by id.
 */
#ifndef TG_TESTS_SUPPORT_EVENTS_JUDGE_H
#define TG_TESTS_SUPPORT_EVENTS_JUDGE_H

#include "proxy/events.h"

/* Each returns NULL, or words for what does not hold; the text is read as a batch, or as scores. */
const char *events_judge_batch(struct bytes text, const struct events_limits *limits);
const char *events_judge_scores(struct bytes text, const struct events_limits *limits);

#endif
