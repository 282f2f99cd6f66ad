// The form that changes the metadata of the shown picture. An input with data-field holds the text of that field.

import { callApi, withRetries } from "./api.js";
import { byId, showToast, textInputs } from "./dom.js";
import { explain, explainRetry } from "./explain.js";
import { loadFacets } from "./filters.js";
import { updateItem } from "./grid.js";
import { pathOf } from "./links.js";
import { isShown, renderDetail, showStatus, shown } from "./detail_view.js";
import { t } from "./text.js";

let session = null; // of the open form: { id, saving }; responses for an older one leave the form alone

export function setUpEditing() {
  byId("edit").onclick = openForm;
  byId("edit-cancel").onclick = cancelEditing;
  byId("edit-form").onsubmit = (event) => {
    event.preventDefault();
    session.saving ??= save(session);
  };
}

export const isEditing = () => session !== null;

function openForm() {
  const { image } = shown;
  showStatus("");
  session = { id: image.id, saving: null };
  for (const input of textInputs()) input.value = image[input.dataset.field];
  byId("edit-tags").value = image.tags.join(", ");
  byId("facts").hidden = true;
  byId("edit-form").hidden = false;
  showStatus(""); // the form has its own place for messages
  byId("edit-title").focus();
}

/** Replace the form with the facts. Typed text is lost; a save in progress continues. */
export function closeForm() {
  session = null;
  byId("edit-form").hidden = true;
  byId("facts").hidden = false;
}

export function cancelEditing() {
  closeForm();
  renderDetail(shown.image);
  byId("edit").focus();
}

/** By the time of the response, the form may be closed or another picture shown. */
async function save(own) {
  const body = { tags: byId("edit-tags").value.split(/[,、，]/) };
  for (const input of textInputs()) body[input.dataset.field] = input.value;
  const headers = { "If-Match": `"${shown.image.version}"` };
  const onWait = (error) => {
    if (session === own) showStatus(explainRetry(error), true);
  };
  showStatus(t("saving"));
  try {
    const request = { method: "PATCH", headers, body };
    showSaved(own, await withRetries(() => callApi(pathOf(own.id), request), { onWait }));
  } catch (error) {
    const problem = error.status === 412 ? await settleConflict(own, body) : explain(error);
    if (problem && session === own) showStatus(problem, true);
    else if (problem) showToast(t("not_saved", { name: body.title, problem }));
  }
  own.saving = null;
}

function showSaved(own, { data }) {
  updateItem(data);
  loadFacets();
  if (!isShown(own.id)) return;
  shown.image = data;
  if (session && session !== own) return; // the form was closed and reopened meanwhile
  const wasOpen = isEditing();
  closeForm();
  renderDetail(data);
  showStatus(t("saved"));
  if (wasOpen) byId("edit").focus();
}

/**
 * Somebody else saved first: typed text stays, and the next save knowingly replaces their version. Or an earlier attempt
 * was saved, and its response was lost. Resolves with the problem, if any.
 */
async function settleConflict(own, body) {
  try {
    const { data } = await withRetries(() => callApi(pathOf(own.id)));
    if (hasValues(data, body)) return showSaved(own, { data });
    updateItem(data);
    if (isShown(own.id)) shown.image = data;
    return t("conflict");
  } catch (error) {
    return t("conflict_unknown", { problem: explain(error) });
  }
}

/** Whether the image has the values of the form. */
function hasValues(image, { tags, ...texts }) {
  const given = [...new Set(tags.map((tag) => tag.trim()).filter(Boolean))];
  return Object.entries(texts).every(([name, text]) => image[name] === text.trim()) && image.tags.join() === given.join();
}
