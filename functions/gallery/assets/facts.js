// The facts about a picture, as [name, text] pairs; names are those of text.js without `fact_`.

import { formatBytes, formatNumber, formatTime } from "./text.js";

export function factsOf(image) {
  const exif = image.exif;
  const size = `${formatNumber(image.width)} × ${formatNumber(image.height)} · ${formatBytes(image.size_bytes)}`;
  const type = image.mime_type.replace("image/", "").toUpperCase();
  return [
    ["category", image.category],
    ["file", image.filename],
    ["size", size],
    ["type", type],
    ["frames", image.frames > 1 && formatNumber(image.frames)],
    ["taken_at", exif.taken_at && formatTime(exif.taken_at)],
    ["camera", exif.camera],
    ["lens", exif.lens],
    ["exposure_time", exif.exposure_time && formatExposure(exif.exposure_time)],
    ["f_number", exif.f_number && `ƒ/${formatNumber(exif.f_number)}`],
    ["iso", exif.iso && String(exif.iso)],
    ["focal_length", exif.focal_length && `${formatNumber(exif.focal_length)} mm`],
    ["added", formatTime(image.created_at)],
    ["changed", formatTime(image.updated_at) !== formatTime(image.created_at) && formatTime(image.updated_at)],
  ].filter(([, value]) => value);
}

const formatExposure = (seconds) =>
  (seconds < 0.3 ? `1/${formatNumber(Math.round(1 / seconds))} s` : `${formatNumber(seconds)} s`);
