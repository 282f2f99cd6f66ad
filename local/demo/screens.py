"""Demo pictures as offices make them: charts, and screenshots of windows."""

from random import Random

from PIL import Image, ImageDraw

from local.demo.paint import Colour, Palette, Size, draw_on, finish, gradient, mix
from local.demo.scenes import draw_disc

Pen = ImageDraw.ImageDraw
Box = tuple[float, float, float, float]


def paint_chart(random: Random, size: Size, palette: Palette) -> Image.Image:
    """Bars, lines, a ring or dots: a page of a report."""
    canvas, draw = draw_on(size, (252, 252, 250))
    width, height = size[0] * 2, size[1] * 2
    draw.rounded_rectangle((width * 0.07, height * 0.06, width * 0.45, height * 0.1), 12, palette.dark)
    draw.rounded_rectangle((width * 0.07, height * 0.125, width * 0.3, height * 0.15), 8, (205, 208, 212))
    box = (width * 0.07, height * 0.24, width * 0.93, height * 0.9)
    for line in range(6):
        y = box[1] + (box[3] - box[1]) * line / 5
        draw.line((box[0], y, box[2], y), (228, 230, 233), 3)
    random.choice((draw_bars, draw_lines, draw_dots, draw_ring))(draw, random, box, palette)
    return finish(canvas)


def draw_bars(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    count = random.randint(6, 12)
    step = (box[2] - box[0]) / count
    for bar in range(count):
        left = box[0] + bar * step + step * 0.15
        bottom = box[3]
        for part in range(3):
            top = bottom - (box[3] - box[1]) * random.uniform(0.08, 0.3)
            draw.rectangle((left, top, left + step * 0.7, bottom), palette.colours[1 + part])
            bottom = top


def draw_lines(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    for colour in palette.colours[1:4]:
        value, points = random.uniform(0.3, 0.7), []
        for step in range(25):
            value = min(0.97, max(0.03, value + random.gauss(0, 0.07)))
            points.append((box[0] + (box[2] - box[0]) * step / 24, box[3] - (box[3] - box[1]) * value))
        draw.line(points, colour, 8, joint="curve")
        draw_disc(draw, points[-1], 14, colour)


def draw_dots(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    for colour in palette.colours[1:5]:
        x, y = random.uniform(0.2, 0.8), random.uniform(0.2, 0.8)
        for _ in range(45):
            at = (min(1, max(0, random.gauss(x, 0.09))), min(1, max(0, random.gauss(y, 0.09))))
            place = (box[0] + at[0] * (box[2] - box[0]), box[1] + at[1] * (box[3] - box[1]))
            draw_disc(draw, place, random.uniform(7, 20), mix(colour, (252, 252, 250), 0.25))


def draw_ring(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    draw.rectangle((box[0], box[1] - 4, box[2], box[3] + 4), (252, 252, 250))
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    radius = min(box[2] - box[0], box[3] - box[1]) / 2
    angle = -90.0
    shares = [random.uniform(0.5, 1.5) for _ in palette.colours[:5]]
    for share, colour in zip(shares, palette.colours, strict=False):
        end = angle + 360 * share / sum(shares)
        draw.pieslice((x - radius, y - radius, x + radius, y + radius), angle, end, colour)
        angle = end
    draw_disc(draw, (x, y), radius * 0.58, (252, 252, 250))


def paint_screen(random: Random, size: Size, palette: Palette) -> Image.Image:
    """A window on a desktop: an editor or a page of cards."""
    canvas, draw = draw_on(size, gradient(size, palette.colours[1:5], 35))
    width, height = size[0] * 2, size[1] * 2
    dark = random.random() < 0.5
    paper: Colour = (30, 32, 40) if dark else (250, 250, 252)
    left, top, right, bottom = width * 0.07, height * 0.09, width * 0.93, height * 0.94
    draw.rounded_rectangle((left, top, right, bottom), 24, paper)
    for number, colour in enumerate(((255, 95, 87), (254, 188, 46), (40, 200, 64))):
        draw_disc(draw, (left + 40 + number * 44, top + 38), 13, colour)
    draw.line((left, top + 76, right, top + 76), mix(paper, (128, 128, 128), 0.3), 3)
    inner = (left + 40, top + 110, right - 40, bottom - 40)
    (draw_editor if dark else draw_cards)(draw, random, inner, palette)
    return finish(canvas)


def draw_editor(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    y, indent = box[1], 0
    while y < box[3] - 20:
        indent = min(4, max(0, indent + random.choice((-1, 0, 0, 1))))
        x = box[0] + 60 + indent * 48
        draw.rounded_rectangle((box[0], y, box[0] + 26, y + 16), 6, (70, 74, 88))
        for _ in range(random.randint(0, 5)):
            wide = random.uniform(40, 190)
            if x + wide > box[2]:
                break
            draw.rounded_rectangle(
                (x, y, x + wide, y + 16), 8, mix(palette.pick(random), (255, 255, 255), 0.25)
            )
            x += wide + 18
        y += 40


def draw_cards(draw: Pen, random: Random, box: Box, palette: Palette) -> None:
    columns = 2 if box[2] - box[0] < box[3] - box[1] else 4
    gap = 28.0
    side = (box[2] - box[0] - gap * (columns - 1)) / columns
    y = box[1]
    while y + side < box[3]:
        for column in range(columns):
            x = box[0] + column * (side + gap)
            draw.rounded_rectangle((x, y, x + side, y + side * 0.66), 18, palette.pick(random))
            draw_disc(
                draw,
                (x + side * random.uniform(0.3, 0.7), y + side * 0.33),
                side * 0.18,
                mix(palette.pick(random), palette.light, 0.4),
            )
            draw.rounded_rectangle((x, y + side * 0.74, x + side * 0.8, y + side * 0.8), 8, (190, 194, 200))
            draw.rounded_rectangle((x, y + side * 0.86, x + side * 0.5, y + side * 0.91), 8, (222, 225, 230))
        y += side + gap
