"""Tensors with what the worker calls, and no more."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from ._data import Data, Number, constant


class DType(NamedTuple):
    """An element type."""

    name: str
    size: int

    @property
    def itemsize(self) -> int:
        """Bytes."""
        return self.size


class Device:
    """`torch.device`."""

    def __init__(self, kind: str | Device, index: int | None = None) -> None:
        name, _, number = str(kind).partition(":")
        self.type: str = name
        self.index: int | None = int(number) if number else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"


FLOAT32, FLOAT16, BFLOAT16 = DType("float32", 4), DType("float16", 2), DType("bfloat16", 2)
INT64, BOOL, UINT8 = DType("int64", 8), DType("bool", 1), DType("uint8", 1)
CPU = Device("cpu")


class Tensor:
    """A shape, a type, a device and data; memory that another process also sees is a file."""

    def __init__(
        self, data: Data, shape: tuple[int, ...] | None = None, dtype: DType = FLOAT32, device: Any = CPU
    ) -> None:
        self._data = data
        self.shape = (data.count,) if shape is None else shape
        self.dtype = dtype
        self.device = Device(device) if device is not None else CPU
        self.file: Path | None = None

    @property
    def data_(self) -> Data:
        """The elements as they are now."""
        if self.file is not None:
            self._data = Data(*pickle.loads(self.file.read_bytes()))  # noqa: S301 - written by the rank beside us
        return self._data

    @data_.setter
    def data_(self, data: Data) -> None:
        self._data = data
        if self.file is not None:
            draft = self.file.with_suffix(f".{id(self)}")
            draft.write_bytes(pickle.dumps(data.wire()))
            draft.replace(self.file)

    def like(self, data: Data, dtype: DType | None = None, shape: tuple[int, ...] | None = None) -> Tensor:
        """Another one of the same device."""
        return Tensor(data, self.shape if shape is None else shape, dtype or self.dtype, self.device)

    # Shape

    def numel(self) -> int:
        """How many elements."""
        return prod(self.shape)

    def element_size(self) -> int:
        """Bytes of one."""
        return self.dtype.size

    def view(self, *shape: int) -> Tensor:
        """One length may be -1."""
        rest = prod(length for length in shape if length != -1)
        return self.like(self.data_, shape=tuple(self.numel() // rest if part == -1 else part for part in shape))

    def flatten(self) -> Tensor:
        """One dimension."""
        return self.like(self.data_, shape=(self.numel(),))

    def repeat(self, times: int) -> Tensor:
        """One after the other."""
        return self.like(Data(self.data_.dense(), self.numel() * times), shape=(self.numel() * times,))

    def chunk(self, parts: int) -> list[Tensor]:
        """Equal pieces: copies, where torch has views."""
        each = -(-self.numel() // parts)
        return [self[start : start + each] for start in range(0, self.numel(), each)]

    def to(self, what: DType | Device) -> Tensor:
        """Another type or device."""
        if isinstance(what, DType):
            return self.like(self.data_, dtype=what)
        return Tensor(self.data_, self.shape, self.dtype, what)

    def clone(self) -> Tensor:
        """A copy."""
        return self.like(Data(list(self.data_.values), self.data_.count, dict(self.data_.patches)))

    def cpu(self) -> Tensor:
        """On the host."""
        return self.to(CPU)

    # Elements

    def __getitem__(self, key: Any) -> Tensor:
        if isinstance(key, slice):
            start, stop, _ = key.indices(self.numel())
            return self.like(self.data_.cut(start, stop), shape=(max(0, stop - start),))
        if isinstance(key, Tensor):
            places = key.data_.dense()
            return self.like(Data([self.data_.at(place) for place in places] or [0], len(places)), shape=(len(places),))
        return self.like(Data([self.data_.at(key)]), shape=())

    def fill_(self, value: Number) -> Tensor:
        """The same everywhere."""
        self.data_ = constant(value, self.numel())
        return self

    def zero_(self) -> Tensor:
        """Zeros."""
        return self.fill_(0)

    def copy_(self, other: Tensor) -> Tensor:
        """Take over the elements; between two GPUs as the machine's P2P does it."""
        from ._peer import carried

        self.data_ = carried(other, self)
        return self

    def nonzero(self) -> Tensor:
        """Places of what is true: few."""
        data = self.data_
        if any(data.values):
            places = [place for place in range(data.count) if data.at(place)]
        else:
            places = sorted(place for place, value in data.patches.items() if value)
        return Tensor(Data(places or [0], len(places)), (len(places), 1), INT64, self.device)

    def all(self) -> Tensor:
        """Whether every element is true."""
        data = self.data_
        # Every element of a period may be covered by one that differs, which nothing here makes.
        return self.like(Data([not data.count or (all(data.values) and all(data.patches.values()))]), BOOL, ())

    def item(self) -> Number:
        """The only element."""
        return self.data_.at(0)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    # Arithmetic

    def _with(self, other: Any, function: Callable[[Number, Number], Number], dtype: DType | None = None) -> Tensor:
        if isinstance(other, Tensor):
            return self.like(self.data_.with_(other.data_, function), dtype)
        return self.like(self.data_.each(lambda value: function(value, other)), dtype)

    def __add__(self, other: Any) -> Tensor:
        return self._with(other, operator.add)

    def __mul__(self, other: Any) -> Tensor:
        return self._with(other, operator.mul)

    def __mod__(self, other: Any) -> Tensor:
        return self._with(other, operator.mod)

    def __truediv__(self, other: Any) -> Tensor:
        return self._with(other, operator.truediv)

    def __iadd__(self, other: Any) -> Tensor:
        self.data_ = (self + other).data_
        return self

    def equal(self, other: Any) -> Tensor:
        """Where they agree."""
        return self._with(other, operator.eq, BOOL)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # as torch has it
        return self.equal(other)

    __hash__ = None  # type: ignore[assignment]

    def ne(self, other: Any) -> Tensor:
        """Where they differ."""
        return self._with(other, operator.ne, BOOL)
