// Small questions: whether to do something that cannot be undone, and what to do to the selected pictures.

import { byId, make } from "./dom.js";
import { t } from "./text.js";

/** Ask before something final. Resolves with whether the user agreed. */
export const confirmAction = async (title, text, action) =>
  await ask({ title, action, isDanger: true, fields: [make("p", { textContent: text })], read: () => true }) ?? false;

/** Ask for a text. Resolves with it, trimmed; undefined when the user cancelled. */
export function askForText({ title, label, action, list, maxLength, canBeEmpty = false }) {
  const input = make("input", { maxLength, dir: "auto", required: !canBeEmpty, autocomplete: "off" });
  if (list) input.setAttribute("list", list); // the property cannot be set
  const fields = [make("label", {}, make("span", { textContent: label }), input)];
  return ask({ title, action, fields, first: input, read: () => input.value.trim() });
}

/** Ask which of the options, [value, text] pairs, to choose. Resolves with the chosen values, at least one. */
export function askForChoice({ title, action, options }) {
  const boxes = options.map(([value]) => make("input", { type: "checkbox", value }));
  const labels = options.map(([, text], i) => make("label", { className: "option" }, boxes[i], make("span", { dir: "auto", textContent: text })));
  const chosen = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);
  for (const box of boxes) box.onchange = () => boxes[0].setCustomValidity(chosen().length ? "" : t("choose_one"));
  boxes[0].setCustomValidity(t("choose_one"));
  return ask({ title, action, first: boxes[0], fields: [make("div", { className: "options" }, ...labels)], read: chosen });
}

function ask({ title, action, fields, read, first = byId("ask-cancel"), isDanger = false }) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-fields").replaceChildren(...fields);
  byId("ask-action").textContent = action;
  byId("ask-action").className = `button ${isDanger ? "danger-fill" : "primary"}`;
  byId("ask-cancel").onclick = () => dialog.close();
  dialog.showModal();
  first.focus();
  return new Promise((resolve) => {
    let answer;
    byId("ask-form").onsubmit = () => { answer = read(); };
    dialog.onclose = () => resolve(answer);
  });
}
