// Puts the page together.

import { writeFilters } from "./address.js";
import { byId } from "./dom.js";
import { followAddress, openDetail, setUpDetail } from "./detail_dialog.js";
import { clearFilters, loadFacets, ensureFacets, readFilters, setUpFilters } from "./filters.js";
import { prependImage, reload, setUpGrid } from "./grid.js";
import { askForKey } from "./key.js";
import { setUpRemoval } from "./removal.js";
import { renderNeighbours } from "./detail_view.js";
import { chooseFiles, setUpSources } from "./file_sources.js";
import { translatePage } from "./text.js";
import { setUpUploads } from "./upload_panel.js";

const FACETS_PAUSE_MS = 1500;
let facetsPause;

/** Apply the filters. */
function update() {
  const filters = readFilters();
  writeFilters(filters);
  ensureFacets();
  return reload(filters);
}

function start() {
  translatePage();
  setUpGrid({
    openImage: openDetail,
    chooseFiles,
    showAll: () => { clearFilters(); update(); },
    onLoaded: renderNeighbours,
    onRetry: ensureFacets,
  });
  setUpFilters(update);
  setUpDetail(update);
  setUpRemoval();
  setUpUploads((image) => {
    prependImage(image);
    clearTimeout(facetsPause);
    facetsPause = setTimeout(loadFacets, FACETS_PAUSE_MS);
  });
  setUpSources();
  byId("change-key").onclick = () => askForKey().then(update, () => {});
  document.documentElement.classList.add("ready");
  update().then(followAddress);
}

start();
