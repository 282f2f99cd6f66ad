"""The kinds of demo pictures. Each function paints one in six colors, from dark to light."""

import inspect
import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from local.demo import brushes
from local.demo.brushes import BICUBIC, Colours, Size, colorize, gradient, mix, noise, reflect, sky


def mountains(random: Random, size: Size, colours: Colours) -> Image.Image:
    """Ridges that get paler with distance. The near ones have firs, or a lake in front."""
    picture, sun = sky(random, size, colours)
    draw, lake, (width, height) = ImageDraw.Draw(picture), random.random() < 0.4, size
    for layer in range(5):
        depth, line = layer / 4, noise(random, (width, 1), (3 + layer, 1), 7).tobytes()
        foot, rise = height * (0.62 + (0.06 if lake else 0.36) * depth), height * (0.42 - 0.22 * depth)
        outline = [(x, foot - rise * y / 255) for x, y in enumerate(line)]
        colour = mix(mix(colours[3], colours[4], 0.4), colours[0], depth**0.7)
        draw.polygon([*outline, (width, height), (0, height)], colour)
        for x, y in outline[:: 28 - layer * 4] if layer > 1 and not lake else ():
            tall = height * random.uniform(0.03, 0.09) * (0.4 + depth)
            draw.polygon([(x, y - tall), (x - tall / 5, y + 9), (x + tall / 5, y + 9)], colour)
    if lake:
        reflect(random, picture, round(height * 0.66), colours, sun[0])
    return picture


def sea(random: Random, size: Size, colours: Colours) -> Image.Image:
    picture, sun = sky(random, size, colours)
    reflect(random, picture, round(sun[1] + size[1] * random.uniform(0.1, 0.2)), colours, sun[0])
    return picture


def city(random: Random, size: Size, colours: Colours) -> Image.Image:
    """A skyline at night with lit windows, above water."""
    picture, (width, height) = gradient(size, colours[:4]), size
    draw, foot, pane = ImageDraw.Draw(picture), round(height * random.uniform(0.7, 0.9)), sum(size) // 340
    for depth in (0.3, 0.6, 1.0):
        wall, x = mix(colours[2], mix(colours[0], (0, 0, 0), 0.4), depth), -random.randrange(60)
        while x < width:
            wide = round(width * random.uniform(0.03, 0.08))
            top = foot - round(height * random.uniform(0.2, 0.62) * (1.15 - 0.4 * depth))
            draw.rectangle((x, top, x + wide, foot), wall)
            for up in range(top + pane, foot - pane, pane * 2):
                for left in range(x + pane, x + wide - pane, pane * 2):
                    if random.random() < 0.15 + 0.3 * depth:
                        lit = mix(wall, mix(colours[4], colours[5], random.random()), 0.35 + 0.6 * depth)
                        draw.rectangle((left, up, left + pane * 0.8, up + pane), lit)
            x += round(wide * random.uniform(1, 1.25))
    reflect(random, picture, foot, colours, -width)
    return picture


def planet(random: Random, size: Size, colours: Colours) -> Image.Image:
    """A planet among stars, lit from one side, sometimes with a ring."""
    nebula = noise(random, size, (3, 3)).point(lambda v: v * 0.4)
    picture = colorize(nebula, ((4, 5, 14), *colours[:3]))
    draw, (width, height) = ImageDraw.Draw(picture), size
    for _ in range(width * height // 12_000):
        star = (random.randrange(width), random.randrange(height))
        draw.circle(star, random.choice((1, 1, 2)), (random.randint(90, 255),) * 3)
    x, y = round(width * random.uniform(0.35, 0.65)), height // 2
    radius = round(min(size) * random.uniform(0.22, 0.34))
    ball = colorize(noise(random, (radius * 2, radius * 2), (1, 8), 6), colours)
    light = Image.radial_gradient("L").crop((90, 90, 218, 218)).point(lambda v: 255 - v * 1.6)
    ball = ImageChops.multiply(ball, light.resize(ball.size).convert("RGB"))
    disc = Image.new("L", ball.size)
    ImageDraw.Draw(disc).circle((radius, radius), radius - 2, 255)
    rings = [(radius * (1.4 + n * 0.09), random.choice(colours[1:])) for n in range(random.choice((0, 7)))]
    for start in (180, 0):  # behind the planet, then in front of it
        for reach, colour in rings:
            box = (x - reach, y - reach * 0.25, x + reach, y + reach * 0.25)
            draw.arc(box, start, start + 180, mix(colour, colours[0], 0.3), radius // 16)
        if start:
            picture.paste(ball, (x - radius, y - radius), disc)
    return picture


def blossom(random: Random, size: Size, colours: Colours) -> Image.Image:
    """A flower on a transparent background."""
    picture, petals, side = Image.new("RGBA", size), random.choice((5, 6, 8, 10)), size[0]
    hue = mix(random.choice(colours[1:5]), colours[5], random.uniform(0, 0.5))
    for reach in (0.5, 0.34):
        for petal in range(petals):
            leaf, wide = Image.new("RGBA", size), side * reach * min(0.4, 1.6 / petals)
            box = (side / 2 - wide, side * (0.5 - reach), side / 2 + wide, side * 0.52)
            ImageDraw.Draw(leaf).ellipse(box, mix(hue, colours[5], petal % 3 * 0.12 + 0.5 - reach))
            picture.alpha_composite(leaf.rotate(360 * (petal + reach) / petals))
    ImageDraw.Draw(picture).circle((side / 2, side / 2), side * 0.09, mix(colours[4], (255, 190, 0), 0.5))
    return picture


def flowers(random: Random, size: Size, colours: Colours) -> Image.Image:
    """Blossoms, the far ones out of focus."""
    picture = gradient(size, (mix(colours[2], (40, 90, 50), 0.6), mix(colours[1], (20, 50, 30), 0.7)))
    kinds = [blossom(random, (400, 400), colours) for _ in range(4)]
    for step in range(36):
        if step == 24:
            picture = picture.filter(ImageFilter.BoxBlur(min(size) / 90))
        side = round(min(size) * (0.1 + 0.011 * step))
        one = random.choice(kinds).rotate(random.uniform(0, 90)).resize((side, side))
        at = (random.randrange(size[0]) - side // 2, random.randrange(size[1]) - side // 2)
        picture.paste(one, at, one)
    return picture


def silk(random: Random, size: Size, colours: Colours) -> Image.Image:
    grid = Image.new("RGB", (4, 4))
    grid.putdata(random.choices(colours, k=16))
    return grid.resize(size, BICUBIC, (0.5, 0.5, 3.5, 3.5))


def marble(random: Random, size: Size, colours: Colours) -> Image.Image:
    folds, lumps = random.choice((2, 3, 5)) * math.tau / 255, (size[0] // 750, size[1] // 750)
    return colorize(noise(random, size, lumps, 4).point(lambda v: 127 - 127 * math.cos(v * folds)), colours)


def fractal(random: Random, size: Size, colours: Colours) -> Image.Image:
    """A place on the edge of the Mandelbrot set."""
    x, y, wide = random.choice(((-0.7436, 0.1318, 0.003), (-0.2351, 0.8272, 0.004), (-0.5503, 0.6259, 0.01)))
    tall, half = wide * size[1] / size[0], (size[0] // 2, size[1] // 2)
    grey = Image.effect_mandelbrot(half, (x - wide, y - tall, x + wide, y + tall), 150)
    return colorize(grey.resize(size), colours[::-1])


def scales(random: Random, size: Size, colours: Colours) -> Image.Image:
    """Seigaiha, the wave pattern of Edo."""
    picture, radius = Image.new("RGB", size), min(size) / random.choice((6, 8, 10))
    for row in range(int(size[1] * 2 / radius) + 4):
        for column in range(-1, int(size[0] / radius / 2) + 2):
            at = (column * radius * 2 + row % 2 * radius, row * radius / 2)
            for ring in range(5):
                hue = colours[5] if ring % 2 else colours[1 + (row * 3 + column) % 4]
                ImageDraw.Draw(picture).circle(at, radius * (1 - ring * 0.19), hue)
    return picture


def screen(random: Random, size: Size, colours: Colours) -> Image.Image:
    """A window with part of this program's source, or with a chart."""
    picture, (width, height) = silk(random, size, colours[1:5]), size
    draw, font, is_code = ImageDraw.Draw(picture), ImageFont.load_default(width / 55), random.random() < 0.5
    left, top, wide, high = width * 0.07, height * 0.09, width * 0.86, height * 0.83
    paper = (28, 30, 38) if is_code else (250, 250, 252)
    draw.rounded_rectangle((left, top, left + wide, top + high), 24, paper)
    for number, light in enumerate(((255, 95, 87), (254, 188, 46), (40, 200, 64))):
        draw.circle((left + 40 + number * 44, top + 38), 13, light)
    lines = inspect.getsource(brushes).splitlines()[random.randrange(30) :] if is_code else []
    for row, line in enumerate(lines[: int((high - 120) / width * 42)]):
        draw.text((left + 40, top + 80 + row * width / 42), line[:75], random.choice(colours[3:]), font)
    for bar in range(0 if is_code else 12):
        x, y = left + wide * (0.06 + bar * 0.075), top + high * 0.9
        for hue in colours[1:4]:
            step = high * random.uniform(0.05, 0.24)
            draw.rectangle((x, y - step, x + wide * 0.055, y), hue)
            y -= step
    return picture


def spin(random: Random, size: Size, colours: Colours) -> list[Image.Image]:
    """The frames of a loop: polygons that turn into each other."""
    corners, frames = random.choice((3, 4, 5, 6)), []
    for moment in (frame / 24 * math.tau for frame in range(24)):
        frames.append(gradient(size, colours[:3]))
        for ring in range(12, 0, -1):
            turn = math.degrees(moment / corners + ring * 0.12 * math.sin(moment))
            circle = (size[0] / 2, size[1] / 2, min(size) * 0.04 * ring)
            ImageDraw.Draw(frames[-1]).regular_polygon(circle, corners, turn, colours[1 + ring % 5])
    return frames
