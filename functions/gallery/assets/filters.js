// Search, filters and order, as the query string of the list.

import { callApi, withRetries } from "./api.js";
import { byId, make } from "./dom.js";
import { formatNumber, sortOrders, t } from "./text.js";

export const NEWEST = "-created_at";
const PAUSE_MS = 250;
const MAX_FACETS = 200; // the API returns no more at once
const [q, category, tags, sort] = ["q", "category", "tags", "sort"].map(byId);
let pause;
let newestFacets;

/** Calls `onChange` shortly after typing, and at once after a choice. */
export function setUpFilters(onChange) {
  fillSortOptions();
  fillFacetOptions(category, t("all_categories"), []);
  fillFacetOptions(tags, t("all_tags"), []);
  const change = () => { clearTimeout(pause); fillSortOptions(); onChange(); };
  q.oninput = (event) => {
    clearTimeout(pause);
    if (!event.isComposing) pause = setTimeout(change, PAUSE_MS);
  };
  q.oncompositionend = () => q.dispatchEvent(new Event("input"));
  byId("filters").onsubmit = (event) => { event.preventDefault(); change(); };
  for (const select of [category, tags, sort]) select.onchange = change;
  restoreFilters(new URLSearchParams(location.search));
}

/** Set the fields from the address, which has what readFilters returns. */
function restoreFilters(parameters) {
  q.value = parameters.get("q") ?? "";
  for (const select of [category, tags]) selectName(select, parameters.get(select.id) ?? "");
  fillSortOptions();
  const order = parameters.get("sort");
  if ([...sort.options].some(({ value }) => value === order)) sort.value = order;
}

export function readFilters() {
  const parameters = new URLSearchParams();
  if (hasWords()) parameters.set("q", q.value);
  for (const select of [category, tags]) if (select.value) parameters.set(select.id, select.value);
  if (sort.value !== (hasWords() ? "relevance" : NEWEST)) parameters.set("sort", sort.value);
  return parameters;
}

export function clearFilters() {
  for (const field of [q, category, tags]) field.value = "";
  fillSortOptions();
  q.focus();
}

export function filterByTag(name) {
  clearFilters();
  selectName(tags, name);
}

/** Select a name, and add it if the options do not have it yet or any more. */
function selectName(select, name) {
  if (![...select.options].some(({ value }) => value === name)) select.append(make("option", { value: name, text: name }));
  select.value = name;
}

/** Load the categories and tags unless loaded or loading. */
export function ensureFacets() {
  if (!newestFacets) loadFacets();
}

/** Load the categories and tags. Errors are not shown: everything else works without them. */
export async function loadFacets() {
  const load = (name) => withRetries(() => callApi(`api/${name}?limit=${MAX_FACETS}`));
  const facets = Promise.all([load("categories"), load("tags")]);
  newestFacets = facets;
  try {
    const [{ categories }, { tags: allTags }] = await facets;
    if (facets !== newestFacets) return; // a newer load has begun
    fillFacetOptions(category, t("all_categories"), categories);
    fillFacetOptions(tags, t("all_tags"), allTags);
    byId("categories").replaceChildren(...categories.map(({ name }) => make("option", { value: name })));
  } catch {
    if (facets === newestFacets) newestFacets = null;
  }
}

function fillFacetOptions(select, all, facets) {
  const chosen = select.value;
  const options = facets.map(({ name, image_count: n }) => make("option", { value: name, text: `${name} (${formatNumber(n)})` }));
  if (chosen && !facets.some(({ name }) => name === chosen)) options.push(make("option", { value: chosen, text: chosen }));
  select.replaceChildren(make("option", { value: "", text: all }), ...options);
  select.value = chosen;
}

/** Offer the order by relevance only during a search, and select it when one begins. */
function fillSortOptions() {
  const orders = sortOrders.filter((name) => name !== "relevance" || hasWords());
  if (sort.options.length === orders.length) return;
  const chosen = sort.value;
  sort.replaceChildren(...orders.map((name) => make("option", { value: name, text: t(`sort_${name}`) })));
  if (orders.includes(chosen) && chosen !== NEWEST) sort.value = chosen;
}

const hasWords = () => /[\p{L}\p{N}]/u.test(q.value);
