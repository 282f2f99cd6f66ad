"""The frames of an animation as a viewer shows them, and how long and how often."""

import itertools
from collections.abc import Iterator
from typing import Any

from PIL import Image, _imaging
from PIL.PngImagePlugin import Disposal, PngImageFile

MAX_PLAYS = 65_535
MAX_ANIMATED_FRAMES = 300
MAX_ANIMATED_PIXELS = 100_000_000
"""Over all frames. Longer animations are shown as their first frame."""
DEFAULT_DURATION = 100.0
"""Of a frame that does not say how long it is shown, in milliseconds."""
_GIF_PREVIOUS = 3
"""How a frame of a GIF is removed: by what was there before it."""


def has_default_image(image: Image.Image) -> bool:
    """Whether this is a PNG whose first picture is not part of the animation, but is for viewers without."""
    return isinstance(image, PngImageFile) and bool(image.default_image)


def seek_first_frame(image: Image.Image) -> None:
    """Go to the first picture that is shown; to be called before any ``seek``. It is not yet loaded."""
    if not has_default_image(image):
        return
    png: Any = image
    try:
        png.seek(1)
    except EOFError:  # the animation that the header announces is not there
        png.default_image, png.n_frames, png.is_animated = False, 1, False
        return
    # An animation begins on an empty canvas; Pillow 13.0.0 leaves the default image on it.
    png._prev_im = None
    png.im.paste(_imaging.fill(png.mode, png.size), (0, 0, *png.size))
    if png.dispose_op == Disposal.OP_PREVIOUS:
        png.dispose_op = Disposal.OP_BACKGROUND


def is_short_animation(image: Image.Image) -> bool:
    """Whether this is an animation short enough to render all its frames. Pages of a TIFF are none."""
    if image.format not in ("GIF", "WEBP", "PNG", "AVIF"):
        return False
    frames = getattr(image, "n_frames", 1) - has_default_image(image)
    if frames < 2:
        return False
    return frames <= MAX_ANIMATED_FRAMES and frames * image.width * image.height <= MAX_ANIMATED_PIXELS


def read_frames(image: Image.Image) -> Iterator[tuple[Image.Image, float]]:
    """Each frame in mode RGBA, and its duration in milliseconds."""
    seek_first_frame(image)
    for number in itertools.count(image.tell()):
        try:
            image.seek(number)
        except EOFError:
            return
        _load_frame(image)
        yield image.convert("RGBA"), float(image.info.get("duration") or DEFAULT_DURATION)


def _load_frame(image: Image.Image) -> None:
    """Load the frame and keep what is to be shown after it, in two cases that Pillow 13.0.0 gets wrong."""
    frame: Any = image
    is_undone = image.format == "PNG" and frame._prev_im and frame.dispose_op == Disposal.OP_PREVIOUS
    # Pillow draws a PNG's frame with alpha onto its only copy of what was there before.
    before = frame._prev_im.copy() if is_undone else None
    frame.load()
    if is_undone:
        frame._prev_im = before
    is_first_gif = image.format == "GIF" and image.tell() == 0
    if is_first_gif and frame.disposal_method == _GIF_PREVIOUS and frame.dispose is None:
        # Before the first frame there was nothing. Pillow knows that only of a frame with transparency.
        x0, y0, x1, y1 = frame.dispose_extent
        frame.im = frame.im.convert("RGBA")
        frame._mode = "RGBA"
        frame.dispose = _imaging.fill("RGBA", (x1 - x0, y1 - y0), (0, 0, 0, 0))


def round_durations(durations: list[float]) -> list[int]:
    """Whole milliseconds. Each frame begins within half of one of its time, however many there are."""
    ends = [round(end) for end in itertools.accumulate(durations)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def count_plays(image: Image.Image) -> int:
    """How often an animation plays, 0 for ever. A GIF says how often it is repeated after the first time;
    WebP can count to MAX_PLAYS.
    """
    loop = image.info.get("loop")
    if image.format == "GIF":
        loop = 1 if loop is None else loop and loop + 1
    return loop if loop and loop <= MAX_PLAYS else 0
