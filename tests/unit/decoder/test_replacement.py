"""Threads that find the decoder's process dead replace it once, and do not end each other's work."""

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from imageapi.decoder import client

from tests.support.pictures import MAX_PIXELS, large_jpeg
from tests.support.waiting import wait_until

ROUNDS, THREADS = 20, 6


def test_a_dead_process_is_replaced_once_by_many_threads() -> None:
    data = large_jpeg()

    def decode(_: int) -> int:
        with client.inspecting(io.BytesIO(data), MAX_PIXELS) as inspection:
            return inspection.wait().width

    for _ in range(ROUNDS):
        client.start("inspect")
        process = client._get_process("inspect")
        os.kill(process.pid, signal.SIGKILL)
        wait_until(process.has_ended)
        with ThreadPoolExecutor(THREADS) as pool:
            assert len(set(pool.map(decode, range(THREADS)))) == 1
