"""The collectives, over the store: real processes that wait for one another, made-up time."""

from __future__ import annotations

import os
from typing import Any

from ._data import Data
from ._group import DistBackendError, Group
from ._store import PrefixStore, TCPStore
from ._tensor import Tensor

__all__ = ["DistBackendError", "PrefixStore", "TCPStore"]
_world: Group | None = None
_groups = 0


def is_available() -> bool:
    """It is."""
    return True


def is_nccl_available() -> bool:
    """It is."""
    return True


def is_gloo_available() -> bool:
    """It is, but there is no need of it."""
    return True


def init_process_group(backend: str, *, store: Any, rank: int, world_size: int, **_: Any) -> None:
    """All ranks; the communicator comes with its first use."""
    global _world  # noqa: PLW0603 - as in torch
    if backend != "nccl":
        raise RuntimeError("the stand-in has no gloo: name GPUs in its machine file")
    _world = Group(list(range(world_size)), rank, store, "world")


def new_group(ranks: list[int], **_: Any) -> Group | None:
    """Some of them; every rank asks for every group."""
    global _groups  # noqa: PLW0603 - a number for each
    _groups += 1
    whole = _whole()
    mine = whole.ranks[whole.place]
    return Group(list(ranks), mine, whole.store, f"group{_groups}") if mine in ranks else None


def destroy_process_group(group: Any = None) -> None:
    """Nothing is kept."""


def all_reduce(tensor: Tensor, group: Group | None = None) -> None:
    """Sum, in place."""
    one = _ready(group)
    count = len(one.ranks)
    one.spend(_bytes(tensor), 2 * (count - 1) / count)
    parts = one.collect(tensor.data_)
    total = parts[0]
    for part in parts[1:]:
        total = total.with_(part, lambda left, right: left + right)
    tensor.data_ = one.arrive(total)


def all_gather(outs: list[Tensor], tensor: Tensor, group: Group | None = None) -> None:
    """Every rank's part on every rank."""
    one = _ready(group)
    one.spend(_bytes(tensor) * len(outs), (len(outs) - 1) / len(outs))
    for out, part in zip(outs, one.collect(tensor.data_), strict=True):
        out.data_ = one.arrive(part)


def reduce_scatter(out: Tensor, parts: list[Tensor], group: Group | None = None) -> None:
    """This rank's part of the sum."""
    one = _ready(group)
    one.spend(_bytes(out) * len(parts), (len(parts) - 1) / len(parts))
    sums = []
    for part in parts:
        total, *others = one.collect(part.data_)
        for other in others:
            total = total.with_(other, lambda left, right: left + right)
        sums.append(total)
    out.data_ = one.arrive(sums[one.place])


def broadcast(tensor: Tensor, source: int, group: Group | None = None) -> None:
    """The data of one rank on all."""
    one = _ready(group)
    one.spend(_bytes(tensor), 1.0)
    tensor.data_ = one.arrive(one.collect(tensor.data_)[one.ranks.index(source)])


def all_to_all_single(out: Tensor, tensor: Tensor, group: Group | None = None) -> None:
    """This rank's part of every rank's data."""
    one = _ready(group)
    count = len(one.ranks)
    each = tensor.numel() // count
    one.spend(_bytes(tensor), (count - 1) / count)
    start = one.place * each
    pieces: list[Data] = [part.cut(start, start + each) for part in one.collect(tensor.data_)]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = Data(whole.dense() + piece.dense())
    out.data_ = one.arrive(whole)


def _whole() -> Group:
    if _world is None:
        raise RuntimeError("Default process group has not been initialized")
    return _world


def _ready(group: Group | None) -> Group:
    one = group or _whole()
    one.connect()
    return one


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


if os.environ.get("NCCL_DEBUG_FILE"):
    raise RuntimeError("the log would be lost")
