// What the key may do. Elements of the class needs-write (and so on) are shown only to keys that may, see gallery.css.

import { callApi, withRetries } from "./api.js";

const NOTHING = { id: null, scopes: [], trash_days: null };
let access = NOTHING;
let newestLoad = null;
let isKnown = false;

/** Whether the key may "read", "write" or "delete" permanently; "trash": move to the trash; "select" pictures in this view. */
export const may = (action) => allowed().includes(action);

/** As `may`, once the server has said what the key may do. */
export const canLater = (action) => ensureAccess().then(() => may(action), () => false);

/** The id of the key, as changes name it. */
export const ownKeyId = () => access.id;

/** Whether the server deletes permanently at once, because it has no trash. */
export const hasNoTrash = () => access.trash_days === 0;

export const trashDays = () => access.trash_days;

/** Resolves with the server's limits, once they are known. */
export const loadLimits = () => ensureAccess().then(() => access.limits);

/** Ask what the key may do and what the server offers. Until then, nothing but looking. Rejects with an ApiError. */
export function loadAccess() {
  const responses = ["api/keys/self", "api/service"].map((path) => withRetries(() => callApi(path)));
  const load = Promise.all(responses).then(([key, service]) => {
    if (load === newestLoad) setAccess({ ...service.data, ...key.data }); // else a newer load has begun
  }, (error) => {
    if (load !== newestLoad) return; // its response counts
    newestLoad = null;
    setAccess(NOTHING);
    throw error;
  });
  newestLoad = load;
  return load;
}

function setAccess(value) {
  access = value;
  isKnown = true;
  showAllowed();
}

/** Load it unless loaded or loading. */
export const ensureAccess = () => newestLoad ?? loadAccess();

/** Call again when another view is shown. Before the first response, elements keep their places but are not seen. */
export function showAllowed() {
  if (!isKnown) return;
  document.documentElement.dataset.may = allowed().join(" ");
}

function allowed() {
  const actions = ["read", "write", "delete"].filter((name) => access.scopes.includes(`images:${name}`));
  const has = (name) => actions.includes(name);
  const inTrash = document.documentElement.dataset.view === "trash";
  if (has(hasNoTrash() ? "delete" : "write")) actions.push("trash");
  if (has("write") || (inTrash && has("delete"))) actions.push("select");
  return actions;
}
