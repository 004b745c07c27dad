"""What a message may take, and whether shared memory can be had."""

from __future__ import annotations

import errno
import os

from .channel import RefusedError
from .opaque import Device, Torch
from .place import Place

_SHM_BYTES = 8 << 20  # what NCCL asks for one channel, about
_GPU_MAX_BYTES = 256 << 20
_CPU_MAX_BYTES = 4 << 20
_COPIES = 6  # input, output, mask and room for the rest


def free_bytes(torch: Torch, device: Device, place: Place) -> int:
    """Memory that this rank may use: of its GPU, or its share of what the machine has to spare."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return _free_host_bytes() // max(1, place.local_world)


def largest_message(asked: int, free: int, device: Device) -> int:
    """Bytes of the largest message that memory allows; `asked` is 0 where nothing was asked for."""
    usual = _GPU_MAX_BYTES if device.type == "cuda" else _CPU_MAX_BYTES
    return min(asked or usual, max(4, free // _COPIES))


def take_shared_memory() -> None:
    """Take and touch as much shared memory as a channel of NCCL would; nothing is left, it has no name."""
    folder = "/dev/shm"  # noqa: S108 - the place itself is what is tested
    if not os.path.isdir(folder):
        return
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EACCES, errno.EROFS):
            return
        raise RefusedError("shm", "no file can be made in %s: %s" % (folder, error.strerror)) from error
    try:
        os.posix_fallocate(file, 0, _SHM_BYTES)
    except OSError as error:
        free = os.statvfs(folder)
        text = "%d bytes of shared memory cannot be had in %s (%d bytes free): %s"
        raise RefusedError("shm", text % (_SHM_BYTES, folder, free.f_bavail * free.f_frsize, error.strerror)) from error
    finally:
        os.close(file)


def _free_host_bytes() -> int:
    """Memory that the machine has to spare; plenty where it does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 1 << 40
