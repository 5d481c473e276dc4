// What an application does with @langfuse/tracing, @langfuse/otel and @langfuse/client 5.
import assert from "node:assert/strict";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { away, call, fail, prompt, until } from "../client.mjs";

const silent = () => {};
diag.setLogger({ error: (...words) => fail("export", words), warn: silent, info: silent, debug: silent, verbose: silent }, DiagLogLevel.ERROR);

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor({ flushInterval: 0.2 })] });
sdk.start();
const langfuse = new LangfuseClient();

const attributes = (n) => ({
	traceName: `interop ${n}`,
	userId: "user-1",
	sessionId: "session-1",
	tags: ["a tag"],
	metadata: { of: "interop" },
});

function trace(n, input = { question: "why?" }) {
	return propagateAttributes(attributes(n), () =>
		startActiveObservation(`agent ${n}`, (agent) => {
			agent.update({ input, output: "done" });
			const tool = agent.startObservation(`tool ${n}`, { input: "in", output: "out" }, { asType: "tool" });
			tool.startObservation(`generation ${n}`, {
				model: "claude-sonnet-4-5",
				modelParameters: { temperature: 0.5 },
				input: [{ role: "user", content: "why?" }],
				output: "because",
				usageDetails: { input: 100, output: 20 },
			}, { asType: "generation" }).end();
			tool.end();
			langfuse.score.create({ id: `score-${n}`, traceId: agent.traceId, name: "quality", value: 0.5 });
			langfuse.score.create({ traceId: agent.traceId, name: `unnamed ${n}`, value: "good" });
			return agent;
		}, { asType: "agent" }));
}

async function everything() {
	await call("auth check", () => langfuse.api.projects.get());
	await call("prompt", async () => {
		await langfuse.prompt.create({ name: prompt, prompt: "be {{how}}", labels: ["production"] });
		const text = await langfuse.prompt.get(prompt);
		assert.equal(text.compile({ how: "kind" }), "be kind");
		await langfuse.prompt.get(prompt, { version: 1 });
		await langfuse.prompt.get(prompt, { label: "latest" });
	});
	await call("unknown prompt", () => assert.rejects(langfuse.prompt.get("interop/nowhere", { maxRetries: 0 })));
	const traced = await call("trace and scores", () => trace(1));
	await call("dataset", async () => {
		await langfuse.api.datasets.create({ name: "a set/of items", description: "for interop" });
		await langfuse.dataset.createItem({ datasetName: "a set/of items", id: "item 1", input: { n: 1 }, expectedOutput: 2 });
		const dataset = await langfuse.dataset.get("a set/of items");
		assert.equal(dataset.items.length, 1);
		await dataset.items[0].link(traced, "a run");
	});
	await call("media", async () => {
		const picture = Buffer.from("not really a picture").toString("base64");
		trace(2, { picture: `data:image/png;base64,${picture}` });
	});
}

async function load() {
	await langfuse.prompt.create({ name: prompt, prompt: "be kind", labels: ["production"] });
	await langfuse.prompt.get(prompt);
	await until(away, async (n) => {
		trace(n);
		await langfuse.prompt.get(prompt, { cacheTtlSeconds: 0, maxRetries: 0 });
	});
}

await (away ? load() : everything());
await langfuse.shutdown();
await sdk.shutdown();
