"""What NCCL would use between two GPUs, by the rules of its documentation and sources."""

from __future__ import annotations

import os

from ._machine import MACHINE

_ORDER = {"NVL": 1, "PIX": 3, "PXB": 4, "PHB": 6, "NODE": 6, "SYS": 7}
_SHARED_MEMORY_FROM = (2, 13)


def is_set(name: str, value: str) -> bool:
    """Whether a variable has that value."""
    return os.environ.get(name) == value


def cumem() -> bool:
    """Memory is allocated by cuMem: since 2.19."""
    return MACHINE.version >= (2, 19) and not is_set("NCCL_CUMEM_ENABLE", "0")


def cumem_host() -> bool:
    """Shared memory of the host too: since 2.24."""
    return cumem() and MACHINE.version >= (2, 24) and not is_set("NCCL_CUMEM_HOST_ENABLE", "0")


def nvls(count: int) -> bool:
    """The switch adds up."""
    off = is_set("NCCL_NVLS_ENABLE", "0") or is_set("NCCL_P2P_DISABLE", "1")
    return MACHINE.nvswitch and count > 1 and cumem() and not off


def interface() -> str:
    """The one of the bootstrap; "" where none matches."""
    wanted = os.environ.get("NCCL_SOCKET_IFNAME", "")
    names = MACHINE.interfaces
    if not wanted:
        return next((name for name in names if not name.startswith(("lo", "docker"))), "")
    words = wanted.lstrip("^=").split(",")
    if wanted.startswith("^"):
        return next((name for name in names if not name.startswith(tuple(words))), "")
    if wanted.startswith("="):
        return next((name for name in names if name in words), "")
    return next((name for name in names if name.startswith(tuple(words))), "")


def transport(a: int, b: int, count: int) -> str:
    """P2P/CUMEM, P2P/IPC, SHM, NET/IB or NET/Socket, between two GPUs of a communicator of `count`."""
    link = MACHINE.link_of(a, b)
    near = _ORDER["NVL" if link.startswith("NV") else link] <= _level(count)
    if near and MACHINE.may_peer(a, b) and not is_set("NCCL_P2P_DISABLE", "1"):
        return "P2P/CUMEM" if cumem() else "P2P/IPC"
    if not is_set("NCCL_SHM_DISABLE", "1"):
        return "SHM"
    infiniband = MACHINE.infiniband and not is_set("NCCL_IB_DISABLE", "1") and not is_set("NCCL_NET", "Socket")
    return "NET/IB" if infiniband else "NET/Socket"


def _level(count: int) -> int:
    asked = os.environ.get("NCCL_P2P_LEVEL", "")
    if asked in _ORDER:
        return _ORDER[asked]
    far = MACHINE.cpu == "amd" and (MACHINE.version < (2, 23) or count <= 2)
    return _ORDER["SYS" if far else "PXB"]
