"""PNGs assembled chunk by chunk."""

import struct
import zlib


def png_chunk(name: bytes, content: bytes) -> bytes:
    """A PNG chunk with its correct checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def compress_zeros(count: int) -> bytes:
    """NUL bytes compressed with zlib, to about a thousandth."""
    compressor = zlib.compressobj(9)
    block = bytes(65_536)
    packed = b"".join(compressor.compress(block) for _ in range(count // len(block)))
    return packed + compressor.compress(bytes(count % len(block))) + compressor.flush()


def assemble_png(
    width: int, height: int, bits: int, colour_type: int, pixels: bytes, *others: tuple[bytes, bytes]
) -> bytes:
    """A complete PNG from compressed pixels, with ``others`` (name and content) before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), *others, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, content) for name, content in chunks)
