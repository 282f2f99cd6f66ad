// Requests to the API: errors with a status and a code, and waiting before trying again.

import { sleep } from "./dom.js";
import { withKey } from "./key.js";

const HOPELESS = new Set(["service_misconfigured", "api_key_not_configured", "secret_key_not_configured"]);
const MAX_WAIT_SECONDS = 30;

export class ApiError extends Error {
  /** `status` 0 is: no answer. `retryAfter` is in seconds. */
  constructor(status, code, message = "", { retryAfter = 0, details = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, retryAfter, details });
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    if (HOPELESS.has(this.code)) return false;
    return [0, 429, 502, 503, 504].includes(this.status) || (this.status === 409 && this.retryAfter > 0);
  }
}

/** The error that an answer is. */
export function readError(status, text, retryAfter) {
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch { /* not from the API: a gateway's own page */ }
  return new ApiError(status, error.code ?? "unexpected", error.message ?? "", {
    retryAfter: Number(retryAfter) || 0,
    details: error.details ?? {},
  });
}

/** One JSON request. Resolves with `{ status, etag, value }`; rejects with an ApiError. */
export function call(path, { method = "GET", headers = {}, body, signal } = {}) {
  return withKey(async (key) => {
    const init = { method, signal, headers: { "X-API-Key": key, ...headers } };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    const answer = await fetch(path, init).catch((error) => {
      throw error.name === "AbortError" ? error : new ApiError(0, "network");
    });
    const text = await answer.text();
    if (!answer.ok) throw readError(answer.status, text, answer.headers.get("Retry-After"));
    return { status: answer.status, etag: answer.headers.get("ETag"), value: text ? JSON.parse(text) : null };
  });
}

/** Try again, later each time, as long as an error is temporary. `onWait(error)` hears of each wait. */
export async function persist(action, { attempts = 4, signal, onWait = () => {} } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!error.temporary || attempt >= attempts) throw error;
      onWait(error);
      const seconds = Math.max(error.retryAfter, 0.5 * 2 ** (attempt - 1)) * (1 + Math.random() / 4);
      await sleep(Math.min(seconds, MAX_WAIT_SECONDS), signal);
    }
  }
}
