"""The decoder on other machines: with other limits of descriptors, or without seccomp."""

import io
import os
import resource
import sys

import pytest
from imageapi.decoder import client, forks, sandbox

from tests.support.pictures import MAX_PIXELS, jpeg

INFINITE = 2**63 - 1
"""As macOS reports `ulimit -n unlimited`."""


def decode_after(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a decoder that runs this code first, and let it decode a picture."""
    forks.stop("inspect")
    with monkeypatch.context() as patch:
        patch.setattr(forks, "START", forks.START.replace("serve(int", f"{code} serve(int"))
        with client.inspecting(io.BytesIO(jpeg()), MAX_PIXELS) as inspection:
            assert inspection.wait().width == 64
    forks.stop("inspect")


def test_files_are_decoded_although_the_number_of_descriptors_is_unlimited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlimited = (
        f"import resource; limit_of, infinite = resource.getrlimit, ({INFINITE}, {INFINITE});"
        "resource.getrlimit = lambda kind: infinite if kind == resource.RLIMIT_NOFILE else limit_of(kind);"
    )
    decode_after(unlimited, monkeypatch)


def test_a_descriptor_above_a_lowered_limit_is_closed_as_well() -> None:
    pid = os.fork()
    if not pid:
        try:
            os.dup2(2, 200)
            resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            sandbox.close_all_but({2})
            os.fstat(2)
            os.fstat(200)
        except OSError as error:
            os._exit(error.errno or 0)
        finally:
            os._exit(0)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 9, "EBADF"


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has seccomp")
@pytest.mark.parametrize("is_refused", [False, True])
def test_a_kernel_that_refuses_the_filter_is_logged(
    is_refused: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    refuse = "from imageapi.decoder import sandbox; sandbox._SECCOMP = (-1, -1);" if is_refused else ""
    decode_after(refuse, monkeypatch)
    assert ("no seccomp filter" in capfd.readouterr().err) == is_refused
