// Which of an image's links to use: a still one of an animation, where the user prefers reduced motion.

const STILL = { thumbnail: "w320.jpg", preview: "w1280.jpg" };
const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The path in the API of an image with all the links that linkOf may need. */
export const pathOf = (id) => `api/images/${id}${prefersStill() ? `?variants=${Object.values(STILL)}` : ""}`;

/** Undefined when the image has to be loaded from pathOf first. */
export const linkOf = ({ frames, urls }, name) => urls[frames > 1 && prefersStill() ? STILL[name] : name];
