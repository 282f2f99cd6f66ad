// Which of an image's links to use: a still one of an animation, where the user prefers reduced motion.

const STILL = { thumbnail: "w320.jpg", preview: "w1280.jpg" };
const THUMBNAIL_PX = 320;
const [SHARP, SHARP_PX] = ["w640", 640];
const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** What an image has to be asked for with, to have all the links that are used here. */
export const furtherLinks = () => [SHARP, ...(prefersStill() ? Object.values(STILL) : [])].join();

/** The path in the API of an image with all these links. */
export const pathOf = (id) => `api/images/${id}?variants=${furtherLinks()}`;

/** Undefined when the image has to be loaded from pathOf first. */
export const linkOf = ({ frames, urls }, name) => urls[frames > 1 && prefersStill() ? STILL[name] : name];

/** For `srcset`: two widths of the thumbnail. Empty for small pictures, and for animations, which would take long. */
export const thumbnailSet = ({ frames, width, urls }) => (
  frames === 1 && width > THUMBNAIL_PX && urls[SHARP]
    ? `${urls.thumbnail} ${THUMBNAIL_PX}w, ${urls[SHARP]} ${Math.min(width, SHARP_PX)}w`
    : ""
);
