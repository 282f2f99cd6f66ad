// node use_typescript_client.js BASE_URL LATER_URL API_KEY PICTURE: what a program does with the TypeScript client.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Image = components["schemas"]["Image"];
const [baseUrl, laterUrl, key, picture] = process.argv.slice(2) as [string, string, string, string];
const connect = (url: string) => createClient<paths>({ baseUrl: url, headers: { "X-API-Key": key } });
const client = connect(baseUrl);

async function upload(): Promise<Image> {
  const file = await openAsBlob(picture);
  const { data, response } = await client.POST("/api/upload", {
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: { image_file: "", metadata: { title: "Quiet harbour", tags: ["harbour"] } },
    bodySerializer({ metadata }) {
      const form = new FormData();
      form.append("image_file", file, "harbour.jpg");
      form.append("metadata", JSON.stringify(metadata));
      return form;
    },
  });
  assert.ok(data);
  assert.equal(response.status, 201);
  assert.ok(response.headers.get("Location")?.endsWith(`/api/images/${data.data.id}`));
  const downloaded = await fetch(data.data.urls.original);
  assert.equal((await downloaded.arrayBuffer()).byteLength, file.size);
  return data.data;
}

async function read(image: Image): Promise<void> {
  const { data: page } = await client.GET("/api/images", {
    params: { query: { tags: ["harbour"], sort: "-created_at", limit: 1, "width.gte": 1, variants: ["w160", "w320"] } },
  });
  assert.equal(page?.images[0]?.id, image.id);
  assert.deepEqual(page.images[0].variants.map(({ name }) => name), ["w160", "w320"]);

  const { error, response } = await client.GET("/api/images/{image_id}", { params: { path: { image_id: randomUUID() } } });
  assert.equal(response.status, 404);
  assert.equal(error?.error.code, "image_not_found");
  const refused = await client.GET("/api/images", { params: { query: { limit: 1000 } } });
  assert.equal(refused.error?.error.details?.["parameter"], "limit");
}

async function readLater(image: Image): Promise<void> {
  const later = connect(laterUrl);
  const path = { image_id: image.id };
  const { data: found } = await later.GET("/api/images/{image_id}", { params: { path } });
  assert.equal(found?.data.title, "Quiet harbour");
  const { data: feed } = await later.GET("/api/changes", {});
  assert.equal(feed?.changes[0]?.type, "image.painted");
  const { error } = await later.DELETE("/api/images/{image_id}", { params: { path } });
  assert.equal(error?.error.code, "image_on_loan");
}

const image = await upload();
await read(image);
await readLater(image);
const { response } = await client.DELETE("/api/images/{image_id}", { params: { path: { image_id: image.id } } });
assert.equal(response.status, 204);
