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
        self.phase = ""  # the one that was entered last
        self.steps = 0  # within it
        self.step = ""

    def tell(self, event: str, **values: str | int | float) -> None:
        """One line to the launcher; without a launcher there is nothing to live for."""
        if event == "phase":
            self.phase, self.steps, self.step = str(values["phase"]), 0, ""
        elif event == "step":
            self.steps, self.step = self.steps + 1, str(values["step"])
        line = json.dumps({"event": event, **values}) + "\n"
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            os._exit(1)
