// Calls of the station's API. Every failure is a Mishap: code, message, hint, as the server or the network gave it.
import { say } from "./strings.js";
import { ticket } from "./ticket.js";

export class Mishap extends Error {
  constructor({ code = "error", message = "", hint = "" } = {}, status = 0) {
    super(message);
    Object.assign(this, { code, hint, status });
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Mishap({ code: "offline", message: say("offline"), hint: say("offline_hint") });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Mishap({ message: say("offline"), hint: say("offline_hint"), ...body }, response.status);
  }
  return body;
}

const post = (path, body) =>
  call(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

async function request(wish) {
  await ticket();
  return post("/api/requests", wish);
}
/** `key` names this press of the button: sent twice, it is still one request. */
export const ask = (wish, key) => request({ ...wish, key });
export const again = (image) => request({ image, key: newKey() });
export const state = (id) => call(`/api/requests/${encodeURIComponent(id)}`);
export const cancel = (id) => post(`/api/requests/${encodeURIComponent(id)}/cancel`, {});
export const words = (wish, signal) => call(`/api/words?${wish}`, { signal });

export const models = () => call("/api/models");
export const health = () => call("/healthz");

/** A name that no other press of a button has. crypto.randomUUID needs https; a venue's network may not have it. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
export const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];
