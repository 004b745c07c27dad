"""How a rank tells where it is: a line of JSON for each event, down the inherited pipe."""

from __future__ import annotations

import json
import os


class RefusedError(Exception):
    """The run cannot go on, for a reason that this worker knows by name."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Channel:
    """The way to the launcher."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def tell(self, event: str, **values: str | int | float) -> None:
        """One line to the launcher; without a launcher there is nothing to live for."""
        line = json.dumps({"event": event, **values}) + "\n"
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            os._exit(1)
