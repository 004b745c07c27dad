"""What a rank finds out while it waits for the master, which says nothing of itself."""

from __future__ import annotations

import threading

from .channel import Channel
from .dialling import connect
from .place import Place

_FIRST_CALL_AFTER_S, _NEXT_CALL_AFTER_S = 1.0, 2.0


class Scout:
    """While a rank waits for the master: calls it by hand, and says how that ends."""

    def __init__(self, place: Place, channel: Channel) -> None:
        self._place = place
        self._channel = channel
        self._found = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._found.set()

    def _look(self) -> None:
        wait_s = _FIRST_CALL_AFTER_S
        while not self._found.wait(wait_s):
            kind = connect(self._place.host, self._place.port).kind
            if not self._found.is_set():
                self._channel.tell("waiting", rank=0, kind=kind)
            wait_s = _NEXT_CALL_AFTER_S
