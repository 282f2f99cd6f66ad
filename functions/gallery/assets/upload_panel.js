// The upload panel: a queue that runs a few at a time, with a line for each file and a bar for all.

import { announce, byId, make } from "./dom.js";
import { explain, explainRetry } from "./explain.js";
import { formatBytes, formatPercent, t } from "./text.js";
import { makeIdempotencyKey, uploadFile } from "./upload_file.js";

const AT_ONCE = 3;
/** Refusals after which the same file can be sent again. */
const REPEATABLE = ["upload_interrupted", "upload_not_arrived", "store_refused"];
const panel = byId("uploads");
const list = byId("uploads-list");
const jobs = [];
let onUploaded = () => {};

/** Calls `handler` with each uploaded image. */
export function setUpUploads(handler) {
  onUploaded = handler;
  byId("uploads-close").onclick = () => { clearPanel(); byId("choose").focus(); };
  byId("uploads-fold").onclick = () => setListFolded(!list.hidden);
  addEventListener("beforeunload", (event) => { if (unfinished().length) event.preventDefault(); });
}

export function addUploads(files) {
  if (!files.length) return;
  if (!unfinished().length && jobs.every(({ state }) => state === "done")) clearPanel();
  jobs.push(...Array.from(files, makeJob));
  setListFolded(false);
  panel.hidden = false;
  showProgress();
  startWaiting();
}

const unfinished = () => jobs.filter(({ state }) => state === "waiting" || state === "sending");

function clearPanel() {
  for (const job of jobs.splice(0)) disposeJob(job);
  panel.hidden = true;
}

function setListFolded(folded) {
  list.hidden = folded;
  byId("uploads-fold").ariaExpanded = String(!folded);
  byId("uploads-fold").textContent = t(folded ? "unfold" : "fold");
}

function makeJob(file) {
  const job = { file, key: makeIdempotencyKey(), state: "waiting", share: 0, stop: new AbortController() };
  job.url = URL.createObjectURL(file);
  const preview = make("img", { alt: "", loading: "lazy", src: job.url, onerror: () => { preview.style.opacity = 0; } });
  job.progress = make("progress", { max: 1, value: 0, ariaLabel: t("progress_one", { name: file.name }) });
  job.status = make("p", { className: "state", textContent: t("state_waiting") });
  job.retry = make("button", {
    className: "button", textContent: t("retry"), hidden: true,
    ariaLabel: t("retry_name", { name: file.name }),
    onclick: () => { discard.focus(); setState(job, "waiting", t("state_waiting")); startWaiting(); },
  });
  const discard = make("button", {
    className: "button quiet", textContent: "×",
    ariaLabel: t("remove_name", { name: file.name }),
    onclick: () => { discardJob(job); },
  });
  const text = make("div", { className: "about" }, make("p", { className: "name", textContent: file.name }), job.progress, job.status);
  job.line = make("li", {}, preview, text, job.retry, discard);
  list.append(job.line);
  return job;
}

function discardJob(job) {
  const next = job.line.nextElementSibling ?? job.line.previousElementSibling;
  jobs.splice(jobs.indexOf(job), 1);
  disposeJob(job);
  if (!jobs.length) panel.hidden = true;
  (next?.querySelector("button:last-child") ?? byId("choose")).focus();
  showProgress();
  startWaiting();
}

function disposeJob(job) {
  job.stop.abort();
  URL.revokeObjectURL(job.url);
  job.line.remove();
}

function startWaiting() {
  const busy = jobs.filter(({ state }) => state === "sending").length;
  for (const job of jobs.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - busy)) runJob(job);
}

async function runJob(job) {
  setState(job, "sending", t("state_sending", { percent: formatPercent(0), size: formatBytes(job.file.size) }));
  try {
    const image = await uploadFile(job.file, job.key, {
      signal: job.stop.signal,
      onProgress: (share) => showShare(job, share),
      onWait: (error) => setState(job, "sending", explainRetry(error)),
    });
    job.share = 1;
    setState(job, "done", t(image?.duplicate_of ? "state_twin" : "state_done"));
    if (image) onUploaded(image);
  } catch (error) {
    if (job.stop.signal.aborted) return;
    job.share = 0;
    setState(job, "failed", explain(error));
    const isFinal = error.status >= 400 && error.status < 500 && !error.temporary;
    job.retry.hidden = isFinal && !REPEATABLE.includes(error.code);
    moveToFront(job.line);
  }
  startWaiting();
  if (!unfinished().length) announce(byId("uploads-title").textContent);
}

/** A moved element loses the focus. */
function moveToFront(line) {
  const focused = line.contains(document.activeElement) ? document.activeElement : null;
  list.prepend(line);
  focused?.focus();
}

function showShare(job, share) {
  job.share = share * 0.95;
  job.status.textContent = share < 1
    ? t("state_sending", { percent: formatPercent(share), size: formatBytes(job.file.size) })
    : t("state_checking");
  showProgress();
}

function setState(job, state, text) {
  Object.assign(job, { state });
  job.line.className = state;
  job.status.textContent = text;
  job.retry.hidden = state !== "failed";
  showProgress();
}

function showProgress() {
  for (const job of jobs) job.progress.value = job.share;
  const done = jobs.filter(({ state }) => state === "done").length;
  const failed = jobs.filter(({ state }) => state === "failed").length;
  const left = unfinished().length;
  const sent = jobs.reduce((sum, { file, state, share }) => sum + file.size * (state === "failed" ? 1 : share), 0);
  byId("uploads-progress").value = sent / Math.max(1, jobs.reduce((sum, { file }) => sum + file.size, 0));
  byId("uploads-close").textContent = t(left ? "cancel_all" : "close");
  byId("uploads-title").textContent = left
    ? t("uploading", { done: done + failed, all: jobs.length })
    : t(failed ? "uploaded_failed" : "uploaded", { n: done, failed });
}
