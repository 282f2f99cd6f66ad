// The page's address: the filters in its search, the picture that is open in its hash.

let search = location.search;
let left = Promise.resolve();

export const pictureInAddress = () => location.hash.slice(1);

/** `onMove` is called when "back" or a person's own hand made the address name another picture, or none. */
export function setUpAddress(onMove) {
  addEventListener("popstate", () => {
    const id = pictureInAddress();
    if (!id) history.scrollRestoration = "auto";
    put("replaceState", history.state, id); // the filters may have changed since this entry was made
    onMove();
  });
}

export function keepFilters(parameters) {
  search = String(parameters) && `?${parameters}`;
  put("replaceState", history.state, pictureInAddress());
}

/** Name a picture, so that "back" leaves it. */
export async function enter(id) {
  await left; // or the step back would undo this one
  history.scrollRestoration = "manual"; // the list stays where it is, or goes to the picture that was left
  put("pushState", { entered: true }, id);
}

/** Name another picture instead. */
export const exchange = (id) => put("replaceState", history.state, id);

/** Name none any more: by a step back, where naming it was a step forward. */
export function leave() {
  if (!pictureInAddress()) return;
  if (!history.state?.entered) return put("replaceState", null, "");
  left = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  history.back();
}

/** Relative to the page, whose <base> may be another one. */
const put = (how, state, id) => history[how](state, "", `./${search}${id && `#${id}`}`);
