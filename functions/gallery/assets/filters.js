// Search, filters and order, as the query string of the list.

import { callApi, withRetries } from "./api.js";
import { byId, make } from "./dom.js";
import { formatNumber, sortOrders, t } from "./text.js";

const PAUSE_MS = 250;
const [q, category, tag, sort] = ["q", "category", "tag", "sort"].map(byId);
let pause;
let newestFacets;

/** Calls `onChange` shortly after typing, and at once after a choice. */
export function setUpFilters(onChange) {
  fillSortOptions();
  fillFacetOptions(category, t("all_categories"), []);
  fillFacetOptions(tag, t("all_tags"), []);
  const change = () => { clearTimeout(pause); fillSortOptions(); onChange(); };
  q.oninput = (event) => {
    clearTimeout(pause);
    if (!event.isComposing) pause = setTimeout(change, PAUSE_MS);
  };
  q.oncompositionend = () => q.dispatchEvent(new Event("input"));
  byId("filters").onsubmit = (event) => { event.preventDefault(); change(); };
  for (const select of [category, tag, sort]) select.onchange = change;
  restoreFilters(new URLSearchParams(location.search));
}

/** Set the fields from the address, which has what readFilters returns. */
function restoreFilters(parameters) {
  q.value = parameters.get("q") ?? "";
  for (const select of [category, tag]) selectName(select, parameters.get(select.id) ?? "");
  fillSortOptions();
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
  fillSortOptions();
  q.focus();
}

export function filterByTag(name) {
  clearFilters();
  selectName(tag, name);
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
  const load = (path) => withRetries(() => callApi(path));
  const facets = Promise.all([load("api/categories"), load("api/tags")]).catch(() => []);
  newestFacets = facets;
  const [categories, tags] = await facets;
  if (facets !== newestFacets) return; // a newer load has begun
  if (!categories) {
    newestFacets = null;
    return;
  }
  fillFacetOptions(category, t("all_categories"), categories.value.categories);
  fillFacetOptions(tag, t("all_tags"), tags.value.tags);
  byId("categories").replaceChildren(...categories.value.categories.map(({ name }) => make("option", { value: name })));
}

function fillFacetOptions(select, all, facets) {
  const chosen = select.value;
  const options = facets.map(({ name, images }) => make("option", { value: name, text: `${name} (${formatNumber(images)})` }));
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
  if (orders.includes(chosen) && chosen !== "newest") sort.value = chosen;
}

const hasWords = () => /[\p{L}\p{N}]/u.test(q.value);
