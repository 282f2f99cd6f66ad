// The view of the trash, which takes the place of the gallery while the address ends with #trash.

import { showAllowed, trashDays } from "./access.js";
import { enterTrash, isTrashInAddress, leaveTrash } from "./address.js";
import { byId } from "./dom.js";
import { t } from "./text.js";

const root = document.documentElement;

/** `onMove` is called when the address has changed. */
export function setUpTrash(onMove) {
  byId("trash-open").onclick = () => enterTrash().then(onMove);
  byId("trash-close").onclick = () => leaveTrash().then(onMove);
}

export const trashQuery = () => new URLSearchParams({ trashed: "true" });

export const isInTrash = () => root.dataset.view === "trash";

/** Show the view that the address names. Returns whether it is another than before. */
export function followView() {
  const view = isTrashInAddress() ? "trash" : "gallery";
  if (root.dataset.view === view) return false;
  const isFirst = !root.dataset.view;
  root.dataset.view = view;
  showAllowed();
  renderTrashHead();
  if (!isFirst) byId(view === "trash" ? "trash-title" : "trash-open").focus();
  return true;
}

/** Call when the number of days is known. */
export function renderTrashHead() {
  byId("trash-text").textContent = trashDays() ? t("trash_text_days", { n: trashDays() }) : t("trash_text");
}
