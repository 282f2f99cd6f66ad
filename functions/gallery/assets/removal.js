// Deletion: the picture disappears at once, and is deleted on the server when the time for undo is up.

import { callApi, withRetries } from "./api.js";
import { announce, byId, showToast } from "./dom.js";
import { hideImage } from "./grid.js";
import { currentKey } from "./key.js";
import { explain, t } from "./text.js";

const SECONDS = 8;
const waiting = [];

export function setUpRemoval() {
  // A closing page cannot wait; keepalive lets the request outlive it.
  addEventListener("pagehide", () => {
    for (const { image, toast: { dismiss } } of waiting.splice(0)) {
      dismiss();
      fetch(`api/images/${image.id}`, { method: "DELETE", keepalive: true, headers: { "X-API-Key": currentKey() } });
    }
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, dialog");
    if (typing || !waiting.length || event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo(waiting.at(-1));
  });
}

export function deleteWithUndo(image) {
  const { neighbour, restore } = hideImage(image.id);
  const name = image.title || image.filename;
  const removal = { image, name, neighbour, restore };
  removal.toast = showToast(t("deleted", { name }), {
    said: t("deleted_said", { name }),
    label: t("undo"),
    onPress: () => undo(removal),
    onEnd: () => deleteNow(removal),
    seconds: SECONDS,
  });
  waiting.push(removal);
  removal.toast.button.focus();
}

function undo(removal) {
  endWaiting(removal);
  removal.restore()?.focus();
  announce(t("restored", { name: removal.name }));
}

async function deleteNow(removal) {
  endWaiting(removal);
  try {
    await withRetries(() => callApi(`api/images/${removal.image.id}`, { method: "DELETE" }));
  } catch (error) {
    if (error.status === 404) return;
    removal.restore();
    showToast(t("not_deleted", { name: removal.name, problem: explain(error) }), { seconds: SECONDS });
  }
}

/** Remove the message, and move its focus to the list. */
function endWaiting(removal) {
  const { toast: { button, dismiss }, neighbour } = removal;
  const hadFocus = document.activeElement === button;
  dismiss();
  waiting.splice(waiting.indexOf(removal), 1);
  if (hadFocus) (neighbour?.offsetParent ? neighbour : byId("choose")).focus({ preventScroll: true });
}
