// Puts the page together.

import { keepFilters } from "./address.js";
import { byId } from "./dom.js";
import { followAddress, openDetail, setUpDetail, showNeighbours } from "./detail.js";
import { clearFilters, loadFacets, needFacets, readFilters, setUpFilters } from "./filters.js";
import { prepend, reload, setUpGrid } from "./grid.js";
import { askForKey } from "./key.js";
import { setUpRemoval } from "./removal.js";
import { choose, setUpSources } from "./sources.js";
import { translatePage } from "./text.js";
import { setUpUploads } from "./uploads.js";

const FACETS_PAUSE_MS = 1500;
let facetsPause;

function update() {
  const filters = readFilters();
  keepFilters(filters);
  needFacets();
  return reload(filters);
}

function start() {
  translatePage();
  const clear = () => { clearFilters(); update(); };
  setUpGrid({ open: openDetail, loaded: showNeighbours, retry: needFacets, clear, choose });
  setUpFilters(update);
  setUpDetail(update);
  setUpRemoval();
  setUpUploads((image) => {
    prepend(image);
    clearTimeout(facetsPause);
    facetsPause = setTimeout(loadFacets, FACETS_PAUSE_MS);
  });
  setUpSources();
  byId("change-key").onclick = () => askForKey().then(update, () => {});
  document.documentElement.classList.add("ready");
  update().then(followAddress);
}

start();
