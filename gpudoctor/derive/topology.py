"""Pairs of GPUs: NVML and nvidia-smi cross-checked, the driver API's peer access and the PCIe path beside them."""

from __future__ import annotations

from itertools import combinations
from typing import NoReturn

from gpudoctor.derive.pasted import translating
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Facts, Gpu, GpuPair, NvmlPair, PciPath, Topology

_TRANSLATING = ("DMA", "DMA-FQ")
_MAX_GPUS = 64


def derive_topology(facts: Facts, known_devices: Fact[tuple[Gpu, ...]]) -> Topology:
    """All unordered pairs of the GPUs; absent for the reason for which these are."""
    devices = known_devices.or_none()
    if devices is None:
        nothing: Fact[NoReturn] = absent_like(known_devices)
        return Topology(pairs=nothing, any_nvlink=nothing, any_p2p=nothing, nvswitch=nothing)
    sources = _Sources(facts)
    pairs = tuple(sources.pair(a, b) for a, b in combinations(devices[:_MAX_GPUS], 2))
    links = [pair.nvlinks.or_none() for pair in pairs]
    granted = [pair.p2p_read.or_none() for pair in pairs]
    switches = facts.pci.nvswitches.or_none()
    # A GPU without NVLink is joined to no switch, whether or not the driver says so.
    to_switch = [False if gpu.nvlinks_total.or_none() == 0 else gpu.nvlink_to_switch.or_none() for gpu in devices]
    return Topology(
        pairs=known(pairs, "derived"),
        any_nvlink=_any([link > 0 if link is not None else None for link in links]),
        any_p2p=_any([status == "OK" if status is not None else None for status in granted]),
        nvswitch=_any([*to_switch, switches > 0 if switches is not None else None]),
    )


def _any(parts: list[bool | None]) -> Fact[bool]:
    if any(parts):
        return known(True, "derived")
    if any(part is None for part in parts) and parts:
        return absent("not_provided", "not known for every GPU")
    return known(False, "derived")


class _Sources:
    """The raw pairs by key, so that each pair is a look-up."""

    def __init__(self, facts: Facts) -> None:
        self.nvml = {(pair.a, pair.b): pair for pair in facts.nvml.pairs.or_none() or ()}
        self.smi_links = {(pair.a, pair.b): pair.link for pair in facts.nvidia_smi.topology.or_none() or ()}
        self.smi_p2p = {(p.a, p.b, p.capability): p.status for p in facts.nvidia_smi.p2p.or_none() or ()}
        self.peer = {(peer.a, peer.b): peer.allowed for peer in facts.cuda.peer_access.or_none() or ()}
        self.paths = {(path.a, path.b): path for path in facts.pci.paths.or_none() or ()}
        self.iommu = {gpu.bus_id: gpu.iommu_type for gpu in facts.pci.gpus.or_none() or ()}
        self.everywhere = translating(facts)

    def pair(self, first: Gpu, second: Gpu) -> GpuPair:
        """Everything about one pair."""
        a, b = first.index, second.index
        bus_a, bus_b = (gpu.pci_bus_id.or_none() or "" for gpu in (first, second))
        path = self.paths.get((bus_a, bus_b)) or self.paths.get((bus_b, bus_a))
        link, disagreement = self._link(a, b, path)
        return GpuPair(
            a=a,
            b=b,
            link=link,
            link_smi=disagreement,
            path=self._path(a, b, path),
            nvlinks=self._nvlinks(a, b, link),
            p2p_read=self._status(a, b, "read"),
            p2p_write=self._status(a, b, "write"),
            p2p_nvlink=self._status(a, b, "nvlink"),
            p2p_pcie=self._status(a, b, "pcie"),
            peer_access=self._peer(bus_a, bus_b),
            same_model=_same(first.name, second.name),
            acs_redirect=path.acs_redirect if path is not None else absent("not_provided", "no PCIe path from /sys"),
            iommu_translating=self._translating(bus_a, bus_b),
        )

    def _raw(self, a: int, b: int) -> NvmlPair | None:
        return self.nvml.get((a, b)) or self.nvml.get((b, a))

    def _link(self, a: int, b: int, path: PciPath | None) -> tuple[Fact[str], Fact[str]]:
        agreed: Fact[str] = absent("not_applicable", "nvidia-smi and NVML agree, or only one of them answered")
        raw = self._raw(a, b)
        printed = self.smi_links.get((a, b)) or self.smi_links.get((b, a))
        by_nvml: str | None = None
        if raw is not None:
            count = raw.nvlinks.or_none()
            by_nvml = f"NV{count}" if count else raw.level.or_none()
        if by_nvml is not None:
            differs = printed is not None and printed != by_nvml
            return known(by_nvml, "nvml"), known(printed or "", "nvidia-smi") if differs else agreed
        if printed is not None:
            return known(printed, "nvidia-smi"), agreed
        if path is not None and path.level.known:
            return path.level, agreed
        return (raw.level if raw is not None else absent("not_provided")), agreed

    def _path(self, a: int, b: int, path: PciPath | None) -> Fact[str]:
        raw = self._raw(a, b)
        if raw is not None and raw.level.known:
            return raw.level
        printed = self.smi_links.get((a, b)) or self.smi_links.get((b, a))
        if printed is not None and not printed.startswith("NV"):
            return known(printed, "nvidia-smi")
        return path.level if path is not None else absent("not_provided")

    def _nvlinks(self, a: int, b: int, link: Fact[str]) -> Fact[int]:
        raw = self._raw(a, b)
        if raw is not None and raw.nvlinks.known:
            return raw.nvlinks
        printed = link.or_none()
        if printed is None:
            return absent(link.absent or "not_provided", link.detail)
        if not printed.startswith("NV"):
            # A path computed from /sys alone cannot see NVLinks.
            return known(0, link.source) if link.source == "nvidia-smi" else absent("not_provided")
        return known(int(printed[2:]) if printed[2:].isdigit() else 1, link.source)

    def _status(self, a: int, b: int, capability: str) -> Fact[str]:
        """OK only where both directions are; else the first code that is not."""
        there, back = self.nvml.get((a, b)), self.nvml.get((b, a))
        facts = [_capability(pair, capability) for pair in (there, back) if pair is not None]
        values = [value for fact in facts if (value := fact.or_none()) is not None]
        source = "nvml"
        if not values:
            printed = (self.smi_p2p.get((a, b, capability)), self.smi_p2p.get((b, a, capability)))
            values, source = [value for value in printed if value is not None], "nvidia-smi"
        if not values:
            return facts[0] if facts else absent("not_provided")
        return known(next((value for value in values if value != "OK"), "OK"), source)

    def _peer(self, bus_a: str, bus_b: str) -> Fact[bool]:
        both = [fact for key in ((bus_a, bus_b), (bus_b, bus_a)) if (fact := self.peer.get(key)) is not None]
        if not both:
            return absent("not_provided", "the driver API was not asked about this pair")
        values = [fact.or_none() for fact in both]
        if None in values:
            return next(fact for fact in both if not fact.known)
        return known(all(values), "cuda")

    def _translating(self, bus_a: str, bus_b: str) -> Fact[bool]:
        kinds = [self.iommu.get(bus) for bus in (bus_a, bus_b)]
        values = [kind.or_none() if kind is not None else None for kind in kinds]
        if any(value in _TRANSLATING for value in values):
            return known(True, "sysfs")
        if self.everywhere.known and not any(values):
            return self.everywhere
        if None in values:
            missing = next((kind for kind in kinds if kind is not None and not kind.known), None)
            return absent(missing.absent or "not_provided", missing.detail) if missing else absent("not_provided")
        return known(False, "sysfs")


def _capability(pair: NvmlPair, capability: str) -> Fact[str]:
    return {
        "read": pair.p2p_read,
        "write": pair.p2p_write,
        "nvlink": pair.p2p_nvlink,
        "atomics": pair.p2p_atomics,
        "pcie": pair.p2p_pcie,
    }[capability]


def _same(first: Fact[str], second: Fact[str]) -> Fact[bool]:
    if first.known and second.known:
        return known(first.value == second.value, "nvml")
    return absent("not_provided", "a GPU has no name")
