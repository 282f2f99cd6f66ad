"""Runs several clients at the same time, one call to a store after the other, in a given order."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.integration.stores import Stores
from tests.interleavings.client import Client, Request, Result, State, fill
from tests.interleavings.footprint import Footprint
from tests.interleavings.process import ID, Answered, Call, Permission, Seen, Sleep

LOCK_CHECK_SECONDS = 0.004
"""A statement that takes longer may be waiting for a lock."""
STUCK_SECONDS = 60.0
LOOK = Call("looks again", Footprint(), None)
"""Stands for the end of a sleep."""


class Step(NamedTuple):
    """One call.

    Attributes:
        client: its client; ``others``: those that could have gone on instead.
        is_free: whether a switch to one of them would have been no preemption: the client of the step before
            could not go on.
        seen: the rows that an SQL message returned, with names instead of ids; None if unknown.
    """

    client: str
    call: str
    footprint: Footprint
    others: tuple[str, ...]
    is_free: bool
    seen: str | None = None


Choose = Callable[[Sequence[str], str], str]
"""Chooses the client of the next call, from the names of those that can, and that of the last call."""


class Execution:
    """One schedule.

    Attributes:
        steps: the calls so far; ``results``: the requests, in the order in which they began.
    """

    def __init__(self, stores: Stores, clients: Sequence[Client]) -> None:
        self.steps: list[Step] = []
        self.results: list[Result] = []
        self._stores = stores
        self._clients = {client.name: client for client in clients}
        self._backends: set[int | None] = set()
        self._ids: dict[str, str] = {}
        self._transaction = ""
        self._progress = 0

    def run(self, choose: Choose) -> None:
        """Run all clients to their ends.

        Args:
            choose: called before each call, even if there is only one choice.
        """
        self._has_changed()
        for client in self._clients.values():
            self._send(client, next(client.script))
            self._wait(client)
        last = ""
        while any(client.state is not State.DONE for client in self._clients.values()):
            able = [client.name for client in self._clients.values() if self._can_go_on(client)]
            if not able:
                self._end_wait()
                continue
            chosen = choose(able, last)
            others = tuple(name for name in able if name != chosen)
            client = self._clients[chosen]
            call = client.call if isinstance(client.call, Call) else LOOK
            client.step = len(self.steps)
            self.steps.append(Step(chosen, call.name, call.footprint, others, last not in able))
            # Two that wait for each other must not wake each other.
            self._progress += not client.looks
            self._grant(client, Permission.GO)
            may_read_only = call.backend and call.footprint.writes and client.state is not State.BLOCKED
            if may_read_only and not self._has_changed():
                self._note_step(client, footprint=Footprint(call.footprint.reads))
            last = chosen

    def _has_changed(self) -> bool:
        """Whether a transaction has ended, since the last time, that had changed or locked a row."""
        (row,) = self._stores.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next")
        before, self._transaction = self._transaction, row["next"]
        return bool(before != self._transaction)

    def _note_step(self, client: Client, **values: Any) -> None:
        self.steps[client.step] = self.steps[client.step]._replace(**values)

    def _name_ids(self, text: str, owner: str = "") -> str:
        """Replace ids by names that are the same in each run, after the first user of an id."""

        def name(found: re.Match[str]) -> str:
            number = sum(given.startswith(f"<{owner}:") for given in self._ids.values())
            return self._ids.setdefault(found[0], f"<{owner}:{number}>")

        return ID.sub(name, text)

    def _can_go_on(self, client: Client) -> bool:
        """Whether it can make a call: after a sleep, only if others have made progress."""
        is_woken = client.state is State.ASLEEP and client.seen < self._progress
        return client.state is State.READY or is_woken

    def _end_wait(self) -> None:
        """If no client can go on, end the first sleep, or wait until PostgreSQL ends a deadlock."""
        asleep = [client for client in self._clients.values() if client.state is State.ASLEEP]
        if asleep:
            self._grant(asleep[0], Permission.TIME_OVER)
            return
        time.sleep(LOCK_CHECK_SECONDS)
        self._wait_for_blocked()

    def _grant(self, client: Client, permission: Permission) -> None:
        if client.result and client.result.began < 0:
            client.result.began = len(self.steps) - 1
            self.results.append(client.result)
        client.process.pipe.send(permission)
        client.state = State.READY
        self._wait(client)
        self._wait_for_blocked()

    def _wait_for_blocked(self) -> None:
        for other in self._clients.values():
            if other.state is State.BLOCKED:
                self._wait(other)

    def _send(self, client: Client, request: Request) -> None:
        self._name_ids(request.image_id)
        client.result = Result(client.name, request, -1)
        client.process.pipe.send((request.function, request.event))

    def _wait(self, client: Client) -> None:
        """Wait until the client is about to make its next call, sleeps, waits for a lock, or is done."""
        limit = time.monotonic() + STUCK_SECONDS
        backend = client.call.backend if isinstance(client.call, Call) else None
        if client.state is State.BLOCKED and not client.process.pipe.poll() and self._is_blocked(backend):
            return
        patience = LOCK_CHECK_SECONDS
        while True:
            if client.process.pipe.poll(patience):
                message = client.process.pipe.recv()
                if isinstance(message, Seen):
                    self._note_step(client, seen=self._name_ids(message.rows))
                    continue
                if not isinstance(message, Answered):
                    self._note(client, message)
                    return
                self._finish(client, message)
                if client.state is State.DONE:
                    return
                backend = None
            elif backend and self._is_blocked(backend):
                client.state = State.BLOCKED
                return
            elif time.monotonic() > limit:
                raise RuntimeError(f"{client.name} is stuck after {client.call}")
            patience = min(2 * patience, 0.1)  # on a busy machine, each check takes time

    def _note(self, client: Client, message: Call | Sleep) -> None:
        client.state = State.READY
        if isinstance(message, Sleep):
            client.state, client.looks, client.seen = State.ASLEEP, True, self._progress
        else:
            self._name_ids(" ".join(message.ids), client.name)
            parts = ({self._name_ids(name, client.name) for name in part} for part in message.footprint)
            message = message._replace(footprint=Footprint(*map(frozenset, parts)))
            self._backends |= {message.backend} - {None}
        client.call = message

    def _finish(self, client: Client, answered: Answered) -> None:
        """Note a response; send the client's next request, if any."""
        result = client.result
        assert result
        fill(result, answered)
        result.ended = len(self.steps)
        self._progress += client.looks
        client.looks = False
        if result.began < 0:  # it called no store
            result.began = result.ended
            self.results.append(result)
        try:
            self._send(client, client.script.send(result))
        except StopIteration:
            client.state = State.DONE

    def _is_blocked(self, backend: int | None) -> bool:
        (row,) = self._stores.execute("SELECT pg_blocking_pids(%s) AS pids", (backend,))
        return not self._backends.isdisjoint(row["pids"])
