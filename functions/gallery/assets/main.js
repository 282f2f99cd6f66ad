// Puts the page together.

import { byId } from "./dom.js";
import { followAddress, openDetail, setUpDetail } from "./detail.js";
import { clearFilters, loadFacets, readFilters, setUpFilters } from "./filters.js";
import { prepend, reload, setUpGrid } from "./grid.js";
import { askForKey } from "./key.js";
import { setUpRemoval } from "./removal.js";
import { translatePage } from "./text.js";
import { setUpUploads, upload } from "./uploads.js";

const FACETS_PAUSE_MS = 1500;
const update = () => reload(readFilters());
const choose = () => byId("files").click();
let facetsPause;

function start() {
  translatePage();
  setUpGrid({ open: openDetail, clear: () => { clearFilters(); update(); }, choose });
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
  loadFacets();
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
