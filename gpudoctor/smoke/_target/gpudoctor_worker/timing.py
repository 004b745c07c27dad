"""Time by size: the median of the rounds after a warm-up, each round ended by a synchronisation."""

from __future__ import annotations

import statistics
import time
from typing import Callable, Sequence

from .channel import Channel
from .opaque import Device, Tensor, Torch

_WARM_UP_ROUNDS = 2
_ROUNDS = 5
# On a GPU a small message takes less time than to start it and to wait for its end: several share one synchronisation.
_SMALL_BYTES = 1 << 20
_SMALL_CALLS = 10


class Timing:
    """Measures on one rank."""

    def __init__(self, torch: Torch, device: Device, world: int, channel: Channel) -> None:
        self._torch = torch
        self._dist = torch.distributed
        self._device = device
        self._world = world
        self._channel = channel

    def run(self, ops: Sequence[str], sizes: Sequence[int]) -> None:
        """Every collective and size, in fp32."""
        for op in ops:
            for size in sizes:
                self._channel.tell("step", step="%s fp32, %d bytes, timed" % (op, size))
                seconds = self.median(self._prepared(op, max(1, size // 4)), small=size <= _SMALL_BYTES)
                self._channel.tell("size", op=op, dtype="fp32", bytes=size, seconds=seconds)

    def median(self, call: Callable[[], object], *, small: bool) -> float:
        """Seconds of one call."""
        calls = _SMALL_CALLS if small and self._device.type == "cuda" else 1
        times = [self._round(call, calls) for _ in range(_WARM_UP_ROUNDS + _ROUNDS)]
        return statistics.median(times[_WARM_UP_ROUNDS:])

    def _round(self, call: Callable[[], object], calls: int) -> float:
        started = time.perf_counter()
        for _ in range(calls):
            call()
        if self._device.type == "cuda":
            self._torch.cuda.synchronize()
        return (time.perf_counter() - started) / calls

    def _prepared(self, op: str, count: int) -> Callable[[], object]:
        """A collective on buffers that are ready."""
        dist, world = self._dist, self._world
        part = max(1, count // world)
        if op == "all_reduce":
            data = self._zeros(count)
            return lambda: dist.all_reduce(data)
        if op == "broadcast":
            data = self._zeros(count)
            return lambda: dist.broadcast(data, 0)
        mine, whole = self._zeros(part), self._zeros(part * world)
        pieces = list(whole.chunk(world))
        if op == "all_gather":
            return lambda: dist.all_gather(pieces, mine)
        if op == "reduce_scatter":
            return lambda: dist.reduce_scatter(mine, pieces)
        out = self._zeros(part * world)
        return lambda: dist.all_to_all_single(out, whole)

    def _zeros(self, count: int) -> Tensor:
        return self._torch.zeros(count, device=self._device)
