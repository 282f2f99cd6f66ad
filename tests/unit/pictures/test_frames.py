"""The frames of an animation: which ones, their content and durations."""

import io
import struct
from typing import Any

import pytest
from imageapi.pictures.frames import round_durations
from PIL import Image

from tests.support import pictures
from tests.support.pngs import png_chunk
from tests.unit.pictures import looks
from tests.unit.pictures.looks import alpha_at, assert_colour, count_frames, inspect, render

Colour = str | tuple[int, ...]
RED, NOTHING = (255, 0, 0), (0, 0, 0, 0)
PLACES = ((8, 8), (24, 8), (40, 8), (56, 8))


def full(colour: Colour) -> Image.Image:
    return Image.new("RGBA", (64, 64), colour)


def dot(place: int, colour: Colour) -> Image.Image:
    """A square of 16 pixels at one of four places; the rest is transparent."""
    image = full(NOTHING)
    image.paste(colour, (place * 16, 0, place * 16 + 16, 16))
    return image


def apng(first: Image.Image, *others: Image.Image, duration: float = 100, **options: Any) -> bytes:
    return pictures.encode(first, "PNG", save_all=True, append_images=others, duration=duration, **options)


@pytest.mark.parametrize("others", [["red"], ["red", "lime"]])
def test_the_default_image_is_no_frame(others: list[str]) -> None:
    data = apng(full("black"), *map(full, others), default_image=True)

    picture, rendered = inspect(data), render(data)
    assert picture.frames == count_frames(rendered) == len(others)
    for image in (looks.open_placeholder(picture).resize((64, 64)), rendered, render(data, "jpg")):
        assert_colour(image, RED)


def test_a_default_image_whose_animation_is_missing_is_shown() -> None:
    data = pictures.encode(full("red"), "PNG")
    end_of_header = 8 + 12 + 13
    announced = png_chunk(b"acTL", struct.pack(">II", 1, 0))
    frame = png_chunk(b"fcTL", struct.pack(">5I2H2B", 0, 64, 64, 0, 0, 1, 10, 0, 0))
    data = data[:end_of_header] + announced + data[end_of_header:-12] + frame + data[-12:]

    assert inspect(data).frames == 1
    assert_colour(render(data), RED)


@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_the_default_image_is_not_behind_the_frames(disposal: int) -> None:
    options = {"default_image": True, "disposal": disposal, "blend": 1}
    rendered = render(apng(full("black"), dot(1, "red"), dot(2, "lime"), **options))

    assert alpha_at(rendered, *PLACES) == [0, 255, 0, 0]


def test_a_frame_that_gives_way_to_what_was_there_before() -> None:
    frames = [dot(place, colour) for place, colour in enumerate(("red", "lime", "blue", "yellow"))]

    rendered = render(apng(*frames, disposal=2, blend=1))

    for number in range(4):
        expected = [255 if place == number else 0 for place in range(4)]
        assert alpha_at(rendered, *PLACES, frame=number) == expected


def gif(*frames: tuple[list[int], int]) -> bytes:
    """A GIF of 4 x 4 pixels.

    Args:
        frames: pixels (0: transparent except in the first, 1: red) and disposal (3: restore to previous).
    """
    data = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0xF0, 0, 0) + bytes([0, 0, 0, 255, 0, 0])
    for number, (pixels, disposal) in enumerate(frames):
        codes = [4]  # "clear the table", before each pixel to keep all codes 3 bits long
        for pixel in pixels:
            codes += [pixel, 4]
        bits = sum(code << 3 * place for place, code in enumerate([*codes, 5]))
        block = bits.to_bytes((len(codes) + 1) * 3 // 8 + 1, "little")
        data += b"\x21\xf9\x04" + bytes([disposal << 2 | bool(number), 10, 0, 0, 0])
        data += b"\x2c" + struct.pack("<HHHHB", 0, 0, 4, 4, 0) + b"\x02" + bytes([len(block)]) + block + b"\0"
    return data + b";"


def test_a_gif_whose_first_frame_gives_way_to_nothing() -> None:
    rendered = render(gif(([1] * 16, 3), ([0] * 15 + [1], 3), ([1] + [0] * 15, 3)))

    shown = [alpha_at(rendered, (0, 0), (2, 2), (3, 3), frame=number) for number in range(3)]
    assert shown == [[255, 255, 255], [0, 0, 255], [255, 0, 0]]


@pytest.mark.parametrize(
    ("frames", "mode"),
    [
        *(([full("red"), dot(1, "lime")], "RGBA"), ([full((255, 0, 0, 0)), dot(1, "lime")], "RGBA")),
        ([full("red"), full("lime")], "RGB"),
    ],
)
def test_only_an_animation_with_transparency_says_that_it_has_some(frames: Any, mode: str) -> None:
    assert render(apng(*frames)).mode == mode


def test_sixty_frames_of_a_sixtieth_last_a_second() -> None:
    frames = [full(("red", "lime", "blue")[number % 3]) for number in range(60)]
    data = apng(*frames, duration=1000 / 60)
    assert 16 < Image.open(io.BytesIO(data)).info["duration"] < 17

    durations = looks.read_durations(render(data))

    assert (len(durations), sum(durations), set(durations)) == (60, 1000, {16, 17})


def test_durations_in_whole_milliseconds_stay_as_they_are() -> None:
    assert round_durations([100.0, 0.4, 0.4, 40.2]) == [100, 0, 1, 40]
    assert round_durations([]) == []
