"""Whether a run that passed was slow: pairs against their siblings first, then against the table of links."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gpudoctor.data.links import links
from gpudoctor.model.facts import Facts, Gpu, GpuPair
from gpudoctor.model.smoke import SmokePair, SmokeReport, SmokeSpeed
from gpudoctor.smoke.measure import digits

_FAMILIES = ("P2P", "SHM", "NET")  # the last is the slowest
_SIBLINGS = 3  # fewer tell nothing: of two that differ, which is the odd one?


def with_speed(report: SmokeReport, facts: Facts | None) -> SmokeReport:
    """The report with what its bandwidths were compared with, `slow` where they fall short. `facts` are derived."""
    if report.verdict != "pass" or report.backend != "nccl" or report.world_size < 2:
        return report
    machine = _Machine(report, facts)
    pairs = tuple(_judged(pair, report.pairs, machine) for pair in report.pairs)
    speed = _by_siblings(pairs, machine) or _by_table(report, pairs, machine)
    slow = speed is not None and speed.slow
    return replace(report, pairs=pairs, speed=speed, verdict="slow" if slow else "pass")


def gpu_numbers(report: SmokeReport, facts: Facts | None) -> dict[int, int]:
    """NVML's number of each rank's GPU: by PCI address, else as NCCL's log has it.

    A rank whose GPU did not start has neither; it has the one of its place among the visible ones.
    """
    devices = facts.gpus.devices.or_none() if facts is not None else None
    by_bus = {gpu.pci_bus_id.or_none(): gpu.index for gpu in devices or ()}
    visible = facts.gpus.visible.or_none() if facts is not None else None
    in_order = {place: gpu.index for place, gpu in enumerate(visible or ())}
    known = {rank.rank: by_bus.get(rank.bus, rank.index) for rank in report.ranks}
    known |= {rank: in_order.get(rank) for rank, number in known.items() if number is None}
    return {rank: number for rank, number in known.items() if number is not None}


class _Machine:
    """What is known of the links between ranks."""

    def __init__(self, report: SmokeReport, facts: Facts | None) -> None:
        self.table = links()
        self.numbers = gpu_numbers(report, facts)
        devices = facts.gpus.devices.or_none() if facts is not None else None
        self.gpus = {gpu.index: gpu for gpu in devices or ()}
        pairs = facts.topology.pairs.or_none() if facts is not None else None
        self.pairs = {(pair.a, pair.b): pair for pair in pairs or ()}

    def link(self, a: int, b: int) -> str:
        """NV4, PHB ...; "" where it is not known."""
        pair = self._pair(a, b)
        return (pair.link.or_none() or "") if pair is not None else ""

    def expected(self, a: int, b: int, transport: str | None) -> float | None:
        """GB/s of one direction between two ranks; None where the table or the facts do not tell."""
        pair = self._pair(a, b)
        if pair is None or transport is None or transport.startswith("NET"):
            return None
        one, other = self.gpus.get(pair.a), self.gpus.get(pair.b)
        link = pair.link.or_none()
        if one is None or other is None or link is None:
            return None
        through_host = transport.startswith("SHM")
        if link.startswith("NV") and not through_host:
            count = pair.nvlinks.or_none() or 0
            return self.table.nvlink(one.name.or_none() or "", count, one.nvlink_version.or_none())
        generation = _least([one.pcie_generation_max.or_none(), other.pcie_generation_max.or_none()])
        lanes = _least([_lanes(one), _lanes(other)])
        if generation is None or lanes is None:
            return None
        path = pair.path.or_none() or link
        return self.table.pcie(generation, lanes, path, through_host=through_host)

    def _pair(self, a: int, b: int) -> GpuPair | None:
        if a not in self.numbers or b not in self.numbers:
            return None
        one, other = sorted((self.numbers[a], self.numbers[b]))
        return self.pairs.get((one, other))


def _lanes(gpu: Gpu) -> int | None:
    return gpu.pcie_width_max.or_none()


def _least(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return min(known) if len(known) == len(values) else None


def _worse_direction(pair: SmokePair) -> float | None:
    """GB/s; None where it was not timed with a message that is large enough."""
    if pair.bytes < links().judged_from_bytes:
        return None
    speeds = [speed for speed in (pair.a_to_b_gbs, pair.b_to_a_gbs) if speed is not None]
    return min(speeds) if len(speeds) == 2 else None


def _kin(pair: SmokePair, machine: _Machine) -> tuple[str, str]:
    """Pairs that should be alike: the same kind of link and transport."""
    return (machine.link(pair.a, pair.b), pair.transport or "")


def _judged(pair: SmokePair, pairs: tuple[SmokePair, ...], machine: _Machine) -> SmokePair:
    speed = _worse_direction(pair)
    if speed is None or pair.verdict != "pass":
        return pair
    usual = _usual(pair, pairs, machine)
    expected = machine.expected(pair.a, pair.b, pair.transport)
    slow = (usual is not None and speed < usual * machine.table.siblings_slow_below) or (
        expected is not None and speed < expected * machine.table.slow_below
    )
    return replace(pair, slow=slow, verdict="slow" if slow else "pass")


def _usual(pair: SmokePair, pairs: tuple[SmokePair, ...], machine: _Machine) -> float | None:
    """What its fastest sibling does; None where there are few, or it is not known who is one."""
    if not machine.link(pair.a, pair.b):
        return None
    kin = [one for one in pairs if _kin(one, machine) == _kin(pair, machine)]
    speeds = [speed for one in kin if (speed := _worse_direction(one)) is not None]
    return max(speeds) if len(speeds) >= _SIBLINGS else None


def _by_siblings(pairs: tuple[SmokePair, ...], machine: _Machine) -> SmokeSpeed | None:
    """The slowest of the pairs that fall behind their kin."""
    behind: list[tuple[float, float, SmokePair]] = []
    for pair in pairs:
        speed, usual = _worse_direction(pair), _usual(pair, pairs, machine)
        if pair.slow and speed is not None and usual is not None and speed < usual * machine.table.siblings_slow_below:
            behind.append((speed, usual, pair))
    if not behind:
        return None
    speed, usual, pair = min(behind, key=lambda one: one[0] / one[1])
    what = f"ranks {pair.a} and {pair.b} alone, the worse direction"
    link = machine.link(pair.a, pair.b)
    return SmokeSpeed(measured_gbs=speed, expected_gbs=digits(usual), basis="siblings", what=what, link=link, slow=True)


def _by_table(report: SmokeReport, pairs: tuple[SmokePair, ...], machine: _Machine) -> SmokeSpeed | None:
    """The pair that falls shortest of its link; without pairs the all-reduce of all, over the worst link among them."""
    table = machine.table
    compared: list[SmokeSpeed] = []
    for pair in pairs:
        speed, expected = _worse_direction(pair), machine.expected(pair.a, pair.b, pair.transport)
        if speed is not None and expected is not None:
            what = f"ranks {pair.a} and {pair.b} alone, the worse direction"
            compared.append(_speed(speed, expected, what, machine.link(pair.a, pair.b), slow=pair.slow))
    whole = _whole(report, machine)
    if whole is not None:
        compared.append(whole)
    least = min(compared, key=lambda one: one.measured_gbs / one.expected_gbs, default=None)
    return replace(least, source=table.source, date=table.date) if least is not None else None


def _whole(report: SmokeReport, machine: _Machine) -> SmokeSpeed | None:
    sizes = [one for one in report.sizes if one.op == "all_reduce" and one.bytes >= machine.table.judged_from_bytes]
    families = {name.partition("/")[0] for name in (report.transport or "").split(", ")}
    if not sizes or report.transport is None or not families <= set(_FAMILIES):
        return None
    ring = [(rank, (rank + 1) % report.world_size) for rank in range(report.world_size)]
    transport = max(report.transport.split(", "), key=lambda name: _FAMILIES.index(name.partition("/")[0]))
    ways = [(machine.expected(a, b, transport), machine.link(a, b)) for a, b in ring]
    known = [(speed, link) for speed, link in ways if speed is not None]
    if len(known) < len(ways):
        return None
    expected, link = min(known)
    largest = max(sizes, key=lambda one: one.bytes)
    slow = largest.busbw_gbs < expected * machine.table.slow_below
    return _speed(largest.busbw_gbs, expected, "the all-reduce of all ranks (bus bandwidth)", link, slow=slow)


def _speed(measured: float, expected: float, what: str, link: str, *, slow: bool) -> SmokeSpeed:
    return SmokeSpeed(
        measured_gbs=measured, expected_gbs=digits(expected), basis="table", what=what, link=link, slow=slow
    )
