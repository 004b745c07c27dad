"""The elements of a tensor: one period of values, and single elements that differ."""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from typing import Any

Number = Any  # int, float or bool


class Data:
    """`count` elements; element i is `patches[i]` or `values[i % len(values)]`."""

    __slots__ = ("count", "patches", "values")

    def __init__(
        self, values: list[Number], count: int | None = None, patches: dict[int, Number] | None = None
    ) -> None:
        self.values = values
        self.count = len(values) if count is None else count
        self.patches = patches or {}

    def at(self, place: int) -> Number:
        """One element."""
        return self.patches[place] if place in self.patches else self.values[place % len(self.values)]

    def dense(self) -> list[Number]:
        """All of them."""
        return [self.at(place) for place in range(self.count)]

    def cut(self, start: int, stop: int) -> Data:
        """A piece."""
        period = len(self.values)
        shift = start % period
        values = (self.values[shift:] + self.values[:shift])[: max(1, stop - start)]
        patches = {place - start: value for place, value in self.patches.items() if start <= place < stop}
        return Data(values, max(0, stop - start), patches)

    def each(self, function: Callable[[Number], Number]) -> Data:
        """A function of every element."""
        patches = {place: function(value) for place, value in self.patches.items()}
        return Data([function(value) for value in self.values], self.count, patches)

    def with_(self, other: Data, function: Callable[[Number, Number], Number]) -> Data:
        """A function of two; the shorter one is repeated, which over nothing makes nothing."""
        if not self.count or not other.count:
            return Data([0], 0)
        count = max(self.count, other.count)
        period = min(count, lcm(len(self.values), len(other.values)))
        values = [
            function(self.values[i % len(self.values)], other.values[i % len(other.values)]) for i in range(period)
        ]
        places = set(self.patches) | set(other.patches)
        return Data(values or [0], count, {i: function(self.at(i), other.at(i)) for i in places})

    def then(self, other: Data) -> Data:
        """Both, one after the other. The second is short, or goes on where the first ends."""
        patches = dict(self.patches)
        goes_on = other.values == self.cut(self.count, self.count + len(other.values)).values and not other.patches
        if not goes_on:
            base = Data(self.values, self.count + other.count)
            for place in range(other.count):
                if other.at(place) != base.at(self.count + place):
                    patches[self.count + place] = other.at(place)
        return Data(self.values, self.count + other.count, patches)

    def wire(self) -> tuple[list[Number], int, dict[int, Number]]:
        """For sending."""
        return self.values, self.count, self.patches


def constant(value: Number, count: int) -> Data:
    """The same everywhere."""
    return Data([value], count)
