// The dialog with one large picture: opening and closing it, and going from picture to picture.

import { enterPicture, leavePicture, pictureInAddress, replacePicture } from "./address.js";
import { callApi, withRetries } from "./api.js";
import { byId, showToast } from "./dom.js";
import { cancelEditing, closeForm, isEditing, setUpEditing } from "./edit.js";
import { explain } from "./explain.js";
import { filterByTag } from "./filters.js";
import { focusItem, imageOf, neighbourOf, updateItem } from "./grid.js";
import { setUpHistory } from "./image_history.js";
import { pathOf } from "./links.js";
import { removePicture } from "./delete.js";
import { setUpSharing } from "./share.js";
import { renderDetail, showStatus, shown } from "./detail_view.js";

const dialog = byId("detail");

/** Calls `onFilter` when a tag is pressed. The address names the picture, so that "back" closes it. */
export function setUpDetail(onFilter) {
  byId("detail-close").onclick = () => dialog.close();
  byId("previous").onclick = () => goToNeighbour(-1);
  byId("next").onclick = () => goToNeighbour(1);
  byId("delete").onclick = () => {
    const { image } = shown;
    closeWithoutFocus();
    removePicture(image);
  };
  byId("detail-tags").onclick = ({ target }) => {
    if (!target.dataset.tag) return;
    closeWithoutFocus();
    filterByTag(target.dataset.tag);
    onFilter();
  };
  dialog.onkeydown = (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!event.target.closest("input, textarea")) goToNeighbour(direction);
  };
  setUpClosing();
  setUpEditing();
  setUpSharing();
  setUpHistory();
}

/** During an edit, Escape only leaves the form, and a press beside the dialog does nothing. */
function setUpClosing() {
  let pressedBeside = false; // a press that begins inside, such as a text selection, may end beside it
  dialog.onclose = () => {
    byId("detail-image").removeAttribute("src");
    leavePicture();
    if (shown.image) focusItem(shown.image.id);
    shown.image = null;
    closeForm();
  };
  dialog.oncancel = (event) => {
    if (!isEditing()) return;
    event.preventDefault();
    cancelEditing();
  };
  dialog.onpointerdown = (event) => { pressedBeside = isBeside(event); };
  dialog.onclick = (event) => { if (pressedBeside && isBeside(event) && !isEditing()) dialog.close(); };
}

/** Whether the event is on the backdrop, whose events go to the dialog itself. */
function isBeside({ target, clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}

/** Close the picture unless it is being edited. Returns whether no dialog is open now. */
export function closeUnlessEditing() {
  if (dialog.open && !isEditing()) closeWithoutFocus();
  return !document.querySelector("dialog[open]");
}

/** Close, and leave the focus to the caller instead of the picture in the list. */
function closeWithoutFocus() {
  shown.image = null;
  dialog.close();
}

/** Open the picture that the address names; close when it names none. */
export function followAddress() {
  const id = pictureInAddress();
  if (!id) dialog.close();
  else if (id !== shown.image?.id) openPicture(id);
}

export async function openDetail(id) {
  await enterPicture(id);
  followAddress();
}

/** Show a picture from the list's data at once, and from the server's when that arrives. */
async function openPicture(id) {
  const known = imageOf(id);
  if (known) openDialog(known);
  try {
    const { data } = await withRetries(() => callApi(pathOf(id)));
    if (pictureInAddress() !== id) return;
    updateItem(data);
    if (shown.image?.id !== id) openDialog(data);
    else if (!isEditing()) renderDetail(data);
  } catch (error) {
    if (pictureInAddress() !== id) return;
    if (known) showStatus(explain(error), true);
    else showToast(explain(error));
  }
}

function openDialog(image) {
  closeForm();
  renderDetail(image);
  showStatus("");
  if (!dialog.open) dialog.showModal();
  byId("detail-title").focus();
}

function goToNeighbour(direction) {
  const id = neighbourOf(shown.image.id, direction);
  if (!id || isEditing()) return;
  replacePicture(id);
  openPicture(id);
}
