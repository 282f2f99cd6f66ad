"""What the demo pictures are painted with: palettes, gradients, noise. Pillow and a seeded Random."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]


@dataclass(frozen=True)
class Palette:
    """A mood: its name in two languages, and its colours from dark to light."""

    english: str
    japanese: str
    colours: tuple[Colour, ...]

    @property
    def dark(self) -> Colour:
        return self.colours[0]

    @property
    def light(self) -> Colour:
        return self.colours[-1]

    def pick(self, random: Random) -> Colour:
        """One of the colours between the darkest and the lightest."""
        return random.choice(self.colours[1:-1])


def parse_colours(text: str) -> tuple[Colour, ...]:
    """Colours from "0b1d3a 27476e"."""
    return tuple((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in text.split())


PALETTES = [
    Palette(english, japanese, parse_colours(colours))
    for english, japanese, colours in (
        ("dusk", "夕暮れ", "1b1035 4b1d5e 9a2a6b e2555b f99d5c ffe3a8"),
        ("dawn", "夜明け", "14213d 355070 6d597a b56576 e88c7d fbd9b5"),
        ("ocean", "海", "03142b 05386b 0b6e99 2aa9b8 8edccf e9fbf3"),
        ("forest", "森", "0c1f17 1d4031 35684a 6a994e b5c99a f2f4dc"),
        ("indigo", "藍", "0d0b2b 1f2a6b 3d52a0 7091e6 adbbda f0f2fb"),
        ("sakura", "桜", "3b1c32 6a2c4f b0567f e58fb1 f7c6d8 fff1f5"),
        ("autumn", "紅葉", "241008 5c1f10 a63c14 de7a22 f2b84b fbeed0"),
        ("matcha", "抹茶", "1e2613 435726 728c3b a9bd6a d8dfaa f8f6e3"),
        ("neon", "ネオン", "0a0620 2b0f54 7b1fa2 ff2e88 ff8a5c 3ef0e0"),
        ("slate", "灰", "15191f 2f3a46 566573 8798a5 c3ced6 f4f6f8"),
        ("sand", "砂", "2c1d10 6b4a2b a9793f d4a866 ebd2a0 fbf4e3"),
        ("ice", "氷", "0f2027 203a43 3f6f86 7fb3cc c5e3ef f8fdff"),
    )
]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def shift_hue(colour: Colour, turn: float) -> Colour:
    """The colour with its hue turned by a part of the circle."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def ramp(colours: Sequence[Colour]) -> list[Colour]:
    """256 colours, evenly from the first to the last."""
    last = len(colours) - 1
    places = [step * last / 255 for step in range(256)]
    return [mix(colours[min(int(p), last - 1)], colours[min(int(p), last - 1) + 1], p - min(int(p), last - 1))
            for p in places]  # fmt: skip


def colour_map(grey: Image.Image, colours: Sequence[Colour]) -> Image.Image:
    """Black becomes the first colour, white the last."""
    table = ramp(colours)
    return Image.merge("RGB", [grey.point([colour[band] for colour in table]) for band in range(3)])


def gradient(size: Size, colours: Sequence[Colour], angle: float = 0) -> Image.Image:
    """From the top to the bottom, or turned by so many degrees."""
    grey = Image.linear_gradient("L")
    if angle:
        # The middle of a turned square twice as large has no corners in it.
        grey = grey.resize((512, 512)).rotate(angle, Image.Resampling.BICUBIC).crop((106, 106, 406, 406))
    return colour_map(grey.resize(size, Image.Resampling.BICUBIC), colours)


def glow(size: Size, centre: tuple[float, float], radius: float) -> Image.Image:
    """A mask: white in the centre, black from `radius` on."""
    mask = Image.new("L", size)
    disc = ImageChops.invert(Image.radial_gradient("L")).point([max(0, 2 * v - 255) for v in range(256)])
    side = max(2, round(radius * 2))
    mask.paste(disc.resize((side, side)), (round(centre[0] - radius), round(centre[1] - radius)))
    return mask


def noise(size: Size, random: Random, coarse: int = 4, octaves: int = 5) -> Image.Image:
    """Clouds: grey, smooth, from black to white. `coarse` is the number of lumps across."""
    total = Image.new("L", size, 128)
    ratio = size[1] / size[0]
    for octave in range(octaves):
        across = coarse * 2**octave
        grid = (max(2, across), max(2, round(across * ratio)))
        layer = Image.frombytes("L", grid, random.randbytes(grid[0] * grid[1]))
        layer = layer.resize(size, Image.Resampling.BICUBIC)
        total = layer if octave == 0 else Image.blend(total, layer, 0.5**octave * 0.7)
    low, high = total.getextrema()
    scale = 255 / max(1, float(high) - float(low))  # type: ignore[arg-type]
    return total.point([round((v - float(low)) * scale) for v in range(256)])  # type: ignore[arg-type]


def ridge(random: Random, width: int, height: float, roughness: float) -> list[float]:
    """A mountain's outline, a height for each of some 260 places: midpoint displacement."""
    points = [random.uniform(0, height), random.uniform(0, height)]
    reach = height
    while len(points) < 257:
        between = [(a + b) / 2 + random.uniform(-reach, reach) / 2 for a, b in pairwise(points)]
        points = [value for pair in zip(points, between, strict=False) for value in pair] + [points[-1]]
        reach *= roughness
    return points


def soft(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def grain(image: Image.Image, random: Random) -> Image.Image:
    """A little film grain: gradients without bands."""
    speckle = Image.frombytes("L", image.size, random.randbytes(image.width * image.height)).convert("RGB")
    return Image.blend(image, ImageChops.overlay(image, speckle), 0.08)


def draw_on(size: Size, background: Image.Image | Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A canvas of twice the size: finish() makes its edges smooth."""
    double = (size[0] * 2, size[1] * 2)
    if isinstance(background, Image.Image):
        canvas = background.resize(double, Image.Resampling.BICUBIC)
    else:
        canvas = Image.new("RGB", double, background)
    return canvas, ImageDraw.Draw(canvas)


def finish(canvas: Image.Image) -> Image.Image:
    return canvas.reduce(2)
