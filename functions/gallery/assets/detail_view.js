// The picture in the dialog: its data, and how the dialog renders it.

import { byId, make } from "./dom.js";
import { factsOf } from "./facts.js";
import { neighbourOf } from "./grid.js";
import { PICTURE_WAITS_MS } from "./grid_item.js";
import { renderHistory } from "./image_history.js";
import { linkOf } from "./links.js";

const dialog = byId("detail");
const picture = byId("detail-image");

/** The image as last loaded; null when unknown. */
export const shown = { image: null };

export const isShown = (id) => dialog.open && shown.image?.id === id;

export function renderDetail(image) {
  shown.image = image;
  const link = linkOf(image, "preview");
  if (link && picture.src !== link) renderPicture(image, link);
  const title = image.title || image.filename;
  byId("detail-title").textContent = title;
  picture.alt = image.description || title;
  byId("detail-description").textContent = image.description;
  byId("detail-tags").replaceChildren(...image.tags.map((tag) => {
    const button = make("button", { className: "tag", textContent: tag });
    button.dataset.tag = tag;
    return make("li", {}, button);
  }));
  byId("download").href = `${image.urls.original}&download=true`;
  byId("detail-facts").replaceChildren(...factsOf(image).flatMap(([label, value]) => [
    make("dt", { textContent: label }),
    make("dd", { textContent: value }),
  ]));
  renderHistory(image);
  renderNeighbours();
}

/** Hide the arrows that lead nowhere. Call again when the list has grown. */
export function renderNeighbours() {
  if (!shown.image) return;
  byId("previous").disabled = !neighbourOf(shown.image.id, -1);
  byId("next").disabled = !neighbourOf(shown.image.id, 1);
}

function renderPicture(image, link) {
  picture.removeAttribute("src");
  picture.style.setProperty("--ratio", image.width / image.height);
  picture.style.setProperty("--width", `${image.width}px`);
  picture.style.backgroundImage = image.placeholder ? `url("${image.placeholder}")` : "";
  // The placeholder would show through transparent areas.
  picture.onload = () => { picture.style.backgroundImage = ""; };
  const waits = PICTURE_WAITS_MS.values();
  picture.onerror = () => {
    const { value: wait, done } = waits.next();
    if (!done) setTimeout(() => { if (picture.src === link) picture.src = link; }, wait);
  };
  picture.src = link;
}

/** Show a message in the visible part of the dialog: the form or the facts. */
export function showStatus(text, isProblem = false) {
  const status = byId(byId("edit-form").hidden ? "detail-status" : "edit-status");
  status.textContent = text;
  status.classList.toggle("problem", isProblem);
  if (text) status.scrollIntoView({ block: "nearest" });
}
