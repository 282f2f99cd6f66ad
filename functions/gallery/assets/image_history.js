// What happened to the shown picture, loaded when its section is opened.

import { ownKeyId } from "./access.js";
import { callApi, withRetries } from "./api.js";
import { byId, make } from "./dom.js";
import { explain } from "./explain.js";
import { formatNumber, formatTime, knows, t } from "./text.js";

const PAGE = 20;
const MAX_VALUE = 120; // characters of a value
const section = byId("history");
const list = byId("history-list");
let shown = { id: null }; // { id, version, cursor }: of which picture; a new object for each load from the start

export function setUpHistory() {
  section.ontoggle = () => { if (section.open && !shown.begun) begin(); };
  byId("history-more").onclick = () => { if (list.ariaBusy !== "true") load(); };
}

/** The dialog shows this picture now: another one closes the section, another version of the same is read again. */
export function renderHistory({ id, version }) {
  if (id === shown.id && version === shown.version) return;
  if (id !== shown.id) {
    section.open = false;
    list.replaceChildren();
    byId("history-more").hidden = true;
  }
  shown = { id, version };
  if (section.open) begin();
}

function begin() {
  shown = { ...shown, begun: true, cursor: null };
  load();
}

async function load() {
  const own = shown;
  const more = byId("history-more");
  list.ariaBusy = "true";
  tell(t("loading"));
  const parameters = new URLSearchParams({ limit: PAGE, ...(own.cursor && { cursor: own.cursor }) });
  try {
    const { changes, next_cursor: next } = await withRetries(() => callApi(`api/images/${own.id}/changes?${parameters}`));
    if (own !== shown) return;
    const lines = changes.map(makeLine);
    if (own.cursor) list.append(...lines);
    else list.replaceChildren(...lines);
    if (document.activeElement === more) focusFirst(lines);
    own.cursor = next;
    more.hidden = !own.cursor;
    more.textContent = t("older");
    tell(list.children.length ? "" : t("history_none"));
  } catch (error) {
    if (own !== shown) return;
    if (!own.cursor) list.replaceChildren();
    more.hidden = false;
    more.textContent = t("retry");
    tell(explain(error), true);
  } finally {
    if (own === shown) list.ariaBusy = "false";
  }
}

/** The button may disappear, and what it loaded is above it. */
function focusFirst([line]) {
  if (!line) return;
  line.tabIndex = -1;
  line.focus();
}

function tell(text, isProblem = false) {
  byId("history-status").textContent = text;
  byId("history-status").classList.toggle("problem", isProblem);
}

function makeLine(change) {
  const name = `change_${change.type.replace("image.", "")}`;
  const fields = change.type === "image.changed" ? changedFields(change) : [];
  return make("li", {},
    make("p", {}, make("strong", { textContent: knows(name) ? t(name) : change.type }), ` ${who(change.key_id)}`),
    make("time", { dateTime: change.created_at, textContent: formatTime(change.created_at) }),
    ...(fields.length ? [make("ul", {}, ...fields)] : []),
  );
}

function who(key) {
  if (!key) return t("by_service");
  if (key === "root") return t("by_root");
  return key === ownKeyId() ? t("by_this_key") : t("by_key", { key: key.slice(-8) });
}

function changedFields({ before, after }) {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter((name) => !name.endsWith("_at")).map((name) => make("li", { dir: "auto" },
    `${knows(name) ? t(name) : name}: `,
    ...valueParts("del", before?.[name]), " → ", ...valueParts("ins", after?.[name])));
}

const valueParts = (tag, value) => (show(value) ? [make(tag, { textContent: show(value) })] : [t("empty_value")]);

function show(value) {
  if (typeof value === "number") return formatNumber(value);
  const text = Array.isArray(value) ? value.join(", ") : typeof value === "object" && value ? JSON.stringify(value) : String(value ?? "");
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
