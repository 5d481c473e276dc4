/* Which of what a span says is its input or output. */
#ifndef TG_ENRICH_CONTENT_H
#define TG_ENRICH_CONTENT_H

#include "enrich/subject.h"

/*
 * The first of these facts that is said, as text; FACT_NONE ends them. The system prompt is the first of the
 * input messages, in whatever form both were sent.
 */
struct bytes first_said(struct subject *subject, const enum fact *facts);

#endif
