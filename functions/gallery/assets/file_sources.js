// Where files come from: the file picker, drag and drop, the clipboard.

import { may } from "./access.js";
import { closeUnlessEditing } from "./detail_dialog.js";
import { byId } from "./dom.js";
import { addUploads } from "./upload_panel.js";

let ownDrag = null; // the element of this page that is being dragged

export const chooseFiles = () => byId("files").click();

export function setUpSources() {
  byId("choose").onclick = chooseFiles;
  byId("files").onchange = ({ target }) => { addUploads(target.files); target.value = ""; };
  addEventListener("paste", uploadPasted);
  addEventListener("dragstart", ({ target }) => { ownDrag = target; });
  addEventListener("dragend", () => { ownDrag = null; });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page for the file
    if (may("write")) byId("drop").classList.add("over");
    else event.dataTransfer.dropEffect = "none";
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").classList.remove("over"); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("drop").classList.remove("over");
    if (may("write") && closeUnlessEditing()) addUploads(event.dataTransfer.files);
  });
}

/** False for a picture of this page, which is dragged as a file too. */
const hasFiles = ({ dataTransfer }) => !ownDrag?.isConnected && dataTransfer.types.includes("Files");

/** Ignores a clipboard with text: copied spreadsheet cells also come with a picture of them. */
function uploadPasted({ target, clipboardData }) {
  if (target.closest?.("input, textarea") || clipboardData.types.includes("text/plain")) return;
  if (clipboardData.files.length && may("write") && closeUnlessEditing()) addUploads(clipboardData.files);
}
