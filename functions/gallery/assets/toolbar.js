// What can be done to the selected pictures, each with one undo for all of them.

import { hasNoTrash, may } from "./access.js";
import { runBatch, runBatches } from "./batch.js";
import { askForChoice, askForText, confirmAction } from "./dialogs.js";
import { byId, showToast } from "./dom.js";
import { explain } from "./explain.js";
import { loadFacets } from "./filters.js";
import { confirmHidden, focusItem, hideImages, imageOf, showImages, updateItem } from "./grid.js";
import { deselect, focusList, selectedIds } from "./selection.js";
import { joinSentences, t } from "./text.js";
import { moveFocus, offerUndo, sayUndo } from "./undo_toast.js";

const MAX_CATEGORY = 64;
const MAX_TAGS_TEXT = 2_000;
const MESSAGE_SECONDS = 10;
const toolbar = byId("selection");
const buttons = () => [...toolbar.querySelectorAll("button")].filter((button) => button.offsetParent && !button.disabled);
let busy = false;

export function setUpToolbar() {
  const actions = { "add-tags": addTags, "remove-tags": removeTags, category: setCategory, trash, restore, purge };
  for (const [name, act] of Object.entries(actions)) byId(`do-${name}`).onclick = () => { if (!busy) act(selectedIds()); };
  toolbar.addEventListener("focusin", ({ target }) => {
    for (const button of toolbar.querySelectorAll("button")) button.tabIndex = button === target ? 0 : -1;
  });
  toolbar.addEventListener("focusout", ({ relatedTarget }) => {
    if (toolbar.contains(relatedTarget)) return;
    for (const button of toolbar.querySelectorAll("button")) button.tabIndex = 0; // that one may be hidden next time
  });
  toolbar.addEventListener("keydown", (event) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to % all.length].focus();
  });
}

/** What the server takes for the same tag. */
const keyOf = (tag) => tag.normalize("NFKC").toLowerCase();

const without = (tags, others) => tags.filter((tag) => !others.some((other) => keyOf(other) === keyOf(tag)));

/** The pictures with these ids, as they are now: a new list may lack them later. */
const imagesOf = (ids) => new Map(ids.map((id) => [id, imageOf(id)]));

async function addTags(ids) {
  const former = imagesOf(ids);
  const title = t("add_tags_title", { n: ids.length });
  const text = await askForText({ title, label: t("tags_hint"), action: t("add"), maxLength: MAX_TAGS_TEXT });
  const tags = (text ?? "").split(/[,、，]/).map((tag) => tag.trim()).filter(Boolean);
  if (!tags.length) return;
  await changeFields(former, { operation: "add_tags", tags }, {
    change: (image) => ({ tags: [...image.tags, ...without(tags, image.tags)] }),
    invert: (image) => ({ operation: "remove_tags", tags: without(tags, image.tags) }),
  });
}

async function removeTags(ids) {
  const former = imagesOf(ids);
  const counts = new Map();
  for (const tag of [...former.values()].flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  if (!counts.size) return showToast(t("no_tags", { n: ids.length }));
  const options = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([tag, n]) => [tag, t("tag_count", { tag, n })]);
  const tags = await askForChoice({ title: t("remove_tags_title", { n: ids.length }), action: t("remove"), options });
  if (!tags) return;
  await changeFields(former, { operation: "remove_tags", tags }, {
    change: (image) => ({ tags: without(image.tags, tags) }),
    invert: (image) => ({ operation: "add_tags", tags: image.tags.filter((tag) => !without([tag], tags).length) }),
  });
}

async function setCategory(ids) {
  const former = imagesOf(ids);
  const title = t("category_title", { n: ids.length });
  const options = { title, label: t("category_hint"), action: t("set_category"), list: "categories", maxLength: MAX_CATEGORY };
  const category = await askForText({ ...options, canBeEmpty: true });
  if (category === undefined) return;
  await changeFields(former, { operation: "set_category", category }, {
    change: () => ({ category }),
    invert: (image) => ({ operation: "set_category", category: image.category }),
  });
}

/** `change` returns an image's new fields, `invert` the operation that brings its former ones back. */
async function changeFields(former, operation, { change, invert }) {
  const { done, failed } = await run([...former.keys()], operation);
  for (const id of done) updateItem({ ...former.get(id), ...change(former.get(id)) });
  const undo = async () => {
    const { done: back, failed: not } = await runBatches(group(done.map((id) => [id, invert(former.get(id))])));
    for (const id of back) updateItem(former.get(id));
    loadFacets();
    if (not.length) throw not[0][1];
    return t("undone", { n: back.length });
  };
  finish({ done, failed, text: t("changed", { n: done.length }), undo });
}

/** Put ids whose operation is the same together: [ids, operation] pairs. Leaves out those without any tag. */
function group(pairs) {
  const groups = new Map();
  for (const [id, operation] of pairs) {
    if (operation.tags?.length === 0) continue;
    const name = JSON.stringify(operation);
    if (!groups.has(name)) groups.set(name, [[], operation]);
    groups.get(name)[0].push(id);
  }
  return [...groups.values()];
}

async function trash(ids) {
  const n = ids.length;
  if (hasNoTrash() && !await confirmAction(t("delete_title", { n }), t("delete_text"), t("delete_permanently"))) return;
  const { done, failed } = await run(ids, { operation: "trash" }, "image_not_found");
  const neighbour = takeAway(done, false);
  const undo = async () => {
    const { done: back, failed: not } = settle(await runBatch(done, { operation: "restore" }), "image_not_trashed");
    await showImages(back);
    loadFacets();
    if (not.length) throw not[0][1];
    focusItem(back[0]);
    return t("restored_many", { n: back.length });
  };
  const text = t(hasNoTrash() ? "deleted_many" : "trashed_many", { n: done.length });
  finish({ done, failed, text, neighbour, undo: hasNoTrash() ? null : undo });
}

async function restore(ids) {
  const { done, failed } = await run(ids, { operation: "restore" }, "image_not_trashed");
  finish({ done, failed, text: t("restored_many", { n: done.length }), neighbour: takeAway(done, true) });
}

async function purge(ids) {
  const n = ids.length;
  if (!may("delete") || !await confirmAction(t("delete_title", { n }), t("delete_text"), t("delete_permanently"))) return;
  const { done, failed } = await run(ids, { operation: "delete" }, "image_not_found");
  finish({ done, failed, text: t("deleted_many", { n: done.length }), neighbour: takeAway(done, true) });
}

/** Take pictures out of the list. Returns the button that gets the focus. */
function takeAway(ids, fromTrash) {
  const neighbour = hideImages(ids, fromTrash);
  confirmHidden(ids);
  return neighbour;
}

async function run(ids, operation, settledCode) {
  busy = true;
  toolbar.ariaBusy = "true";
  byId("selection-count").textContent = t("changing", { n: ids.length });
  try {
    return settle(await runBatch(ids, operation), settledCode);
  } finally {
    busy = false;
    toolbar.ariaBusy = "false";
  }
}

/** Take an error that says that it was done before, in a request whose response was lost, for success. */
function settle({ done, failed }, code) {
  const settled = failed.filter(([, error]) => error.code === code).map(([id]) => id);
  return { done: [...done, ...settled], failed: failed.filter(([id]) => !settled.includes(id)) };
}

/** Say what was done and what was not. What was not stays selected. The focus moves, if it is still in the toolbar. */
function finish({ done, failed, text, neighbour, undo }) {
  const hadFocus = toolbar.contains(document.activeElement) || document.activeElement === document.body;
  if (done.length) loadFacets();
  deselect(done);
  const problem = joinSentences([...new Set(failed.map(([, error]) => explain(error)))].slice(0, 2));
  const partly = failed.length && t("partly", { n: failed.length, all: done.length + failed.length, problem });
  const message = done.length && partly ? t("done_partly", { text, partly }) : partly || text;
  if (done.length && undo) offerUndo(message, { said: sayUndo(message), neighbour, undo, takesFocus: hadFocus });
  else {
    showToast(message, { seconds: MESSAGE_SECONDS });
    if (failed.length || !hadFocus) return;
    if (neighbour) moveFocus(neighbour);
    else focusList();
  }
}
