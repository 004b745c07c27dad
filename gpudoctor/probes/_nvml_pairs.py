"""Every ordered pair of GPUs: distance, direct NVLinks, P2P status by capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.nvml import NvmlPair
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import SOURCE, NvmlProblem
from gpudoctor.probes._nvml_library import Device
from gpudoctor.probes._nvml_nvlink import Ends

_LEVELS = {0: "INTERNAL", 10: "PIX", 20: "PXB", 30: "PHB", 40: "NODE", 50: "SYS"}
_STATUSES = {0: "OK", 1: "CNS", 2: "GNS", 3: "TNS", 4: "DR", 5: "NS", 6: "U"}
_CAPABILITIES = {"p2p_read": 0, "p2p_write": 1, "p2p_nvlink": 2, "p2p_atomics": 3, "p2p_pcie": 4}


class Node(Struct, frozen=True):
    """What a pair needs to know of one GPU. `device` is None where NVML gave no handle."""

    index: int
    device: Device | None
    address: str | None  # PCI
    ends: Ends | NvmlProblem


def read_pairs(nodes: Sequence[Node]) -> tuple[NvmlPair, ...]:
    """All ordered pairs, sorted. The distance is the same both ways and asked for once."""
    levels: dict[tuple[int, int], Fact[str]] = {}
    pairs = []
    for a in nodes:
        for b in nodes:
            if a.index == b.index:
                continue
            level = levels.get((b.index, a.index))
            if level is None:
                level = _ask(a, b, "nvmlDeviceGetTopologyCommonAncestor", (), _LEVELS)
                levels[a.index, b.index] = level
            status = {
                field: _ask(a, b, "nvmlDeviceGetP2PStatus", (capability,), _STATUSES)
                for field, capability in _CAPABILITIES.items()
            }
            pairs.append(NvmlPair(a=a.index, b=b.index, level=level, nvlinks=_nvlinks(a, b), **status))
    return tuple(pairs)


def _ask(a: Node, b: Node, function: str, arguments: tuple[int, ...], names: Mapping[int, str]) -> Fact[str]:
    if a.device is None or b.device is None:
        broken = a.index if a.device is None else b.index
        return absent("failed", f"GPU {broken} cannot be opened", SOURCE)
    try:
        number = values.whole(
            a.device.library.call(function, a.device.handle, b.device.handle, *arguments, target=f"{a.index}-{b.index}")
        )
    except NvmlProblem as error:
        return error.fact()
    name = names.get(number)
    if name is None:
        return absent("parse_error", f"{function} returned {number}, which has no name", SOURCE)
    return known(name, SOURCE)


def _nvlinks(a: Node, b: Node) -> Fact[int]:
    """Links from a that end at b; where both ends' links go to switches, what the smaller end has."""
    if isinstance(a.ends, NvmlProblem):
        return a.ends.fact()
    if isinstance(b.ends, NvmlProblem):
        return b.ends.fact()
    found = a.ends.gpus.count(b.address) if b.address is not None else 0
    if not found and a.ends.to_switch and b.ends.to_switch:
        found = min(a.ends.to_switch, b.ends.to_switch)
    if found or not a.ends.active or not b.ends.active:
        return known(found, SOURCE)
    if a.ends.problem is not None:
        return a.ends.problem.fact()
    if a.ends.unknown or b.address is None:
        return absent("not_supported", "where the links end is not told", SOURCE)
    return known(0, SOURCE)
