"""Whatever happens to a decoder, the next one decodes, and no other file fails for it."""

import io
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from imageapi.decoder import client, forks

from tests.support.pictures import MAX_PIXELS, large_jpeg
from tests.support.waiting import wait_until

ROUNDS, THREADS = 20, 6
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds a killed process by its socket")


def decode(_: int = 0) -> int:
    with client.inspecting(io.BytesIO(large_jpeg()), MAX_PIXELS) as inspection:
        return inspection.wait().width


def test_a_dead_process_is_replaced_once_by_many_threads() -> None:
    for _ in range(ROUNDS):
        client.start("inspect")
        process = forks.get_process("inspect")
        os.kill(process.pid, signal.SIGKILL)
        wait_until(process.has_ended)
        with ThreadPoolExecutor(THREADS) as pool:
            assert len(set(pool.map(decode, range(THREADS)))) == 1


def test_a_file_is_decoded_again_if_the_process_is_killed_meanwhile() -> None:
    client.start("inspect")
    with client.inspecting(io.BytesIO(large_jpeg()), MAX_PIXELS) as inspection:
        os.kill(forks.get_process("inspect").pid, signal.SIGKILL)
        assert inspection.wait().width == 2_400
    assert decode() == 2_400


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_used_fork_that_fails_does_not_fail_the_next_file(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier file may have taken it over. It is stopped after it has been found idle."""
    monkeypatch.setattr(forks, "REUSED_WAIT_SECONDS", 0.5)
    forks.stop("inspect")
    decode()
    (fork,) = psutil.Process(forks.get_process("inspect").pid).children()
    is_waiting = forks.Fork.is_waiting

    def stop(idle: forks.Fork) -> bool:
        found = is_waiting(idle)
        fork.send_signal(number)
        return found

    monkeypatch.setattr(forks.Fork, "is_waiting", stop)
    assert decode() == 2_400
