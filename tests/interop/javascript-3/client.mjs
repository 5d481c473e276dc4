// What an application does with `langfuse` 3. Keys and base URL come from the environment, as in real ones.
import assert from "node:assert/strict";
import { Langfuse, LangfuseMedia } from "langfuse";
import { away, call, fail, prompt, until } from "../client.mjs";

const langfuse = new Langfuse({ flushInterval: 200 });
langfuse.on("error", (error) => fail("flush", error));

async function trace(n) {
	const trace = langfuse.trace({
		name: `interop ${n}`,
		userId: "user-1",
		sessionId: "session-1",
		tags: ["a tag"],
		metadata: { of: "interop" },
		input: { question: "why?" },
	});
	const span = trace.span({ name: `agent ${n}`, input: "in" });
	span.generation({
		name: `generation ${n}`,
		model: "claude-sonnet-4-5",
		modelParameters: { temperature: 0.5 },
		input: [{ role: "user", content: "why?" }],
		output: "because",
		usageDetails: { input: 100, output: 20 },
	}).end();
	span.event({ name: `event ${n}`, level: "WARNING" });
	span.end({ output: "out" });
	trace.update({ output: "done" });
	langfuse.score({ id: `score-${n}`, traceId: trace.id, name: "quality", value: 0.5 });
	langfuse.score({ traceId: trace.id, name: `unnamed ${n}`, value: "good" });
	return trace;
}

async function everything() {
	await call("auth check", () => langfuse.api.projectsGet());
	await call("prompt", async () => {
		await langfuse.createPrompt({ name: prompt, prompt: "be {{how}}", labels: ["production"] });
		const text = await langfuse.getPrompt(prompt);
		assert.equal(text.compile({ how: "kind" }), "be kind");
		await langfuse.getPrompt(prompt, 1);
	});
	await call("unknown prompt", () =>
		assert.rejects(langfuse.getPrompt("interop/nowhere", undefined, { maxRetries: 0 })));
	const traced = await call("trace and scores", () => trace(1));
	await call("dataset", async () => {
		await langfuse.createDataset({ name: "a set/of items", description: "for interop" });
		await langfuse.createDatasetItem({ datasetName: "a set/of items", id: "item 1", input: { n: 1 }, expectedOutput: 2 });
		const dataset = await langfuse.getDataset("a set/of items");
		assert.equal(dataset.items.length, 1);
		await dataset.items[0].link(traced, "a run");
	});
	await call("media", async () => {
		const media = new LangfuseMedia({ contentBytes: Buffer.from("not really a picture"), contentType: "image/png" });
		langfuse.trace({ name: "with media", input: { picture: media } });
		await langfuse.flushAsync();
	});
}

async function load() {
	await langfuse.createPrompt({ name: prompt, prompt: "be kind", labels: ["production"] });
	await langfuse.getPrompt(prompt);
	await until(away, async (n) => {
		await trace(n);
		await langfuse.getPrompt(prompt, undefined, { cacheTtlSeconds: 0, maxRetries: 0 });
	});
}

await (away ? load() : everything());
await langfuse.shutdownAsync();
