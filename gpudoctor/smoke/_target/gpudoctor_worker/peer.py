"""Memory of another process's GPU, mapped by CUDA IPC: read and written directly, every element compared."""

from __future__ import annotations

import base64
import json
from typing import List

from .channel import Channel
from .comparing import DTYPE, report_wrong
from .meeting import Meeting
from .opaque import Device, Tensor, Torch
from .patterns import Patterns
from .place import Place

_COUNT = 1 << 20  # elements: 4 MiB


class Peer:
    """Copies between the GPUs of two ranks, without NCCL."""

    def __init__(self, torch: Torch, device: Device, place: Place, meeting: Meeting, channel: Channel) -> None:
        self._torch = torch
        self._device = device
        self._place = place
        self._meeting = meeting
        self._channel = channel

    def run(self, a: int, b: int, patterns: Patterns, number: int) -> None:
        """Both ranks own memory in turn; the other one reads it and writes to it.

        Told as `peer`: verified, wrong, no_access (the driver refuses, which is no fault) or failed.
        """
        for owner, guest in ((a, b), (b, a)):
            name = "peer %d-%d %d" % (a, b, owner)
            self._channel.tell("step", step="pair %d-%d, memory of %d seen by %d" % (a, b, owner, guest))
            if self._place.rank == owner:
                self._own(name, owner, guest, patterns, number)
            else:
                self._visit(name, owner, guest, patterns, number)

    def _own(self, name: str, owner: int, guest: int, patterns: Patterns, number: int) -> None:
        data = patterns.empty(_COUNT, DTYPE)
        patterns.fill(data, DTYPE, number)
        self._torch.cuda.synchronize()
        try:
            shared = [_text(part) for part in data.untyped_storage()._share_cuda_()]
        except (AttributeError, RuntimeError) as error:
            shared = []
            self._tell(owner, guest, "failed", "sharing: %s" % error)
        self._meeting.say(name, json.dumps(shared))
        if self._meeting.hear(name + " done", guest) == "written":
            self._torch.cuda.synchronize()
            bad = report_wrong(self._channel, patterns, data, "peer_write", guest, owner, number + 1)
            self._tell(owner, guest, "wrong" if bad else "verified")
        del data
        self._torch.cuda.ipc_collect()

    def _visit(self, name: str, owner: int, guest: int, patterns: Patterns, number: int) -> None:
        shared = json.loads(self._meeting.hear(name, owner))
        done = "nothing"
        if shared:
            done = self._read_and_write(shared, owner, guest, patterns, number)
        self._meeting.say(name + " done", done)

    def _read_and_write(self, shared: List[object], owner: int, guest: int, patterns: Patterns, number: int) -> str:
        torch = self._torch
        theirs = torch.device("cuda", owner)  # all ranks are on this machine and see the same GPUs
        if not torch.cuda.can_device_access_peer(self._device, theirs):
            # A copy would go through host memory, and prove nothing.
            self._tell(owner, guest, "no_access")
            return "nothing"
        try:
            storage = torch.UntypedStorage._new_shared_cuda(*map(_plain, shared))
            remote = torch.empty(0, device=theirs).set_(storage)
            mine = patterns.empty(_COUNT, DTYPE).zero_()
            mine.copy_(remote)
            torch.cuda.synchronize()
            self._read(mine, owner, guest, patterns, number)
            patterns.fill(mine, DTYPE, number + 1)
            remote.copy_(mine)
            torch.cuda.synchronize()
            del remote, storage
        except (AttributeError, RuntimeError) as error:
            self._tell(owner, guest, "failed", str(error))
            return "nothing"
        return "written"

    def _read(self, mine: Tensor, owner: int, guest: int, patterns: Patterns, number: int) -> None:
        if report_wrong(self._channel, patterns, mine, "peer_read", owner, guest, number):
            self._tell(owner, guest, "wrong")

    def _tell(self, owner: int, guest: int, result: str, text: str = "") -> None:
        a, b = sorted((owner, guest))
        self._channel.tell("peer", a=a, b=b, kind=result, text=text[:400])


def _text(part: object) -> object:
    """Bytes as text, for JSON; the rest of a handle is numbers."""
    return {"bytes": base64.b64encode(part).decode()} if isinstance(part, bytes) else part


def _plain(part: object) -> object:
    return base64.b64decode(part["bytes"]) if isinstance(part, dict) else part
