"""Two ranks alone, one pair after the other: data both ways, its speed, and memory of one GPU seen by the other."""

from __future__ import annotations

from typing import Sequence, Tuple

from .channel import Channel
from .comparing import DTYPE, ELEMENT_BYTES, report_wrong
from .meeting import Meeting
from .opaque import Device, Torch
from .patterns import Patterns
from .peer import Peer
from .place import Place
from .timing import Timing

_LARGEST_BYTES = 64 << 20
_SMALL_BYTES = 4096
_FIRST_ROUND = 500  # data that no collective before had


class Pairs:
    """The pairs of a run. Every rank of the world goes through all of them; those that are not meant wait."""

    def __init__(self, torch: Torch, device: Device, place: Place, meeting: Meeting, channel: Channel) -> None:
        self._torch = torch
        self._dist = torch.distributed
        self._device = device
        self._place = place
        self._meeting = meeting
        self._channel = channel
        self._patterns = Patterns(torch, device, place.rank, place.world)
        self._timing = Timing(torch, device, place.world, channel)
        self._round = _FIRST_ROUND

    def run(self, pairs: Sequence[Tuple[int, int]], max_bytes: int, *, peer: bool) -> None:
        """All of them, each alone: nothing else is on its way meanwhile."""
        largest = min(max_bytes, _LARGEST_BYTES)
        for a, b in pairs:
            name = "pair %d-%d" % (a, b)
            self._channel.tell("step", step=name)
            group = self._dist.new_group([a, b])
            self._round += 8
            if self._place.rank in (a, b):
                self._test(group, a, b, largest)
                if peer and self._device.type == "cuda":
                    self._look(a, b)
                self._dist.destroy_process_group(group)
                self._meeting.say(name, "done")
            for rank in (a, b):
                self._meeting.hear(name, rank)
        self._patterns.forget()

    def _test(self, group: object, a: int, b: int, largest: int) -> None:
        for size in (_SMALL_BYTES, largest):
            for number, (source, target) in enumerate(((a, b), (b, a))):
                self._send(group, source, target, size, self._round + number)
        sends = [self._timed_send(group, source, target, largest) for source, target in ((a, b), (b, a))]
        data = self._patterns.empty(largest // ELEMENT_BYTES, DTYPE).zero_()
        self._channel.tell("step", step="pair %d-%d, all_reduce, timed" % (a, b))
        both = self._timing.median(lambda: self._dist.all_reduce(data, group=group), small=False)
        if self._place.rank == b:  # one of the two is enough; a send is over when it has been received
            self._channel.tell("pair", a=a, b=b, bytes=largest, forth=sends[0], back=sends[1], both=both)

    def _look(self, a: int, b: int) -> None:
        peer = Peer(self._torch, self._device, self._place, self._meeting, self._channel)
        peer.run(a, b, self._patterns, self._round + 2)

    def _send(self, group: object, source: int, target: int, size: int, number: int) -> None:
        """One way. A broadcast to one other, because torch would build another communicator for send and recv."""
        a, b = sorted((source, target))
        self._channel.tell("step", step="pair %d-%d, %d to %d, %d bytes" % (a, b, source, target, size))
        data = self._patterns.empty(max(1, size // ELEMENT_BYTES), DTYPE).zero_()
        if self._place.rank == source:
            self._patterns.fill(data, DTYPE, number)
        self._dist.broadcast(data, source, group=group)
        if self._place.rank == target:
            report_wrong(self._channel, self._patterns, data, "send", source, target, number)

    def _timed_send(self, group: object, source: int, target: int, size: int) -> float:
        a, b = sorted((source, target))
        self._channel.tell("step", step="pair %d-%d, %d to %d, timed" % (a, b, source, target))
        data = self._patterns.empty(max(1, size // ELEMENT_BYTES), DTYPE).zero_()
        return self._timing.median(lambda: self._dist.broadcast(data, source, group=group), small=False)
