// Links to the shown picture: to copy, and to download the original.

import { callApi, withRetries } from "./api.js";
import { byId, make } from "./dom.js";
import { isEditing } from "./edit.js";
import { explain } from "./explain.js";
import { updateItem } from "./grid.js";
import { pathOf } from "./links.js";
import { isShown, renderDetail, showStatus, shown } from "./detail_view.js";
import { formatTime, t } from "./text.js";

export function setUpSharing() {
  byId("copy").onclick = copyLink;
  byId("download").onclick = downloadOriginal;
}

/** Copy the preview's link: the original still has the camera's metadata, such as the location. */
async function copyLink() {
  try {
    const { preview } = await loadFreshLinks();
    await navigator.clipboard.writeText(preview);
    showStatus(t("copied", { time: formatTime(expiryOf(preview)) }));
  } catch (error) {
    showStatus("status" in error ? explain(error) : t("not_copied"), true);
  }
}

/** The browser follows the link itself; if it has expired, load a new one and follow that. */
async function downloadOriginal(event) {
  if (!hasExpired(shown.image)) return;
  event.preventDefault();
  try {
    const { original } = await loadFreshLinks();
    make("a", { href: `${original}&download=true`, target: "_blank", rel: "noopener" }).click();
  } catch (error) {
    showStatus(explain(error), true);
  }
}

const expiryOf = (link) => new Date(Number(new URL(link).searchParams.get("e")) * 1000);
const hasExpired = (image) => expiryOf(image.urls.original) <= new Date();

/** The links of the shown picture; new ones if they have expired. */
async function loadFreshLinks() {
  const { image } = shown;
  if (!hasExpired(image)) return image.urls;
  const { data } = await withRetries(() => callApi(pathOf(image.id)));
  updateItem(data);
  if (isShown(data.id) && !isEditing()) renderDetail(data);
  return data.urls;
}
