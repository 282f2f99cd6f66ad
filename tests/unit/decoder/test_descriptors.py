"""The decoder closes what it does not need, however many descriptors the machine allows."""

import io
import os
import resource

import pytest
from imageapi.decoder import client, sandbox

from tests.support.pictures import MAX_PIXELS, jpeg

INFINITE = 2**63 - 1
"""As macOS reports `ulimit -n unlimited`."""


def test_files_are_decoded_although_the_number_of_descriptors_is_unlimited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlimited = (
        f"import resource; limit_of, infinite = resource.getrlimit, ({INFINITE}, {INFINITE});"
        "resource.getrlimit = lambda kind: infinite if kind == resource.RLIMIT_NOFILE else limit_of(kind);"
    )
    client.stop("inspect")
    with monkeypatch.context() as patch:
        patch.setattr(client, "_START", client._START.replace("serve(int", f"{unlimited} serve(int"))
        with client.inspecting(io.BytesIO(jpeg()), MAX_PIXELS) as inspection:
            assert inspection.wait().width == 64
    client.stop("inspect")


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
