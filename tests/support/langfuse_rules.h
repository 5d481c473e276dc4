/*
 * Langfuse as the judge: what its ingestion would make of a request, by the rules that were read from it
 * and observed at it (facts about Langfuse, sections 0, 2 and 3; the v4 path, with what the legacy path
 * would drop). A verdict is JSON, so that a test states what it expects as a part of it.
 *
 * Left out: its own price table (is_priced_by_langfuse says where it would be asked), Genkit, Flue and
 * LiveKit, experiments, media. A request is protobuf here, so resourceSpans that is no list cannot occur.
 */
#ifndef TG_TESTS_SUPPORT_LANGFUSE_RULES_H
#define TG_TESTS_SUPPORT_LANGFUSE_RULES_H

#include <jansson.h>

#include "support/oracle.h"

/*
 * {"fate": "taken" | "lost" | "refused", "why": text | null, "observations": [...]}; a new reference.
 *
 * "lost" was answered with 200 and then fails in a worker, "refused" with 400; both have no observations.
 * One observation: id, trace_id, parent_id, type, name, trace_name, user_id, session_id, tags, release,
 * version, environment, level, status_message, model, model_parameters, usage {key: units}, cost {key:
 * decimal as text}, total_cost (decimal as text), is_priced_by_langfuse, completion_start, prompt {name,
 * version}, input, output, metadata [names], dropped (why the legacy path drops it). What it has not is null.
 */
json_t *langfuse_ingest(const oracle_request *request);

/*
 * What Langfuse lists for the traces of these observations: {trace id: {root_id, name, user_id, session_id,
 * tags, release, version, environment, input, output, usage, total_cost}}; a new reference. Sums are over all
 * rows, of whatever type, as v4 does. root_id is null where no observation is without a parent.
 */
json_t *langfuse_traces(const json_t *observations);

/* Dollars as text to femtodollars, digits beyond them cut off; false for what is no decimal number. */
bool decimal_read(const char *text, __int128 *ret_fusd);
/* What an object says by this name as text; 0 where it says nothing. */
__int128 decimal_at(const json_t *amounts, const char *key);
/* Femtodollars as text in dollars, without trailing zeros; a new reference. */
json_t *decimal_json(__int128 fusd);

#endif
