// The API key: asked for once, and kept in this tab only.

import { byId } from "./dom.js";
import { explain } from "./explain.js";
import { t } from "./text.js";

const STORED = "image-api-key";
let key = normalizeKey(sessionStorage.getItem(STORED) ?? "") || null;
let asking = null;
let onNewKey = () => {};

/** Calls `handler` whenever the user has given a key. */
export const setUpKey = (handler) => { onNewKey = handler; };

/** Run `action` with the key; while the server refuses it, ask for another and retry. */
export async function withKey(action) {
  for (;;) {
    const used = key ?? await askForKey();
    try {
      return await action(used);
    } catch (error) {
      if (error.status !== 401) throw error;
      if (key === used) await askForKey(explain({ ...error, code: "api_key_invalid" }));
    }
  }
}

/** Open the dialog, unless it is open. Rejects when the user closes it without a key. */
export function askForKey(problem = "") {
  asking ??= openKeyDialog(problem).finally(() => { asking = null; });
  return asking;
}

function openKeyDialog(problem) {
  const [dialog, form, input] = [byId("key"), byId("key-form"), byId("key-input")];
  byId("key-problem").textContent = problem;
  input.value = "";
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve, reject) => {
    let given = "";
    byId("key-cancel").onclick = () => dialog.close();
    form.onsubmit = (event) => {
      given = normalizeKey(input.value);
      if (given) return storeKey(given);
      event.preventDefault();
      byId("key-problem").textContent = t("error_api_key_invalid");
      input.select();
    };
    dialog.onclose = () => {
      input.value = "";
      if (given) resolve(key);
      else reject(new NoKeyError());
    };
  });
}

function storeKey(given) {
  key = given;
  sessionStorage.setItem(STORED, key);
  onNewKey();
}

/** A key, trimmed and converted from full-width letters to ASCII; empty if that is impossible. */
function normalizeKey(text) {
  const normal = text.normalize("NFKC").trim();
  return /^[ -~]+$/.test(normal) ? normal : "";
}

class NoKeyError extends Error {
  code = "key_needed";
  status = 0;
}
