// One operation on many pictures: POST /api/images/batch.

import { callApi, withRetries } from "./api.js";
import { makeIdempotencyKey } from "./upload_file.js";

const CHUNK = 200; // the API takes no more ids at once
const ATTEMPTS = 6;

/**
 * Do one operation, such as `{ operation: "add_tags", tags }`. Resolves with `{ done, failed }`: ids, and [id, error]
 * pairs. Each chunk has its own Idempotency-Key, so that a retry after a lost answer does nothing twice.
 */
export async function runBatch(ids, operation) {
  const [done, failed] = [[], []];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = ids.slice(start, start + CHUNK);
    try {
      for (const { id, status, error } of await runChunk(chunk, operation)) {
        if (status < 400) done.push(id);
        else failed.push([id, { status, ...error }]);
      }
    } catch (error) {
      failed.push(...chunk.map((id) => [id, error]));
    }
  }
  return { done, failed };
}

async function runChunk(ids, operation) {
  const headers = { "Idempotency-Key": makeIdempotencyKey() };
  const request = { method: "POST", headers, body: { ids, ...operation } };
  const { value } = await withRetries(() => callApi("api/images/batch", request), { attempts: ATTEMPTS });
  return value.results;
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
