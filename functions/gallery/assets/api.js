// Requests to the API: errors with a status and a code, and retries with backoff.

import { withKey } from "./key.js";

const MAX_WAIT_SECONDS = 30;

export class ApiError extends Error {
  /** `status` is 0 when there was no response. `retryAfter` is in seconds. */
  constructor(status, code, message = "", { retryAfter = 0, details = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, retryAfter, details });
  }

  /** Whether the same request may succeed later: the API says so by Retry-After, what is in front of it by the status. */
  get temporary() {
    const isForeign = ["network", "unexpected"].includes(this.code);
    return this.retryAfter > 0 || (isForeign && [0, 429, 502, 503, 504].includes(this.status));
  }
}

/** The error in a response of the API, or of a gateway or store in front of it. */
export function readError(status, text, retryAfter) {
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch { /* the gateway's own page */ }
  return new ApiError(status, error.code ?? "unexpected", error.message ?? "", {
    retryAfter: Number(retryAfter) || 0,
    details: error.details ?? {},
  });
}

/** A response and its whole body. A connection lost before or during the response is an ApiError. */
async function fetchText(path, init) {
  try {
    const response = await fetch(path, init);
    return { response, text: await response.text() };
  } catch (error) {
    throw error.name === "AbortError" ? error : new ApiError(0, "network");
  }
}

/** Send one JSON request. Resolves with the response's JSON, null if there is none; rejects with an ApiError. */
export function callApi(path, { method = "GET", headers = {}, body, signal } = {}) {
  return withKey(async (key) => {
    const init = { method, signal, headers: { "X-API-Key": key, ...headers } };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    const { response, text } = await fetchText(path, init);
    if (!response.ok) throw readError(response.status, text, response.headers.get("Retry-After"));
    return text ? JSON.parse(text) : null;
  });
}

/** Retry with exponential backoff while the error is temporary. Calls `onWait(error)` before each wait. */
export async function withRetries(action, { attempts = 4, signal, onWait = () => {} } = {}) {
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

/** Resolves after `seconds`; rejects when the signal is aborted. */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
