// Which of an image's links to use: an animation's stills, if the user prefers reduced motion.

const STILL = { thumbnail: "w320.jpg", preview: "w1280.jpg" };
const THUMBNAIL_PX = 320;
const [SHARP, SHARP_PX] = ["w640", 640];
const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The `variants` parameter of a request for all the links used here. */
export const furtherLinks = () => [SHARP, ...(prefersStill() ? Object.values(STILL) : [])].join();

/** The API path of an image with all these links. */
export const pathOf = (id) => `api/images/${id}?variants=${furtherLinks()}`;

/** Undefined if the image must first be loaded from pathOf. */
export const linkOf = ({ frames, urls }, name) => urls[frames > 1 && prefersStill() ? STILL[name] : name];

/** For `srcset`: two widths of the thumbnail. Empty for small pictures, and for animations, which would take long. */
export const thumbnailSet = ({ frames, width, urls }) => (
  frames === 1 && width > THUMBNAIL_PX && urls[SHARP]
    ? `${urls.thumbnail} ${THUMBNAIL_PX}w, ${urls[SHARP]} ${Math.min(width, SHARP_PX)}w`
    : ""
);
