// One picture: large, with what is known of it, to edit, share, download and delete.

import { enter, exchange, leave, pictureInAddress, setUpAddress } from "./address.js";
import { call, persist } from "./api.js";
import { byId, make, toast } from "./dom.js";
import { factsOf } from "./facts.js";
import { filterByTag, loadFacets } from "./filters.js";
import { focusOn, imageOf, neighbourOf, refresh } from "./grid.js";
import { linkOf, pathOf } from "./links.js";
import { remove } from "./removal.js";
import { explain, moment, t } from "./text.js";

const dialog = byId("detail");
const picture = byId("detail-image");
let shown = null;
let etag = null;
let edit = null; // what is going on while the form is open
let pressedBeside = false;

/** `onFilter` is called when a tag was pressed. The address names the picture, so that "back" closes it. */
export function setUpDetail(onFilter) {
  byId("detail-close").onclick = () => dialog.close();
  byId("previous").onclick = () => step(-1);
  byId("next").onclick = () => step(1);
  byId("edit").onclick = startEditing;
  byId("copy").onclick = copyLink;
  byId("download").onclick = download;
  byId("delete").onclick = () => { const image = shown; close(); remove(image); };
  byId("edit-cancel").onclick = stopEditing;
  byId("edit-form").onsubmit = (event) => {
    event.preventDefault();
    edit.saving ??= save(edit);
  };
  byId("detail-tags").onclick = ({ target }) => {
    if (!target.dataset.tag) return;
    close();
    filterByTag(target.dataset.tag);
    onFilter();
  };
  setUpClosing();
  // What is transparent must not show the placeholder.
  picture.onload = () => { picture.style.backgroundImage = ""; };
  dialog.onkeydown = (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!event.target.closest("input, textarea")) step(direction);
  };
  setUpAddress(followAddress);
}

/** Closing never takes away what is being typed: Escape only leaves the form, a press beside the dialog nothing. */
function setUpClosing() {
  dialog.onclose = () => {
    picture.removeAttribute("src");
    leave();
    if (shown) focusOn(shown.id);
    shown = edit = null;
  };
  dialog.oncancel = (event) => {
    if (!edit) return;
    event.preventDefault();
    stopEditing();
  };
  dialog.onpointerdown = (event) => { pressedBeside = isBeside(event); };
  dialog.onclick = (event) => { if (pressedBeside && isBeside(event) && !edit) dialog.close(); };
}

/** Whether this happened on what is behind the dialog. */
function isBeside({ target, clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}

/** Close the picture for something else; false while a dialog is being typed into. */
export function makeWay() {
  if (dialog.open && !edit) close();
  return !document.querySelector("dialog[open]");
}

/** Close, and let the focus go elsewhere than to the picture. */
function close() {
  shown = null;
  dialog.close();
}

/** Open the picture that the address names; close when it names none. */
export function followAddress() {
  const id = pictureInAddress();
  if (!id) dialog.close();
  else if (id !== shown?.id) open(id);
}

export async function openDetail(id) {
  await enter(id);
  followAddress();
}

async function open(id) {
  const known = imageOf(id);
  if (known) present(known);
  try {
    const { value, etag: current } = await persist(() => call(pathOf(id)));
    if (pictureInAddress() !== id) return;
    etag = current;
    refresh(value.data);
    if (shown?.id !== id) present(value.data);
    else if (!edit) show(value.data);
  } catch (error) {
    if (pictureInAddress() !== id) return;
    if (known) say(explain(error), true);
    else toast(explain(error));
  }
}

function present(image) {
  etag = null;
  show(image);
  say("");
  if (!dialog.open) dialog.showModal();
  byId("detail-title").focus();
}

function step(direction) {
  const id = neighbourOf(shown.id, direction);
  if (!id || edit) return;
  exchange(id);
  open(id);
}

/** Say it where it is in sight. */
function say(text, isProblem = false) {
  const status = byId(edit ? "edit-status" : "detail-status");
  status.textContent = text;
  status.classList.toggle("problem", isProblem);
  if (text) status.scrollIntoView({ block: "nearest" });
}

function show(image) {
  shown = image;
  edit = null;
  byId("edit-form").hidden = true;
  byId("facts").hidden = false;
  const link = linkOf(image, "preview");
  if (link && picture.src !== link) showPicture(image, link);
  const title = image.title || image.filename;
  byId("detail-title").textContent = title;
  picture.alt = image.description || title;
  byId("detail-description").textContent = image.description;
  byId("detail-tags").replaceChildren(...image.tags.map((tag) => {
    const button = make("button", { className: "tag", textContent: tag });
    button.dataset.tag = tag;
    return make("li", {}, button);
  }));
  byId("download").href = `${image.urls.original}&download=1`;
  byId("detail-facts").replaceChildren(...factsOf(image).flatMap(([name, value]) => [
    make("dt", { textContent: t(name === "category" ? name : `fact_${name}`) }),
    make("dd", { textContent: value }),
  ]));
  showNeighbours();
}

/** Which way there is a picture to go to: more of them may have been loaded. */
export function showNeighbours() {
  if (!shown) return;
  byId("previous").disabled = !neighbourOf(shown.id, -1);
  byId("next").disabled = !neighbourOf(shown.id, 1);
}

function showPicture(image, link) {
  picture.removeAttribute("src");
  picture.style.setProperty("--ratio", image.width / image.height);
  picture.style.setProperty("--width", `${image.width}px`);
  picture.style.backgroundImage = image.placeholder ? `url("${image.placeholder}")` : "";
  picture.src = link;
}

/** Of the preview: the original still has all that the camera wrote, such as the place. */
async function copyLink() {
  try {
    const { preview } = await freshLinks();
    await navigator.clipboard.writeText(preview);
    say(t("copied", { time: moment(expiryOf(preview)) }));
  } catch (error) {
    say("status" in error ? explain(error) : t("not_copied"), true);
  }
}

/** The browser follows the link, unless that has expired: then a new one is followed. */
async function download(event) {
  if (!hasExpired(shown)) return;
  event.preventDefault();
  try {
    const { original } = await freshLinks();
    make("a", { href: `${original}&download=1`, target: "_blank", rel: "noopener" }).click();
  } catch (error) {
    say(explain(error), true);
  }
}

const expiryOf = (link) => new Date(Number(new URL(link).searchParams.get("e")) * 1000);
const hasExpired = (image) => expiryOf(image.urls.original) <= new Date();

/** The links of the picture that is shown; new ones where they have expired. */
async function freshLinks() {
  const image = shown;
  if (!hasExpired(image)) return image.urls;
  const { value: { data } } = await persist(() => call(pathOf(image.id)));
  refresh(data);
  if (isShown(data.id) && !edit) show(data);
  return data.urls;
}

function startEditing() {
  say("");
  edit = { id: shown.id };
  say(""); // there are two places for what is said
  byId("edit-title").value = shown.title;
  byId("edit-description").value = shown.description;
  byId("edit-category").value = shown.category;
  byId("edit-tags").value = shown.tags.join(", ");
  byId("facts").hidden = true;
  byId("edit-form").hidden = false;
  byId("edit-title").focus();
}

function stopEditing() {
  show(shown);
  byId("edit").focus();
}

const isShown = (id) => dialog.open && shown?.id === id;

/** When the answer comes, the form may be closed, or another picture be there. */
async function save(own) {
  const body = {
    title: byId("edit-title").value,
    description: byId("edit-description").value,
    category: byId("edit-category").value,
    tags: byId("edit-tags").value.split(/[,、，]/),
  };
  const headers = etag ? { "If-Match": etag } : {};
  const onWait = (error) => { if (edit === own) say(t("state_again", { problem: explain(error) }), true); };
  say(t("saving"));
  try {
    const request = { method: "PATCH", headers, body };
    takeSaved(own, await persist(() => call(`api/images/${own.id}`, request), { onWait }));
    loadFacets();
  } catch (error) {
    const problem = error.status === 412 ? await takeNewest(own.id) : explainRefusal(error, body);
    if (edit === own) say(problem, true);
    else toast(t("not_saved", { name: body.title, problem }));
  }
  own.saving = null;
}

function takeSaved(own, { etag: current, value: { data } }) {
  refresh(data);
  if (!isShown(own.id)) return;
  etag = current;
  shown = data;
  if (edit && edit !== own) return; // it is being edited again
  const wasOpen = edit !== null;
  show(data);
  say(t("saved"));
  if (wasOpen) byId("edit").focus();
}

/** Someone else was quicker. What was typed stays; the next save is made knowing of theirs. */
async function takeNewest(id) {
  try {
    const { etag: current, value: { data } } = await persist(() => call(pathOf(id)));
    refresh(data);
    if (isShown(id)) [etag, shown] = [current, data];
    return t("conflict");
  } catch (error) {
    return t("conflict_unknown", { problem: explain(error) });
  }
}

/** Of tags there can be too many, or one can be too long. */
function explainRefusal(error, { tags }) {
  const { field, max } = error.details ?? {};
  if (error.code !== "metadata_too_long" || field !== "tags") return explain(error);
  return t(tags.length > max ? "too_many_tags" : "tag_too_long", { max });
}
