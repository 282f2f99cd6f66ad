// The API key: asked for once, kept for this tab only.

import { byId } from "./dom.js";
import { t } from "./text.js";

const STORED = "image-api-key";
let key = clean(sessionStorage.getItem(STORED) ?? "") || null;
let asking = null;

/** Run `action` with the key; ask for another one as long as the server refuses it. */
export async function withKey(action) {
  for (;;) {
    const used = key ?? await askForKey();
    try {
      return await action(used);
    } catch (error) {
      if (error.status !== 401) throw error;
      if (key === used) await askForKey(t("key_refused"));
    }
  }
}

/** The key if there is one: for a request that cannot wait. */
export const currentKey = () => key;

/** Open the dialog, unless it is open. Rejects when the person closes it without a key. */
export function askForKey(problem = "") {
  asking ??= openDialog(problem).finally(() => { asking = null; });
  return asking;
}

function openDialog(problem) {
  const [dialog, form, input] = [byId("key"), byId("key-form"), byId("key-input")];
  byId("key-problem").textContent = problem;
  input.value = "";
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve, reject) => {
    let given = "";
    byId("key-cancel").onclick = () => dialog.close();
    form.onsubmit = (event) => {
      given = clean(input.value);
      if (given) return keep(given);
      event.preventDefault();
      byId("key-problem").textContent = t("key_refused");
      input.select();
    };
    dialog.onclose = () => {
      input.value = "";
      if (given) resolve(key);
      else reject(new NoKeyError());
    };
  });
}

function keep(given) {
  key = given;
  sessionStorage.setItem(STORED, key);
}

/** A key as it was meant, were it typed in full-width letters; empty when no header can carry it. */
function clean(text) {
  const meant = text.normalize("NFKC").trim();
  return /^[ -~]+$/.test(meant) ? meant : "";
}

class NoKeyError extends Error {
  code = "key_needed";
  status = 0;
}
