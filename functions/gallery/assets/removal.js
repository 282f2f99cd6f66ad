// Deleting, which can be undone for some seconds and only then really happens.

import { call, persist } from "./api.js";
import { announce, byId, toast } from "./dom.js";
import { withhold } from "./grid.js";
import { currentKey } from "./key.js";
import { explain, t } from "./text.js";

const SECONDS = 8;
const waiting = [];

export function setUpRemoval() {
  // A page that goes away cannot wait: keepalive lets the request outlive it.
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

export function remove(image) {
  const { neighbour, giveBack } = withhold(image.id);
  const name = image.title || image.filename;
  const removal = { image, name, neighbour, giveBack };
  removal.toast = toast(t("deleted", { name }), {
    said: t("deleted_said", { name }),
    label: t("undo"),
    onPress: () => undo(removal),
    onEnd: () => finish(removal),
    seconds: SECONDS,
  });
  waiting.push(removal);
  removal.toast.button.focus();
}

function undo(removal) {
  forget(removal);
  removal.giveBack()?.focus();
  announce(t("restored", { name: removal.name }));
}

async function finish(removal) {
  forget(removal);
  try {
    await persist(() => call(`api/images/${removal.image.id}`, { method: "DELETE" }));
  } catch (error) {
    if (error.status === 404) return;
    removal.giveBack();
    toast(t("not_deleted", { name: removal.name, problem: explain(error) }), { seconds: SECONDS });
  }
}

/** Take the message away, and give the focus that it had back to the list. */
function forget(removal) {
  const { toast: { button, dismiss }, neighbour } = removal;
  const hadFocus = document.activeElement === button;
  dismiss();
  waiting.splice(waiting.indexOf(removal), 1);
  if (hadFocus) (neighbour?.offsetParent ? neighbour : byId("choose")).focus({ preventScroll: true });
}
