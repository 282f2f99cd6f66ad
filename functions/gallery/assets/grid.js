// The pictures: page after page as one scrolls, each in a place of its own before it has arrived.

import { call, persist } from "./api.js";
import { announce, byId, make } from "./dom.js";
import { linkOf, pathOf } from "./links.js";
import { explain, t } from "./text.js";

const PAGE = 40;
const AHEAD = 1200;
const SLOW_MS = 400;
const FADE_MS = 300;
const RATIOS = [0.6, 2.2];

const entries = new Map();
const withheld = new Set();
const grid = byId("grid");
const handlers = {};
let query = new URLSearchParams();
let cursor = null;
let total = null;
let running = new AbortController();
let loading = false;
let unfinishedRow = [];
let latest;

export function setUpGrid(given) {
  Object.assign(handlers, given);
  new IntersectionObserver(loadWhenNear, { rootMargin: `${AHEAD}px` }).observe(byId("more"));
  grid.addEventListener("keydown", moveByArrow);
  byId("trouble-retry").onclick = retry;
}

function retry() {
  (grid.lastElementChild?.querySelector("button") ?? byId("count")).focus(); // the one that was pressed goes
  handlers.retry();
  load(cursor === null);
}

/** Show what matches these parameters, from the beginning. */
export function reload(parameters) {
  query = parameters;
  latest = load(true);
  return latest;
}

const loadMore = () => { if (cursor && !loading) load(false); };

/** Measured each time: of what an observer reports, some may already be past. */
function loadWhenNear() {
  if (byId("more").getBoundingClientRect().top < innerHeight + AHEAD) loadMore();
}

async function load(afresh) {
  if (afresh) {
    running.abort();
    running = new AbortController();
    cursor = null;
  }
  const { signal } = running;
  const parameters = new URLSearchParams(query);
  parameters.set("limit", PAGE);
  if (cursor) parameters.set("cursor", cursor);
  else parameters.set("total", "true");
  loading = true;
  grid.ariaBusy = "true";
  byId("trouble").hidden = true;
  const slow = setTimeout(() => { if (afresh) byId("count").textContent = t("loading"); }, SLOW_MS);
  const onWait = (error) => {
    clearTimeout(slow);
    sayWaiting(afresh, t("state_again", { problem: explain(error) }));
  };
  try {
    const { value } = await persist(() => call(`api/images?${parameters}`, { signal }), { signal, onWait });
    if (signal.aborted) return;
    receive(value, afresh);
  } catch (error) {
    if (signal.aborted) return;
    if (afresh) clear();
    showTrouble(explain(error), true);
    return;
  } finally {
    clearTimeout(slow);
    if (signal === running.signal) {
      loading = false;
      grid.ariaBusy = "false";
    }
  }
  handlers.loaded();
  // Once the new items have their places: is the end still near?
  requestAnimationFrame(loadWhenNear);
}

function receive(value, afresh) {
  if (afresh) clear();
  byId("trouble").hidden = true;
  grid.append(...unfinishedRow, ...value.images.filter(({ id }) => !entries.has(id)).map(makeItem));
  cursor = value.next_cursor;
  unfinishedRow = cursor ? takeLastRow() : [];
  grid.classList.toggle("whole", !cursor);
  if (value.total) setTotal(value.total, [...query.keys()].some((name) => name !== "sort"));
  else if (total) showTotal();
}

/** Where it is in sight: above the pictures, or below them. */
function sayWaiting(afresh, text) {
  if (!afresh) return showTrouble(text, false);
  byId("count").textContent = text;
  announce(text);
}

function showTrouble(text, canRetry) {
  byId("trouble-text").textContent = text;
  byId("trouble-retry").hidden = !canRetry;
  byId("trouble").hidden = false;
}

/** The last row only gets its height when it is full: until more arrives it stays out of sight. */
function takeLastRow() {
  const top = grid.lastElementChild?.offsetTop;
  const row = [...grid.children].filter((item) => item.offsetTop === top);
  if (row.length < grid.children.length) row.forEach((item) => item.remove());
  return row;
}

function clear() {
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
  // The server still counts what may be given back.
  const n = exact ? value - [...withheld].filter((id) => entries.has(id)).length : value;
  byId("count").textContent = n === 0 ? "" : t(exact ? "count" : "count_about", { n });
  byId("empty").hidden = n > 0;
  const kind = filtered ? "nothing" : "none";
  for (const part of ["title", "text", "action"]) byId(`empty-${part}`).textContent = t(`${kind}_${part}`);
  byId("empty-action").onclick = filtered ? handlers.clear : handlers.choose;
}

/** Put a new picture first, where the list is one that begins with the newest. */
export async function prepend(image) {
  await latest; // what is being loaded may be older
  if (entries.has(image.id) || !["", "sort=newest"].includes(query.toString()) || total === null) return;
  grid.prepend(makeItem(image));
  if (total.relation === "exact") total.value += 1;
  showTotal();
}

/** Take a picture away. Returns its neighbour's button, where the focus can go, and what brings it back. */
export function withhold(id) {
  withheld.add(id);
  const item = entries.get(id)?.item; // none of a picture that was opened by its address
  const neighbour = item && (sibling(item, 1) ?? sibling(item, -1));
  setHidden(id, true);
  return {
    neighbour: neighbour?.querySelector("button"),
    giveBack() {
      withheld.delete(id);
      setHidden(id, false);
      return entries.get(id)?.item.querySelector("button");
    },
  };
}

function setHidden(id, hidden) {
  const item = entries.get(id)?.item;
  if (item) item.hidden = hidden;
  if (total) showTotal();
}

/** The picture before or after this one. */
export function neighbourOf(id, step) {
  const item = entries.get(id)?.item;
  const found = item && sibling(item, step);
  if (step > 0 && (!found || !sibling(found, 1))) loadMore();
  return found?.dataset.id;
}

function sibling(item, step) {
  const next = step > 0 ? "nextElementSibling" : "previousElementSibling";
  let found = item[next];
  while (found?.hidden) found = found[next];
  return found;
}

export const imageOf = (id) => entries.get(id)?.image;

/** Show a picture as it is now. */
export function refresh(image) {
  const entry = entries.get(image.id);
  if (!entry) return;
  entry.image = image;
  fillIn(entry);
}

export function focusOn(id) {
  const button = entries.get(id)?.item.querySelector("button");
  button?.focus();
  button?.scrollIntoView({ block: "nearest" });
}

function makeItem(image) {
  const picture = make("img", { alt: "", loading: "lazy", decoding: "async" });
  const title = make("span", { className: "caption", dir: "auto" });
  const button = make("button", { className: "card", onclick: () => handlers.open(image.id) }, picture, title);
  const item = make("li", { className: "item", hidden: withheld.has(image.id) }, button);
  const ratio = Math.min(Math.max(image.width / image.height, RATIOS[0]), RATIOS[1]);
  item.dataset.id = image.id;
  item.style.setProperty("--ratio", ratio.toFixed(4));
  if (image.placeholder) button.style.backgroundImage = `url("${image.placeholder}")`;
  const entry = { image, item, picture, title };
  entries.set(image.id, entry);
  let renewed = false;
  picture.onload = () => {
    renewed = false;
    picture.classList.add("there");
    setTimeout(() => { button.style.backgroundImage = ""; }, FADE_MS); // what is transparent must not show it
  };
  picture.onerror = () => {
    if (renewed) item.classList.add("lost");
    else renewLinks(entry);
    renewed = true;
  };
  fillIn(entry);
  if (!linkOf(image, "thumbnail")) renewLinks(entry);
  return item;
}

function fillIn({ image, picture, title }) {
  title.textContent = image.title || image.filename;
  const link = linkOf(image, "thumbnail");
  if (link && picture.getAttribute("src") !== link) picture.src = link;
}

/** Links expire, or are not the ones that are needed: ask for new ones. */
async function renewLinks(entry) {
  try {
    const { value } = await persist(() => call(pathOf(entry.image.id)));
    entry.picture.removeAttribute("src");
    refresh(value.data);
  } catch {
    entry.item.classList.add("lost");
  }
}

/** Arrow keys go from picture to picture, up and down to the nearest one of the next row. */
function moveByArrow(event) {
  const item = event.target.closest(".item");
  const forward = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!item || !forward || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const vertical = event.key === "ArrowDown" || event.key === "ArrowUp";
  const target = vertical ? nearestInNextRow(item, forward) : sibling(item, forward);
  if (target) focusOn(target.dataset.id);
}

function nearestInNextRow(item, step) {
  const centre = (element) => element.offsetLeft + element.offsetWidth / 2;
  const distance = (element) => Math.abs(centre(element) - centre(item));
  let found = sibling(item, step);
  while (found && found.offsetTop === item.offsetTop) found = sibling(found, step);
  for (let next = found; next && next.offsetTop === found.offsetTop; next = sibling(next, step)) {
    if (distance(next) < distance(found)) found = next;
  }
  return found;
}
