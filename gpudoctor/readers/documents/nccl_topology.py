"""NCCL's topology file (NCCL_TOPO_DUMP_FILE, or a cloud's): CPUs, bridges, GPUs, NVLinks as XML.

<system version="1">
  <cpu numaid="0" arch="x86_64" vendor="AuthenticAMD" familyid="175" modelid="17">
    <pci busid="0000:41:00.0" class="0x030000" link_speed="16.0 GT/s PCIe" link_width="16">
      <gpu dev="0" sm="89" rank="0" gdr="1"/>
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from msgspec import Struct, field

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Machine, NvidiaSmi, Pci, PciGpu, PciPath, SmiPair
from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list
from gpudoctor.readers.documents._tags import Tag, tags
from gpudoctor.readers.documents._text import MAX_LINE, count_in
from gpudoctor.readers.pci_distance import level
from gpudoctor.readers.pci_sysfs import Place

SOURCE = "NCCL topology"

_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}
_SPEED = re.compile(r"(\d{1,3}(?:\.\d)?) GT/s")
_MAX_DEPTH = 32
_OPEN = ("<system ", "<cpu ", "<pci ")


class _Card(Struct):
    bus: str
    dev: int
    sm: int | None
    numa: int
    bridges: tuple[str, ...]
    width: int | None
    speed: float | None
    links: dict[str, int] = field(default_factory=dict)  # by the bus id of the other end
    switch: int = 0  # links to a switch


class _Reader(Struct):
    """Takes the tags in order."""

    vendor: str = ""
    architecture: str = ""
    numa_nodes: set[int] = field(default_factory=set)
    cards: list[_Card] = field(default_factory=list)
    switches: int = 0
    _numa: int = -1
    _pci: list[Tag] = field(default_factory=list)

    def tag(self, tag: Tag) -> None:
        """One tag."""
        if tag.name == "cpu" and not tag.closing:
            self._cpu(tag)
        elif tag.name == "pci":
            self._bridge(tag)
        elif tag.name == "gpu" and not tag.closing:
            self._gpu(tag)
        elif tag.name == "nvlink" and self.cards and not tag.closing:
            self._link(self.cards[-1], tag)

    def _cpu(self, tag: Tag) -> None:
        numa = count_in(tag.attribute("numaid"))
        self._numa = -1 if numa is None else numa
        self.numa_nodes.add(self._numa)
        self.vendor = self.vendor or tag.attribute("vendor")
        self.architecture = self.architecture or tag.attribute("arch")
        self._pci = []

    def _bridge(self, tag: Tag) -> None:
        if tag.closing:
            if self._pci:
                self._pci.pop()
            return
        self.switches += tag.attribute("class") == "0x068000"
        if not tag.empty and len(self._pci) < _MAX_DEPTH:
            self._pci.append(tag)

    def _gpu(self, tag: Tag) -> None:
        dev = count_in(tag.attribute("dev"))
        if not self._pci or dev is None or len(self.cards) >= MAX_GPUS:
            return
        own = self._pci[-1]
        speed = _SPEED.match(own.attribute("link_speed"))
        self.cards.append(
            _Card(
                bus=bus_id(own.attribute("busid")),
                dev=dev,
                sm=count_in(tag.attribute("sm")),
                numa=self._numa,
                bridges=tuple(bus_id(above.attribute("busid")) for above in self._pci[:-1]),
                width=count_in(own.attribute("link_width")),
                speed=float(speed.group(1)) if speed else None,
            )
        )

    def _link(self, card: _Card, tag: Tag) -> None:
        count = count_in(tag.attribute("count")) or 0
        if tag.attribute("tclass") == "0x068000":
            card.switch += min(count, 64)
        else:
            card.links[bus_id(tag.attribute("target"))] = min(count, 64)


def _begins(line: str) -> bool:
    return "<system version=" in line or ("<cpu " in line and "numaid=" in line)


def _belongs(line: str, taken: int) -> bool:
    text = line[:MAX_LINE].strip()
    if taken > 1 and text.startswith("<system version="):
        return False
    return not text or text.startswith("<") or text.endswith(">")


def _read(lines: Sequence[str]) -> Facts:
    reader = _Reader()
    for tag in tags("\n".join(line[:MAX_LINE] for line in lines)):
        reader.tag(tag)
    cards = [card for card in reader.cards if card.bus]
    vendor = _VENDORS.get(reader.vendor, "arm" if reader.architecture == "arm64" else "")
    gpus = gpu_list(gpu(card.dev, _values(card), SOURCE) for card in cards)
    pairs = _pairs(cards, len(reader.numa_nodes))
    return Facts(
        machine=Machine(cpu_vendor=known(vendor, SOURCE) if vendor else NOT_PROVIDED),
        nvidia_smi=NvidiaSmi(
            gpus=known(gpus, SOURCE) if gpus else NOT_PROVIDED,
            # Only the GPUs of the communicator are in it.
            gpus_partial=known(True, SOURCE) if gpus else NOT_PROVIDED,
            topology=known(pairs, SOURCE) if pairs else NOT_PROVIDED,
        ),
        pci=Pci(
            paths=known(_paths(cards, len(reader.numa_nodes)), SOURCE) if len(cards) > 1 else NOT_PROVIDED,
            gpus=known(tuple(map(_pci_gpu, cards)), SOURCE) if cards else NOT_PROVIDED,
        ),
    )


def _values(card: _Card) -> dict[str, object]:
    capability = f"{card.sm // 10}.{card.sm % 10}" if card.sm and card.sm < 200 else None
    links = card.switch + sum(card.links.values())
    return {
        "pci_bus_id": card.bus,
        "compute_capability": capability,
        "nvlinks_active": links or None,
        "nvlink_to_switch": True if card.switch else None,
    }


def _pci_gpu(card: _Card) -> PciGpu:
    return PciGpu(
        bus_id=card.bus,
        link_width=known(card.width, SOURCE) if card.width else NOT_PROVIDED,
        link_speed_gts=known(card.speed, SOURCE) if card.speed else NOT_PROVIDED,
        numa_node=known(card.numa, SOURCE) if card.numa >= 0 else NOT_PROVIDED,
    )


def _place(card: _Card) -> Place:
    return Place(f"numa{card.numa}", card.bridges)


def _level(a: _Card, b: _Card, numa_nodes: int) -> str | None:
    """NCCL's file has no host bridges: what shares no bridge in one node is PHB or NODE, which NCCL treats alike."""
    return level(_place(a), _place(b), (a.numa, b.numa), numa_nodes if numa_nodes > 1 else 0, SOURCE).or_none()


def _paths(cards: Sequence[_Card], numa_nodes: int) -> tuple[PciPath, ...]:
    return tuple(
        PciPath(a=a.bus, b=b.bus, level=known(found, SOURCE) if found else NOT_PROVIDED)
        for a, b in combinations(cards, 2)
        if (found := _level(a, b, numa_nodes)) is not None
    )


def _pairs(cards: Sequence[_Card], numa_nodes: int) -> tuple[SmiPair, ...]:
    """As `topo -m` would print them: NVLinks first."""
    found: list[SmiPair] = []
    for a, b in combinations(cards, 2):
        direct = a.links.get(b.bus) or b.links.get(a.bus, 0)
        links = direct or min(a.switch, b.switch)
        link = f"NV{links}" if links else _level(a, b, numa_nodes)
        low, high = sorted((a.dev, b.dev))
        if link is not None and low != high:
            found.append(SmiPair(a=low, b=high, link=link))
    return tuple(found)


DOCUMENT = Document(
    name=SOURCE,
    literals=_OPEN,
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=20_000,
)
