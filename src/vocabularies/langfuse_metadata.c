/* What integrations hand to Langfuse as metadata, for want of an attribute of its own. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "langfuse.trace.metadata.langfuse_session_id", FACT_SESSION },
	{ "langfuse.observation.metadata.langfuse_session_id", FACT_SESSION },
	{ "langfuse.trace.metadata.langfuse_user_id", FACT_USER },
	{ "langfuse.observation.metadata.langfuse_user_id", FACT_USER },
	{ "langfuse.observation.metadata.langfuse_tags", FACT_TAGS },
	{ "langfuse.trace.metadata.langfuse_tags", FACT_TAGS },
	{ 0 },
};

const struct vocabulary vocabulary_langfuse_metadata = {
	.name = "langfuse_metadata",
	.words = words,
};
