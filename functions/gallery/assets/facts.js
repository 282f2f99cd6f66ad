// The facts about a picture, as [label, text] pairs.

import { textInputs } from "./dom.js";
import { formatBytes, formatNumber, formatTime, t } from "./text.js";

const SHOWN_ELSEWHERE = ["title", "description"];

export function factsOf(image) {
  const fields = Array.from(textInputs(), (input) => input.dataset.field);
  return [
    ...fields.filter((name) => !SHOWN_ELSEWHERE.includes(name)).map((name) => [t(name), image[name]]),
    ...fileFacts(image).map(([name, value]) => [t(`fact_${name}`), value]),
  ].filter(([, value]) => value);
}

function fileFacts(image) {
  const exif = image.exif;
  const size = `${formatNumber(image.width)} × ${formatNumber(image.height)} · ${formatBytes(image.size_bytes)}`;
  const type = image.mime_type.replace("image/", "").toUpperCase();
  return [
    ["filename", image.filename],
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
  ];
}

const formatExposure = (seconds) =>
  (seconds < 0.3 ? `1/${formatNumber(Math.round(1 / seconds))} s` : `${formatNumber(seconds)} s`);
