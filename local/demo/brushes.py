"""Brushes of the demo pictures: colors, gradients, clouds, light and water."""

from collections.abc import Sequence
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageOps

Colour = tuple[int, ...]
Colours = Sequence[Colour]
"""From dark to light."""
Size = tuple[int, int]
Point = tuple[float, float]
BICUBIC = Image.Resampling.BICUBIC


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Blend two colors. `share` is the share of the second one."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def gradient(size: Size, colours: Colours) -> Image.Image:
    """A gradient from the first color at the top to the last at the bottom."""
    strip = Image.new("RGB", (1, len(colours)))
    strip.putdata(colours)
    return strip.resize(size, BICUBIC, (0, 0.5, 1, len(colours) - 0.5))


def colorize(grey: Image.Image, colours: Colours) -> Image.Image:
    """Map black to the first color and white to the last."""
    grey.putpalette(gradient((1, 256), colours).tobytes())
    return grey.convert("RGB")


def noise(random: Random, size: Size, lumps: Size, octaves: int = 5) -> Image.Image:
    """Smooth clouds from black to white; `lumps` is their number across and down."""
    total = Image.new("L", size)
    for octave in range(octaves):
        grid = (lumps[0] << octave, lumps[1] << octave)
        layer = Image.frombytes("L", grid, random.randbytes(grid[0] * grid[1])).resize(size, BICUBIC)
        total = Image.blend(total, layer, 0.7 * 0.5**octave if octave else 1)
    return ImageOps.autocontrast(total)


def glow(picture: Image.Image, centre: Point, reach: Point, colour: Colour) -> None:
    """Add light that fades from the center to an ellipse of these radii."""
    mask = Image.radial_gradient("L").point(lambda v: max(0, 255 - v * 1.42))
    mask = mask.resize((round(reach[0] * 2), round(reach[1] * 2)))
    picture.paste(colour, (round(centre[0] - reach[0]), round(centre[1] - reach[1])), mask)


def sky(random: Random, size: Size, colours: Colours) -> tuple[Image.Image, Point]:
    """A sky with clouds and a low sun, and the sun's position."""
    width, height = size
    picture, density = gradient(size, colours[1:5]), random.uniform(0.5, 1.1)
    sun = (width * random.uniform(0.25, 0.75), height * random.uniform(0.3, 0.5))
    glow(picture, sun, (width * 0.5, height * 0.6), mix(colours[4], colours[5], 0.8))
    clouds = noise(random, size, (2, 7)).point(lambda v: max(0, v - 110) * density)
    picture.paste(mix(colours[4], colours[5], 0.5), (0, 0), clouds)
    ImageDraw.Draw(picture).circle(sun, min(size) * 0.04, colours[5])
    return picture, sun


def reflect(random: Random, picture: Image.Image, horizon: int, colours: Colours, x: float) -> None:
    """Draw water that mirrors the picture above the horizon, with a path of light at x."""
    size = (picture.width, picture.height - horizon)
    water = ImageOps.flip(picture.crop((0, max(0, horizon - size[1]), size[0], horizon))).resize(size)
    water = ImageChops.multiply(water, gradient(size, [mix(colours[2], (255,) * 3, 0.55), colours[2]]))
    waves = noise(random, (size[0], size[1] * 3), (4, 60), 3).crop((0, 0, *size))
    water.paste(colours[1], (0, 0), waves.point(lambda v: max(0, 140 - v)))
    path = Image.new("L", size)
    glow(path, (x, 0), (size[0] * 0.16, size[1]), (255,))
    light = ImageChops.multiply(path, waves.point(lambda v: min(255, max(0, v - 120) * 4)))
    water.paste(colours[5], (0, 0), light)
    picture.paste(water, (0, horizon))
