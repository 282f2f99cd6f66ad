// The view of the trash, which takes the place of the gallery while the address ends with #trash.

import { hasNoTrash, may, showAllowed, trashDays } from "./access.js";
import { enterTrash, isTrashInAddress, leaveTrash } from "./address.js";
import { byId } from "./dom.js";
import { joinSentences, t } from "./text.js";

const root = document.documentElement;

/** `onMove` is called when the address has changed. */
export function setUpTrash(onMove) {
  byId("trash-open").onclick = () => enterTrash().then(onMove);
  byId("trash-close").onclick = () => leaveTrash().then(onMove);
}

export const isInTrash = () => root.dataset.view === "trash";

/** Show the view that the address names. Returns whether it is another than before. */
export function followView() {
  const view = isTrashInAddress() ? "trash" : "gallery";
  if (root.dataset.view === view) return false;
  const isFirst = !root.dataset.view;
  root.dataset.view = view;
  showAllowed();
  renderTrashTexts();
  if (!isFirst) byId(view === "trash" ? "trash-title" : "trash-open").focus();
  return true;
}

/** Call when it is known what the key may do, and whether the server has a trash. */
export function renderTrashTexts() {
  const kept = trashDays() ? t("trash_kept", { n: trashDays() }) : "";
  byId("trash-text").textContent = joinSentences([kept, may("write") && t("trash_select")]);
  const label = t(hasNoTrash() ? "delete_permanently" : "to_trash");
  for (const id of ["delete", "do-trash"]) byId(id).textContent = label;
}
