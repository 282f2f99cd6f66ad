// Where files come from: the file picker, drag and drop, the clipboard.

import { canLater } from "./access.js";
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
    if (isRefused()) event.dataTransfer.dropEffect = "none";
    else byId("drop").classList.add("over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").classList.remove("over"); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("drop").classList.remove("over");
    uploadIfAllowed([...event.dataTransfer.files]);
  });
}

/** Whether the key is known not to upload. */
const isRefused = () => !(document.documentElement.dataset.may ?? "write").split(" ").includes("write");

/** False for a picture of this page, which is dragged as a file too. */
const hasFiles = ({ dataTransfer }) => !ownDrag?.isConnected && dataTransfer.types.includes("Files");

/** Ignores a clipboard with text: copied spreadsheet cells also come with a picture of them. */
function uploadPasted({ target, clipboardData }) {
  if (target.closest?.("input, textarea") || clipboardData.types.includes("text/plain")) return;
  uploadIfAllowed([...clipboardData.files]);
}

/** The files are a copy: those of an event are gone after it. */
async function uploadIfAllowed(files) {
  if (files.length && await canLater("write") && closeUnlessEditing()) addUploads(files);
}
