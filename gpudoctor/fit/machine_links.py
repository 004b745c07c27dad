"""What links the GPUs of this machine, by its facts: NVLink, PCIe with or without peer-to-peer access, and how wide."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.fit.card import Card
from gpudoctor.fit.fabric import Fabric, fabric_of, pcie_fabric
from gpudoctor.model.facts import Facts, Gpu, GpuPair


class Links(Struct, frozen=True):
    """Between all cards, and within a pair where that is better."""

    all: Fabric
    pair: Fabric | None = None


def machine_links(facts: Facts, cards: Sequence[Card]) -> Links:
    """The links between the cards that a run would use; as such cards come where no topology is known."""
    indices = {card.index for card in cards}
    pairs = [pair for pair in facts.topology.pairs.or_none() or () if {pair.a, pair.b} <= indices]
    devices = [gpu for gpu in facts.gpus.devices.or_none() or () if gpu.index in indices]
    kinds = [pair.link.or_none() for pair in pairs]
    if not pairs or None in kinds:
        return Links(fabric_of(cards))
    linked = [kind is not None and kind.startswith("NV") for kind in kinds]
    if all(linked):
        return Links(fabric_of(cards, linked=True))
    slow = _pcie(pairs, devices)
    return Links(slow, fabric_of(cards[:2], linked=True) if any(linked) else None)


def _pcie(pairs: Sequence[GpuPair], devices: Sequence[Gpu]) -> Fabric:
    generations = [n for gpu in devices if (n := gpu.pcie_generation_max.or_none())]
    lanes = [n for gpu in devices if (n := gpu.pcie_width_max.or_none())]
    peers = all(pair.p2p_read.or_none() == pair.p2p_write.or_none() == "OK" for pair in pairs)
    return pcie_fabric(min(generations, default=4), peers=peers, lanes=min(lanes, default=16))
