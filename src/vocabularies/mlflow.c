/*
 * MLflow. Each value is JSON text, also where it is a string: it comes with its quotes. Counts and costs are
 * members of one object each.
 */
#include "vocabularies/reading.h"

static const struct word words[] = {
	{ "mlflow.spanType", FACT_MLFLOW_TYPE },
	{ "mlflow.trace.session", FACT_SESSION },
	{ "mlflow.trace.user", FACT_USER },
	{ "mlflow.llm.model", FACT_REQUEST_MODEL },
	{ "mlflow.llm.provider", FACT_PROVIDER },
	{ "mlflow.spanInputs", FACT_PROMPT },
	{ "mlflow.spanOutputs", FACT_COMPLETION },
	{ 0 },
};

static enum kind kind(const struct span *span, const struct facts *facts)
{
	static const struct {
		const char *type;
		enum kind kind;
	} kinds[] = {
		{ "LLM", KIND_LLM },
		{ "CHAT_MODEL", KIND_LLM },
		{ "CHAIN", KIND_CHAIN },
		{ "WORKFLOW", KIND_CHAIN },
		{ "TASK", KIND_CHAIN },
		{ "PARSER", KIND_CHAIN },
		{ "MEMORY", KIND_CHAIN },
		{ "AGENT", KIND_AGENT },
		{ "TOOL", KIND_TOOL },
		{ "RETRIEVER", KIND_RETRIEVER },
		{ "EMBEDDING", KIND_EMBEDDING },
		{ "RERANKER", KIND_RERANKER },
		{ "GUARDRAIL", KIND_GUARDRAIL },
		{ "EVALUATOR", KIND_EVALUATOR },
	};
	const struct value *type = &facts->said[FACT_MLFLOW_TYPE];
	if (type->type != VALUE_STRING)
		return KIND_NONE;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_are(type->bytes, kinds[i].type))
			return kinds[i].kind;
	return KIND_NONE;
}

static void read_object(const struct span *span, const char *name, const struct word *members,
	struct arena *arena, struct facts *facts)
{
	json_t *object = attribute_object(&span->attributes, name);
	facts_read_members(facts, object, members, arena);
	json_decref(object);
}

static void read_text(struct facts *facts, enum fact fact, struct arena *arena)
{
	struct value *said = &facts->said[fact];
	if (said->type == VALUE_STRING)
		*said = value_of_json_text(said->bytes, arena);
}

static void complete(const struct span *span, struct arena *arena, struct facts *facts)
{
	static const struct word counts[] = {
		{ "input_tokens", FACT_INPUT_TOKENS },
		{ "output_tokens", FACT_OUTPUT_TOKENS },
		{ "cache_read_input_tokens", FACT_CACHE_READ_TOKENS },
		{ "cache_creation_input_tokens", FACT_CACHE_WRITE_TOKENS },
		{ "total_tokens", FACT_TOTAL_TOKENS },
		{ 0 },
	};
	static const struct word costs[] = {
		{ "input_cost", FACT_COST_INPUT },
		{ "output_cost", FACT_COST_OUTPUT },
		{ "total_cost", FACT_COST_TOTAL },
		{ 0 },
	};
	if (!is_said(facts, FACT_MLFLOW_TYPE))
		return;
	read_object(span, "mlflow.chat.tokenUsage", counts, arena, facts);
	read_object(span, "mlflow.llm.cost", costs, arena, facts);
	read_text(facts, FACT_PROMPT, arena);
	read_text(facts, FACT_COMPLETION, arena);
	if (facts->kind == KIND_TOOL) {
		facts_say_value(facts, FACT_TOOL_ARGUMENTS, &facts->said[FACT_PROMPT]);
		facts_say_value(facts, FACT_TOOL_RESULT, &facts->said[FACT_COMPLETION]);
	}
}

const struct vocabulary vocabulary_mlflow = {
	.name = "mlflow",
	.words = words,
	.texts_are_quoted = true,
	.kind = kind,
	.complete = complete,
};
