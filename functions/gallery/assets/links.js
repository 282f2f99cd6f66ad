// Which of an image's links to use: an animation's stills, if the user prefers reduced motion.

const STILL = { thumbnail: "w320.jpg", preview: "w1280.jpg" };
const THUMBNAIL_PX = 320;
const SHARP = "w640";
const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The `variants` parameter of a request for all the links used here. */
export const furtherLinks = () => [SHARP, ...(prefersStill() ? Object.values(STILL) : [])].join();

/** The API path of an image with all these links. */
export const pathOf = (id) => `api/images/${id}?variants=${furtherLinks()}`;

const variantOf = ({ variants }, name) => variants.find((variant) => variant.name === name);

/** Undefined if the image must first be loaded from pathOf. */
export const linkOf = (image, name) =>
  (image.frames > 1 && prefersStill() ? variantOf(image, STILL[name])?.url : image.urls[name]);

/** For `srcset`: two widths of the thumbnail. Empty for small pictures, and for animations, which would take long. */
export function thumbnailSet(image) {
  const sharp = variantOf(image, SHARP);
  const hasTwo = image.frames === 1 && sharp?.width > THUMBNAIL_PX;
  return hasTwo ? `${image.urls.thumbnail} ${THUMBNAIL_PX}w, ${sharp.url} ${sharp.width}w` : "";
}
