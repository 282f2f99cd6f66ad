// Deletion: the server moves the picture to its trash at once; undo restores it. A server without a trash deletes it permanently.

import { hasNoTrash } from "./access.js";
import { callApi, withRetries } from "./api.js";
import { confirmAction } from "./dialogs.js";
import { showToast } from "./dom.js";
import { explain } from "./explain.js";
import { confirmHidden, focusItem, hideImages, showImages, updateItem } from "./grid.js";
import { nameOf } from "./grid_item.js";
import { pathOf } from "./links.js";
import { t } from "./text.js";
import { moveFocus, offerUndo, sayUndo } from "./undo_toast.js";

export async function removePicture(image) {
  const name = nameOf(image);
  if (hasNoTrash() && !await confirmAction(t("delete_title", { n: 1 }), t("delete_text"), t("delete_permanently"))) {
    return focusItem(image.id);
  }
  const neighbour = hideImages([image.id], false);
  const deletion = deleteNow(image);
  let withdraw = () => {};
  if (hasNoTrash()) {
    showToast(t("deleted", { name }));
    moveFocus(neighbour);
  } else {
    const undo = async () => (await deletion ? restore(image) : "");
    const text = t("trashed", { name });
    withdraw = offerUndo(text, { said: sayUndo(text), neighbour, undo });
  }
  if (!await deletion) withdraw();
}

/** Resolves with whether the picture is deleted. If not, it is shown again, and the reason said. */
async function deleteNow({ id, ...image }) {
  try {
    await withRetries(() => callApi(`api/images/${id}`, { method: "DELETE" }));
  } catch (error) {
    if (error.status !== 404) {
      showImages([id]);
      showToast(t("not_deleted", { name: nameOf(image), problem: explain(error) }), { seconds: 8 });
      return false;
    }
  }
  confirmHidden([id]);
  return true;
}

/** Bring the picture back with new links. */
async function restore(image) {
  try {
    await withRetries(() => callApi(`api/images/${image.id}/restore`, { method: "POST" }), { attempts: 6 });
  } catch (error) {
    if (error.code !== "image_not_trashed") throw error; // it was restored already: a response was lost
  }
  const fresh = withRetries(() => callApi(pathOf(image.id))).then(({ data }) => updateItem(data), () => {});
  await showImages([image.id]);
  await fresh;
  focusItem(image.id);
  return t("restored", { name: nameOf(image) });
}
