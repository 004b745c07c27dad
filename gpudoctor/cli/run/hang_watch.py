"""When a run hangs: it says nothing for long, and none of its processes reads or writes anything either.

Processor time is no sign of life: ranks that wait for one another spin. Loading a model says nothing for minutes, but
reads.
"""

from __future__ import annotations

from typing import Final

from gpudoctor.host.process_tree import Process, descendants

_ALIVE_BYTES: Final = 16 << 20  # that all processes together must move while nothing is said
_MOST_REPORTS: Final = 3


class HangWatch:
    """Asked from time to time; `tick_s` says how often."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._moved: int | None = None
        self._since = 0.0  # the silence in which `_moved` was taken began then
        self._alive_until = 0.0
        self._reported = -1.0  # the silence that was told, by its beginning
        self._reports = 0
        self.tick_s = max(0.2, min(5.0, after_s / 8)) if after_s else 5.0

    def hangs(self, pid: int, last_output: float, now: float) -> tuple[Process, ...]:
        """The processes of a run that hangs, once for each silence; () where it does not."""
        quiet_since = max(last_output, self._alive_until)
        if not self._after_s or self._reports >= _MOST_REPORTS or now - quiet_since < self._after_s / 2:
            self._moved = None
            return ()
        if self._moved is None or self._since != last_output:
            self._moved, self._since = _moved(descendants(pid)), last_output
            return ()
        if now - quiet_since < self._after_s or self._reported == last_output:
            return ()
        processes = descendants(pid)
        if _moved(processes) - self._moved > _ALIVE_BYTES:
            self._alive_until, self._moved = now, None
            return ()
        self._reported = last_output
        self._reports += 1
        return processes


def _moved(processes: tuple[Process, ...]) -> int:
    return sum(process.moved_bytes for process in processes)
