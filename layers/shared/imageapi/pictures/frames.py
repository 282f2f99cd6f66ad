"""The frames of an animation as a viewer shows them, with their durations and the number of plays."""

import itertools
from collections.abc import Iterator
from typing import Any

from PIL import Image, _imaging
from PIL.PngImagePlugin import Disposal, PngImageFile

MAX_PLAYS = 65_535
MAX_ANIMATED_FRAMES = 300
MAX_ANIMATED_PIXELS = 100_000_000
"""Total pixels of all frames. Longer animations are rendered as their first frame."""
DEFAULT_DURATION = 100.0
"""Duration of a frame without one, in milliseconds."""
_GIF_PREVIOUS = 3
"""The GIF disposal method that restores the previous canvas."""


def has_default_image(image: Image.Image) -> bool:
    """Whether this is a PNG whose default image (for viewers without animation) is not one of its frames."""
    return isinstance(image, PngImageFile) and bool(image.default_image)


def seek_first_frame(image: Image.Image) -> None:
    """Seek to the first frame that is shown, without loading it. Call this before any other ``seek``."""
    if not has_default_image(image):
        return
    png: Any = image
    try:
        png.seek(1)
    except EOFError:  # the header declares a missing animation
        png.default_image, png.n_frames, png.is_animated = False, 1, False
        return
    # An animation begins on an empty canvas; Pillow 13.0.0 leaves the default image on it.
    png._prev_im = None
    png.im.paste(_imaging.fill(png.mode, png.size), (0, 0, *png.size))
    if png.dispose_op == Disposal.OP_PREVIOUS:
        png.dispose_op = Disposal.OP_BACKGROUND


def is_short_animation(image: Image.Image) -> bool:
    """Whether this is an animation that is short enough to render all frames. TIFF pages are not frames."""
    if image.format not in ("GIF", "WEBP", "PNG", "AVIF"):
        return False
    frames = getattr(image, "n_frames", 1) - has_default_image(image)
    return 2 <= frames <= MAX_ANIMATED_FRAMES and frames * image.width * image.height <= MAX_ANIMATED_PIXELS


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
    """Load the frame, and correct its disposal in two cases that are wrong in Pillow 13.0.0."""
    frame: Any = image
    is_undone = image.format == "PNG" and frame._prev_im and frame.dispose_op == Disposal.OP_PREVIOUS
    # Pillow draws a PNG frame with alpha onto its only copy of the previous canvas.
    before = frame._prev_im.copy() if is_undone else None
    frame.load()
    if is_undone:
        frame._prev_im = before
    is_first_gif = image.format == "GIF" and image.tell() == 0
    if is_first_gif and frame.disposal_method == _GIF_PREVIOUS and frame.dispose is None:
        # The canvas begins transparent. Pillow restores it only for a frame with transparency.
        x0, y0, x1, y1 = frame.dispose_extent
        frame.im = frame.im.convert("RGBA")
        frame._mode = "RGBA"
        frame.dispose = _imaging.fill("RGBA", (x1 - x0, y1 - y0), (0, 0, 0, 0))


def round_durations(durations: list[float]) -> list[int]:
    """Round to whole milliseconds without drift: each frame starts within 0.5 ms of its time."""
    ends = [round(end) for end in itertools.accumulate(durations)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def count_plays(image: Image.Image) -> int:
    """The number of plays, at most MAX_PLAYS; 0 means forever. A GIF counts repeats after the first play."""
    loop = image.info.get("loop")
    if image.format == "GIF":
        loop = 1 if loop is None else loop and loop + 1
    return loop if loop and loop <= MAX_PLAYS else 0
