// A file's way to the server: in one request or, where Lambda could not take it, through the object store.

import { ApiError, call, persist, readError } from "./api.js";
import { withKey } from "./key.js";

export const MAX_DIRECT_BYTES = 4_400_000;
const ATTEMPTS = 6;
const STALLED_MS = 60_000;

/**
 * Upload a file, trying again as the same upload: the key sees to it that no picture is there twice.
 * Resolves with the image. `onProgress` gets 0 to 1, `onWait` the error after which it waits.
 */
export function transfer(file, idempotencyKey, { signal, onProgress, onWait }) {
  const metadata = { title: file.name.replace(/\.[^.]*$/, "").slice(0, 200) };
  const large = file.size > MAX_DIRECT_BYTES;
  const send = large ? makeDetour(file, metadata, idempotencyKey) : sendDirectly(file, metadata, idempotencyKey);
  const attempt = async () => {
    await read(file);
    signal.throwIfAborted();
    return send({ signal, onProgress });
  };
  return persist(attempt, { attempts: ATTEMPTS, signal, onWait });
}

/** A file that has been moved or changed since it was chosen would only look like a broken connection. */
async function read(file) {
  const start = file.size ? file.slice(0, 1) : file; // no part of an empty one is ever missing
  await start.arrayBuffer().catch(() => { throw new ApiError(410, "file_gone"); });
}

export function makeIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sendDirectly(file, metadata, idempotencyKey) {
  return ({ signal, onProgress }) => withKey(async (key) => {
    const form = new FormData();
    form.append("metadata", JSON.stringify(metadata));
    form.append("image_file", file, file.name);
    const headers = { "X-API-Key": key, "Idempotency-Key": idempotencyKey };
    return JSON.parse(await post("api/upload", form, { headers, signal, onProgress })).data;
  });
}

/** Announce, post to the store, complete. What has arrived is not sent again. */
function makeDetour(file, metadata, idempotencyKey) {
  const announcement = { filename: file.name, size_bytes: file.size, mime_type: file.type, metadata };
  let arrived = false;
  return async ({ signal, onProgress }) => {
    const headers = { "Idempotency-Key": idempotencyKey };
    const { value } = await call("api/uploads", { method: "POST", headers, body: announcement, signal });
    const { form, complete_path: path } = value.data;
    if (form && !arrived) {
      await sendToStore(form, file, { signal, onProgress });
      arrived = true;
    }
    try {
      return (await call(path.slice(1), { method: "POST", signal })).value.data;
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
    await post(form.url, fields, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.temporary) throw error;
    throw new ApiError(error.status, "store_refused");
  }
}

/** POST with progress, which fetch cannot tell. Gives up when nothing moves for a minute. */
function post(url, body, { headers = {}, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stalled;
    const stop = () => request.abort();
    const settle = (action, value) => {
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
      if (status < 300) settle(resolve, responseText);
      else settle(reject, readError(status, responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => settle(reject, new ApiError(0, "network"));
    request.onabort = () => settle(reject, signal.aborted ? signal.reason : new ApiError(0, "network"));
    signal.addEventListener("abort", stop);
    watch();
    request.send(body);
  });
}
