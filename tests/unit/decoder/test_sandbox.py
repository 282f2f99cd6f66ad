"""A decoder under foreign control reaches nothing, and the next file is decoded by another one."""

import io
import os
import sys
import time
from collections.abc import Iterator

import pytest
from imageapi.decoder import client, forks
from imageapi.decoder.sandbox import Limits
from imageapi.errors import AppError, TooComplexError

from tests.support import decoder_stub
from tests.support.pictures import MAX_PIXELS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system has seccomp")
START = forks.START.replace("imageapi.decoder.server", "tests.support.decoder_stub")
KILLED = ("endless loop", "wait", "memory", "crash", "exit", "too many bytes", "too few bytes", "noise")
ALLOWED = {"descriptors": "succeeded: 2", "environment": "succeeded: []"}
REFUSED = sorted(set(decoder_stub.ATTEMPTS) - {*KILLED, *ALLOWED})


@pytest.fixture(scope="module", autouse=True)
def stub() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forks, "START", START)
        patch.setitem(forks.LIMITS, "inspect", Limits(cpu_seconds=1, memory=200 * 2**20))
        patch.setattr(forks, "MAX_WAIT_SECONDS", 3.0)
        forks.stop("inspect")
        yield
    forks.stop("inspect")


def attempt(name: str) -> str:
    """What happened, as the decoder reports it. The file looks like a JPEG."""
    file = io.BytesIO(b"\xff\xd8\xff" + name.encode())
    with pytest.raises(AppError) as caught, client.inspecting(file, MAX_PIXELS) as inspection:
        inspection.wait()
    return "killed" if isinstance(caught.value, TooComplexError) else caught.value.message


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    assert attempt(name) in ("failed: PermissionError", "failed: OSError", "failed: ValueError")


@pytest.mark.parametrize("name", KILLED)
def test_what_ends_the_decoder(name: str) -> None:
    assert attempt("descriptors") == ALLOWED["descriptors"]
    before = sorted(os.listdir("/proc/self/fd"))
    start = time.monotonic()
    assert attempt(name) == "killed"
    assert time.monotonic() - start < 10
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert attempt("descriptors") == ALLOWED["descriptors"], "the next file"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_decoder_has(name: str) -> None:
    assert attempt(name) == ALLOWED[name]


def test_without_seccomp_there_is_no_descriptor_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine whose system calls the filter does not know."""
    no_filter = "from imageapi.decoder import sandbox; sandbox._MACHINES.clear(); serve("
    monkeypatch.setattr(forks, "START", START.replace("serve(", no_filter))
    forks.stop("inspect")
    for name in ("file", "parent's environment", "parent's memory", "socket", "pipe", "copy of a descriptor"):
        assert attempt(name) == "failed: OSError", name
    forks.stop("inspect")
