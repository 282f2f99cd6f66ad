// Where files come from: the picker, a drop anywhere, the clipboard.

import { makeWay } from "./detail.js";
import { byId } from "./dom.js";
import { upload } from "./uploads.js";

let ownDrag = null; // what of the page itself is being dragged

export const choose = () => byId("files").click();

export function setUpSources() {
  byId("choose").onclick = choose;
  byId("files").onchange = ({ target }) => { upload(target.files); target.value = ""; };
  addEventListener("paste", paste);
  addEventListener("dragstart", ({ target }) => { ownDrag = target; });
  addEventListener("dragend", () => { ownDrag = null; });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").classList.remove("over"); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("drop").classList.remove("over");
    if (makeWay()) upload(event.dataTransfer.files);
  });
}

/** A picture of the page itself, too, is dragged as a file. */
const hasFiles = ({ dataTransfer }) => !ownDrag?.isConnected && dataTransfer.types.includes("Files");

/** What has text is meant as text, though a picture of it, as a spreadsheet's cells have, is there too. */
function paste({ target, clipboardData }) {
  if (target.closest?.("input, textarea") || clipboardData.types.includes("text/plain")) return;
  if (clipboardData.files.length && makeWay()) upload(clipboardData.files);
}
