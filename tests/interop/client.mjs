// What all JavaScript clients share.
import { setTimeout as sleep } from "node:timers/promises";

/** A name that proxies like to break. */
export const prompt = "interop/be kind";

/** Seconds of load in place of everything once; 0: none. */
export const away = Number(process.env.INTEROP_AWAY ?? 0);

/** The client goes on, and fails in the end. */
export function fail(name, error) {
	console.error(`${name}:`, error);
	process.exitCode = 1;
}

/** Does one thing, and says which one it was when it does not work. */
export async function call(name, what) {
	try {
		return await what();
	} catch (error) {
		fail(name, error);
	}
}

/** Ten times a second for so long: what an application does while Langfuse comes and goes. */
export async function until(seconds, what) {
	const end = Date.now() + seconds * 1000;
	for (let n = 1; Date.now() < end; n++) {
		await call(`call ${n}`, () => what(n));
		await sleep(100);
	}
}
