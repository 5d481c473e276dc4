// Whether the stand-in received the same in two runs of a client, without the gateway and with it, as far as two
// runs can be the same, and nothing of the caller's keys (INTEROP_KEYS). What the gateway adds to spans is named here.
//
//   compare.mjs DIRECT GATEWAY    journals as stand_in writes them
//   compare.mjs --once GATEWAY    that each trace of a run under load arrived once and whole
import { readFileSync } from "node:fs";

/** What the gateway adds to spans of Langfuse's SDKs: the same in the words of the other conventions, and the cost. */
const ADDED = [
	/^(?:gen_ai|llm|input|output|tollgate\.cost)\./,
	/^openinference\.span\.kind$|^tag\.tags$/,
	/^langfuse\.(?:session|user)\.id$|^langfuse\.internal\.is_app_root$/,
	/^langfuse\.observation\.(?:name|cost_details)$/,
];

/** Where a generation's cost must have been added. */
const COST = "langfuse.observation.cost_details";

/** Of a connection, not of a request; and what is the gateway's own. */
const NOT_COMPARED = new Set(["host", "connection", "content-length", "transfer-encoding", "authorization", "via"]);

/** Prompts are asked for without a coding, because they are kept for when Langfuse is away. */
const PROMPT = /^\/api\/public\/(?:v2\/)?prompts\b/;

const problems = [];

// ---- what arrived, one item for each thing ----

/** A value of OTLP/JSON, in which numbers may be in quotes or not. */
function plain(value) {
	if (value == null) return null;
	if ("intValue" in value) return { int: String(value.intValue) };
	if ("arrayValue" in value) return (value.arrayValue.values ?? []).map(plain);
	if ("kvlistValue" in value) return attributes(value.kvlistValue.values);
	return Object.values(value)[0] ?? null;
}

function attributes(list = []) {
	return Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
}

/** Python's SDK writes the public key that it was given into its scope; the gateway's callers have their own. */
function scopeOf(scope) {
	const { public_key, ...rest } = attributes(scope?.attributes);
	return rest;
}

function* spansOf(body) {
	for (const { resource, scopeSpans } of body.resourceSpans ?? [])
		for (const { scope, spans } of scopeSpans ?? [])
			for (const span of spans)
				yield {
					what: "span",
					resource: attributes(resource?.attributes),
					scope: { name: scope?.name, version: scope?.version, attributes: scopeOf(scope) },
					name: span.name,
					traceId: span.traceId,
					spanId: span.spanId,
					parentSpanId: span.parentSpanId ?? "",
					kind: span.kind ?? 0,
					startTimeUnixNano: String(span.startTimeUnixNano),
					endTimeUnixNano: String(span.endTimeUnixNano),
					attributes: attributes(span.attributes),
					events: (span.events ?? []).map(({ name, attributes: list }) => ({ name, attributes: attributes(list) })),
					links: span.links ?? [],
					status: { code: span.status?.code ?? 0, message: span.status?.message ?? "" },
					flags: span.flags ?? 0,
				};
}

/** By name: an order among names means nothing in HTTP, and the project's own public key comes last. */
function headersOf({ target, headers }) {
	const isCompared = (name) => !NOT_COMPARED.has(name) && !(name === "accept-encoding" && PROMPT.test(target));
	return headers
		.map(([name, value]) => [name.toLowerCase(), value])
		.filter(([name]) => isCompared(name))
		.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A request that is sent on as it came; batches may be cut in other places, so they count by what is in them. */
function* itemsOf(request) {
	const { method, target, status, body, project } = request;
	const path = target.split("?")[0];
	if (path === "/api/public/otel/v1/traces") yield* spansOf(body);
	else if (path === "/api/public/ingestion") for (const event of body.batch) yield { what: "event", ...event };
	else if (path === "/api/public/scores") for (const score of [body].flat()) yield { what: "score", ...score };
	else yield { what: "request", method, target, status, project, headers: headersOf(request), body };
}

function read(file) {
	const text = readFileSync(file, "utf8");
	const requests = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
	return { text, requests, items: requests.flatMap((request) => [...itemsOf(request)]) };
}

// ---- what no two runs have in common ----

const ID = /\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16})\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?|\b1[78]\d{17}\b/g;
const MEASURED = /^(?:uploadTimeMs|process\.pid)$/;

/** A text in which times are gone and ids are what `name` makes of them. */
function masked(item, name) {
	const replace = (key, value) => {
		if (MEASURED.test(key)) return "<measured>";
		if (typeof value === "string") return value.replace(TIME, "<time>").replace(ID, name);
		if (value && typeof value === "object" && !Array.isArray(value))
			return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
		return value;
	};
	return JSON.stringify(item, replace);
}

/** All items as texts in an order of their own, without ids. */
function shapes(items) {
	return items.map((item) => masked(item, "<id>")).sort();
}

/** The same with ids, numbered as they are met in that order. */
function numbered(items) {
	const ordered = items.map((item) => [masked(item, "<id>"), item]).sort(([a], [b]) => (a < b ? -1 : 1));
	const numbers = new Map();
	const number = (id) => {
		if (!numbers.has(id)) numbers.set(id, `<id ${numbers.size + 1}>`);
		return numbers.get(id);
	};
	return ordered.map(([, item]) => masked(item, number));
}

// ---- the judgement ----

/** Takes out of each span what may be added and is not in its like of the other run; how much that was. */
function takeOutAdded(items, others) {
	const before = new Map(others.filter(({ what }) => what === "span").map((span) => [span.name, span]));
	let added = 0;
	for (const span of items.filter(({ what }) => what === "span")) {
		if (span.name.startsWith("generation ") && !(COST in span.attributes)) problems.push(`${span.name} has no cost`);
		for (const name of Object.keys(span.attributes))
			if (!(name in (before.get(span.name)?.attributes ?? {})) && ADDED.some((pattern) => pattern.test(name))) {
				delete span.attributes[name];
				added++;
			}
	}
	return added;
}

function checkKeys({ text, requests }) {
	for (const key of (process.env.INTEROP_KEYS ?? "").split(" ").filter(Boolean))
		if (text.includes(key)) problems.push(`the caller's key ${key.slice(0, 8)}… travelled`);
	for (const { target, headers, project } of requests)
		if (target.startsWith("/api/public/") && project !== "interop")
			problems.push(`${target} came with ${JSON.stringify(headers.filter(([name]) => /auth/i.test(name)).length)} authorizations, of no project`);
}

/** What is in one list oftener than in the other. */
function tellDifferences(expected, received) {
	const left = new Map();
	for (const item of received) left.set(item, (left.get(item) ?? 0) + 1);
	for (const item of expected)
		if (left.get(item)) left.set(item, left.get(item) - 1);
		else problems.push(`- ${item}`);
	for (const [item, times] of left) if (times) problems.push(`+ ${item}`);
}

function compare(directFile, gatewayFile) {
	const direct = read(directFile);
	const gateway = read(gatewayFile);
	checkKeys(gateway);
	const added = takeOutAdded(gateway.items, direct.items);
	tellDifferences(shapes(direct.items), shapes(gateway.items));
	/* Ids are numbered by what stands around them: only where that is equal do they say anything. */
	if (problems.length === 0) tellDifferences(numbered(direct.items), numbered(gateway.items));
	const spans = gateway.items.filter(({ what }) => what === "span").length;
	return `the same ${gateway.items.length} things; ${added} attributes added to ${spans} spans`;
}

/** Of a load's n-th trace there is an agent, a generation and two scores, each once. */
function once(file) {
	const journal = read(file);
	checkKeys(journal);
	const times = new Map();
	for (const item of journal.items) {
		const body = item.body ?? item;
		const isEvent = item.what === "event";
		const name = item.what === "span" ? item.name : isEvent && item.type.endsWith("-create") || item.what === "score" ? body.name === "quality" ? body.id : body.name : undefined;
		if (name) times.set(name, (times.get(name) ?? 0) + 1);
	}
	const agents = [...times.keys()].filter((name) => name.startsWith("agent ")).map((name) => Number(name.slice(6)));
	const last = Math.max(0, ...agents);
	if (last === 0) problems.push("no trace arrived");
	for (let n = 1; n <= last; n++)
		for (const name of [`agent ${n}`, `generation ${n}`, `score-${n}`, `unnamed ${n}`])
			if (times.get(name) !== 1) problems.push(`${name} arrived ${times.get(name) ?? 0} times`);
	return `${last} traces with two scores each, each once`;
}

const files = process.argv.slice(2);
const words = files[0] === "--once" ? once(files[1]) : compare(files[0], files[1]);
for (const problem of problems.slice(0, 20)) console.log(problem.slice(0, 2000));
if (problems.length > 20) console.log(`and ${problems.length - 20} more`);
if (problems.length) process.exit(1);
console.log(words);
