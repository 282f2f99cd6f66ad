"""The frames of an animation: which ones, their content and durations."""

import io
import struct
from typing import Any

import pytest
from imageapi.pictures.frames import round_durations
from PIL import Image

from tests.support import pictures
from tests.support.pngs import png_chunk
from tests.unit.pictures.test_inspect import inspect_bytes, open_placeholder
from tests.unit.pictures.test_render import assert_alike, corners, render_to
from tests.unit.pictures.test_render_content import read_durations

Colour = str | tuple[int, ...]
NOTHING = (0, 0, 0, 0)
PLACES = ((8, 8), (24, 8), (40, 8), (56, 8))


def full(colour: Colour) -> Image.Image:
    return Image.new("RGBA", (64, 64), colour)


def dot(place: int, colour: Colour) -> Image.Image:
    """A square of 16 pixels at one of four places; the rest is transparent."""
    image = full(NOTHING)
    image.paste(colour, (place * 16, 0, place * 16 + 16, 16))
    return image


def apng(first: Image.Image, *others: Image.Image, **options: Any) -> bytes:
    return pictures.encode(first, "PNG", save_all=True, append_images=others, **options)


def shown(image: Image.Image, frame: int) -> list[bool]:
    """Whether each of PLACES is opaque."""
    image.seek(frame)
    alpha = image.convert("RGBA").getchannel("A")
    return [alpha.getpixel(place) == 255 for place in PLACES]


def test_the_default_image_is_no_frame() -> None:
    data = apng(full("black"), full("red"), full("lime"), duration=100, default_image=True)

    assert inspect_bytes(data).frames == 2
    assert_alike(corners(open_placeholder(inspect_bytes(data))), [(255, 0, 0)] * 4)
    rendered = render_to(data, "webp")
    assert getattr(rendered, "n_frames", 1) == 2
    assert_alike(corners(rendered), [(255, 0, 0)] * 4)
    assert_alike(corners(render_to(data, "jpg")), [(255, 0, 0)] * 4)


def test_with_one_frame_beside_the_default_image_it_is_a_still() -> None:
    data = apng(full("black"), full("red"), duration=100, default_image=True)

    assert inspect_bytes(data).frames == 1
    rendered = render_to(data, "webp")
    assert getattr(rendered, "n_frames", 1) == 1
    assert_alike(corners(rendered), [(255, 0, 0)] * 4)


def test_a_default_image_whose_animation_is_missing_is_shown() -> None:
    data = pictures.encode(full("red"), "PNG")
    end_of_header = 8 + 12 + 13
    announced = png_chunk(b"acTL", struct.pack(">II", 1, 0))
    frame = png_chunk(b"fcTL", struct.pack(">5I2H2B", 0, 64, 64, 0, 0, 1, 10, 0, 0))
    data = data[:end_of_header] + announced + data[end_of_header:-12] + frame + data[-12:]

    assert inspect_bytes(data).frames == 1
    assert_alike(corners(render_to(data, "webp")), [(255, 0, 0)] * 4)


@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_the_default_image_is_not_behind_the_frames(disposal: int) -> None:
    options = {"duration": 100, "default_image": True, "disposal": disposal, "blend": 1}
    rendered = render_to(apng(full("black"), dot(1, "red"), dot(2, "lime"), **options), "webp")

    assert shown(rendered, 0) == [False, True, False, False]


def test_a_frame_that_gives_way_to_what_was_there_before() -> None:
    frames = [dot(0, "red"), dot(1, "lime"), dot(2, "blue"), dot(3, "yellow")]

    rendered = render_to(apng(*frames, duration=100, disposal=2, blend=1), "webp")

    assert [shown(rendered, number) for number in range(4)] == [
        [place == number for place in range(4)] for number in range(4)
    ]


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
    rendered = render_to(gif(([1] * 16, 3), ([0] * 15 + [1], 3), ([1] + [0] * 15, 3)), "webp")

    first, second, third = (frame_alpha(rendered, number) for number in range(3))
    assert first == (255, 255, 255)
    assert second == (0, 0, 255)
    assert third == (255, 0, 0)


def frame_alpha(image: Image.Image, number: int) -> tuple[Any, ...]:
    image.seek(number)
    alpha = image.convert("RGBA").getchannel("A")
    return alpha.getpixel((0, 0)), alpha.getpixel((2, 2)), alpha.getpixel((3, 3))


@pytest.mark.parametrize("colour", ["red", (255, 0, 0, 0)])
def test_only_an_animation_with_transparency_says_that_it_has_some(colour: Colour) -> None:
    rendered = render_to(apng(full(colour), dot(1, "lime"), duration=100), "webp")

    assert rendered.mode == "RGBA"
    opaque = render_to(apng(full("red"), full("lime"), duration=100), "webp")
    assert opaque.mode == "RGB"


def test_sixty_frames_of_a_sixtieth_last_a_second() -> None:
    frames = [full(("red", "lime", "blue")[number % 3]) for number in range(60)]
    data = apng(*frames, duration=1000 / 60)
    assert 16 < Image.open(io.BytesIO(data)).info["duration"] < 17

    durations = read_durations(render_to(data, "webp"))

    assert (len(durations), sum(durations), set(durations)) == (60, 1000, {16, 17})


def test_durations_in_whole_milliseconds_stay_as_they_are() -> None:
    assert round_durations([100.0, 0.4, 0.4, 40.2]) == [100, 0, 1, 40]
    assert round_durations([]) == []
