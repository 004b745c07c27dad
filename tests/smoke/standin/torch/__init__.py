"""A stand-in for torch, for tests without GPUs: see the README beside this package."""

from __future__ import annotations

from typing import Any

from . import _clock as _clock
from . import cuda as cuda
from . import version as version
from ._data import Data, constant
from ._peer import UntypedStorage as UntypedStorage
from ._tensor import BFLOAT16, BOOL, FLOAT16, FLOAT32, INT64, UINT8, Device, DType, Tensor
from .version import __version__ as __version__

float32, float16, bfloat16, int64, uint8 = FLOAT32, FLOAT16, BFLOAT16, INT64, UINT8
bool = BOOL  # noqa: A001 - as in torch
device = Device


def set_num_threads(count: int) -> None:
    """Nothing to set."""


def empty(*shape: int, dtype: DType = FLOAT32, device: Any = None) -> Tensor:
    """What is in it is not known; here it is zeros."""
    return zeros(*shape, dtype=dtype, device=device)


def zeros(*shape: int, dtype: DType = FLOAT32, device: Any = None) -> Tensor:
    """Zeros."""
    return _filled(0, shape, dtype, device)


def ones(*shape: int, dtype: DType = FLOAT32, device: Any = None) -> Tensor:
    """Ones."""
    return _filled(1, shape, dtype, device)


def _filled(value: int, shape: tuple[int, ...], dtype: DType, device: Any) -> Tensor:
    cuda.touch(device)
    count = 1
    for length in shape:
        count *= length
    return Tensor(constant(value, count), shape, dtype, device)


def zeros_like(other: Tensor) -> Tensor:
    """Zeros of the same shape."""
    return other.like(constant(0, other.numel()))


def empty_like(other: Tensor) -> Tensor:
    """The same; what is in it is not known."""
    return zeros_like(other)


def arange(count: int, dtype: DType = INT64, device: Any = None) -> Tensor:
    """0, 1, 2 ..."""
    return Tensor(Data(list(range(count))), None, dtype, device)


def roll(tensor: Tensor, shift: int) -> Tensor:
    """Rotated to the right."""
    values = tensor.data_.dense()
    place = -shift % len(values)
    return tensor.like(Data(values[place:] + values[:place]))


def eq(left: Tensor, right: Any) -> Tensor:
    """Where they agree."""
    return left.equal(right)


def cat(tensors: list[Tensor]) -> Tensor:
    """One after the other."""
    data = tensors[0].data_
    for other in tensors[1:]:
        data = data.then(other.data_)
    return tensors[0].like(data, shape=(data.count,))


from . import distributed as distributed  # noqa: E402 - it needs the tensors above
