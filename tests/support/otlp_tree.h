/* What an ExportTraceServiceRequest holds, as OTLP/JSON says it: by the generated protobuf code, not by ours. */
#ifndef TG_TESTS_SUPPORT_OTLP_TREE_H
#define TG_TESTS_SUPPORT_OTLP_TREE_H

#include <jansson.h>

#include "base/bytes.h"

/* NULL when the generated code refuses it. Text that is not UTF-8 is written as {"bytes": base64}. */
json_t *otlp_tree(struct bytes protobuf);

#endif
