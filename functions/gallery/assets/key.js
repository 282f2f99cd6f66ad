// The API key: asked for once, kept for this tab only.

import { byId } from "./dom.js";
import { t } from "./text.js";

const STORED = "image-api-key";
let key = sessionStorage.getItem(STORED);
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
    byId("key-cancel").onclick = () => dialog.close();
    form.onsubmit = () => {
      key = input.value.trim();
      sessionStorage.setItem(STORED, key);
    };
    dialog.onclose = () => {
      const given = input.value.trim();
      input.value = "";
      if (given && given === key) resolve(key);
      else reject(new NoKeyError());
    };
  });
}

class NoKeyError extends Error {
  code = "key_needed";
  status = 0;
}
