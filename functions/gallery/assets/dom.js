// Small helpers for the page's elements.

export const byId = (id) => document.getElementById(id);

/** The inputs of the edit form, one for each text field of the metadata; data-field is its name. */
export const textInputs = () => byId("edit-form").querySelectorAll("[data-field]");

/** An element with properties (or, where it has no such property, attributes) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Announce this to screen readers, even if it repeats the last text. */
export function announce(text) {
  const announcer = byId("announcer");
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 50);
}

/**
 * Show a message at the bottom of the page for `seconds`, longer while the pointer is on it or its button has the
 * focus. `label` and `onPress` make a button, `said` is the text for screen readers, and `onEnd` replaces `dismiss`
 * when the time is up. Returns the button, if any, and `dismiss`, which removes the message.
 */
export function showToast(text, { said = text, label, onPress, onEnd, seconds = 6 } = {}) {
  const element = make("div", { className: "toast" }, make("p", { textContent: text }));
  const dismiss = () => { clearTimeout(timer); element.remove(); };
  const end = () => {
    if (element.matches(":hover, :has(:focus-visible)")) timer = setTimeout(end, 1000);
    else (onEnd ?? dismiss)();
  };
  let timer = setTimeout(end, seconds * 1000);
  const button = label && make("button", { className: "button", textContent: label, onclick: onPress });
  if (button) element.append(button);
  keepOnTop(byId("toasts"));
  byId("toasts").append(element);
  announce(said);
  return { button, dismiss };
}

/** Nothing outside an open dialog is above it, or can be used. */
function keepOnTop(element) {
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  if (!dialog || dialog.contains(element)) return;
  dialog.append(element);
  dialog.addEventListener("close", () => document.body.append(element), { once: true });
}
