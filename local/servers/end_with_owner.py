"""Run one server, and stop it when standard input closes. Standard library only, so that it starts quickly.

    python -I -S end_with_owner.py SIGNAL SECONDS PROGRAM ARGUMENT…

Standard input is a pipe without data. It closes when the owner stops, crashes or is killed. The server's pid
goes to standard output, its own output to standard error. SIGNAL stops it; stronger signals follow after
SECONDS.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

QUIT_SECONDS, KILL_SECONDS = 6, 5


def stop(server: "subprocess.Popen[bytes]", number: int, seconds: float) -> None:
    """Stop the server with signal `number`, or a stronger one if it does not stop in time.

    SIGKILL would stop only PostgreSQL's main process, and a child that writes to a slow disk would keep the
    data folder. On SIGQUIT the main process stops its children (after five seconds by SIGKILL), then exits.
    """
    for stronger, patience in (
        (number, seconds),
        (signal.SIGQUIT, QUIT_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ):
        server.send_signal(stronger)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            return


def main() -> int:
    number, seconds = int(sys.argv[1]), float(sys.argv[2])
    # The server inherits the lock on its data as an open file, and holds it until all its processes exit.
    server = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=2, close_fds=False)
    os.write(1, b"%d\n" % server.pid)
    os.close(1)

    def stop_with_owner() -> None:
        os.read(0, 1)
        stop(server, number, seconds)

    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(number))
    threading.Thread(target=stop_with_owner, daemon=True).start()
    code = server.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
