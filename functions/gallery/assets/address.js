// The page's address: the filters in its query string, the open picture in its hash.

let search = location.search;
let steppedBack = Promise.resolve(); // when the last step back of leavePicture is done

const PICTURE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of the open picture; empty when the hash is none, since it becomes part of the paths of requests. */
export function pictureInAddress() {
  const id = location.hash.slice(1);
  return PICTURE_ID.test(id) ? id : "";
}

/** `onMove` is called when "back", or a hash that was typed, made the address name another picture or none. */
export function setUpAddress(onMove) {
  addEventListener("popstate", () => {
    const id = pictureInAddress();
    if (!id) history.scrollRestoration = "auto";
    writeAddress("replaceState", history.state, id); // the filters may have changed since this entry was made
    onMove();
  });
}

export function writeFilters(parameters) {
  search = String(parameters) && `?${parameters}`;
  writeAddress("replaceState", history.state, pictureInAddress());
}

/** Name a picture in a new entry of the history, so that "back" closes it. */
export async function enterPicture(id) {
  await steppedBack; // or that would undo this entry
  history.scrollRestoration = "manual"; // closing it scrolls to the picture itself
  writeAddress("pushState", { entered: true }, id);
}

/** Name another picture in the same entry. */
export const replacePicture = (id) => writeAddress("replaceState", history.state, id);

/** Name no picture any more. An entry that enterPicture made is left by a step back, which takes some time. */
export function leavePicture() {
  if (!pictureInAddress()) return;
  if (!history.state?.entered) return writeAddress("replaceState", null, "");
  steppedBack = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  history.back();
}

/** Relative to the page and not to <base>, which may be another address. */
const writeAddress = (method, state, id) => history[method](state, "", `./${search}${id && `#${id}`}`);
