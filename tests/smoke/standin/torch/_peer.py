"""Memory of another process's GPU, and copies between two GPUs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

from ._data import Data, constant
from ._faults import spoil
from ._machine import MACHINE, happens
from ._nothing import never_returns
from ._tensor import Device, Tensor

_made = 0


def carried(source: Tensor, target: Tensor) -> Data:
    """What arrives. Where the driver grants no P2P the copy goes through the host, and is right."""
    from . import cuda

    data = source.data_
    if source.device.type != "cuda" or target.device.type != "cuda":
        return data
    a, b = cuda.physical(source.device.index), cuda.physical(target.device.index)
    if a == b or not MACHINE.may_peer(a, b):
        return data
    for fault in MACHINE.faults:
        broken = (fault.where == "p2p" and MACHINE.pair(a, b) in (fault.pairs or (MACHINE.pair(a, b),))) or (
            fault.where == "gpu" and (a in fault.gpus or b in fault.gpus) and fault.stage == "data"
        )
        if broken and happens(fault):
            if fault.what == "hang":
                never_returns()
            if fault.what == "error":
                raise RuntimeError("CUDA error: peer access is not supported between these two devices")
            return spoil(data, fault.kind)
    return data


class UntypedStorage:
    """The memory of a tensor that is shared; the other process has it by its name."""

    def __init__(self, file: Path, device: Device) -> None:
        self.file = file
        self.device = device

    def _share_cuda_(self) -> tuple[Any, ...]:
        return (self.device.index or 0, str(self.file).encode(), 0, 0, b"", 0, b"", False)

    @staticmethod
    def _new_shared_cuda(device: int, handle: bytes, *_: Any) -> UntypedStorage:
        return UntypedStorage(Path(handle.decode()), Device("cuda", device))


def untyped_storage(tensor: Tensor) -> UntypedStorage:
    """The memory of a tensor; from now on it is a file."""
    global _made  # noqa: PLW0603 - a number for each
    if tensor.file is None:
        _made += 1
        file = Path(os.environ["STANDIN_MACHINE"]).with_name(f"ipc-{os.getpid()}-{_made}")
        data = tensor.data_
        tensor.file = file
        tensor.data_ = data
    return UntypedStorage(tensor.file, tensor.device)


def set_(tensor: Tensor, storage: UntypedStorage) -> Tensor:
    """The tensor is from now on all of that memory."""
    if not storage.file.exists():
        raise RuntimeError("CUDA error: invalid resource handle")
    count = Data(*pickle.loads(storage.file.read_bytes())).count  # noqa: S301 - written by the rank beside us
    tensor.shape = (count,)
    tensor.device = storage.device
    tensor.file = storage.file
    tensor._data = constant(0, count)
    return tensor


Tensor.untyped_storage = untyped_storage  # type: ignore[attr-defined]
Tensor.set_ = set_  # type: ignore[attr-defined]
