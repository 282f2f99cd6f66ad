// Puts the page together.

import { keepFilters } from "./address.js";
import { byId } from "./dom.js";
import { followAddress, openDetail, setUpDetail, showNeighbours } from "./detail.js";
import { clearFilters, loadFacets, needFacets, readFilters, setUpFilters } from "./filters.js";
import { prepend, reload, setUpGrid } from "./grid.js";
import { askForKey } from "./key.js";
import { setUpRemoval } from "./removal.js";
import { translatePage } from "./text.js";
import { setUpUploads, upload } from "./uploads.js";

const FACETS_PAUSE_MS = 1500;
const choose = () => byId("files").click();
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
  document.documentElement.classList.add("ready");
  update().then(followAddress);
}

/** Where files come from: the picker, a drop anywhere, the clipboard. */
function setUpSources() {
  byId("choose").onclick = choose;
  byId("files").onchange = ({ target }) => { upload(target.files); target.value = ""; };
  byId("change-key").onclick = () => askForKey().then(update, () => {});
  addEventListener("paste", ({ clipboardData }) => upload(clipboardData.files));
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    byId("drop").classList.remove("over");
    upload(event.dataTransfer.files);
  });
}

start();
