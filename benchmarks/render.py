"""Renditions of 320 pixels from a 12-megapixel JPEG, against the plain Pillow way; and checking a link."""

import io
import time

from PIL import Image, ImageFilter

from benchmarks.figures import Figure, take_turns, timed

NAME = "render"
SIZE = (4000, 3000)
WIDTH = 320
ROUNDS, WARM_UP = 25, 3
GOAL = 0.5
"""Twice as many a second on one core."""
LINK_GOAL_MS = 0.2
FORMATS = {"jpg": "JPEG", "webp": "WEBP"}


def run() -> list[Figure]:
    from imageapi import links
    from imageapi.rendering import render
    from imageapi.variants import Variant

    data = make_photo()
    print(f"render: {SIZE[0]} x {SIZE[1]}, {len(data):,} bytes, {ROUNDS} rounds", flush=True)
    calls = {}
    for extension in FORMATS:
        variant = Variant(WIDTH, False, extension)
        calls[extension] = timed(lambda variant=variant: render(io.BytesIO(data), variant, 100_000_000))  # type: ignore[misc]
        calls[f"plain {extension}"] = timed(lambda extension=extension: render_plainly(data, extension))  # type: ignore[misc]
    now, keys = time.time(), ("new", "old")
    link = links.sign_link("id", "w320", expires=links.expires_at(now, 3600), keys=keys)
    expires, _, signature = link.partition("?e=")[2].partition("&s=")
    calls["link"] = timed(lambda: links.verify_link("id", "w320", expires, signature, now=now, keys=keys))
    take_turns(calls, WARM_UP)
    medians = take_turns(calls, ROUNDS)
    figures = [
        Figure(
            f"render, {WIDTH} px {FORMATS[name]}",
            medians[name],
            medians[f"plain {name}"],
            "thumbnail()",
            goal=GOAL,
        )
        for name in FORMATS
    ]
    return [*figures, Figure("check of a link", medians["link"], LINK_GOAL_MS, "0.2 ms", goal=1.0)]


def render_plainly(data: bytes, extension: str) -> bytes:
    """Open, thumbnail, save: what anyone writes first. It leaves the picture lying on its side."""
    image = Image.open(io.BytesIO(data))
    image.thumbnail((WIDTH, WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, FORMATS[extension])
    return buffer.getvalue()


def make_photo() -> bytes:
    """Something like a photo: soft noise over gradients."""
    noise = Image.effect_noise(SIZE, 40).filter(ImageFilter.GaussianBlur(1.5))
    ramp = Image.linear_gradient("L").resize(SIZE)
    bands = [Image.blend(noise, ramp.rotate(angle), 0.6) for angle in (0, 90, 180)]
    buffer = io.BytesIO()
    Image.merge("RGB", bands).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
