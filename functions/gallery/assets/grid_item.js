// One picture in the list: a button with its thumbnail and title, and a checkbox.

import { callApi, withRetries } from "./api.js";
import { make } from "./dom.js";
import { linkOf, pathOf, thumbnailSet } from "./links.js";
import { formatDay, t } from "./text.js";

const FADE_MS = 300;
const [MIN_RATIO, MAX_RATIO] = [0.6, 2.2];
const ROW_PX = 240; // about the height of a row, for browsers without sizes="auto"
/** The waits before each retry of a picture that could not be loaded: another request may be rendering it. */
export const PICTURE_WAITS_MS = [0, 2_000, 6_000];

export const nameOf = (image) => image.title || image.filename;

/** An entry of the list: `{ image, item, picture, title, check }`, where `item` is the element. */
export function makeEntry(image) {
  const picture = make("img", { alt: "", loading: "lazy", decoding: "async" });
  const title = make("span", { className: "title", dir: "auto" });
  const caption = make("span", { className: "caption" }, title, ...(image.trashed_at ? trashLines(image) : []));
  const button = make("button", { className: "card" }, picture, caption);
  const check = make("input", { type: "checkbox", className: "check needs-select", tabIndex: -1 });
  const item = make("li", { className: "item" }, button, check);
  const ratio = Math.min(Math.max(image.width / image.height, MIN_RATIO), MAX_RATIO);
  item.dataset.id = image.id;
  item.style.setProperty("--ratio", ratio.toFixed(4));
  picture.sizes = `auto, ${Math.round(ratio * ROW_PX)}px`;
  if (image.placeholder) button.style.backgroundImage = `url("${image.placeholder}")`;
  const entry = { image, item, picture, title, check };
  if (!image.trashed_at) loadPicture(entry, button);
  renderEntry(entry);
  if (!image.trashed_at && !linkOf(image, "thumbnail")) renewLinks(entry);
  return entry;
}

const trashLines = (image) => [
  make("span", { textContent: t("trashed_at", { time: formatDay(image.trashed_at) }) }),
  make("span", { textContent: t("purge_at", { time: formatDay(image.purge_at) }) }),
];

function loadPicture(entry, button) {
  const { picture } = entry;
  let failures = 0;
  picture.onload = () => {
    failures = 0;
    entry.item.classList.remove("lost");
    picture.classList.add("loaded");
    setTimeout(() => { button.style.backgroundImage = ""; }, FADE_MS); // it would show through transparent areas
  };
  picture.onerror = () => {
    if (failures < PICTURE_WAITS_MS.length) setTimeout(renewLinks, PICTURE_WAITS_MS[failures], entry);
    else entry.item.classList.add("lost");
    failures += 1;
  };
}

export function renderEntry({ image, picture, title, check }) {
  title.textContent = nameOf(image);
  check.ariaLabel = t("select_name", { name: nameOf(image) });
  const link = !image.trashed_at && linkOf(image, "thumbnail");
  if (!link || picture.getAttribute("src") === link) return;
  picture.srcset = thumbnailSet(image);
  picture.src = link;
}

/** Call when an image is back from the trash, where its picture could not be loaded. */
export function retryPicture(entry) {
  const { complete, naturalWidth } = entry.picture;
  if (complete && !naturalWidth) renewLinks(entry);
}

/** Reload an image, for links that have not expired or that the list lacks. */
async function renewLinks(entry) {
  try {
    const { data } = await withRetries(() => callApi(pathOf(entry.image.id)));
    for (const name of ["src", "srcset"]) entry.picture.removeAttribute(name);
    entry.image = data;
    renderEntry(entry);
  } catch {
    entry.item.classList.add("lost");
  }
}

/** The next (1) or previous (-1) item that is not hidden. */
export function visibleSibling(item, step) {
  const next = step > 0 ? "nextElementSibling" : "previousElementSibling";
  let found = item[next];
  while (found?.hidden) found = found[next];
  return found;
}

const ARROWS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** The item to which an arrow key leads from this one: up and down to the nearest one in the next row. */
export function itemByArrow(item, key) {
  const step = ARROWS[key];
  if (!step) return null;
  return key === "ArrowDown" || key === "ArrowUp" ? nearestInNextRow(item, step) : visibleSibling(item, step);
}

export const isArrow = (key) => key in ARROWS;

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
