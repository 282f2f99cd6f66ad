"""The workers of one function. They start when needed, and are replaced if they fail or the code changes."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping

from local.gateway.logs import LogSink
from local.gateway.template import FunctionSpec, Template, read_template
from local.gateway.worker import (
    PAYLOAD_LIMIT_BYTES,
    EventTooLargeError,
    HandlerError,
    InvokeError,
    ThrottledError,
    Worker,
    lambda_environment,
)
from local.settings import OwnStores, Settings, function_environment

QUEUE_SECONDS = 10.0
CHECK_SECONDS = 0.5
CLOSE_SECONDS = 2.0


class Pool:
    """The workers of one function. Code changes are loaded at the next event. Thread-safe."""

    def __init__(self, spec: FunctionSpec, environ: Mapping[str, str], logs: LogSink, size: int) -> None:
        self.spec = spec
        self.environ = environ
        self._logs = logs
        self._size = size
        self._changed = threading.Condition()
        self._idle: list[tuple[int, Worker]] = []
        self._busy: set[Worker] = set()
        self._starting = 0
        self._closed = False
        self._generation = 0
        self._checked = time.monotonic()
        self._fingerprint = self._take_fingerprint()

    def invoke(self, event: str, body: bytes = b"") -> bytes:
        """The handler's result as JSON. `body` becomes the event's body in base64. Raises InvokeError."""
        size = len(event) + len(body) * 4 // 3
        if size > PAYLOAD_LIMIT_BYTES:
            raise EventTooLargeError(f"{size} bytes")
        try:
            with self._worker() as worker:
                return worker.invoke(event, body)
        except InvokeError as error:
            self._logs.note(self.spec.name, f"{type(error).__name__}: {error}")
            raise

    def warm(self) -> None:
        """Start one worker before the first event. A handler that cannot be imported is only logged."""
        try:
            with self._worker():
                pass
        except InvokeError as error:
            self._logs.note(self.spec.name, f"{error}. Edit it and send the request again.")

    def pids(self) -> list[int]:
        with self._changed:
            return [worker.pid for _, worker in self._idle] + [worker.pid for worker in self._busy]

    def close(self) -> None:
        """Stop the workers. Busy ones have CLOSE_SECONDS to finish. Waiting events are rejected."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._busy and not self._starting, CLOSE_SECONDS)
            workers = [worker for _, worker in self._idle] + list(self._busy)
            self._idle.clear()
        for worker in workers:
            worker.close()

    @contextlib.contextmanager
    def _worker(self) -> Iterator[Worker]:
        self._reload_when_changed()
        generation, worker = self._take()
        healthy = False
        try:
            yield worker
            healthy = True
        except HandlerError:
            healthy = True
            raise
        finally:
            with self._changed:
                self._busy.discard(worker)
                healthy = healthy and generation == self._generation and not self._closed
                if healthy:
                    self._idle.append((generation, worker))
            if not healthy:
                worker.close()
            with self._changed:
                self._changed.notify()

    def _take(self) -> tuple[int, Worker]:
        deadline = time.monotonic() + QUEUE_SECONDS
        with self._changed:
            while True:
                if self._closed:
                    raise ThrottledError("the runner is stopping")
                while self._idle:
                    generation, worker = self._idle.pop()
                    if generation == self._generation and worker.is_alive():
                        self._busy.add(worker)
                        return generation, worker
                    worker.close()
                if len(self._busy) + self._starting < self._size:
                    self._starting += 1
                    generation = self._generation
                    break
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise ThrottledError(f"all {self._size} workers were busy for {QUEUE_SECONDS:.0f} s")
        try:
            worker = Worker(self.spec, self.environ, self._logs, keep_bytecode=generation == 0)
        except BaseException:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._starting -= 1
            self._busy.add(worker)
        return generation, worker

    def _reload_when_changed(self) -> None:
        with self._changed:
            if time.monotonic() - self._checked < CHECK_SECONDS:
                return
            self._checked = time.monotonic()
            found = self._take_fingerprint()
            if found == self._fingerprint:
                return
            self._fingerprint = found
            self._generation += 1
        self._logs.note(self.spec.name, "its code changed: loading it again")

    def _take_fingerprint(self) -> int:
        found = []
        for root in (self.spec.code_dir, *self.spec.layer_dirs):
            for folder, subfolders, files in os.walk(root):
                subfolders[:] = [name for name in subfolders if name != "__pycache__"]
                for name in files:
                    with contextlib.suppress(OSError):
                        status = os.stat(os.path.join(folder, name))
                        found.append((folder, name, status.st_mtime_ns, status.st_size))
        return hash(tuple(found))


def make_pools(
    settings: Settings,
    stores: OwnStores | None,
    logs: LogSink,
    only: str | None = None,
    unseen: str | None = None,
) -> tuple[Template, dict[str, Pool]]:
    """The template, and a pool for each of its functions, or only for the function `only`.

    Without `stores`, the functions use the stores in the settings. The function `unseen` logs only to the
    file.
    """
    template = read_template(settings.template)
    keys = (settings.value("MINIO_ACCESS_KEY"), settings.value("MINIO_SECRET_KEY"))
    pools = {}
    for name, spec in template.functions.items():
        if only in (None, name):
            variables = function_environment(settings, spec.variables, stores, spec.users)
            sink = logs.unseen() if name == unseen else logs
            pools[name] = Pool(spec, lambda_environment(spec, variables, keys), sink, settings.workers)
    return template, pools
