// What is known of a picture, as names and values to show.

import { bytes, moment, number } from "./text.js";

export function factsOf(image) {
  const exif = image.exif;
  const size = `${number(image.width)} × ${number(image.height)} · ${bytes(image.size_bytes)}`;
  const type = image.mime_type.replace("image/", "").toUpperCase();
  return [
    ["category", image.category],
    ["file", image.filename],
    ["size", size],
    ["type", type],
    ["frames", image.frames > 1 && number(image.frames)],
    ["taken_at", exif.taken_at && moment(exif.taken_at)],
    ["camera", exif.camera],
    ["lens", exif.lens],
    ["exposure_time", exif.exposure_time && exposure(exif.exposure_time)],
    ["f_number", exif.f_number && `ƒ/${number(exif.f_number)}`],
    ["iso", exif.iso && String(exif.iso)],
    ["focal_length", exif.focal_length && `${number(exif.focal_length)} mm`],
    ["added", moment(image.created_at)],
    ["changed", moment(image.updated_at) !== moment(image.created_at) && moment(image.updated_at)],
  ].filter(([, value]) => value);
}

const exposure = (seconds) => (seconds < 0.3 ? `1/${number(Math.round(1 / seconds))} s` : `${number(seconds)} s`);
