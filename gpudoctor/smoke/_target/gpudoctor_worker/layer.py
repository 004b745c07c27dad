"""The linear pair of a tensor-parallel layer: sharded over the ranks, and whole on each of them.

    h = relu(x W1')     W1 cut by its rows: each rank makes its columns of h from all of x (column-parallel)
    y = sum over ranks of h W2'     W2 cut by its columns: each rank makes a share of all of y (row-parallel)

The sum is the all-reduce that a framework makes twice in each layer. Everything is a whole number and so small that
every partial sum is exact in bf16, whatever the order: sharded and whole must agree in every element.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from .channel import Channel
from .opaque import Device, Dist, Tensor, Torch
from .patterns import find_wrong
from .place import Place
from .timing import Timing

# A sum of at most 7 products of ones, 32 times: 224 is exact in bf16, whose integers are exact up to 256.
_INPUTS, _TERMS = 7, 32
_PERIOD = 1009  # a prime, so that no row begins where another one does
_DECODE_TOKENS = (1, 16)
_PREFILL_TOKENS = 2048
_CPU_OPERATIONS = 2e10  # about a second: what a prefill on a CPU may take
_COPIES = 4  # sharded and whole weights, activations, and room for the rest


class Shape(NamedTuple):
    """Of the pair: width of the model, and of what lies between its two matrices."""

    hidden: int
    intermediate: int

    def decode_messages(self) -> list[int]:
        """Bytes of the all-reduces of a decode step, in 16 bits as frameworks do it."""
        return [tokens * self.hidden * 2 for tokens in _DECODE_TOKENS]


class Layer:
    """The pair on one rank."""

    def __init__(self, torch: Torch, device: Device, place: Place, shape: Shape, *, half: str) -> None:
        self._torch = torch
        self._dist: Dist = torch.distributed
        self._device = device
        self._place = place
        self._shape = shape
        self.dtype = half if device.type == "cuda" else "fp32"
        self._kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[self.dtype]
        self.element_bytes = 4 if self.dtype == "fp32" else 2
        share = shape.intermediate // place.world
        self._w1, self._w2 = self._first(0, shape.intermediate), self._second(0, shape.intermediate)
        self._mine1 = self._first(place.rank * share, share)
        self._mine2 = self._second(place.rank * share, share)

    def check(self, channel: Channel) -> None:
        """Compare every element of the sharded result with the whole one."""
        for _, tokens in self._runs():
            channel.tell("step", step="layer, %d tokens" % tokens)
            x = self._input(tokens)
            share = self._pair(x, self._mine1, self._mine2)
            out, whole = self._result(share.clone()), self._pair(x, self._w1, self._w2)
            found = find_wrong(self._torch, out.flatten(), whole.flatten(), share.flatten())
            if found:
                channel.tell(
                    "wrong",
                    op="layer",
                    dtype=self.dtype,
                    bytes=out.numel() * self.element_bytes,
                    offset=found.first,
                    count=found.elements,
                    elements=out.numel(),
                    kind=found.kind,
                )

    def measure(self, timing: Timing, channel: Channel) -> None:
        """Seconds of the sharded pair, of its arithmetic alone, and of the whole pair on one device."""
        for kind, tokens in self._runs():
            x, small = self._input(tokens), kind == "decode"
            alone = partial(self._pair, x, self._mine1, self._mine2)
            channel.tell("step", step="layer, %d tokens, timed" % tokens)
            channel.tell(
                "layer",
                kind=kind,
                dtype=self.dtype,
                tokens=tokens,
                bytes=tokens * self._shape.hidden * self.element_bytes,
                seconds=timing.median(partial(self._sharded, x), small=small),
                arithmetic=timing.median(alone, small=small),
                whole=timing.median(partial(self._pair, x, self._w1, self._w2), small=small),
            )

    def _sharded(self, x: Tensor) -> Tensor:
        return self._result(self._pair(x, self._mine1, self._mine2))

    def _result(self, share: Tensor) -> Tensor:
        """The sum of all ranks' shares, in place."""
        self._dist.all_reduce(share)
        return share

    def _runs(self) -> list[tuple[str, int]]:
        prefill = _PREFILL_TOKENS
        if self._device.type == "cpu":
            operations = 4 * self._shape.hidden * self._shape.intermediate  # of one token: two matrices
            prefill = min(prefill, max(32, int(_CPU_OPERATIONS / operations)))
        return [("decode", tokens) for tokens in _DECODE_TOKENS] + [("prefill", prefill)]

    def _pair(self, x: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
        return self._torch.relu(x @ w1.t()) @ w2.t()

    def _input(self, tokens: int) -> Tensor:
        """At most _INPUTS ones in each row, the rest zeros; no two rows alike."""
        return self._scattered(tokens, self._shape.hidden, _INPUTS, 3, 0, self._shape.hidden)

    def _first(self, start: int, rows: int) -> Tensor:
        """Rows of W1: -1, 0 and 1."""
        torch, hidden = self._torch, self._shape.hidden
        numbers = torch.arange(_PERIOD, dtype=torch.int64)
        table = ((numbers * numbers * 31 + numbers * 17 + 5) % 1013 % 3 - 1).to(self._kind).to(self._device)
        begin = start * hidden % _PERIOD
        flat = table.repeat((rows * hidden) // _PERIOD + 2)
        return flat[begin : begin + rows * hidden].reshape(rows, hidden)

    def _second(self, start: int, columns: int) -> Tensor:
        """Columns of W2: at most _TERMS ones in each row of the whole."""
        return self._scattered(self._shape.hidden, self._shape.intermediate, _TERMS, 5, start, columns)

    def _scattered(self, rows: int, width: int, ones: int, slant: int, start: int, columns: int) -> Tensor:
        """Columns from `start` on of a rows x width matrix with evenly scattered ones, slanted from row to row."""
        torch = self._torch
        out = torch.zeros(rows, columns, dtype=self._kind, device=self._device)
        numbers = torch.arange(rows, dtype=torch.int64, device=self._device)
        for one in range(min(ones, width)):
            places = (numbers * slant + one * (width // min(ones, width))) % width - start
            here = (places >= 0) & (places < columns)
            out[numbers[here], places[here]] = 1
        return out


def obstacle(shape: Shape, world: int, free_bytes: int, *, cpu: bool) -> str:
    """Why the pair cannot be run on every rank; "" where it can."""
    if shape.intermediate % world:
        return "%d ranks do not divide %d" % (world, shape.intermediate)
    needed = _COPIES * shape.hidden * shape.intermediate * (4 if cpu else 2)
    if needed > free_bytes:
        return "it takes %.1f GiB beside a rank, %.1f GiB are free" % (needed / 2**30, free_bytes / 2**30)
    return ""
