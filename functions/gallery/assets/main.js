// Puts the page together.

import { ensureAccess, loadAccess } from "./access.js";
import { setUpAddress, writeFilters } from "./address.js";
import { byId, showToast } from "./dom.js";
import { followAddress, openDetail, setUpDetail } from "./detail_dialog.js";
import { explain } from "./explain.js";
import { clearFilters, loadFacets, ensureFacets, readFilters, setUpFilters } from "./filters.js";
import { prependImage, reload, renderTotal, setUpGrid } from "./grid.js";
import { askForKey, setUpKey } from "./key.js";
import { renderNeighbours } from "./detail_view.js";
import { chooseFiles, setUpSources } from "./file_sources.js";
import { clearSelection, extendByArrow, renderSelection, setUpSelection } from "./selection.js";
import { t, translatePage } from "./text.js";
import { setUpToolbar } from "./toolbar.js";
import { followView, isInTrash, renderTrashTexts, setUpTrash } from "./trash.js";
import { setUpUndo } from "./undo_toast.js";
import { setUpUploads } from "./upload_panel.js";

const FACETS_PAUSE_MS = 1500;
let facetsPause;

/** Apply the filters, or show the trash. */
function update() {
  const filters = readFilters();
  writeFilters(filters);
  ensureFacets();
  return reload(isInTrash() ? null : filters);
}

function followMove() {
  if (followView()) update();
  followAddress();
}

/** Show what the key may do. `load` is loadAccess or ensureAccess. */
async function showAccess(load) {
  try {
    await load();
  } catch (error) {
    if (error.code === "key_needed") return; // the list says so
    const toast = showToast(explain(error), {
      label: t("retry"), seconds: 30, onPress: () => { toast.dismiss(); showAccess(ensureAccess); },
    });
  }
  renderTotal();
  renderTrashTexts();
}

function changeKey() {
  askForKey().then(update, () => {});
}

function start() {
  translatePage();
  setUpGrid({
    openImage: (id) => { if (!isInTrash()) openDetail(id); },
    chooseFiles,
    showAll: () => { clearFilters(); update(); },
    leaveTrash: () => byId("trash-close").click(),
    changeKey,
    onLoaded: () => { renderNeighbours(); renderSelection(); },
    onClear: clearSelection,
    onArrow: extendByArrow,
    onRetry: () => { ensureFacets(); showAccess(ensureAccess); },
  });
  setUpFilters(update);
  setUpDetail(update);
  setUpUndo();
  setUpSelection();
  setUpToolbar();
  setUpTrash(followMove);
  setUpAddress(followMove);
  setUpUploads((image) => {
    prependImage(image);
    clearTimeout(facetsPause);
    facetsPause = setTimeout(loadFacets, FACETS_PAUSE_MS);
  });
  setUpSources();
  setUpKey(() => showAccess(loadAccess));
  byId("change-key").onclick = changeKey;
  document.documentElement.classList.add("ready");
  followView();
  showAccess(ensureAccess);
  update().then(followAddress);
}

start();
