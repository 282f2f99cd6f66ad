// One operation on many pictures: POST /api/images/batch.

import { callApi, withRetries } from "./api.js";
import { makeIdempotencyKey } from "./upload_file.js";

const CHUNK = 200; // the API accepts no more ids at once
const ATTEMPTS = 6;
const ATTEMPTS_PER_PICTURE = 3; // where its own result is temporary
const WAIT_MS = 1_500;

/**
 * Do one operation, such as `{ operation: "add_tags", tags }`. Resolves with `{ done, failed }`: ids, and [id, error]
 * pairs. Each chunk has its own Idempotency-Key, so that a retry after a lost response does nothing twice.
 */
export async function runBatch(ids, operation) {
  const [done, failed] = [[], []];
  for (let start = 0; start < ids.length; start += CHUNK) {
    let chunk = ids.slice(start, start + CHUNK);
    for (let attempt = 1; chunk.length; attempt += 1) {
      if (attempt > 1) await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
      const last = attempt === ATTEMPTS_PER_PICTURE;
      const results = await runChunk(chunk, operation).catch((error) => chunk.map((id) => ({ id, error })));
      const again = last ? [] : results.filter(isTemporary);
      for (const { id, error } of results.filter((result) => !again.includes(result))) {
        if (error) failed.push([id, error]);
        else done.push(id);
      }
      chunk = again.map(({ id }) => id);
    }
  }
  return { done, failed };
}

/** Whether the result of one picture may be another soon: the same Idempotency-Key would repeat it. */
const isTemporary = ({ status, error }) =>
  error && ([429, 502, 503, 504].includes(status) || error.code === "image_trash_pending");

async function runChunk(ids, operation) {
  const headers = { "Idempotency-Key": makeIdempotencyKey() };
  const request = { method: "POST", headers, body: { ids, ...operation } };
  const { results } = await withRetries(() => callApi("api/images/batch", request), { attempts: ATTEMPTS });
  return results;
}

/** Several operations, as [ids, operation] pairs. Resolves as runBatch. */
export async function runBatches(batches) {
  const all = { done: [], failed: [] };
  for (const [ids, operation] of batches) {
    const { done, failed } = await runBatch(ids, operation);
    all.done.push(...done);
    all.failed.push(...failed);
  }
  return all;
}
