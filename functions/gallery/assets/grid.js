// The list of pictures: loaded page by page on scrolling. Each item has its size before its picture is loaded.

import { may } from "./access.js";
import { callApi, withRetries } from "./api.js";
import { announce, byId } from "./dom.js";
import { explain, explainRetry } from "./explain.js";
import { NEWEST } from "./filters.js";
import { isArrow, itemByArrow, makeEntry, renderEntry, retryPicture, visibleSibling } from "./grid_item.js";
import { furtherLinks } from "./links.js";
import { t } from "./text.js";

const PAGE_SIZE = 40;
const AHEAD_PX = 1200;
const SLOW_MS = 400;

const entries = new Map();
const leaving = new Map(); // pictures that leave a list, by id: { fromTrash, confirmed }
const grid = byId("grid");
const handlers = {};
let query = new URLSearchParams();
let cursor = null;
let total = null; // { value, relation, filtered }: the API's count, and whether anything but the order is set
let note = ""; // says that the list is not in the requested order
let currentLoad = new AbortController();
let loading = false;
let unfinishedRow = []; // see takeLastRow
let latestLoad;

export function setUpGrid(given) {
  Object.assign(handlers, given);
  new IntersectionObserver(loadWhenNear, { rootMargin: `${AHEAD_PX}px` }).observe(byId("more"));
  grid.addEventListener("keydown", moveByArrow);
}

function retryLoading() {
  (grid.lastElementChild?.querySelector("button") ?? byId("count")).focus(); // the pressed button disappears
  handlers.onRetry();
  loadPage(cursor === null);
}

/** Show the images that match these parameters of the API's list; null: the trash. */
export function reload(parameters) {
  const isOther = (parameters === null) !== isTrash(); // pictures of one view must not be seen in the other
  query = parameters;
  if (isOther) clearGrid();
  note = "";
  latestLoad = loadPage(true);
  return latestLoad;
}

const loadMore = () => { if (cursor && !loading) loadPage(false); };

/** Measures each time, since an observer's report may be outdated. */
function loadWhenNear() {
  if (byId("more").getBoundingClientRect().top < innerHeight + AHEAD_PX) loadMore();
}

/** Load the next page, or the first one of a new list, which replaces the old list on arrival. */
async function loadPage(isFirst) {
  if (isFirst) {
    currentLoad.abort();
    currentLoad = new AbortController();
    cursor = null;
    // From now on, a list that has them is right: somebody brought them back.
    for (const [id, { confirmed }] of leaving) if (confirmed) leaving.delete(id);
  }
  const { signal } = currentLoad;
  const path = pagePath();
  loading = true;
  grid.ariaBusy = "true";
  byId("trouble").hidden = true;
  const slow = setTimeout(() => { if (isFirst) byId("count").textContent = t("loading"); }, SLOW_MS);
  const onWait = (error) => {
    clearTimeout(slow);
    showWaiting(isFirst, explainRetry(error));
  };
  try {
    const page = await withRetries(() => callApi(path, { signal }), { signal, onWait });
    if (signal.aborted) return;
    renderPage(page, isFirst);
  } catch (error) {
    if (signal.aborted) return;
    if (error.code === "too_many_to_sort") return showNewestInstead(error);
    if (isFirst) clearGrid();
    showTrouble(explain(error), true, ["scope_missing", "api_key_suspended"].includes(error.code));
    return;
  } finally {
    clearTimeout(slow);
    if (signal === currentLoad.signal) {
      loading = false;
      grid.ariaBusy = "false";
    }
  }
  handlers.onLoaded();
  // After layout of the new items: is the end still near?
  requestAnimationFrame(loadWhenNear);
}

function pagePath() {
  const parameters = new URLSearchParams(query ?? "");
  parameters.set("limit", PAGE_SIZE);
  if (!isTrash()) parameters.set("variants", furtherLinks());
  if (cursor) parameters.set("cursor", cursor);
  else if (!isTrash()) parameters.set("total", "true");
  return `api/${isTrash() ? "trash" : "images"}?${parameters}`;
}

/** Whether the list is the trash, which the API neither counts nor gives links for. */
const isTrash = () => query === null;

/** The requested order stays selected: it works once the list is narrowed down. */
function showNewestInstead(error) {
  query = new URLSearchParams(query);
  query.set("sort", NEWEST);
  note = explain(error);
  return loadPage(true);
}

function renderPage({ images, next_cursor: next, total: counted }, isFirst) {
  if (isFirst) clearGrid();
  byId("trouble").hidden = true;
  grid.append(...unfinishedRow, ...images.filter(({ id }) => !entries.has(id)).map(makeItem));
  cursor = next;
  unfinishedRow = cursor ? takeLastRow() : [];
  grid.classList.toggle("whole", !cursor);
  if (isTrash()) setTotal({ value: entries.size, relation: cursor ? "at_least" : "exact" }, false);
  else if (counted) setTotal(counted, [...query.keys()].some((name) => name !== "sort"));
  else if (total) showTotal();
}

/** Show a message where the user looks: above a new list, below one that grows. */
function showWaiting(isFirst, text) {
  if (!isFirst) return showTrouble(text, false);
  byId("count").textContent = text;
  announce(text);
}

function showTrouble(text, canRetry, needsOtherKey = false) {
  byId("trouble-text").textContent = text;
  byId("trouble-retry").hidden = !canRetry;
  byId("trouble-retry").textContent = t(needsOtherKey ? "other_key" : "retry");
  byId("trouble-retry").onclick = needsOtherKey ? handlers.changeKey : retryLoading;
  byId("trouble").hidden = false;
}

/** Keep the last row back until the next page: its height depends on the pictures that will fill it. */
function takeLastRow() {
  const top = grid.lastElementChild?.offsetTop;
  const row = [...grid.children].filter((item) => item.offsetTop === top);
  if (row.length < grid.children.length) row.forEach((item) => item.remove());
  return row;
}

function clearGrid() {
  handlers.onClear();
  entries.clear();
  unfinishedRow = [];
  total = null;
  byId("count").textContent = "";
  byId("empty").hidden = true;
  byId("select").disabled = true;
  grid.replaceChildren();
  if (scrollY > grid.offsetTop) scrollTo(0, 0);
}

function setTotal(value, filtered) {
  total = { ...value, filtered };
  showTotal();
  if (filtered) announce(byId("count").textContent || t("nothing_title"));
}

function showTotal() {
  const { value, relation, filtered } = total;
  const exact = relation === "exact";
  // The server counted the pictures that have left the list since.
  const n = exact ? value - [...entries.values()].filter(({ item }) => item.hidden).length : value;
  byId("count").textContent = n === 0 ? "" : [t(exact ? "count" : "count_more", { n }), note].filter(Boolean).join(" · ");
  byId("empty").hidden = n > 0;
  byId("select").disabled = n === 0;
  showEmpty(isTrash() ? "trash" : filtered ? "nothing" : may("write") ? "none" : "bare");
}

function showEmpty(kind) {
  const actions = { trash: handlers.leaveTrash, nothing: handlers.showAll, none: handlers.chooseFiles };
  byId("empty-title").textContent = t(`${kind}_title`);
  byId("empty-text").textContent = t(`${kind}_text`);
  byId("empty-action").hidden = !actions[kind];
  byId("empty-action").textContent = actions[kind] ? t(`${kind}_action`) : "";
  byId("empty-action").onclick = actions[kind];
}

/** Show again what depends on what the key may do. */
export const renderTotal = () => { if (total) showTotal(); };

/** Add a new picture at the front, if the list is unfiltered and newest first. */
export async function prependImage(image) {
  await latestLoad; // a pending response may lack it, and replaces the list
  if (entries.has(image.id) || !["", `sort=${NEWEST}`].includes(query?.toString()) || total === null) return;
  grid.prepend(makeItem(image));
  if (total.relation === "exact") total.value += 1;
  showTotal();
}

/**
 * Hide pictures that leave the gallery or the trash. Returns the nearest remaining button, for the focus; undefined if
 * there is none.
 */
export function hideImages(ids, fromTrash) {
  for (const id of ids) leaving.set(id, { fromTrash, confirmed: false });
  if (fromTrash !== isTrash()) return undefined; // the user has left that view meanwhile
  const items = ids.map((id) => entries.get(id)?.item).filter(Boolean); // one opened by its address is not in the list
  for (const item of items) item.hidden = true;
  renderTotal();
  requestAnimationFrame(loadWhenNear);
  const near = items.map((item) => visibleSibling(item, 1)).find(Boolean)
    ?? items.map((item) => visibleSibling(item, -1)).find(Boolean);
  return near?.querySelector("button");
}

/** The server has moved these, so the next list need not hide them. The other view, if shown, lacks them. */
export function confirmHidden(ids) {
  const moved = ids.map((id) => leaving.get(id)).filter(Boolean);
  for (const each of moved) each.confirmed = true;
  if (moved.some(({ fromTrash }) => fromTrash !== isTrash())) reload(query);
}

/** Show hidden pictures again at their places; if the list has been replaced since, reload it. */
export async function showImages(ids) {
  for (const id of ids) leaving.delete(id);
  const shown = ids.map((id) => entries.get(id)).filter(Boolean);
  for (const { item } of shown) item.hidden = false;
  if (shown.length < ids.length || isTrash()) return reload(query);
  shown.forEach(retryPicture);
  renderTotal();
}

/** The id of the picture before (-1) or after (1) this one, if there is one. Loads more near the end. */
export function neighbourOf(id, step) {
  const item = entries.get(id)?.item;
  const found = item && visibleSibling(item, step);
  if (step > 0 && (!found || !visibleSibling(found, 1))) loadMore();
  return found?.dataset.id;
}

export const imageOf = (id) => entries.get(id)?.image;

/** The visible items, in their order. */
export const visibleItems = () => [...grid.children].filter((item) => !item.hidden);

/** Show a picture's newest data. */
export function updateItem(image) {
  const entry = entries.get(image.id);
  if (!entry) return;
  entry.image = image;
  renderEntry(entry);
}

export function focusItem(id) {
  const button = entries.get(id)?.item.querySelector("button");
  button?.focus();
  button?.scrollIntoView({ block: "nearest" });
}

function makeItem(image) {
  const entry = makeEntry(image);
  entry.item.hidden = leaving.get(image.id)?.fromTrash === isTrash();
  entry.item.querySelector("button").onclick = () => handlers.openImage(image.id);
  entries.set(image.id, entry);
  return entry.item;
}

function moveByArrow(event) {
  const item = event.target.closest(".item");
  if (!item || !isArrow(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const target = itemByArrow(item, event.key);
  if (!target) return;
  focusItem(target.dataset.id);
  handlers.onArrow(item.dataset.id, target.dataset.id, event.shiftKey);
}
