"""The demo pictures, by number. One version of Pillow always makes the same file for a number."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import ExifTags, Image

from local.demo import patterns, scenes, screens
from local.demo.paint import PALETTES, Palette, Size

Painter = Callable[[Random, Size, Palette], Image.Image]

LANDSCAPE: tuple[Size, ...] = ((1600, 1067), (1920, 1080), (1280, 853), (1440, 960), (1800, 760))
PORTRAIT: tuple[Size, ...] = ((900, 1350), (1080, 1350), (960, 1280), (720, 1280))
SQUARE: tuple[Size, ...] = ((1080, 1080), (800, 800), (1200, 1200))
SMALL: tuple[Size, ...] = ((480, 360), (400, 400), (360, 480))

PHOTO = ("JPEG", "JPEG", "JPEG", "WEBP", "AVIF", "JPEG", "TIFF")
GRAPHIC = ("PNG", "PNG", "WEBP", "JPEG", "BMP")
MEDIA_TYPES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "TIFF": ("image/tiff", "tif"),
    "BMP": ("image/bmp", "bmp"),
    "GIF": ("image/gif", "gif"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88, "progressive": True},
    "PNG": {"optimize": False},
    "WEBP": {"quality": 84, "method": 2},
    "AVIF": {"quality": 70, "speed": 8},
    "TIFF": {"compression": "tiff_lzw"},
}
UNCOMPRESSED = 900
"""The longest side in pixels in BMP and TIFF, which compress little or not at all."""
CAMERAS = (
    ("FUJIFILM", "X-T5", 35.0),
    ("SONY", "ILCE-7M4", 24.0),
    ("Canon", "EOS R5", 50.0),
    ("NIKON", "Z 6", 85.0),
)


@dataclass(frozen=True)
class Kind:
    """A kind of picture: how it is painted, its sizes and formats, and its metadata."""

    paint: Painter | None
    """None for an animation."""
    sizes: Sequence[Size]
    formats: Sequence[str]
    category: tuple[str, str]
    titles: Sequence[tuple[str, str]]
    tags: Sequence[tuple[str, str]]
    camera: bool = False


@dataclass(frozen=True)
class DemoPicture:
    """A file and its metadata, as they are uploaded."""

    filename: str
    mime_type: str
    data: bytes
    metadata: dict[str, Any]


def pairs(text: str) -> list[tuple[str, str]]:
    """[("sea", "海"), …] from "sea = 海; …": English and Japanese."""
    halves = (part.split(" = ") for part in text.split("; "))
    return [(english, japanese) for english, japanese in halves]


KINDS = (
    Kind(
        scenes.paint_mountains,
        LANDSCAPE + PORTRAIT,
        PHOTO,
        ("Landscape", "風景"),
        pairs("Ridges = 稜線; Five valleys = 五つの谷; Far peaks = 遠い峰; Above the clouds = 雲の上"),
        pairs("mountain = 山; sky = 空"),
        camera=True,
    ),
    Kind(
        scenes.paint_sea,
        LANDSCAPE + PORTRAIT,
        PHOTO,
        ("Landscape", "風景"),
        pairs(
            "The sea at evening = 夕凪; A path of light = 光の道; Low sun = 沈む太陽; Still water = 静かな海"
        ),
        pairs("sea = 海; sunset = 夕焼け"),
        camera=True,
    ),
    Kind(
        scenes.paint_city,
        LANDSCAPE + PORTRAIT,
        PHOTO,
        ("City", "街"),
        pairs("Night shift = 夜の街; Lights on = 灯り; From the bridge = 橋から; Last train = 終電"),
        pairs("night = 夜; architecture = 建築"),
        camera=True,
    ),
    Kind(
        scenes.paint_forest,
        LANDSCAPE + PORTRAIT,
        PHOTO,
        ("Landscape", "風景"),
        pairs("Firs in the mist = 霧の樅; Morning in the woods = 森の朝; Quiet path = 静かな小道"),
        pairs("forest = 森; mist = 霧"),
        camera=True,
    ),
    Kind(
        scenes.paint_portrait,
        PORTRAIT + SQUARE,
        PHOTO,
        ("Portrait", "人物"),
        pairs(
            "Against the light = 逆光; Somebody waiting = 待つ人; At the window = 窓辺; A neighbour = 隣人"
        ),
        pairs("people = 人; silhouette = 影"),
        camera=True,
    ),
    Kind(
        scenes.paint_planet,
        LANDSCAPE + SQUARE,
        PHOTO,
        ("Space", "宇宙"),
        pairs("Outer planet = 外惑星; Second moon = 第二の月; Long exposure = 長時間露光"),
        pairs("planet = 惑星; stars = 星"),
    ),
    Kind(
        scenes.paint_flowers,
        SQUARE + PORTRAIT + LANDSCAPE,
        PHOTO,
        ("Nature", "自然"),
        pairs("In bloom = 満開; Garden in June = 六月の庭; Petals = 花びら; First warm day = 春の日"),
        pairs("flower = 花; spring = 春"),
        camera=True,
    ),
    Kind(
        patterns.paint_tree,
        PORTRAIT + SQUARE,
        GRAPHIC,
        ("Nature", "自然"),
        pairs("Old tree = 古木; Branching = 枝分かれ; The orchard = 果樹園"),
        pairs("tree = 木; fractal = フラクタル"),
    ),
    Kind(
        patterns.paint_gradient,
        LANDSCAPE + SQUARE + PORTRAIT,
        PHOTO,
        ("Abstract", "抽象"),
        pairs("Slow light = ゆるやかな光; Warm front = 温暖前線; Between two songs = 曲間"),
        pairs("gradient = グラデーション; wallpaper = 壁紙"),
    ),
    Kind(
        patterns.paint_marble,
        LANDSCAPE + SQUARE,
        GRAPHIC,
        ("Abstract", "抽象"),
        pairs("Marble = 大理石; Contour lines = 等高線; Tide marks = 潮の跡"),
        pairs("texture = 質感; map = 地図"),
    ),
    Kind(
        patterns.paint_tiles,
        SQUARE + LANDSCAPE,
        GRAPHIC,
        ("Geometric", "幾何学"),
        pairs("Tiles = タイル; Study in quarters = 四分円の習作; Floor plan = 間取り"),
        pairs("pattern = 模様; grid = 格子"),
    ),
    Kind(
        patterns.paint_waves,
        SQUARE + PORTRAIT,
        GRAPHIC,
        ("Geometric", "幾何学"),
        pairs("Seigaiha = 青海波; Scales = 鱗; A hundred waves = 百の波"),
        pairs("pattern = 模様; tradition = 伝統"),
    ),
    Kind(
        patterns.paint_triangles,
        LANDSCAPE + PORTRAIT,
        GRAPHIC,
        ("Geometric", "幾何学"),
        pairs("Facets = 切子; Folded paper = 折り紙; Low relief = 浅い起伏"),
        pairs("polygon = 多角形; wallpaper = 壁紙"),
    ),
    Kind(
        patterns.paint_mandelbrot,
        LANDSCAPE + SQUARE,
        GRAPHIC,
        ("Fractal", "フラクタル"),
        pairs("Seahorse valley = タツノオトシゴの谷; On the edge = 境界; Deeper still = さらに深く"),
        pairs("fractal = フラクタル; mathematics = 数学"),
    ),
    Kind(
        screens.paint_chart,
        ((1200, 800), (1000, 1000), (1280, 720)),
        ("PNG", "PNG", "WEBP"),
        ("Document", "資料"),
        pairs("Third quarter = 第三四半期; What changed = 変化; By region = 地域別"),
        pairs("chart = グラフ; report = 報告"),
    ),
    Kind(
        screens.paint_screen,
        ((1440, 900), (1280, 800), (750, 1334)),
        ("PNG", "PNG", "WEBP"),
        ("Screenshot", "画面"),
        pairs("Before the refactoring = 改修前; The new layout = 新しい配置; Bug report = 不具合報告"),
        pairs("screen = 画面; software = ソフトウェア"),
    ),
    Kind(
        None,
        SMALL,
        ("GIF",),
        ("Animation", "動画"),
        pairs("Loop = ループ; Round and round = くるくる; Swell = うねり"),
        pairs("animation = アニメーション; loop = 繰り返し"),
    ),
)


def make_picture(number: int) -> DemoPicture:
    """The picture with this number, from 0 on; neighbours are of different kinds."""
    random = Random(f"demo {number}")
    kind = KINDS[number % len(KINDS)]
    palette = random.choice(PALETTES)
    size, form = random.choice(kind.sizes), random.choice(kind.formats)
    if form in ("TIFF", "BMP"):
        scale = min(1.0, UNCOMPRESSED / max(size))
        size = (round(size[0] * scale), round(size[1] * scale))
    data = encode(random, kind, palette, size, form)
    mime_type, extension = MEDIA_TYPES[form]
    metadata = describe(random, kind, palette, size)
    return DemoPicture(f"demo-{number:04d}.{extension}", mime_type, data, metadata)


def encode(random: Random, kind: Kind, palette: Palette, size: Size, form: str) -> bytes:
    """Paint it and write it in its format."""
    file = io.BytesIO()
    if kind.paint is None:
        first, *others = (frame.quantize(96) for frame in patterns.paint_frames(random, size, palette))
        first.save(file, "GIF", save_all=True, append_images=others, duration=60, loop=0)
        return file.getvalue()
    picture = kind.paint(random, size, palette)
    options = dict(OPTIONS.get(form, {}))
    if kind.camera and form == "JPEG":
        exif = make_exif(random)
        if size[0] < size[1] and random.random() < 0.5:
            # As a phone held upright writes it: the pixels lie on their side, and say so.
            picture = picture.transpose(Image.Transpose.ROTATE_90)
            exif[ExifTags.Base.Orientation] = 6
        options["exif"] = exif
    picture.save(file, form, **options)
    return file.getvalue()


def make_exif(random: Random) -> Image.Exif:
    """EXIF data as a camera writes it."""
    make, model, focal_length = random.choice(CAMERAS)
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = make, model
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.FocalLength] = focal_length
    details[ExifTags.Base.FNumber] = random.choice((1.8, 2.8, 4.0, 8.0))
    details[ExifTags.Base.ISOSpeedRatings] = random.choice((100, 200, 400, 1600))
    day, hour = random.randint(1, 28), random.randint(5, 21)
    taken = f"2026:{random.randint(1, 9):02d}:{day:02d} {hour:02d}:{random.randint(0, 59):02d}:00"
    details[ExifTags.Base.DateTimeOriginal] = taken
    return exif


def describe(random: Random, kind: Kind, palette: Palette, size: Size) -> dict[str, Any]:
    """Title, description, category and tags: in Japanese for two in five."""
    language = 1 if random.random() < 0.4 else 0
    title = random.choice(kind.titles)[language]
    mood = palette.japanese if language else palette.english
    shape = (
        ("square", "正方形")
        if size[0] == size[1]
        else ("wide", "横長")
        if size[0] > size[1]
        else ("tall", "縦長")
    )
    tags = [tag[language] for tag in kind.tags] + [mood, shape[language]]
    text = (f"{title}, in the colours of {mood}.", f"{mood}の色の「{title}」。")[language]
    return {
        "title": (f"{title}, {mood}", f"{title} {mood}")[language],
        "description": text,
        "category": kind.category[language],
        "tags": list(dict.fromkeys(tags)),
    }
