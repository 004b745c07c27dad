"""The version of an NCCL library, read from the file without loading it."""

from __future__ import annotations

import re
import time
from pathlib import PurePosixPath

from gpudoctor.host.access import Host, HostError

_NEEDLE = b"NCCL version "
_TEXT = re.compile(rb"NCCL version (\d+\.\d+\.\d+[\w.-]{0,16})\+cuda(\d+\.\d+)")
_FILE_NAME = re.compile(r"libnccl\.so\.(\d+\.\d+\.\d+)")
_CHUNK_BYTES = 4 << 20  # the text lies in the first few MiB of every release so far
_OVERLAP_BYTES = 64
_MAX_BYTES = 1 << 30


def read_library_version(files: Host, path: str, deadline: float) -> tuple[str, str]:
    """Version and the CUDA it was built with, ("2.27.5", "12.9"), from the text that NCCL_DEBUG=VERSION prints.

    Looked for in the first GiB, until `deadline` (monotonic). Raises HostError: no_permission, timeout, failed, and
    parse_error where the file has no such text.
    """
    for offset in range(0, _MAX_BYTES, _CHUNK_BYTES):
        if time.monotonic() > deadline:
            raise HostError("timeout", "there was no time to search the file")
        chunk = files.read_at(path, offset, _CHUNK_BYTES + _OVERLAP_BYTES)
        found = _in_chunk(chunk)
        if found is not None:
            return found
        if len(chunk) <= _CHUNK_BYTES:
            break
    raise HostError("parse_error", "the file has no NCCL version text")


def version_in_name(path: str) -> str | None:
    """The version in a file name such as libnccl.so.2.27.5."""
    match = _FILE_NAME.fullmatch(PurePosixPath(path).name)
    return match[1] if match else None


def _in_chunk(chunk: bytes) -> tuple[str, str] | None:
    at = chunk.find(_NEEDLE)
    while at >= 0:
        match = _TEXT.match(chunk, at)
        if match:
            return match[1].decode(), match[2].decode()
        at = chunk.find(_NEEDLE, at + 1)
    return None
