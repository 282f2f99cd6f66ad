// Small helpers for the page's elements.

export const byId = (id) => document.getElementById(id);

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

/** Let a screen reader say it. The same text twice is said twice. */
export function announce(text) {
  const announcer = byId("announcer");
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 50);
}

/** A message at the foot of the page, with a button or without. Returns what takes it away. */
export function toast(text, { label, onPress, seconds = 6 } = {}) {
  const element = make("div", { className: "toast" }, make("p", { textContent: text }));
  const dismiss = () => { clearTimeout(timer); element.remove(); };
  if (label) {
    element.append(make("button", {
      className: "button",
      textContent: label,
      onclick: () => { dismiss(); onPress(); },
    }));
  }
  byId("toasts").append(element);
  announce(text);
  const timer = setTimeout(dismiss, seconds * 1000);
  return dismiss;
}

/** Resolves after so many seconds; rejects when the signal says stop. */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
