"""``python -m tests.mutations``: damaged files of each format, sent to the decoder.

Each must be decoded, or refused with 415 or 422. No decoder may stay behind, and its process must not grow.
"""

import argparse
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from imageapi.decoder import client, forks
from imageapi.errors import AppError
from imageapi.model.image_formats import FORMATS
from imageapi.model.variant_names import Variant

from tests.support.pictures import MAX_PIXELS
from tests.support.samples import ALL_GOOD

MAX_GROWTH = 20 * 2**20
"""Of the decoder's process, in bytes."""
VARIANT = Variant(160, False, "webp")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="files of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", nargs="*", default=sorted(FORMATS), metavar="FORMAT")
    options = parser.parse_args()
    wrong = []
    for format in options.formats:
        start, outcomes = time.monotonic(), Counter[str]()
        for number, data in mutations(format, options.count, options.seed):
            outcome = decode(data)
            outcomes[outcome] += 1
            if outcome.startswith("wrong"):
                wrong.append(f"{format} {number}: {outcome}")
                Path(f"/tmp/mutation-{format}-{number}").write_bytes(data)
        print(f"{format}: {dict(outcomes.most_common())}, {time.monotonic() - start:.0f} s", flush=True)
    wrong += find_remains()
    print(*wrong, f"{len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


def mutations(format: str, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Damaged copies of the good pictures of a format, each with its number."""
    samples = [make() for name, make in ALL_GOOD.items() if name.partition("_")[0].upper() == format]
    chance = random.Random(f"{format} {seed}")
    for number in range(count):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            chance.choice(DAMAGES)(data, chance)
        yield number, bytes(data)


def change(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def cut(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 32)]
    data += b"\0" * (not data)


def repeat(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start:start] = data[start : start + chance.randint(1, 64)] * chance.randint(1, 8)


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (change, change, change, cut, repeat)


def decode(data: bytes) -> str:
    """``decoded``, the code of the refusal, or what is wrong."""
    try:
        with client.inspecting(io.BytesIO(data), MAX_PIXELS) as inspection:
            inspection.wait()
    except AppError as error:
        return error.code if error.status in (415, 422) else f"wrong: {error!r}, {error.__cause__!r}"
    except Exception as error:
        return f"wrong: {error!r}"
    try:
        client.render(io.BytesIO(data), VARIANT, MAX_PIXELS)
    except AppError as error:
        if error.status not in (415, 422):
            return f"wrong: {error!r}, {error.__cause__!r}, when rendered"
        return "decoded, not rendered"
    return "decoded"


def find_remains() -> Iterator[str]:
    """Decoders that are left, and decoder processes that have grown."""
    time.sleep(0.5)
    for operation, process in forks.processes.items():
        children = psutil.Process(process.pid).children()
        if len(children) > bool(process._idle):
            yield f"{operation}: {len(children)} processes are left"
        fresh = forks.Process(operation)
        process.give_back(process.take(), is_reusable=False)
        fresh.give_back(fresh.take(), is_reusable=False)
        time.sleep(0.5)
        used, initial = (psutil.Process(one.pid).memory_info().rss for one in (process, fresh))
        growth = used - initial
        print(f"{operation}: its process has grown by {growth / 2**20:.1f} MB")
        fresh.end()
        if growth > MAX_GROWTH:
            yield f"{operation}: its process has grown by {growth} bytes"


if __name__ == "__main__":
    sys.exit(main())
