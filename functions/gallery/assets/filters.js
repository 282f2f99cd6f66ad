// Search and filters: what is asked for, as the query string of the list.

import { call, persist } from "./api.js";
import { byId, make } from "./dom.js";
import { number, t } from "./text.js";

const PAUSE_MS = 250;
const [q, category, tag, sort] = ["q", "category", "tag", "sort"].map(byId);
let pause;
let newestFacets;

/** `onChange` is called soon after a word was typed, and at once after anything was chosen. */
export function setUpFilters(onChange) {
  fillSort();
  fill(category, t("all_categories"), []);
  fill(tag, t("all_tags"), []);
  const change = () => { clearTimeout(pause); fillSort(); onChange(); };
  q.oninput = (event) => {
    clearTimeout(pause);
    if (!event.isComposing) pause = setTimeout(change, PAUSE_MS);
  };
  q.oncompositionend = () => q.dispatchEvent(new Event("input"));
  byId("filters").onsubmit = (event) => { event.preventDefault(); change(); };
  for (const select of [category, tag, sort]) select.onchange = change;
  restore(new URLSearchParams(location.search));
}

/** What the address says, as readFilters wrote it. */
function restore(parameters) {
  q.value = parameters.get("q") ?? "";
  for (const select of [category, tag]) choose(select, parameters.get(select.id) ?? "");
  fillSort();
  const order = parameters.get("sort");
  if ([...sort.options].some(({ value }) => value === order)) sort.value = order;
}

export function readFilters() {
  const parameters = new URLSearchParams();
  if (hasWords()) parameters.set("q", q.value);
  for (const select of [category, tag]) if (select.value) parameters.set(select.id, select.value);
  if (sort.value !== (hasWords() ? "relevance" : "newest")) parameters.set("sort", sort.value);
  return parameters;
}

export function clearFilters() {
  for (const field of [q, category, tag]) field.value = "";
  fillSort();
  q.focus();
}

export function filterByTag(name) {
  clearFilters();
  choose(tag, name);
}

function choose(select, name) {
  if (![...select.options].some(({ value }) => value === name)) select.append(make("option", { value: name, text: name }));
  select.value = name;
}

/** Load the facets unless they are there or on their way. */
export function needFacets() {
  if (!newestFacets) loadFacets();
}

/** Read which categories and tags there are. They are an aid: without them the rest still works. */
export async function loadFacets() {
  const ask = (path) => persist(() => call(path));
  const asked = Promise.all([ask("api/categories"), ask("api/tags")]).catch(() => []);
  newestFacets = asked;
  const [categories, tags] = await asked;
  if (asked !== newestFacets) return; // an older answer may come later than a newer one
  if (!categories) {
    newestFacets = null;
    return;
  }
  fill(category, t("all_categories"), categories.value.categories);
  fill(tag, t("all_tags"), tags.value.tags);
  byId("categories").replaceChildren(...categories.value.categories.map(({ name }) => make("option", { value: name })));
}

function fill(select, all, facets) {
  const chosen = select.value;
  const options = facets.map(({ name, images }) => make("option", { value: name, text: `${name} (${number(images)})` }));
  if (chosen && !facets.some(({ name }) => name === chosen)) options.push(make("option", { value: chosen, text: chosen }));
  select.replaceChildren(make("option", { value: "", text: all }), ...options);
  select.value = chosen;
}

/** The best match can only come first where words are looked for, and then it does unless told otherwise. */
function fillSort() {
  const orders = ["newest", "oldest", "title", "size"];
  if (hasWords()) orders.unshift("relevance");
  if (sort.options.length === orders.length) return;
  const chosen = sort.value;
  sort.replaceChildren(...orders.map((name) => make("option", { value: name, text: t(`sort_${name}`) })));
  if (orders.includes(chosen) && chosen !== "newest") sort.value = chosen;
}

const hasWords = () => /[\p{L}\p{N}]/u.test(q.value);
