"""Demo pictures of things: land, sea, towns, people, planets, flowers."""

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

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
    ridge,
    soft,
)


def paint_mountains(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Ridges behind ridges, paler with distance, and a sun or a moon."""
    width, height = size
    sky = gradient(size, palette.colours[2:] if random.random() < 0.7 else palette.colours[:4])
    centre = (random.uniform(0.2, 0.8) * width, random.uniform(0.18, 0.42) * height)
    sky.paste(
        Image.new("RGB", size, palette.light), mask=glow(size, centre, width * 0.35).point(lambda v: v * 0.6)
    )
    canvas, draw = draw_on(size, sky)
    radius = min(size) * random.uniform(0.08, 0.14)
    draw_disc(draw, (centre[0] * 2, centre[1] * 2), radius, palette.light)
    layers = random.randint(4, 6)
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = height * (0.45 + 0.42 * depth) * 2
        colour = mix(palette.colours[3], palette.dark, depth**0.8)
        line = ridge(random, width, height * 0.38 * (1 - 0.45 * depth), 0.52)
        points = [(x * width * 2 / (len(line) - 1), base - y) for x, y in enumerate(line)]
        draw.polygon([*points, (width * 2, height * 2), (0, height * 2)], colour)
    return grain(finish(canvas), random)


def paint_sea(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A low sun over water, and its path of light."""
    width, height = size
    horizon = round(height * random.uniform(0.42, 0.6))
    picture = Image.new("RGB", size)
    picture.paste(gradient((width, horizon), palette.colours[1:]), (0, 0))
    picture.paste(
        gradient((width, height - horizon), [palette.colours[4], *palette.colours[2::-1]]), (0, horizon)
    )
    centre = (width * random.uniform(0.3, 0.7), horizon - height * random.uniform(0.02, 0.15))
    warm = Image.new("RGB", size, palette.light)
    picture.paste(warm, mask=glow(size, centre, width * 0.5).point(lambda v: v * 0.7))
    clouds = noise((width, horizon), random, 3, 5).point([max(0, v - 140) for v in range(256)])
    picture.paste(Image.new("RGB", (width, horizon), palette.light), (0, 0), clouds.resize((width, horizon)))
    canvas, draw = draw_on(size, picture)
    draw_disc(draw, (centre[0] * 2, centre[1] * 2), min(size) * 0.07, palette.light)
    canvas.paste(
        picture.crop((0, horizon, width, height)).resize((width * 2, (height - horizon) * 2)),
        (0, horizon * 2),
    )
    for _ in range(width // 3):
        far = random.random() ** 1.6
        y = (horizon + 2 + far * (height - horizon)) * 2
        length = random.uniform(8, 30) * (0.5 + 3 * far)
        x = centre[0] * 2 + random.gauss(0, 0.04 + 0.16 * far) * width
        draw.line(
            (x - length, y, x + length, y),
            mix(palette.colours[4], palette.light, random.random()),
            2 + int(5 * far),
        )
    return grain(finish(canvas), random)


def paint_city(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A skyline at night, windows lit."""
    width, height = size
    canvas, draw = draw_on(size, gradient(size, [*palette.colours[:4], palette.colours[4]]))
    for _ in range(width // 12):
        x, y = random.uniform(0, width * 2), random.uniform(0, height)
        draw_disc(draw, (x, y), random.choice((1, 1, 2)), palette.light)
    for depth in (0.25, 0.6, 1.0):
        wall = mix(palette.colours[2], mix(palette.dark, (0, 0, 0), 0.5), depth)
        x = -random.uniform(0, 60)
        while x < width * 2:
            wide = width * random.uniform(0.07, 0.16)
            top = height * 2 - height * random.uniform(0.5, 1.35) * (1.15 - 0.35 * depth)
            draw.rectangle((x, top, x + wide, height * 2), wall)
            if random.random() < 0.3:
                draw.line((x + wide / 2, top, x + wide / 2, top - height * 0.1), wall, 4)
            step = max(10, width // 60)
            for window_y in range(int(top) + step, height * 2, step * 2):
                for window_x in range(int(x) + step, int(x + wide) - step, step * 2):
                    if random.random() < 0.25 + 0.25 * depth:
                        lit = mix(palette.colours[4], palette.light, random.random())
                        draw.rectangle(
                            (window_x, window_y, window_x + step * 0.7, window_y + step),
                            mix(wall, lit, 0.4 + 0.6 * depth),
                        )
            x += wide + random.uniform(0, width * 0.02)
    return finish(canvas)


def paint_forest(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Firs in the mist."""
    width, height = size
    canvas, draw = draw_on(size, gradient(size, palette.colours[:2:-1]))
    layers = 5
    for layer in range(layers):
        depth = layer / (layers - 1)
        colour = mix(palette.colours[4], palette.dark, 0.2 + 0.8 * depth)
        ground = height * 2 * (0.55 + 0.45 * depth)
        tall = height * (0.25 + 0.75 * depth)
        x = -width * 0.1
        while x < width * 2.1:
            reach = tall * random.uniform(0.6, 1.1)
            foot = ground + random.uniform(-0.05, 0.1) * height
            for tier in range(6):
                y = foot - reach + tier * reach / 7
                half = reach * (0.04 + 0.035 * tier)
                draw.polygon([(x, y), (x - half, y + reach / 4), (x + half, y + reach / 4)], colour)
            draw.rectangle((x - reach / 50, foot - reach / 4, x + reach / 50, foot + height), colour)
            x += reach * random.uniform(0.14, 0.36)
        draw.rectangle((0, min(height * 2, ground + height * 0.05), width * 2, height * 2), colour)
        if layer < layers - 1:
            mist = gradient(canvas.size, [(0, 0, 0), (150, 150, 150), (40, 40, 40)]).convert("L")
            canvas.paste(
                Image.new("RGB", canvas.size, palette.colours[5]), mask=mist.point(lambda v: v * 0.28)
            )
            draw = ImageDraw.Draw(canvas)
    return grain(finish(canvas), random)


def paint_portrait(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Somebody against the light: head, hair and shoulders, no face."""
    width, height = size
    back = gradient(size, palette.colours[2:], random.choice((20, -30, 60)))
    centre = (width * random.uniform(0.42, 0.58), height * 0.42)
    back.paste(
        Image.new("RGB", size, palette.light),
        mask=glow(size, centre, max(size) * 0.55).point(lambda v: v * 0.8),
    )
    mask = Image.new("L", (width * 2, height * 2))
    draw = ImageDraw.Draw(mask)
    unit = min(width, height) * 0.4
    x, y = centre[0] * 2, centre[1] * 2
    draw.ellipse((x - unit * 0.62, y - unit * 0.85, x + unit * 0.62, y + unit * 0.75), 255)
    draw.rectangle((x - unit * 0.27, y + unit * 0.3, x + unit * 0.27, y + unit * 1.3), 255)
    draw.rounded_rectangle(
        (x - unit * 1.55, y + unit * 1.15, x + unit * 1.55, height * 2 + unit), unit * 0.75, 255
    )
    hair = random.choice(("short", "bob", "bun", "curls"))
    if hair == "bob":
        draw.rounded_rectangle((x - unit * 0.76, y - unit, x + unit * 0.76, y + unit * 0.5), unit * 0.6, 255)
    elif hair == "bun":
        draw.ellipse((x - unit * 0.33, y - unit * 1.4, x + unit * 0.33, y - unit * 0.75), 255)
    elif hair == "curls":
        for turn in range(26):
            angle = math.pi * (1 + turn / 25)
            draw_disc(
                draw,
                (x + math.cos(angle) * unit * 0.66, y - unit * 0.1 + math.sin(angle) * unit * 0.8),
                unit * random.uniform(0.2, 0.32),
                255,
            )
    mask = soft(mask, 1.5).reduce(2)
    body = gradient(size, [palette.colours[1], palette.dark], 15)
    rim = ImageChops.subtract(mask, ImageChops.offset(soft(mask, 3), round(unit * 0.03), round(unit * 0.02)))
    back.paste(body, mask=mask)
    back.paste(Image.new("RGB", size, palette.light), mask=rim.point(lambda v: v * 0.7))
    return grain(back, random)


def paint_planet(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A planet among stars, lit from one side, perhaps with a ring."""
    width, height = size
    space = colour_map(
        noise(size, random, 3, 4).point(lambda v: v * 0.35), [(4, 5, 14), palette.dark, palette.colours[2]]
    )
    draw = ImageDraw.Draw(space)
    for _ in range(width * height // 2500):
        bright = random.randint(90, 255)
        draw.point((random.randrange(width), random.randrange(height)), (bright, bright, bright))
    radius = round(min(size) * random.uniform(0.22, 0.36))
    x, y = round(width * random.uniform(0.35, 0.65)), round(height * random.uniform(0.4, 0.6))
    side = radius * 2
    # Noise that is much wider than high, drawn out: bands of clouds.
    surface = noise((max(4, side // 6), side), random, 1, 6).resize((side, side), Image.Resampling.BICUBIC)
    ball = colour_map(surface, palette.colours)
    shade = ImageChops.invert(
        ImageChops.offset(Image.radial_gradient("L").resize((side * 2, side * 2)), 0)
    ).crop((0, 0, side, side))
    ball = ImageChops.multiply(ball, Image.merge("RGB", [shade.point(lambda v: min(255, v * 2))] * 3))
    disc = Image.new("L", (side * 2, side * 2))
    ImageDraw.Draw(disc).ellipse((2, 2, side * 2 - 3, side * 2 - 3), 255)
    ringed = random.random() < 0.5
    ring = Image.new("RGBA", size)
    if ringed:
        pen = ImageDraw.Draw(ring)
        for step in range(9):
            reach = radius * (1.35 + step * 0.07)
            colour = (*mix(palette.colours[3], palette.light, random.random()), random.randint(90, 210))
            pen.ellipse(
                (x - reach, y - reach * 0.28, x + reach, y + reach * 0.28),
                outline=colour,
                width=max(2, radius // 24),
            )
        space.paste(ring, mask=ring)
    space.paste(ball, (x - radius, y - radius), disc.reduce(2))
    if ringed:
        front = ring.crop((0, y, width, height))
        space.paste(front, (0, y), front)
    return space.filter(ImageFilter.SMOOTH)


def paint_flowers(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Blossoms, the small ones out of focus."""
    canvas, draw = draw_on(size, gradient(size, [palette.colours[4], palette.light], random.uniform(-40, 40)))
    count = random.randint(14, 24)
    for index in range(count):
        near = index / count
        radius = min(size) * (0.12 + 0.3 * near**2)
        x, y = random.uniform(0, size[0] * 2), random.uniform(0, size[1] * 2)
        draw_blossom(draw, random, (x, y), radius, palette, 0.25 + 0.75 * near)
        if index == count // 2:
            canvas = soft(canvas, min(size) * 0.012)
            draw = ImageDraw.Draw(canvas)
    return finish(canvas)


def draw_blossom(
    draw: ImageDraw.ImageDraw,
    random: Random,
    centre: tuple[float, float],
    radius: float,
    palette: Palette,
    strength: float,
) -> None:
    """Petals around a heart; `strength` is how much of its colour there is."""
    petals = random.choice((5, 5, 6, 8, 12))
    colour = mix(palette.light, palette.pick(random), strength)
    turn = random.random() * math.tau
    for ring, share in ((1.0, 0.0), (0.62, 0.35)):
        for petal in range(petals):
            angle = turn + (petal + share) * math.tau / petals
            x, y = (
                centre[0] + math.cos(angle) * radius * 0.55 * ring,
                centre[1] + math.sin(angle) * radius * 0.55 * ring,
            )
            outline = []
            for step in range(24):
                along = step / 24 * math.tau
                a, b = (
                    math.cos(along) * radius * 0.5 * ring,
                    math.sin(along) * radius * 0.5 * ring * min(1.0, 4.2 / petals),
                )
                outline.append(
                    (
                        x + a * math.cos(angle) - b * math.sin(angle),
                        y + a * math.sin(angle) + b * math.cos(angle),
                    )
                )
            draw.polygon(outline, mix(colour, palette.light, share + 0.06 * (petal % 2)))
    draw_disc(draw, centre, radius * 0.17, mix(palette.colours[1], palette.colours[4], 0.5))


def draw_disc(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, fill: object) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)  # type: ignore[arg-type]
