"""What links the cards, and how long an all-reduce takes over it: measured here, or by the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from gpudoctor.data.allreduce import FabricRow, allreduce_table
from gpudoctor.data.hardware import look_up
from gpudoctor.fit.card import Card
from gpudoctor.model.smoke import SmokeReport

_LANES: Final = 16
_MEASURED: Final = (0.9, 1.1)  # two runs on one machine differ by so much


class Range(NamedTuple):
    """A figure with the bounds that it is expected within."""

    low: float
    middle: float
    high: float


class Fabric(Struct, frozen=True, kw_only=True):
    """`name` is a row of the table. Measured points are (bytes, microseconds) of as many GPUs as `measured_gpus`."""

    name: str
    words: str
    lanes: int = _LANES  # of the narrowest slot, for PCIe
    measured: tuple[tuple[int, float], ...] = ()
    measured_gpus: int = 0
    nodes: int = 1

    @property
    def assumed(self) -> bool:
        """Whether the table's row is an assumption and nothing was measured."""
        return not self.measured and _row(self.name).assumed

    @property
    def is_nvlink(self) -> bool:
        """Whether all pairs are linked by NVLink."""
        return self.name.startswith("nvlink")

    def time_us(self, gpus: int, size: int) -> Range:
        """One all-reduce of `size` bytes among `gpus` cards, in microseconds."""
        if gpus < 2:
            return Range(0.0, 0.0, 0.0)
        table = allreduce_table()
        row = _row(self.name)
        middle = _among(row, table.bytes, gpus, size)
        low, high = table.spread["assumed" if row.assumed else "measured"]
        if self.measured:
            # Another number of GPUs than was measured: as the table's row grows from the one to the other.
            known = _between([b for b, _ in self.measured], [t for _, t in self.measured], size)
            grown = middle / _among(row, table.bytes, self.measured_gpus, size) if gpus != self.measured_gpus else 1.0
            low, high = _MEASURED if gpus == self.measured_gpus else (low, high)
            return Range(known * grown * low, known * grown, known * grown * high)
        if not self.is_nvlink and size > table.bytes[0]:
            middle *= _LANES / max(1, min(self.lanes, _LANES))
        return Range(middle * low, middle, middle * high)


def _row(name: str) -> FabricRow:
    return allreduce_table().fabrics[name]


def _among(row: FabricRow, sizes: Sequence[int], gpus: int, size: int) -> float:
    """Between the numbers of GPUs of the row; beyond them in proportion."""
    counts = sorted(int(n) for n in row.gpus)
    times = [_between(sizes, row.gpus[str(n)], size) for n in counts]
    if gpus > counts[-1]:
        return times[-1] * gpus / counts[-1]
    return _between(counts, times, gpus)


def _between(points: Sequence[float], values: Sequence[float], at: float) -> float:
    """Straight lines between points; the first value before them, in proportion to the last behind them."""
    if at <= points[0]:
        return values[0]
    for left, right, low, high in zip(points, points[1:], values, values[1:], strict=False):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return values[-1] * at / points[-1]


def fabric_of(cards: Sequence[Card], *, linked: bool | None = None, lanes: int = _LANES) -> Fabric:
    """What links cards of these models.

    Args:
        cards: all of them.
        linked: whether NVLink joins every pair; None: as such cards come, boards with NVLink, cards without a bridge.
        lanes: PCIe lanes of the narrowest slot.
    """
    rows = [look_up(card.name) or look_up(f"GeForce {card.name}") for card in cards]
    known = [row for row in rows if row is not None]
    nvlink = all(card.nvlink for card in cards) if linked is None else linked
    if nvlink and known:
        generation = min(((row.nvlink or "3")[0] for row in known), default="3")
        board = all(row.form == "sxm" for row in known)
        name = f"nvlink{min(max(int(generation), 3), 5)}" if board else "nvlink_bridge"
        return Fabric(name=name, words="NVLink" if board else "an NVLink bridge")
    generation_of_slot = min((row.pcie_generation or 4 for row in known), default=4)
    same = len({card.name for card in cards}) <= 1
    peers = bool(known) and same and all(row.pcie_p2p == "yes" for row in known)
    return pcie_fabric(generation_of_slot, peers=peers, lanes=lanes)


def pcie_fabric(generation: int, *, peers: bool, lanes: int = _LANES) -> Fabric:
    """PCIe with or without peer-to-peer access."""
    kind = "pcie3" if generation <= 3 else f"pcie{min(generation, 5)}{'_p2p' if peers else ''}"
    width = f" x{lanes}" if lanes != _LANES else ""
    words = f"PCIe {generation}.0{width} {'with' if peers else 'without'} peer-to-peer access"
    return Fabric(name=kind, words=words, lanes=lanes)


def with_measurement(fabric: Fabric, smoke: SmokeReport) -> Fabric:
    """The fabric with the times of an nccl-test run; unchanged where the run failed or went without GPUs."""
    points: dict[int, float] = {}
    if smoke.backend == "nccl" and smoke.verdict in ("pass", "slow") and smoke.world_size > 1:
        for one in smoke.sizes:
            if one.op == "all_reduce" and one.latency_us > 0:
                points[one.bytes] = min(one.latency_us, points.get(one.bytes, one.latency_us))
    if not points:
        return fabric
    from msgspec.structs import replace

    return replace(fabric, measured=tuple(sorted(points.items())), measured_gpus=smoke.world_size)
