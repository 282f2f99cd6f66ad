// Links to the picture that is shown: to copy, and to download the original.

import { callApi, withRetries } from "./api.js";
import { byId, make } from "./dom.js";
import { isEditing } from "./edit.js";
import { updateItem } from "./grid.js";
import { pathOf } from "./links.js";
import { isShown, renderDetail, showStatus, shown } from "./shown.js";
import { explain, formatTime, t } from "./text.js";

export function setUpSharing() {
  byId("copy").onclick = copyLink;
  byId("download").onclick = downloadOriginal;
}

/** Copies the link of the preview: the original still has all that the camera wrote, such as the place. */
async function copyLink() {
  try {
    const { preview } = await loadFreshLinks();
    await navigator.clipboard.writeText(preview);
    showStatus(t("copied", { time: formatTime(expiryOf(preview)) }));
  } catch (error) {
    showStatus("status" in error ? explain(error) : t("not_copied"), true);
  }
}

/** The browser follows the link itself, unless that has expired: then a new one is asked for and followed. */
async function downloadOriginal(event) {
  if (!hasExpired(shown.image)) return;
  event.preventDefault();
  try {
    const { original } = await loadFreshLinks();
    make("a", { href: `${original}&download=1`, target: "_blank", rel: "noopener" }).click();
  } catch (error) {
    showStatus(explain(error), true);
  }
}

const expiryOf = (link) => new Date(Number(new URL(link).searchParams.get("e")) * 1000);
const hasExpired = (image) => expiryOf(image.urls.original) <= new Date();

/** The links of the picture that is shown; new ones where they have expired. */
async function loadFreshLinks() {
  const { image } = shown;
  if (!hasExpired(image)) return image.urls;
  const { value: { data } } = await withRetries(() => callApi(pathOf(image.id)));
  updateItem(data);
  if (isShown(data.id) && !isEditing()) renderDetail(data);
  return data.urls;
}
