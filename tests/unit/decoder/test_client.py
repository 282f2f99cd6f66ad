"""The decoder as the functions use it."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from imageapi.deadline import time_limit
from imageapi.decoder import client, forks, results
from imageapi.errors import AppError
from imageapi.model.image_formats import FORMATS
from imageapi.model.picture import Picture
from imageapi.model.variant_names import Variant
from imageapi.pictures import inspect, render

from tests import mutations
from tests.support import hostile, pictures, samples
from tests.support.pictures import MAX_PIXELS
from tests.support.samples import ALL_GOOD, BAD
from tests.support.waiting import wait_until
from tests.unit.pictures.looks import refusal

VARIANT = Variant(160, False, "webp")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def decode(data: bytes) -> Picture:
    with client.inspecting(io.BytesIO(data), MAX_PIXELS) as inspection:
        return inspection.wait()


def find_server() -> int:
    """The process id of this process's decoder."""
    return forks.get_process("inspect").pid


def find_forks() -> list[int]:
    return [fork.pid for fork in psutil.Process(find_server()).children()]


def limit(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Set other limits, for a new process."""
    monkeypatch.setitem(forks.LIMITS, "inspect", forks.LIMITS["inspect"]._replace(**limits))
    forks.stop("inspect")


@pytest.fixture(autouse=True)
def restart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End a process with other limits, after the limits have been restored."""
    yield
    if "inspect" in forks.processes:
        monkeypatch.undo()
        forks.stop("inspect")


@pytest.mark.parametrize("name", [*ALL_GOOD, "with an intermediate"])
def test_results_are_those_of_the_same_code_without_a_process(name: str) -> None:
    data = ALL_GOOD.get(name, pictures.large_jpeg)()
    assert decode(data) == inspect.inspect(io.BytesIO(data), MAX_PIXELS)
    rendered = client.render(io.BytesIO(data), VARIANT, MAX_PIXELS)
    assert rendered == render.render(io.BytesIO(data), VARIANT, MAX_PIXELS)


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_are_decoded_or_refused(format: str) -> None:
    """``python -m tests.mutations`` tries more."""
    outcomes = [mutations.decode(data) for _, data in mutations.mutations(format, 20, seed=1)]
    assert [outcome for outcome in outcomes if outcome.startswith("wrong")] == []
    assert len(set(outcomes)) > 1


@pytest.mark.parametrize("name", [*BAD, "empty"])
def test_errors_arrive(name: str) -> None:
    make, *expected = BAD.get(name, (bytes, 415, "unsupported_image_type"))
    assert refusal(decode, make()) == tuple(expected)


def test_details_and_cause_arrive() -> None:
    make, *_ = BAD["png_too_wide"]
    with pytest.raises(AppError) as caught:
        decode(make())
    assert caught.value.details
    assert caught.value.details["width"] == 70_000
    with pytest.raises(AppError) as caught:
        decode(pictures.truncated_noise("JPEG"))
    assert "OSError" in str(caught.value.__cause__)


def test_a_file_is_read_from_its_beginning_and_keeps_its_position() -> None:
    data = pictures.jpeg()
    with tempfile.SpooledTemporaryFile() as file:
        file.write(data)
        with client.inspecting(file, MAX_PIXELS) as inspection:
            assert inspection.wait().width == 64
        assert file.tell() == len(data)


def test_several_at_once() -> None:
    samples = [make() for make in ALL_GOOD.values()]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(decode, samples * 2))
    assert found == [decode(data) for data in samples] * 2


@pytest.fixture
def slow() -> bytes:
    """A JPEG that takes minutes of CPU time."""
    return hostile.jpeg(20_000, 2_000)


def find_fork() -> int | None:
    idle = forks.get_process("inspect")._idle
    return id(idle) if idle else None


def test_a_fork_is_reused_for_plain_formats_until_an_error() -> None:
    decode(pictures.jpeg())
    first = find_fork()
    assert first
    for data in (pictures.png(), pictures.still("GIF"), pictures.still("WEBP"), pictures.still("BMP")):
        decode(data)
        assert find_fork() == first
    refusal(decode, pictures.truncated_noise("JPEG"))
    assert find_fork() is None


@pytest.mark.parametrize("format", ["AVIF", "TIFF", "HEIF"])
def test_a_fork_is_not_reused_after_other_formats(format: str) -> None:
    decode(pictures.jpeg())
    decode(samples.ALL_GOOD[format.lower()]())
    assert find_fork() is None


def test_a_fork_that_has_taken_much_time_is_not_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "REUSED_SECONDS", 0)
    decode(pictures.jpeg())
    assert find_fork() is None


def test_a_fork_decodes_a_limited_number_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says about its CPU time."""
    monkeypatch.setattr(results, "parse_cpu_seconds", lambda _: 0.0)
    forks.stop("inspect")
    used = []
    for _ in range(forks.REUSED_FILES):
        decode(pictures.jpeg())
        used.append(find_fork())
    assert len(set(used[:-1])) == 1
    assert used[0]
    assert used[-1] is None


def test_a_fork_that_died_while_it_was_idle_is_replaced() -> None:
    decode(pictures.jpeg())
    (idle,) = find_forks()
    os.kill(idle, signal.SIGKILL)
    wait_until(lambda: not forks.get_process("inspect")._idle.is_waiting(), 5)  # type: ignore[union-attr]
    assert decode(pictures.png()).width == 64


@linux
def test_a_decode_that_nobody_waits_for_is_killed(slow: bytes) -> None:
    with client.inspecting(io.BytesIO(slow), MAX_PIXELS):
        wait_until(find_forks, 5)
    wait_until(lambda: not find_forks(), 5)


@linux
def test_time_is_limited(slow: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.monotonic()
    with time_limit(0.5):
        assert refusal(decode, slow) == (422, "image_too_complex")
    assert time.monotonic() - start < 5
    limit(monkeypatch, cpu_seconds=1)
    assert refusal(decode, slow) == (422, "image_too_complex")
    wait_until(lambda: not find_forks(), 5)


@linux
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = pictures.png_bomb(9_000)
    assert decode(bomb).width == 9_000
    limit(monkeypatch, memory=20_000_000)
    assert refusal(decode, bomb) == (422, "image_too_complex")
    assert client.render(io.BytesIO(bomb), VARIANT, MAX_PIXELS), "has its own limit"


@linux
def test_memory_that_a_codec_cannot_get_breaks_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """libjpeg's allocation failure reaches Python as the same OSError as broken data."""
    data = pictures.jpeg(3_000, 2_000, mode="CMYK", progressive=True)  # 48 MB of coefficients
    assert refusal(decode, data[:-1_000]) == (422, "image_corrupt")
    limit(monkeypatch, memory=20_000_000)
    assert refusal(decode, data) == (422, "image_too_complex")


@linux
def test_a_frame_larger_than_declared_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, memory=10_000_000)
    assert refusal(decode, hostile.avif(4_000))[0] == 422


@linux
def test_a_killed_decoder_is_replaced() -> None:
    former = find_server()
    os.kill(former, signal.SIGKILL)
    wait_until(forks.get_process("inspect").has_ended, 5)
    assert decode(pictures.jpeg()).width == 64
    assert find_server() != former


def test_a_decoder_that_cannot_start_is_an_error_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "START", "raise SystemExit")
    forks.stop("inspect")
    assert refusal(decode, pictures.jpeg()) == (500, "internal_error")
    monkeypatch.undo()
    forks.stop("inspect")
    assert decode(pictures.jpeg()).width == 64


@linux
def test_the_process_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "secret-marker")
    forks.stop("inspect")
    assert decode(pictures.jpeg()).width == 64
    assert psutil.Process(find_server()).environ() == {}
    forks.stop("inspect")


KEEPS_A_DECODER = """
import io, sys, time
from imageapi.decoder import client, forks
client.start("inspect")
with client.inspecting(io.BytesIO(sys.stdin.buffer.read()), 10**8):
    print(forks.processes["inspect"].pid, flush=True)
    time.sleep(60)
"""


@linux
def test_no_decoder_outlives_the_function(slow: bytes) -> None:
    command, environment = [sys.executable, "-c", KEEPS_A_DECODER], {"PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    function = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
    assert function.stdin
    assert function.stdout
    function.stdin.write(slow)
    function.stdin.close()
    server = psutil.Process(int(function.stdout.readline()))
    wait_until(server.children, 5)
    decoders = [server, *server.children()]
    function.kill()
    function.wait()
    wait_until(lambda: not any(decoder.is_running() for decoder in decoders), 5)
