/* What becomes of spans of MLflow, whose values are JSON texts. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/enriched_span.h"

static void expect(const char *const *sent, const char *const *expected)
{
	expect_enriched("mlflow.tracing", "step", sent, expected);
}

Test(mlflow, each_type_has_its_kind_in_quotes_or_without)
{
	static const char *const kinds[][2] = { { "LLM", "LLM" }, { "CHAT_MODEL", "LLM" },
		{ "CHAIN", "CHAIN" }, { "WORKFLOW", "CHAIN" }, { "TASK", "CHAIN" },
		{ "PARSER", "CHAIN" }, { "MEMORY", "CHAIN" }, { "AGENT", "AGENT" },
		{ "TOOL", "TOOL" }, { "RETRIEVER", "RETRIEVER" }, { "EMBEDDING", "EMBEDDING" },
		{ "RERANKER", "RERANKER" }, { "GUARDRAIL", "GUARDRAIL" },
		{ "EVALUATOR", "EVALUATOR" } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char quoted[64], plain[64], kind[64];
		snprintf(quoted, sizeof quoted, "mlflow.spanType=\"%s\"", kinds[i][0]);
		snprintf(plain, sizeof plain, "mlflow.spanType=%s", kinds[i][0]);
		snprintf(kind, sizeof kind, "openinference.span.kind=%s", kinds[i][1]);
		expect(SENT(quoted), EXPECTED(kind));
		expect(SENT(plain), EXPECTED(kind));
	}
	expect(SENT("mlflow.spanType=\"UNKNOWN\""), EXPECTED("openinference.span.kind"));
	expect(SENT("mlflow.spanType=\"UNKNOWN\"", "mlflow.llm.model=\"gpt-4o\""),
		EXPECTED("openinference.span.kind=LLM", "llm.model_name=gpt-4o"));
	expect(SENT("mlflow.spanType=\"", "mlflow.spanInputs={}"),
		EXPECTED("openinference.span.kind", "input.value"));
	expect(SENT("mlflow.spanType:=1"), EXPECTED("openinference.span.kind"));
}

Test(mlflow, a_model_call_is_counted_and_priced)
{
	expect(SENT("mlflow.spanType=\"CHAT_MODEL\"", "mlflow.llm.model=\"gpt-4o\"",
		       "mlflow.llm.provider=\"openai\"",
		       "mlflow.chat.tokenUsage={\"input_tokens\": 1000, \"output_tokens\": 10, "
		       "\"total_tokens\": 1010, \"cache_read_input_tokens\": 400}"),
		EXPECTED("llm.token_count.prompt:=1000", "llm.token_count.completion:=10",
			"llm.token_count.total:=1010",
			"llm.token_count.prompt_details.cache_read:=400",
			"gen_ai.provider.name=openai", "gen_ai.request.model=gpt-4o",
			"llm.cost.prompt~=0.002", "llm.cost.completion~=0.0001",
			"llm.cost.total~=0.0021"));
	expect(SENT("mlflow.spanType=\"LLM\"", "mlflow.llm.model=\"my-own\"",
		       "mlflow.chat.tokenUsage={\"input_tokens\": 10}",
		       "mlflow.llm.cost={\"input_cost\":0.25,\"output_cost\":0.5,"
		       "\"total_cost\":0.75}"),
		EXPECTED("langfuse.observation.cost_details={\"input\":0.25,\"output\":0.5,"
			 "\"total\":0.75}",
			"llm.cost.total~=0.75", "tollgate.cost.source=sender"));
}

Test(mlflow, counts_that_are_none_are_not_read)
{
	const char *kind = "mlflow.spanType=\"LLM\"";
	expect(SENT(kind,
		       "mlflow.chat.tokenUsage={\"input_tokens\":-1,\"output_tokens\":{},"
		       "\"total_tokens\":true}",
		       "mlflow.llm.cost={\"total_cost\":-1}"),
		EXPECTED("llm.token_count.prompt", "llm.token_count.completion",
			"llm.token_count.total", "llm.cost.total"));
	expect(SENT(kind, "mlflow.chat.tokenUsage={\"input_tokens\":1", "mlflow.llm.cost=[]"),
		EXPECTED("llm.token_count.prompt", "llm.cost.total"));
	expect(SENT(kind, "mlflow.chat.tokenUsage:=5"), EXPECTED("llm.token_count.prompt"));
	expect(SENT(kind, "gen_ai.usage.input_tokens:=7",
		       "mlflow.chat.tokenUsage={\"input_tokens\":1}"),
		EXPECTED("llm.token_count.prompt:=7"));
}

Test(mlflow, an_agent_does_not_repeat_its_calls)
{
	expect(SENT("mlflow.spanType=\"AGENT\"", "mlflow.llm.model=\"gpt-4o\"",
		       "mlflow.chat.tokenUsage={\"input_tokens\":1}",
		       "mlflow.llm.cost={\"total_cost\":1}"),
		EXPECTED("llm.token_count.prompt", "llm.cost.total", "llm.model_name",
			"langfuse.observation.cost_details"));
}

Test(mlflow, a_step_has_input_and_output_without_their_quotes)
{
	const char *kind = "mlflow.spanType=\"CHAIN\"";
	expect(SENT(kind, "mlflow.spanInputs={\"q\": \"why\"}", "mlflow.spanOutputs=\"because\""),
		EXPECTED("input.value={\"q\": \"why\"}", "input.mime_type=application/json",
			"output.value=because", "output.mime_type=text/plain"));
	expect(SENT(kind, "mlflow.spanOutputs=\"two\\nlines, \\\"quoted\\\"\""),
		EXPECTED("output.value=two\nlines, \"quoted\""));
	expect(SENT(kind, "mlflow.spanOutputs=\"cut sho", "mlflow.spanInputs=\"\""),
		EXPECTED("output.value=\"cut sho", "input.value"));
	expect(SENT(kind, "mlflow.spanInputs=null", "mlflow.spanOutputs=12"),
		EXPECTED("output.value=12"));
}

Test(mlflow, a_tool_has_arguments_and_a_result)
{
	expect(SENT("mlflow.spanType=\"TOOL\"", "mlflow.spanInputs={\"city\":\"Paris\"}",
		       "mlflow.spanOutputs=\"7\""),
		EXPECTED("tool.parameters={\"city\":\"Paris\"}", "input.value={\"city\":\"Paris\"}",
			"output.value=7", "gen_ai.operation.name=execute_tool"));
}

Test(mlflow, its_session_and_user_stand_on_every_span)
{
	expect(SENT("mlflow.trace.session=\"s\"", "mlflow.trace.user=\"u\""),
		EXPECTED("session.id=s", "langfuse.session.id=s", "user.id=u", "langfuse.user.id=u",
			"openinference.span.kind"));
	expect(SENT("session.id=own", "mlflow.trace.session=s"),
		EXPECTED("langfuse.session.id=own"));
}

Test(mlflow, requests_and_answers_have_messages_in_them)
{
	expect_request(sent_request(&(struct sent){ .name = "call",
			       .attributes = SENT("mlflow.spanType=\"LLM\"",
				       "mlflow.spanInputs={\"model\":\"m\",\"system\":\"be kind\","
				       "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
				       "mlflow.spanOutputs={\"choices\":[{\"message\":"
				       "{\"role\":\"assistant\",\"content\":\"hello\"}}]}") }),
		true,
		EXPECTED("llm.input_messages.0.message.role=system",
			"llm.input_messages.0.message.content=be kind",
			"llm.input_messages.1.message.content=hi",
			"llm.output_messages.0.message.role=assistant",
			"llm.output_messages.0.message.content=hello"));
}
