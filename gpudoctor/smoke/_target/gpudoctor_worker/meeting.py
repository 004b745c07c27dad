"""The ranks find each other and compare what they were started with."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any, Dict

from .channel import Channel, RefusedError
from .opaque import Dist, Store
from .place import Place
from .scout import Scout

_SAY_EVERY_S = 1.0
_CONFESSION_S = 0.5
FIRST_ERROR = "first_error"
# What must be the same on every rank, and the name of the reason for refusal where it is not.
_SAME = (("world", "world_size"), ("backend", "backend_differs"), ("config", "options_differ"))

Said = Dict[str, Any]  # what a rank says of itself; it crosses the store as JSON


def pass_on(store: Store, channel: Channel) -> bool:
    """Tell our launcher what ended the first rank that failed; whether one has."""
    if not store.check([FIRST_ERROR]):
        return False
    rank, kind, text = json.loads(store.get(FIRST_ERROR))
    channel.tell("confessed", rank=rank, kind=kind, text=text)
    return True


class Meeting:
    """The store that all ranks share, and waiting for one another in it."""

    def __init__(self, dist: Dist, place: Place, channel: Channel, timeout: timedelta) -> None:
        self._place = place
        self._channel = channel
        master = place.rank == 0 and not place.store_elsewhere
        with Scout(place, channel):
            store = dist.TCPStore(place.host, place.port, place.world, master, timeout=timeout, wait_for_workers=False)
        self.store = dist.PrefixStore(place.prefix, store)

    def compare(self, mine: Said) -> list[Said]:
        """What every rank says of itself, by rank. Raises RefusedError where ranks are of different runs."""
        self.store.set("hello/%d" % self._place.rank, json.dumps(mine))
        said = []
        for other in range(self._place.world):
            self._await("hello/%d" % other, other)
            theirs = json.loads(self.store.get("hello/%d" % other))
            self._refuse_another_run(mine, theirs, other)
            said.append(theirs)
        _refuse_shared_gpus(said)
        return said

    def say(self, name: str, text: str) -> None:
        """Something for one other rank, once."""
        self.store.set("%s/%d" % (name, self._place.rank), text)

    def hear(self, name: str, rank: int) -> str:
        """What that rank says under this name, as soon as it does."""
        self._await("%s/%d" % (name, rank), rank)
        return str(self.store.get("%s/%d" % (name, rank)).decode())

    def confess(self, kind: str, text: str) -> None:
        """Leave word for ranks that other launchers watch of what ends this one; hear of the first that did."""
        if self.store.add("errors", 1) == 1:
            self.store.set(FIRST_ERROR, json.dumps([self._place.rank, kind, text]))
            return
        deadline = time.monotonic() + _CONFESSION_S
        while not pass_on(self.store, self._channel) and time.monotonic() < deadline:
            time.sleep(0.02)

    def part(self) -> None:
        """Nobody goes before all have come to the end, because rank 0 holds the store."""
        self.store.set("bye/%d" % self._place.rank, "1")
        for other in range(self._place.world) if self._place.rank == 0 else ():
            self._await("bye/%d" % other, other)

    def _refuse_another_run(self, mine: Said, theirs: Said, other: int) -> None:
        for key, kind in _SAME:
            if mine[key] != theirs[key]:
                text = "rank %d was started with %s %s, rank %d with %s"
                raise RefusedError(kind, text % (self._place.rank, key, mine[key], other, theirs[key]))

    def _await(self, key: str, other: int) -> None:
        """Wait for a rank's sign in the store; say now and then who is missing."""
        started = said = time.monotonic()
        while not self.store.check([key]):
            now = time.monotonic()
            if now - said > _SAY_EVERY_S:
                self._channel.tell("waiting", rank=other)
                said = now
            time.sleep(0.002 if now - started < 0.5 else 0.05)


def _refuse_shared_gpus(said: list[Said]) -> None:
    """NCCL refuses them too, in words that name no rank."""
    taken: dict[tuple[str, str], int] = {}
    for rank, words in enumerate(said):
        if not words["gpu"]:
            continue
        first = taken.setdefault((words["host"], words["gpu"]), rank)
        if first != rank:
            raise RefusedError("duplicate_gpu", "rank %d and rank %d were given one GPU" % (first, rank))
