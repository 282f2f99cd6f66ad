// The selected pictures: by checkbox, click, Shift for a range, long press, and keyboard.

import { may } from "./access.js";
import { announce, byId } from "./dom.js";
import { focusItem, imageOf, visibleItems } from "./grid.js";
import { t } from "./text.js";

const LONG_PRESS_MS = 500;
const STILL_PX = 10; // a finger that moves farther scrolls
const grid = byId("grid");
const selected = new Set();
let selecting = false;
let begunByButton = false; // then it stays when nothing is selected any more
let anchor = null; // the id at which a range begins
let base = new Set(); // what was selected before the range
let current = null; // the only item in the order of Tab, so that Tab leads from it to the toolbar

export function setUpSelection() {
  grid.addEventListener("click", pickByClick, true);
  grid.addEventListener("focusin", ({ target }) => {
    current = target.closest(".item") ?? current;
    if (selecting) renderTabStop();
  });
  addEventListener("keydown", pickByKey);
  addEventListener("keyup", (event) => { if (isSpaceOnCard(event) && may("select")) event.preventDefault(); });
  setUpLongPress();
  byId("select").onclick = () => {
    begunByButton = true;
    setSelecting(true);
    focusItem((current?.isConnected && !current.hidden ? current : visibleItems()[0])?.dataset.id);
    announce(t("select_help"));
  };
  byId("selection-clear").onclick = clearSelection;
}

export const selectedIds = () => visibleItems().map(({ dataset }) => dataset.id).filter((id) => selected.has(id));

/** End the selection. The focus goes from the toolbar, which disappears, to the list. */
export function clearSelection() {
  const hadFocus = byId("selection").contains(document.activeElement);
  selected.clear();
  anchor = null;
  base = new Set();
  setSelecting(false);
  if (hadFocus) focusList();
}

/** Move the focus to the picture that had it last; else to the count above the list. */
export function focusList() {
  if (current?.isConnected && !current.hidden) focusItem(current.dataset.id);
  else byId("count").focus();
}

/** Take pictures out of the selection, and end it when none is left. */
export function deselect(ids) {
  for (const id of ids) selected.delete(id);
  if (selected.size) render();
  else clearSelection();
}

/** Call when the list has new items. */
export const renderSelection = () => { if (selecting) render(); };

/** A Shift+arrow moves the end of the range. */
export function extendByArrow(from, to, shift) {
  if (!shift || !may("select")) return;
  if (!selected.has(anchor)) begin(from);
  extendTo(to);
}

function pickByClick(event) {
  const id = event.target.closest(".item")?.dataset.id;
  const isCheck = event.target.matches(".check");
  const special = event.shiftKey || event.ctrlKey || event.metaKey;
  if (!id || !may("select") || !(isCheck || special || picksByClick())) return;
  event.stopPropagation();
  if (!isCheck) event.preventDefault();
  if (event.shiftKey && selected.has(anchor)) extendTo(id);
  else toggle(id);
}

/** In the trash there is nothing to open. */
const picksByClick = () => selecting || document.documentElement.dataset.view === "trash";

function pickByKey(event) {
  if (document.querySelector("dialog[open]") || event.altKey || !may("select")) return;
  const typing = event.target.closest("input:not(.check), textarea, select");
  const item = event.target.closest(".item");
  if (event.key === "Escape" && selecting && !typing) clearSelection();
  else if (event.key === "a" && (event.ctrlKey || event.metaKey) && !typing) selectAll();
  else if (item && !event.ctrlKey && !event.metaKey && (isSpaceOnCard(event) || event.key === "x")) toggle(item.dataset.id);
  else return;
  event.preventDefault();
}

const isSpaceOnCard = ({ key, target }) => key === " " && target.matches(".card");

function toggle(id) {
  if (selected.has(id)) {
    selected.delete(id);
    anchor = null;
    if (!selected.size && !begunByButton) return clearSelection();
    change();
  } else {
    begin(id);
    change();
  }
}

function begin(id) {
  anchor = id;
  base = new Set(selected);
  selected.add(id);
}

function extendTo(id) {
  const ids = visibleItems().map(({ dataset }) => dataset.id);
  const [start, end] = [ids.indexOf(anchor), ids.indexOf(id)].sort((a, b) => a - b);
  selected.clear();
  for (const each of [...base, ...ids.slice(start, end + 1)]) selected.add(each);
  change();
}

function selectAll() {
  for (const { dataset } of visibleItems()) selected.add(dataset.id);
  if (selected.size) change();
}

function change() {
  setSelecting(true);
  announce(byId("selection-count").textContent);
}

function setSelecting(value) {
  selecting = value;
  begunByButton &&= value;
  document.documentElement.classList.toggle("selecting", value);
  byId("selection").hidden = !value;
  render();
}

function render() {
  for (const item of grid.children) {
    const isSelected = selected.has(item.dataset.id);
    item.classList.toggle("selected", isSelected);
    item.querySelector(".check").checked = isSelected;
    item.querySelector(".card").ariaPressed = selecting ? String(isSelected) : null;
  }
  byId("selection-count").textContent = t("selected", { n: selected.size });
  for (const button of byId("selection").querySelectorAll(".on-selected")) button.disabled = !selected.size;
  renderTabStop();
}

function renderTabStop() {
  if (!current?.isConnected || current.hidden) current = visibleItems()[0] ?? null;
  for (const item of grid.children) item.querySelector(".card").tabIndex = selecting && item !== current ? -1 : 0;
}

/** A finger that rests on a picture selects it. */
function setUpLongPress() {
  let press = null; // { timer, x, y }
  let wasLong = false; // until the click that follows, which must not open or toggle the picture
  const cancel = () => { clearTimeout(press?.timer); press = null; };
  grid.addEventListener("pointerdown", ({ pointerType, isPrimary, target, clientX: x, clientY: y }) => {
    wasLong = false;
    cancel(); // two fingers zoom
    const id = target.closest(".card")?.parentElement.dataset.id;
    if (pointerType !== "touch" || !isPrimary || !id || !may("select")) return;
    const timer = setTimeout(() => {
      wasLong = true;
      if (imageOf(id)) toggle(id);
    }, LONG_PRESS_MS);
    press = { timer, x, y };
  });
  grid.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (press && Math.hypot(clientX - press.x, clientY - press.y) > STILL_PX) cancel();
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, cancel);
  grid.addEventListener("contextmenu", (event) => { if (press || wasLong) event.preventDefault(); });
  addEventListener("click", (event) => {
    if (!wasLong || !event.target.closest?.("#grid")) return;
    wasLong = false;
    event.preventDefault();
    event.stopPropagation();
  }, true); // before pickByClick
}
