"""Where each rank has a launcher of its own: it says in the store where it is, and rank 0 looks at who is behind."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

from .channel import Channel
from .meeting import pass_on
from .opaque import Dist, Store
from .place import Place

_EVERY_S = 1.0
_LOOK_EVERY = 2  # beats
_MOST_RANKS = 256
_STORE_S = 10


class Pulse:
    """A thread of its own, with its own connection: the rank may be stuck in a library, or in the store."""

    def __init__(self, dist: Dist, place: Place, channel: Channel) -> None:
        self._dist = dist
        self._place = place
        self._channel = channel
        self._heard: dict[int, str] = {}
        self._told: dict[int, tuple[str, int, bool]] = {}
        threading.Thread(target=self._live, daemon=True).start()

    def _live(self) -> None:
        beat = 0
        pause = threading.Event()
        try:
            store = self._store()
            while not pause.wait(_EVERY_S):
                beat += 1
                place = [beat, self._channel.phase, self._channel.steps, self._channel.step]
                store.set("pulse/%d" % self._place.rank, json.dumps(place))
                if self._place.rank == 0 and beat % _LOOK_EVERY == 0:
                    self._look(store)
                if self._place.rank == 0 and pass_on(store, self._channel):
                    return
        except Exception:  # noqa: BLE001 - torch has an error of its own for each way in which a store can be gone
            return

    def _store(self) -> Store:
        place = self._place
        timeout = timedelta(seconds=_STORE_S)
        store = self._dist.TCPStore(place.host, place.port, place.world, False, timeout=timeout, wait_for_workers=False)
        return self._dist.PrefixStore(place.prefix, store)

    def _look(self, store: Store) -> None:
        """Tell of each other rank what is new: how far it is, and whether its pulse has stopped."""
        for rank in range(1, min(self._place.world, _MOST_RANKS)):
            key = "pulse/%d" % rank
            text = store.get(key).decode() if store.check([key]) else ""
            # All have met: one that has not said a word since was silent from then on.
            _, phase, steps, step = json.loads(text) if text else (0, "rendezvous", 0, "")
            now = (phase, steps, text == self._heard.get(rank))
            self._heard[rank] = text
            if now != self._told.get(rank):
                self._told[rank] = now
                kind = "silent" if now[2] else "alive"
                self._channel.tell("peer", rank=rank, phase=phase, count=steps, step=step, kind=kind)
