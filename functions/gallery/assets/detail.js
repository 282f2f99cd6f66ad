// One picture: large, with what is known of it, to edit, share, download and delete.

import { call, persist } from "./api.js";
import { byId, make, toast } from "./dom.js";
import { filterByTag, loadFacets } from "./filters.js";
import { focusOn, imageOf, neighbourOf, refresh } from "./grid.js";
import { remove } from "./removal.js";
import { bytes, explain, moment, number, t } from "./text.js";

const dialog = byId("detail");
const picture = byId("detail-image");
let shown = null;
let etag = null;
let saving = null;

/** `onFilter` is called when a tag was pressed. The address names the picture, so that "back" closes it. */
export function setUpDetail(onFilter) {
  byId("detail-close").onclick = () => dialog.close();
  byId("previous").onclick = () => step(-1);
  byId("next").onclick = () => step(1);
  byId("edit").onclick = startEditing;
  byId("copy").onclick = copyLink;
  byId("delete").onclick = () => { const image = shown; close(); remove(image); };
  byId("edit-cancel").onclick = () => { show(shown); byId("edit").focus(); };
  byId("edit-form").onsubmit = (event) => {
    event.preventDefault();
    saving ??= save().finally(() => { saving = null; });
  };
  byId("detail-tags").onclick = ({ target }) => {
    if (!target.dataset.tag) return;
    close();
    filterByTag(target.dataset.tag);
    onFilter();
  };
  dialog.onclose = () => {
    picture.removeAttribute("src");
    if (location.hash) history.replaceState(null, "", "./");
    if (shown) focusOn(shown.id);
    shown = null;
  };
  dialog.onclick = ({ target }) => { if (target === dialog) dialog.close(); };
  dialog.onkeydown = (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction && !event.target.closest("input, textarea")) step(direction);
  };
  addEventListener("hashchange", followAddress);
}

/** Close, and let the focus go elsewhere than to the picture. */
function close() {
  shown = null;
  dialog.close();
}

/** Open the picture that the address names; close when it names none. */
export function followAddress() {
  const id = location.hash.slice(1);
  if (!id) dialog.close();
  else if (id !== shown?.id) open(id);
}

export function openDetail(id) {
  location.hash = id;
}

async function open(id) {
  const known = imageOf(id);
  if (known) present(known);
  try {
    const { value, etag: current } = await persist(() => call(`api/images/${id}`));
    if (location.hash.slice(1) !== id) return;
    etag = current;
    refresh(value.data);
    if (shown?.id !== id) present(value.data);
    else if (byId("edit-form").hidden) show(value.data);
  } catch (error) {
    if (known) say(explain(error));
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
  if (!id || !byId("edit-form").hidden) return;
  history.replaceState(null, "", `#${id}`);
  open(id);
}

const say = (text) => { byId("detail-status").textContent = text; };

function show(image) {
  shown = image;
  byId("edit-form").hidden = true;
  byId("facts").hidden = false;
  if (picture.src !== image.urls.preview) showPicture(image);
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
  byId("previous").disabled = !neighbourOf(image.id, -1);
  byId("next").disabled = !neighbourOf(image.id, 1);
}

function showPicture(image) {
  picture.removeAttribute("src");
  picture.style.setProperty("--ratio", image.width / image.height);
  picture.style.setProperty("--width", `${image.width}px`);
  picture.style.backgroundImage = image.placeholder ? `url("${image.placeholder}")` : "";
  picture.src = image.urls.preview;
}

function factsOf(image) {
  const exif = image.exif;
  const size = `${number(image.width)} × ${number(image.height)} · ${bytes(image.size_bytes)}`;
  const type = image.mime_type.replace("image/", "").toUpperCase();
  return [
    ["category", image.category],
    ["file", image.filename],
    ["size", size],
    ["type", type],
    ["frames", image.frames > 1 && number(image.frames)],
    ["taken_at", exif.taken_at && moment(exif.taken_at)],
    ["camera", exif.camera],
    ["lens", exif.lens],
    ["exposure_time", exif.exposure_time && exposure(exif.exposure_time)],
    ["f_number", exif.f_number && `ƒ/${number(exif.f_number)}`],
    ["iso", exif.iso && String(exif.iso)],
    ["focal_length", exif.focal_length && `${number(exif.focal_length)} mm`],
    ["added", moment(image.created_at)],
    ["changed", moment(image.updated_at) !== moment(image.created_at) && moment(image.updated_at)],
  ].filter(([, value]) => value);
}

const exposure = (seconds) => (seconds < 0.3 ? `1/${number(Math.round(1 / seconds))} s` : `${number(seconds)} s`);

async function copyLink() {
  const url = shown.urls.original;
  const until = new Date(Number(new URL(url).searchParams.get("e")) * 1000);
  try {
    await navigator.clipboard.writeText(url);
    say(t("copied", { time: moment(until) }));
  } catch {
    say(t("not_copied"));
  }
}

function startEditing() {
  say("");
  byId("edit-title").value = shown.title;
  byId("edit-description").value = shown.description;
  byId("edit-category").value = shown.category;
  byId("edit-tags").value = shown.tags.join(", ");
  byId("facts").hidden = true;
  byId("edit-form").hidden = false;
  byId("edit-title").focus();
}

async function save() {
  const body = {
    title: byId("edit-title").value,
    description: byId("edit-description").value,
    category: byId("edit-category").value,
    tags: byId("edit-tags").value.split(/[,、，]/),
  };
  const { id } = shown;
  try {
    const headers = etag ? { "If-Match": etag } : {};
    const answer = await persist(() => call(`api/images/${id}`, { method: "PATCH", headers, body }));
    etag = answer.etag;
    refresh(answer.value.data);
    show(answer.value.data);
    say(t("saved"));
    byId("edit").focus();
    loadFacets();
  } catch (error) {
    say(error.status === 412 ? await takeNewest(id) : explain(error));
  }
}

/** Someone else was quicker. What was typed stays; the next save is made knowing of theirs. */
async function takeNewest(id) {
  const answer = await call(`api/images/${id}`);
  etag = answer.etag;
  shown = answer.value.data;
  refresh(shown);
  return t("conflict");
}
