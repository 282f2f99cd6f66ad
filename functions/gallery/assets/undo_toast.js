// Messages that offer to undo what was just done, by their button or by Ctrl+Z (on a Mac, ⌘Z).

import { announce, byId, showToast } from "./dom.js";
import { explain } from "./explain.js";
import { t } from "./text.js";

const SECONDS = 8;
const offers = [];

export function setUpUndo() {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, dialog");
    if (typing || !offers.length || event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo(offers.at(-1));
  });
}

/**
 * Say what was done, and offer to undo it. `undo` resolves with the text to announce, and rejects with an ApiError;
 * it moves the focus itself. The button takes the focus; `neighbour` gets it when the message goes. Returns `withdraw`.
 */
export function offerUndo(text, { said = text, neighbour, label = t("undo"), takesFocus = true, ...options }) {
  const offer = { ...options, neighbour, busy: false };
  offer.toast = showToast(text, {
    said,
    label,
    onPress: () => undo(offer),
    onEnd: () => { if (!offer.busy) end(offer); },
    seconds: SECONDS,
  });
  offers.push(offer);
  if (takesFocus) offer.toast.button.focus();
  return () => end(offer);
}

/** A text for screen readers: what was done, and the key that undoes it. */
export const sayUndo = (text) => t("said_undo", { text: /[.。]$/.test(text) ? text : `${text}${t("full_stop")}` });

async function undo(offer) {
  if (offer.busy) return;
  offer.busy = true;
  offer.toast.button.ariaDisabled = "true";
  try {
    const said = await offer.undo();
    end(offer);
    if (said) announce(said);
  } catch (error) {
    end(offer);
    const text = t("not_undone", { problem: explain(error) });
    offerUndo(text, { label: t("retry"), neighbour: offer.neighbour, undo: offer.undo });
  }
}

/** Remove the message, and move its focus to the list. */
function end(offer) {
  if (!offers.includes(offer)) return;
  offers.splice(offers.indexOf(offer), 1);
  const { toast: { button, dismiss }, neighbour } = offer;
  const hadFocus = document.activeElement === button;
  dismiss();
  if (hadFocus) moveFocus(neighbour);
}

/** Move the focus to this element or, if it is gone, to the count above the list. */
export function moveFocus(element) {
  (element?.offsetParent ? element : byId("count")).focus({ preventScroll: true });
}
