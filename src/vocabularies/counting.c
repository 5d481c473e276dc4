#include "vocabularies/counting.h"

#define INCLUSIVE COUNTING_INCLUSIVE
#define EXCLUSIVE COUNTING_EXCLUSIVE
#define UNSAID COUNTING_UNSAID

/*
 * Instrumentations, the first row that fits. Those whose name alone says nothing are not here: Claude Code,
 * Gemini CLI, Langfuse, and the SDK of Vercel before its v7 are vocabularies that know themselves.
 */
static const struct {
	struct bytes scope; /* its name, or how it starts up to a dot */
	const char *below;  /* versions below this one; NULL: all */
	struct countings countings;
} scopes[] = {
	/* Copies Converse's usage as it comes (traceloop/openllmetry issue 4449); later ones may not. */
	{ BYTES("opentelemetry.instrumentation.bedrock"), "0.63", { EXCLUSIVE, INCLUSIVE } },
	{ BYTES("opentelemetry.instrumentation.bedrock"), NULL, { UNSAID, INCLUSIVE } },
	/* So does this (open-telemetry/opentelemetry-python-contrib pull request 4615). */
	{ BYTES("opentelemetry.instrumentation.botocore"), NULL, { EXCLUSIVE, INCLUSIVE } },
	/* Adds thoughts to the output (open-telemetry/opentelemetry-python-genai pull request 283). */
	{ BYTES("opentelemetry.instrumentation.google_genai"), NULL, { INCLUSIVE, INCLUSIVE } },
	/* OpenLLMetry and OpenTelemetry's own add up the input (R7); output is the provider's. */
	{ BYTES("opentelemetry.instrumentation"), NULL, { INCLUSIVE, UNSAID } },
	{ BYTES("pydantic-ai"), NULL, { INCLUSIVE, INCLUSIVE } }, /* R7 */
	{ BYTES("litellm"), NULL, { INCLUSIVE, INCLUSIVE } },     /* R7 */
	{ BYTES("ai"), NULL, { INCLUSIVE, INCLUSIVE } },          /* Vercel's v7, as the next */
	{ BYTES("gen_ai"), NULL, { INCLUSIVE, INCLUSIVE } },
};

/* Whether a dotted version is older; false for one that is no number. */
static bool is_below(struct bytes version, const char *bound)
{
	if (!version.len || version.at[0] < '0' || version.at[0] > '9')
		return false;
	const char *at = (const char *)version.at, *end = at + version.len;
	for (;;) {
		unsigned long ours = 0, theirs = 0;
		for (; at < end && *at >= '0' && *at <= '9' && ours < 1000000; at++)
			ours = ours * 10 + (unsigned long)(*at - '0');
		for (; *bound >= '0' && *bound <= '9'; bound++)
			theirs = theirs * 10 + (unsigned long)(*bound - '0');
		if (ours != theirs || !*bound)
			return ours < theirs;
		bound++;
		at += at < end && *at == '.';
	}
}

struct countings counting_by_scope(const struct scope *scope)
{
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		struct bytes start = scopes[i].scope, name = scope->name;
		if (name.len >= start.len && memcmp(name.at, start.at, start.len) == 0 &&
			(name.len == start.len || name.at[start.len] == '.') &&
			(!scopes[i].below || is_below(scope->version, scopes[i].below)))
			return scopes[i].countings;
	}
	return (struct countings){ 0 };
}

/*
 * APIs. Anthropic's own leaves cached tokens out of the input, but so many instrumentations add them, as the
 * conventions demand, that the name does not tell; each span's arithmetic has to. Source: pricing, section 2.
 */
static const struct {
	struct bytes provider;
	const char *model; /* in its name; NULL: any */
	struct countings countings;
} providers[] = {
	{ BYTES("openai"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("azure.ai.openai"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("deepseek"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("mistral_ai"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("moonshot_ai"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("zai"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("minimax"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("groq"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("cohere"), NULL, { INCLUSIVE, INCLUSIVE } },
	{ BYTES("x_ai"), NULL, { INCLUSIVE, EXCLUSIVE } }, /* reasoning beside completion_tokens */
	{ BYTES("anthropic"), NULL, { UNSAID, INCLUSIVE } },
	{ BYTES("gcp.vertex_ai"), "claude", { UNSAID, INCLUSIVE } },
	{ BYTES("gcp.vertex_ai"), "gemini",
		{ INCLUSIVE, EXCLUSIVE } }, /* thoughts beside candidates */
	{ BYTES("gcp.gemini"), NULL, { INCLUSIVE, EXCLUSIVE } },
	{ BYTES("gcp.gen_ai"), NULL, { INCLUSIVE, EXCLUSIVE } },
	{ BYTES("aws.bedrock"), NULL, { EXCLUSIVE, INCLUSIVE } }, /* Converse */
};

struct countings counting_by_provider(struct bytes provider, struct bytes model)
{
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
		const char *part = providers[i].model;
		if (bytes_equal(provider, providers[i].provider) &&
			(!part || (model.len && memmem(model.at, model.len, part, strlen(part)))))
			return providers[i].countings;
	}
	return (struct countings){ 0 };
}
