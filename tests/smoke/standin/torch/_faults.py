"""Data that a fault has been at."""

from __future__ import annotations

from ._data import Data

_SPOILT = 64  # elements, in the middle
_LEAST = 64


def spoil(data: Data, kind: str) -> Data:
    """Some elements are zeros, or something else."""
    if data.count < _LEAST:
        return data
    middle = data.count // 2
    places = range(middle, min(data.count, middle + _SPOILT))
    wrong = {place: 0 if kind == "zeros" else data.at(place) + 3 for place in places}
    return Data(data.values, data.count, {**data.patches, **wrong})
