// The page's address: the filters in its query string; the open picture, or the trash, in its hash.

let search = location.search;
let steppedBack = Promise.resolve(); // resolves when a step back by this page is done

const PICTURE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TRASH = "trash";

/** The id of the open picture. Empty if the hash is not an id, because ids go into request paths. */
export function pictureInAddress() {
  const id = location.hash.slice(1);
  return PICTURE_ID.test(id) ? id : "";
}

export const isTrashInAddress = () => location.hash === `#${TRASH}`;

const knownHash = () => (isTrashInAddress() ? TRASH : pictureInAddress());

/** Calls `onMove` when "back" or a typed hash changes what is in the address. */
export function setUpAddress(onMove) {
  addEventListener("popstate", () => {
    const hash = knownHash();
    if (!pictureInAddress()) history.scrollRestoration = "auto";
    writeAddress("replaceState", history.state, hash); // the filters may have changed since this entry was made
    onMove();
  });
}

export function writeFilters(parameters) {
  search = String(parameters) && `?${parameters}`;
  writeAddress("replaceState", history.state, knownHash());
}

/** Put a picture into a new history entry, so that "back" closes it. */
export async function enterPicture(id) {
  await steppedBack; // which would undo this entry
  history.scrollRestoration = "manual"; // closing it scrolls to the picture itself
  writeAddress("pushState", { entered: true }, id);
}

/** Put another picture into the same entry. */
export const replacePicture = (id) => writeAddress("replaceState", history.state, id);

/** Remove the picture. */
export function leavePicture() {
  if (pictureInAddress()) leave();
}

export async function enterTrash() {
  await steppedBack;
  writeAddress("pushState", { entered: true }, TRASH);
}

/** Resolves when the address is that of the gallery. */
export async function leaveTrash() {
  if (isTrashInAddress()) leave();
  await steppedBack;
}

/** An entry made by this page is left by a step back, which is asynchronous. */
function leave() {
  if (!history.state?.entered) return writeAddress("replaceState", null, "");
  steppedBack = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  history.back();
}

/** "./" is what <base> names: the folder of the page. */
const writeAddress = (method, state, hash) => history[method](state, "", `./${search}${hash && `#${hash}`}`);
