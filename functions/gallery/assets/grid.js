// The list of pictures: loaded page by page on scrolling. Each item has its size before its picture is loaded.

import { callApi, withRetries } from "./api.js";
import { announce, byId, make } from "./dom.js";
import { furtherLinks, linkOf, pathOf, thumbnailSet } from "./links.js";
import { explain, t } from "./text.js";

const PAGE_SIZE = 40;
const AHEAD_PX = 1200;
const SLOW_MS = 400;
const FADE_MS = 300;
const [MIN_RATIO, MAX_RATIO] = [0.6, 2.2];
const ROW_PX = 240; // about the height of a row, for browsers without sizes="auto"
const PICTURE_WAITS_MS = [0, 2_000, 6_000]; // before each retry: another request may be rendering the picture

const entries = new Map();
const hiddenIds = new Set(); // of pictures whose deletion can be undone
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
  byId("trouble-retry").onclick = retryLoading;
}

function retryLoading() {
  (grid.lastElementChild?.querySelector("button") ?? byId("count")).focus(); // the pressed button disappears
  handlers.onRetry();
  loadPage(cursor === null);
}

/** Show the images that match these parameters of the API's list. */
export function reload(parameters) {
  query = parameters;
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
async function loadPage(afresh) {
  if (afresh) {
    currentLoad.abort();
    currentLoad = new AbortController();
    cursor = null;
  }
  const { signal } = currentLoad;
  const parameters = new URLSearchParams(query);
  parameters.set("limit", PAGE_SIZE);
  parameters.set("variants", furtherLinks());
  if (cursor) parameters.set("cursor", cursor);
  else parameters.set("total", "true");
  loading = true;
  grid.ariaBusy = "true";
  byId("trouble").hidden = true;
  const slow = setTimeout(() => { if (afresh) byId("count").textContent = t("loading"); }, SLOW_MS);
  const onWait = (error) => {
    clearTimeout(slow);
    showWaiting(afresh, t("state_again", { problem: explain(error) }));
  };
  try {
    const { value } = await withRetries(() => callApi(`api/images?${parameters}`, { signal }), { signal, onWait });
    if (signal.aborted) return;
    renderPage(value, afresh);
  } catch (error) {
    if (signal.aborted) return;
    if (error.code === "too_many_to_sort") return showNewestInstead(error);
    if (afresh) clearGrid();
    showTrouble(explain(error), true);
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

/** The requested order stays selected: it works once the list is narrowed down. */
function showNewestInstead(error) {
  query = new URLSearchParams(query);
  query.set("sort", "newest");
  note = explain(error);
  return loadPage(true);
}

function renderPage(value, afresh) {
  if (afresh) clearGrid();
  byId("trouble").hidden = true;
  grid.append(...unfinishedRow, ...value.images.filter(({ id }) => !entries.has(id)).map(makeItem));
  cursor = value.next_cursor;
  unfinishedRow = cursor ? takeLastRow() : [];
  grid.classList.toggle("whole", !cursor);
  if (value.total) setTotal(value.total, [...query.keys()].some((name) => name !== "sort"));
  else if (total) showTotal();
}

/** Show a message where the user looks: above a new list, below one that grows. */
function showWaiting(afresh, text) {
  if (!afresh) return showTrouble(text, false);
  byId("count").textContent = text;
  announce(text);
}

function showTrouble(text, canRetry) {
  byId("trouble-text").textContent = text;
  byId("trouble-retry").hidden = !canRetry;
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
  entries.clear();
  unfinishedRow = [];
  total = null;
  byId("count").textContent = "";
  byId("empty").hidden = true;
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
  // The server still counts pictures whose deletion can be undone.
  const n = exact ? value - [...hiddenIds].filter((id) => entries.has(id)).length : value;
  byId("count").textContent = n === 0 ? "" : [t(exact ? "count" : "count_more", { n }), note].filter(Boolean).join(" · ");
  byId("empty").hidden = n > 0;
  const kind = filtered ? "nothing" : "none";
  for (const part of ["title", "text", "action"]) byId(`empty-${part}`).textContent = t(`${kind}_${part}`);
  byId("empty-action").onclick = filtered ? handlers.showAll : handlers.chooseFiles;
}

/** Add a new picture at the front, if the list is unfiltered and newest first. */
export async function prependImage(image) {
  await latestLoad; // a pending response may lack it, and replaces the list
  if (entries.has(image.id) || !["", "sort=newest"].includes(query.toString()) || total === null) return;
  grid.prepend(makeItem(image));
  if (total.relation === "exact") total.value += 1;
  showTotal();
}

/** Hide a picture. Returns the button of its neighbour, for the focus, and `restore`, which shows it again. */
export function hideImage(id) {
  hiddenIds.add(id);
  const item = entries.get(id)?.item; // undefined if not in the list: it was opened by its address
  const neighbour = item && (visibleSibling(item, 1) ?? visibleSibling(item, -1));
  setItemHidden(id, true);
  return {
    neighbour: neighbour?.querySelector("button"),
    restore() {
      hiddenIds.delete(id);
      setItemHidden(id, false);
      return entries.get(id)?.item.querySelector("button");
    },
  };
}

function setItemHidden(id, hidden) {
  const item = entries.get(id)?.item;
  if (item) item.hidden = hidden;
  if (total) showTotal();
}

/** The id of the picture before (-1) or after (1) this one, if there is one. Loads more near the end. */
export function neighbourOf(id, step) {
  const item = entries.get(id)?.item;
  const found = item && visibleSibling(item, step);
  if (step > 0 && (!found || !visibleSibling(found, 1))) loadMore();
  return found?.dataset.id;
}

function visibleSibling(item, step) {
  const next = step > 0 ? "nextElementSibling" : "previousElementSibling";
  let found = item[next];
  while (found?.hidden) found = found[next];
  return found;
}

export const imageOf = (id) => entries.get(id)?.image;

/** Show a picture's newest data. */
export function updateItem(image) {
  const entry = entries.get(image.id);
  if (!entry) return;
  entry.image = image;
  renderItem(entry);
}

export function focusItem(id) {
  const button = entries.get(id)?.item.querySelector("button");
  button?.focus();
  button?.scrollIntoView({ block: "nearest" });
}

function makeItem(image) {
  const picture = make("img", { alt: "", loading: "lazy", decoding: "async" });
  const title = make("span", { className: "caption", dir: "auto" });
  const button = make("button", { className: "card", onclick: () => handlers.openImage(image.id) }, picture, title);
  const item = make("li", { className: "item", hidden: hiddenIds.has(image.id) }, button);
  const ratio = Math.min(Math.max(image.width / image.height, MIN_RATIO), MAX_RATIO);
  item.dataset.id = image.id;
  item.style.setProperty("--ratio", ratio.toFixed(4));
  picture.sizes = `auto, ${Math.round(ratio * ROW_PX)}px`;
  if (image.placeholder) button.style.backgroundImage = `url("${image.placeholder}")`;
  const entry = { image, item, picture, title };
  entries.set(image.id, entry);
  let failures = 0;
  picture.onload = () => {
    failures = 0;
    picture.classList.add("loaded");
    setTimeout(() => { button.style.backgroundImage = ""; }, FADE_MS); // it would show through transparent areas
  };
  picture.onerror = () => {
    if (failures < PICTURE_WAITS_MS.length) setTimeout(renewLinks, PICTURE_WAITS_MS[failures], entry);
    else item.classList.add("lost");
    failures += 1;
  };
  renderItem(entry);
  if (!linkOf(image, "thumbnail")) renewLinks(entry);
  return item;
}

function renderItem({ image, picture, title }) {
  title.textContent = image.title || image.filename;
  const link = linkOf(image, "thumbnail");
  if (!link || picture.getAttribute("src") === link) return;
  picture.srcset = thumbnailSet(image);
  picture.src = link;
}

/** Reload an image, for links that have not expired or that the list lacks. */
async function renewLinks(entry) {
  try {
    const { value } = await withRetries(() => callApi(pathOf(entry.image.id)));
    for (const name of ["src", "srcset"]) entry.picture.removeAttribute(name);
    updateItem(value.data);
  } catch {
    entry.item.classList.add("lost");
  }
}

/** Arrow keys go from picture to picture, up and down to the nearest one in the next row. */
function moveByArrow(event) {
  const item = event.target.closest(".item");
  const forward = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!item || !forward || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const vertical = event.key === "ArrowDown" || event.key === "ArrowUp";
  const target = vertical ? nearestInNextRow(item, forward) : visibleSibling(item, forward);
  if (target) focusItem(target.dataset.id);
}

function nearestInNextRow(item, step) {
  const centre = (element) => element.offsetLeft + element.offsetWidth / 2;
  const distance = (element) => Math.abs(centre(element) - centre(item));
  let found = visibleSibling(item, step);
  while (found && found.offsetTop === item.offsetTop) found = visibleSibling(found, step);
  for (let next = found; next && next.offsetTop === found.offsetTop; next = visibleSibling(next, step)) {
    if (distance(next) < distance(found)) found = next;
  }
  return found;
}
