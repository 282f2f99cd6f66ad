"""320-pixel variants of a 12-megapixel JPEG, compared with plain Pillow; and the check of a link.

The variants are rendered from the upload's intermediate. The benchmark also measures the cost of the
intermediate, and a variant rendered from the original.
"""

import io
import time
from functools import partial
from urllib.parse import parse_qsl

from PIL import Image, ImageFilter

from benchmarks.figures import Figure, take_turns, timed

NAME = "render"
SIZE = (4000, 3000)
WIDTH = 320
ROUNDS, WARM_UP = 25, 3
GOAL = 0.3
LINK_GOAL_MS = 0.2
MAX_PIXELS = 100_000_000
PLAIN = "thumbnail()"
FORMATS = {"jpg": "JPEG", "webp": "WEBP"}


def run() -> list[Figure]:
    from imageapi.delivery import links
    from imageapi.model.variant_names import Variant
    from imageapi.pictures import inspect
    from imageapi.pictures.render import render

    data = make_photo()
    copy = inspect.inspect(io.BytesIO(data), MAX_PIXELS).intermediate
    assert copy, "a photo of this size has an intermediate"
    print(
        f"render: {SIZE[0]} x {SIZE[1]}, {len(data):,} bytes, copy of {len(copy):,}, {ROUNDS} rounds",
        flush=True,
    )

    def render_from(source: bytes, variant: Variant) -> bytes:
        return render(io.BytesIO(source), variant, MAX_PIXELS)

    calls = {
        "inspect": timed(lambda: inspect.inspect(io.BytesIO(data), MAX_PIXELS)),
        "decode": timed(lambda: decode(data)),
    }
    for extension in FORMATS:
        variant = Variant(WIDTH, False, extension)
        calls[extension] = timed(partial(render_from, copy, variant))
        calls[f"original {extension}"] = timed(partial(render_from, data, variant))
        calls[f"plain {extension}"] = timed(partial(render_plainly, data, extension))
    now, keys = time.time(), ("new", "old")
    link = links.sign_link("id", "w320", links.Validity(expires=links.expires_at(now, 3600)), keys=keys)
    query = dict(parse_qsl(link.partition("?")[2]))
    verify = partial(links.verify_link, "id", ["w320"], query, now=now, lifetime=3600, keys=keys)
    calls["link"] = timed(verify)
    take_turns(calls, WARM_UP)
    medians = take_turns(calls, ROUNDS)

    def compare(title: str, kind: str, goal: float | None = None) -> list[Figure]:
        pairs = {
            name: (medians[kind + extension], medians[f"plain {extension}"])
            for extension, name in FORMATS.items()
        }
        return [Figure(f"{title} {name}", *pair, PLAIN, goal=goal) for name, pair in pairs.items()]

    return [
        *compare(f"render, {WIDTH} px", "", GOAL),
        *compare("the same from the original,", "original "),
        Figure("check of the upload, with its copy", medians["inspect"], medians["decode"], "decode at 1/8"),
        Figure("check of a link", medians["link"], LINK_GOAL_MS, "0.2 ms", goal=1.0),
    ]


def decode(data: bytes) -> None:
    """The minimum work that proves a JPEG complete."""
    image = Image.open(io.BytesIO(data))
    image.draft(None, (SIZE[0] // 8, SIZE[1] // 8))
    image.load()


def render_plainly(data: bytes, extension: str) -> bytes:
    """Open, thumbnail and save, without the EXIF orientation."""
    image = Image.open(io.BytesIO(data))
    image.thumbnail((WIDTH, WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, FORMATS[extension])
    return buffer.getvalue()


def make_photo() -> bytes:
    """An image like a photo, with soft noise over gradients."""
    noise = Image.effect_noise(SIZE, 40).filter(ImageFilter.GaussianBlur(1.5))
    ramp = Image.linear_gradient("L").resize(SIZE)
    bands = [Image.blend(noise, ramp.rotate(angle), 0.6) for angle in (0, 90, 180)]
    buffer = io.BytesIO()
    Image.merge("RGB", bands).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
