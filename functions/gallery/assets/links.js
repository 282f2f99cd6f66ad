// Which link shows a picture: of one that moves a still one, where the person does not want movement.

const STILL = { thumbnail: "w320.jpg", preview: "w1280.jpg" };
const wantsStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Where to ask for an image with all the links that linkOf may need. */
export const pathOf = (id) => `api/images/${id}${wantsStill() ? `?variants=${Object.values(STILL)}` : ""}`;

/** None when the image has to be asked for first. */
export const linkOf = ({ frames, urls }, name) => urls[frames > 1 && wantsStill() ? STILL[name] : name];
