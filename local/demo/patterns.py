"""Demo pictures of nothing in particular: gradients, patterns, fractals, animations."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from local.demo.paint import (
    Palette,
    Size,
    colour_map,
    draw_on,
    finish,
    glow,
    gradient,
    grain,
    mix,
    noise,
    shift_hue,
    soft,
)
from local.demo.scenes import draw_disc

Pen = ImageDraw.ImageDraw

FRAMES = 24
# Places on the edge of the Mandelbrot set: middle, and half of the width that is seen.
PLACES = (
    (-0.743_643, 0.131_825, 0.003),
    (-0.747, 0.1, 0.02),
    (-0.1607, 1.0376, 0.012),
    (-1.25066, 0.02012, 0.006),
    (-0.77568, 0.13646, 0.01),
    (-0.5, 0.0, 1.6),
    (0.2755, 0.0065, 0.012),
    (-1.768, 0.0, 0.06),
)


def paint_gradient(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Soft lights that flow into each other."""
    picture = gradient(size, [palette.colours[1], palette.colours[4]], random.uniform(0, 180))
    for _ in range(random.randint(4, 7)):
        centre = (random.uniform(0, size[0]), random.uniform(0, size[1]))
        mask = glow(size, centre, max(size) * random.uniform(0.25, 0.6)).point(lambda v: v * 0.85)
        picture.paste(Image.new("RGB", size, random.choice(palette.colours[1:])), mask=mask)
    return grain(picture, random)


def paint_marble(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Clouds folded over themselves: marble, or the lines of a map."""
    grey = noise(size, random, random.choice((2, 3, 4)), 6)
    folds = random.choice((3, 5, 8))
    if random.random() < 0.5:
        folded = grey.point([round(127 - 127 * math.cos(v / 255 * math.tau * folds)) for v in range(256)])
        return colour_map(folded, palette.colours)
    steps = 4 + folds
    terraces = grey.point([v * steps // 256 * 255 // (steps - 1) for v in range(256)])
    relief = colour_map(terraces, palette.colours)
    return soft(relief, 0.8)


def paint_tiles(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Quarter circles, discs and triangles in a grid."""
    canvas, draw = draw_on(size, palette.light)
    side = min(size) * 2 // random.choice((4, 5, 6, 8))
    for y in range(0, size[1] * 2, side):
        for x in range(0, size[0] * 2, side):
            back, front = random.sample(palette.colours, 2)
            box = (x, y, x + side, y + side)
            draw.rectangle(box, back)
            kind = random.randrange(5)
            if kind < 2:
                corner = random.randrange(4)
                cx, cy = x + side * (corner % 2), y + side * (corner // 2)
                start = (0, 90, 270, 180)[corner]
                for reach, colour in ((side, front), (side // 2, back)):
                    draw.pieslice((cx - reach, cy - reach, cx + reach, cy + reach), start, start + 90, colour)
            elif kind == 2:
                draw.ellipse((x + side * 0.15, y + side * 0.15, x + side * 0.85, y + side * 0.85), front)
            elif kind == 3:
                draw.polygon(
                    random.sample([(x, y), (x + side, y), (x, y + side), (x + side, y + side)], 3), front
                )
            else:
                for stripe in range(0, side, max(2, side // 4)):
                    draw.rectangle((x, y + stripe, x + side, y + stripe + side // 8), front)
    return finish(canvas)


def paint_waves(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Overlapping scales, as on a wave pattern from Edo."""
    canvas, draw = draw_on(size, palette.light)
    radius = min(size) * 2 / random.choice((6, 8, 10))
    rows = int(size[1] * 4 / radius) + 4
    for row in range(rows):
        for column in range(-1, int(size[0] / radius) + 3):
            x = column * radius * 2 + (row % 2) * radius
            y = row * radius / 2
            base = palette.colours[1 + (row * 3 + column) % (len(palette.colours) - 2)]
            for ring in range(5):
                draw_disc(draw, (x, y), radius * (1 - ring * 0.19), palette.light if ring % 2 else base)
    return finish(canvas)


def paint_triangles(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A landscape of facets, light on one side."""
    across = random.choice((8, 11, 14))
    down = max(3, round(across * size[1] / size[0]))
    step_x, step_y = size[0] * 2 / across, size[1] * 2 / down
    points = {
        (i, j): ((i + random.uniform(-0.35, 0.35)) * step_x, (j + random.uniform(-0.35, 0.35)) * step_y)
        for i in range(-1, across + 2)
        for j in range(-1, down + 2)
    }
    tones = gradient((across + 2, down + 2), palette.colours, random.uniform(-60, 60))
    canvas, draw = draw_on(size, palette.dark)
    for i in range(-1, across + 1):
        for j in range(-1, down + 1):
            tone = tones.getpixel((i + 1, j + 1))
            corners = [points[i, j], points[i + 1, j], points[i + 1, j + 1], points[i, j + 1]]
            for half in ((0, 1, 2), (0, 2, 3)):
                shade = mix(tone, random.choice((palette.light, palette.dark)), random.uniform(0, 0.25))  # type: ignore[arg-type]
                draw.polygon([corners[k] for k in half], shade)
    return finish(canvas)


def paint_mandelbrot(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A place on the edge of the Mandelbrot set."""
    x, y, half = random.choice(PLACES)
    half *= random.uniform(0.6, 1.3)
    tall = half * size[1] / size[0]
    grey = Image.effect_mandelbrot(size, (x - half, y - tall, x + half, y + tall), 180)
    turns = random.choice((1, 2, 3))
    folded = grey.point(
        [round(127 - 127 * math.cos(v / 255 * math.pi * (2 * turns - 1))) for v in range(256)]
    )
    return colour_map(folded, palette.colours)


def paint_tree(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A fractal tree in blossom."""
    canvas, draw = draw_on(size, gradient(size, [palette.light, palette.colours[4]]))
    spread, blossom = random.uniform(0.32, 0.5), palette.pick(random)

    def branch(x: float, y: float, angle: float, length: float, depth: int) -> None:
        tip = (x + math.cos(angle) * length, y + math.sin(angle) * length)
        draw.line(
            (x, y, *tip), mix(palette.dark, palette.colours[2], 1 - depth / 10), max(2, int(length / 9))
        )
        if depth <= 2:
            draw_disc(
                draw,
                tip,
                length * random.uniform(0.3, 0.8),
                mix(blossom, palette.light, random.random() * 0.6),
            )
        if depth:
            for side in (-1, 1):
                branch(
                    *tip,
                    angle + side * spread * random.uniform(0.6, 1.4),
                    length * random.uniform(0.68, 0.82),
                    depth - 1,
                )

    height = size[1] * 2
    draw.ellipse(
        (size[0] * 0.2, height * 0.9, size[0] * 1.8, height * 1.2),
        mix(palette.colours[3], palette.light, 0.4),
    )
    branch(size[0], height * 0.96, -math.pi / 2, min(size) * 0.42, 9)
    return finish(canvas)


def paint_frames(random: Random, size: Size, palette: Palette) -> list[Image.Image]:
    """A loop: each frame a moment of the same movement."""
    move: Callable[..., None] = random.choice((move_orbits, move_wave, move_polygons))
    seed = random.random()
    frames = []
    for frame in range(FRAMES):
        canvas, draw = draw_on(size, gradient(size, palette.colours[:3]))
        move(draw, Random(seed), (size[0] * 2, size[1] * 2), palette, frame / FRAMES)
        frames.append(finish(canvas))
    return frames


def move_orbits(draw: Pen, random: Random, size: Size, palette: Palette, moment: float) -> None:
    x, y = size[0] / 2, size[1] / 2
    draw_disc(draw, (x, y), min(size) * 0.07, palette.light)
    for orbit in range(1, 7):
        radius = min(size) * 0.07 * (orbit + 0.6)
        angle = random.random() * math.tau + moment * math.tau * random.choice((-2, -1, 1, 2))
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius),
            outline=mix(palette.dark, palette.colours[3], 0.5),
            width=3,
        )
        at = (x + math.cos(angle) * radius, y + math.sin(angle) * radius)
        draw_disc(draw, at, min(size) * random.uniform(0.015, 0.035), palette.colours[1 + orbit % 5])


def move_wave(draw: Pen, random: Random, size: Size, palette: Palette, moment: float) -> None:
    for row in range(9):
        base, swing = size[1] * (0.2 + row * 0.085), size[1] * random.uniform(0.03, 0.07)
        phase, speed = random.random() * math.tau, random.choice((1, 1, 2))
        points = [
            (x, base + swing * math.sin(x / size[0] * math.tau * 1.5 + phase + speed * moment * math.tau))
            for x in range(0, size[0] + 20, 20)
        ]
        draw.polygon([*points, (size[0], size[1]), (0, size[1])], mix(palette.light, palette.dark, row / 9))


def move_polygons(draw: Pen, random: Random, size: Size, palette: Palette, moment: float) -> None:
    corners = random.choice((3, 4, 5, 6))
    for ring in range(12, 0, -1):
        radius = min(size) * 0.045 * ring
        turn = moment * math.tau / corners + ring * 0.12 * math.sin(moment * math.tau)
        points = [
            (
                size[0] / 2 + radius * math.cos(turn + c * math.tau / corners),
                size[1] / 2 + radius * math.sin(turn + c * math.tau / corners),
            )
            for c in range(corners)
        ]
        draw.polygon(points, shift_hue(palette.colours[1 + ring % 5], ring * 0.01))
