// The page's address: the filters in its query string, the open picture in its hash.

let search = location.search;
let steppedBack = Promise.resolve(); // resolves when leavePicture's step back is done

const PICTURE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of the open picture. Empty if the hash is not an id, because ids go into request paths. */
export function pictureInAddress() {
  const id = location.hash.slice(1);
  return PICTURE_ID.test(id) ? id : "";
}

/** Calls `onMove` when "back" or a typed hash changes or removes the picture in the address. */
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

/** Put a picture into a new history entry, so that "back" closes it. */
export async function enterPicture(id) {
  await steppedBack; // which would undo this entry
  history.scrollRestoration = "manual"; // closing it scrolls to the picture itself
  writeAddress("pushState", { entered: true }, id);
}

/** Put another picture into the same entry. */
export const replacePicture = (id) => writeAddress("replaceState", history.state, id);

/** Remove the picture. An entry made by enterPicture is left by a step back, which is asynchronous. */
export function leavePicture() {
  if (!pictureInAddress()) return;
  if (!history.state?.entered) return writeAddress("replaceState", null, "");
  steppedBack = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  history.back();
}

/** "./" is what <base> names: the folder of the page. */
const writeAddress = (method, state, id) => history[method](state, "", `./${search}${id && `#${id}`}`);
