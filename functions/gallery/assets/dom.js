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

/**
 * A message at the foot of the page, with a button or without, for some seconds and as long as it is pointed at
 * or its button has the keyboard. `said` is for screen readers; `onEnd` is called instead of taking it away.
 * Returns the button and what takes the message away.
 */
export function toast(text, { said = text, label, onPress, onEnd, seconds = 6 } = {}) {
  const element = make("div", { className: "toast" }, make("p", { textContent: text }));
  const dismiss = () => { clearTimeout(timer); element.remove(); };
  const end = () => {
    if (element.matches(":hover, :has(:focus-visible)")) timer = setTimeout(end, 1000);
    else (onEnd ?? dismiss)();
  };
  let timer = setTimeout(end, seconds * 1000);
  const button = label && make("button", { className: "button", textContent: label, onclick: onPress });
  if (button) element.append(button);
  byId("toasts").append(element);
  announce(said);
  return { button, dismiss };
}

/** Resolves after so many seconds; rejects when the signal says stop. */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
