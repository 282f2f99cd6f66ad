"""The demo pictures, by number. A version of Pillow always creates the same file for a number."""

import io
from random import Random
from typing import Any, NamedTuple

from PIL import Image
from PIL.ExifTags import IFD, Base

from local.demo import motifs

# Category, titles and tags of each kind, in English and Japanese.
KINDS = {
    motifs.marble: "Abstract=抽象; Marble=大理石; Tide marks=潮の跡; texture=質感; stone=石",
    motifs.fractal: "Fractal=フラクタル; On the edge=境界; Deeper=深淵; maths=数学; detail=細部",
    motifs.silk: "Abstract=抽象; Slow light=緩やかな光; Silk=絹; gradient=階調; wallpaper=壁紙",
    motifs.screen: "Screenshot=画面; Release day=公開日; Draft=下書き; software=ソフト; work=仕事",
    motifs.spin: "Animation=動画; Loop=ループ; Turning=くるくる; movement=動き; polygon=多角形",
    motifs.flowers: "Nature=自然; In bloom=満開; June garden=六月の庭; flower=花; spring=春",
    motifs.planet: "Space=宇宙; Outer planet=外惑星; Second moon=第二の月; planet=惑星; star=星",
    motifs.city: "City=街; Night shift=夜の街; Last train=終電; night=夜; architecture=建築",
    motifs.scales: "Pattern=模様; Waves=青海波; Scales=鱗; geometry=幾何学; tradition=伝統",
    motifs.sea: "Landscape=風景; Still water=夕凪; Low sun=沈む太陽; sea=海; sunset=夕焼け",
    motifs.blossom: "Sticker=シール; Blossom=一輪; Daisy=雛菊; flower=花; transparent=透明",
    motifs.mountains: "Landscape=風景; Ridges=稜線; Far peaks=遠い峰; mountain=山; sky=空",
}
PALETTES = {
    "dusk=夕暮れ": "1b1035 4b1d5e 9a2a6b e2555b f99d5c ffe3a8",
    "dawn=夜明け": "14213d 355070 6d597a b56576 e88c7d fbd9b5",
    "ocean=大洋": "03142b 05386b 0b6e99 2aa9b8 8edccf e9fbf3",
    "forest=森": "0c1f17 1d4031 35684a 6a994e b5c99a f2f4dc",
    "indigo=藍": "0d0b2b 1f2a6b 3d52a0 7091e6 adbbda f0f2fb",
    "sakura=桜": "3b1c32 6a2c4f b0567f e58fb1 f7c6d8 fff1f5",
    "autumn=紅葉": "241008 5c1f10 a63c14 de7a22 f2b84b fbeed0",
    "matcha=抹茶": "1e2613 435726 728c3b a9bd6a d8dfaa f8f6e3",
    "neon=ネオン": "0a0620 2b0f54 7b1fa2 ff2e88 ff8a5c 3ef0e0",
    "slate=灰": "15191f 2f3a46 566573 8798a5 c3ced6 f4f6f8",
}
PHOTOS = (motifs.mountains, motifs.sea, motifs.city, motifs.flowers, motifs.planet)
FLAT = (motifs.scales, motifs.fractal)
SIZES = ((1500, 1000), (1600, 900), (1280, 853), (1700, 720), (900, 1350), (720, 1280), (1080, 1080))
SMALL = {motifs.spin: (480, 480), motifs.blossom: (640, 640)}
OPTIONS = {"jpg": {"quality": 88}, "webp": {"quality": 84, "method": 2}, "avif": {"speed": 8}}
CAMERAS = (("FUJIFILM", "X-T5"), ("Canon", "EOS R5"), ("SONY", "ILCE-7M4"))


class DemoPicture(NamedTuple):
    filename: str
    mime_type: str
    data: bytes
    metadata: dict[str, Any]


def make_picture(number: int) -> DemoPicture:
    """The picture with this number (from 0). Consecutive pictures have different kinds."""
    random = Random(f"demo {number}")
    paint = list(KINDS)[number % len(KINDS)]
    mood, colours = random.choice(list(PALETTES.items()))
    width, height = SMALL.get(paint) or random.choice(SIZES)
    palette = [tuple(bytes.fromhex(colour)) for colour in colours.split()]
    painted: Any = paint(random, (width * 2, height * 2), palette)  # reduced below for smooth edges
    first, *others = [one.reduce(2) for one in (painted if isinstance(painted, list) else [painted])]
    ending = random.choice(("png", "png", "webp"))
    options: dict[str, Any] = {}
    if others:
        ending = random.choice(("gif", "webp"))
        options = {"save_all": True, "append_images": others, "duration": 60, "loop": 0}
    elif paint in PHOTOS:
        ending = random.choice(("jpg", "jpg", "jpg", "webp", "avif"))
        first = first.convert(random.choice(("RGB", "RGB", "RGB", "RGB", "L")))
        if ending == "jpg":
            first, options["exif"] = photograph(random, first)
    elif paint in FLAT and random.random() < 0.5:
        first, ending = first.quantize(128), "png"
    file, form = io.BytesIO(), Image.registered_extensions()[f".{ending}"]
    first.save(file, form, **options, **OPTIONS.get(ending, {}))
    metadata = describe(random, KINDS[paint].split("; "), mood, width - height)
    return DemoPicture(f"demo-{number:04d}.{ending}", Image.MIME[form], file.getvalue(), metadata)


def photograph(random: Random, picture: Image.Image) -> tuple[Image.Image, Image.Exif]:
    """The picture as a camera stores it: portraits are rotated, with the orientation in EXIF."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = random.choice(CAMERAS)
    taken = f"2026:0{random.randint(1, 9)}:{random.randint(10, 28)} 17:30:00"
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken
    if picture.width < picture.height:
        picture, exif[Base.Orientation] = picture.transpose(Image.Transpose.ROTATE_90), 6
    return picture, exif


def describe(random: Random, words: list[str], mood: str, excess: int) -> dict[str, Any]:
    """Title, description, category and tags, in Japanese for 40 %. `excess` is width minus height."""
    japanese = random.random() < 0.4
    shape = "wide=横長" if excess > 0 else "tall=縦長" if excess < 0 else "square=正方形"
    category, *titles, one, two, mood, shape = (pair.split("=")[japanese] for pair in (*words, mood, shape))
    title = random.choice(titles)
    return {
        "title": f"{title} {mood}" if japanese else f"{title}, {mood}",
        "description": f"{mood}の色の「{title}」。" if japanese else f"{title}, in the colors of {mood}.",
        "category": category,
        "tags": [one, two, mood, shape],
    }
