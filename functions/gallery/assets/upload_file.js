// Uploads of one file: in one request or, when it is too large for Lambda, through the object store.

import { loadLimits } from "./access.js";
import { ApiError, callApi, readError, withRetries } from "./api.js";
import { withKey } from "./key.js";

const ATTEMPTS = 6;
const STALLED_MS = 60_000;

/**
 * Upload a file. Attempts share an Idempotency-Key, so that they create one picture.
 * Resolves with the image, or null if the key may not see it. `onProgress` gets 0 to 1, `onWait` the error before each retry.
 */
export async function uploadFile(file, idempotencyKey, { signal, onProgress, onWait }) {
  const metadata = { title: titleOf(file.name) };
  const isLarge = file.size > (await loadLimits()).max_direct_bytes;
  const send = isLarge ? sendThroughStore(file, metadata, idempotencyKey) : sendDirectly(file, metadata, idempotencyKey);
  const attempt = async () => {
    await checkReadable(file);
    return send({ signal, onProgress });
  };
  return withRetries(attempt, { attempts: ATTEMPTS, signal, onWait });
}

/** The title of a file: its name without the extension, in at most 200 characters that the service accepts. */
function titleOf(name) {
  const stem = name.replace(/\.[^.]*$/, "").normalize().replace(/[\p{Cc}\p{Cs}]/gu, " ");
  return Array.from(stem).slice(0, 200).join("");
}

/** Detect a file that was moved or changed since it was chosen: sending it would look like a lost connection. */
async function checkReadable(file) {
  const start = file.size ? file.slice(0, 1) : file; // an empty slice can always be read
  await start.arrayBuffer().catch(() => { throw new ApiError(410, "file_gone"); });
}

export function makeIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One request. Like sendThroughStore, this returns a function that makes one attempt. */
function sendDirectly(file, metadata, idempotencyKey) {
  return ({ signal, onProgress }) => withKey(async (key) => {
    const form = new FormData();
    form.append("metadata", JSON.stringify(metadata));
    form.append("image_file", file, file.name);
    const headers = { "X-API-Key": key, "Idempotency-Key": idempotencyKey };
    const text = await postWithProgress("api/upload", form, { headers, signal, onProgress });
    return text ? JSON.parse(text).data : null;
  });
}

/** Register the file, post it to the store, complete the upload. A file that has arrived is not sent again. */
function sendThroughStore(file, metadata, idempotencyKey) {
  // The browser has no type for a file without an extension; the server then detects it from the content.
  const registration = { filename: file.name, size_bytes: file.size, mime_type: file.type || undefined, metadata };
  let arrived = false;
  return async ({ signal, onProgress }) => {
    const headers = { "Idempotency-Key": idempotencyKey };
    const { data: { id, form } } = await callApi("api/uploads", { method: "POST", headers, body: registration, signal });
    if (form && !arrived) {
      await sendToStore(form, file, { signal, onProgress });
      arrived = true;
    }
    try {
      return (await callApi(`api/uploads/${id}/complete`, { method: "POST", signal }))?.data ?? null;
    } catch (error) {
      if (error.code === "upload_not_arrived") arrived = false;
      throw error;
    }
  };
}

async function sendToStore(form, file, options) {
  const fields = new FormData();
  for (const [name, value] of Object.entries(form.fields)) fields.append(name, value);
  fields.append("file", file);
  try {
    await postWithProgress(form.url, fields, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.temporary) throw error;
    throw new ApiError(error.status, "store_refused");
  }
}

/** POST by XMLHttpRequest, since fetch reports no progress. Aborts after a minute without progress. */
function postWithProgress(url, body, { headers = {}, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let stalled;
    const stop = () => request.abort();
    const finish = (action, value) => {
      clearTimeout(stalled);
      signal.removeEventListener("abort", stop);
      action(value);
    };
    const watch = () => {
      clearTimeout(stalled);
      stalled = setTimeout(stop, STALLED_MS);
    };
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => { watch(); onProgress(loaded / total); };
    request.onload = () => {
      const { status, responseText } = request;
      if (status < 300) finish(resolve, responseText);
      else finish(reject, readError(status, responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => finish(reject, new ApiError(0, "network"));
    request.onabort = () => finish(reject, signal.aborted ? signal.reason : new ApiError(0, "network"));
    signal.addEventListener("abort", stop);
    watch();
    request.send(body);
  });
}
