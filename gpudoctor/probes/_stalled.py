"""Which library calls to leave out, by the marks of those that hung or crashed in earlier attempts.

Marks look like "nvmlDeviceGetMemoryInfo@3": one sick GPU should cost neither the others their memory facts, nor itself
the facts that other functions still tell. Two stalls are a pattern, though: the same function on two GPUs is left out
everywhere, and a GPU on which two functions stalled is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_PATTERN = 2


class Stalled:
    """Which calls are to be left out, by the marks of those that did not return."""

    def __init__(self, marks: Iterable[str]) -> None:
        self._marks = frozenset(marks)
        pairs = [mark.partition("@")[::2] for mark in self._marks]
        self.functions = frozenset(function for function, _ in pairs)
        on = Counter(function for function, _ in pairs)
        on_one = {(_unversioned(function), target) for function, target in pairs if target.isdigit()}
        by = Counter(target for _, target in on_one)
        self._everywhere = {function for function, target in pairs if not target or on[function] >= _PATTERN}
        self._sick = {target for target, stalls in by.items() if stalls >= _PATTERN}

    def covers(self, function: str, target: str) -> bool:
        """Whether `function` on `target` ("", "3" or, for a pair, "0-3") must not be called."""
        if not self._marks:
            return False
        if function in self._everywhere or f"{function}@{target}" in self._marks:
            return True
        return any(gpu in self._sick for gpu in target.split("-"))


def _unversioned(function: str) -> str:
    """Versions of a function stall for the same reason: together they are one."""
    stem, _, version = function.rpartition("_v")
    return stem if stem and version.isdigit() else function
