"""The links of a machine by its facts."""

from __future__ import annotations

from itertools import combinations

import pytest
from msgspec.structs import replace

from gpudoctor.fit.card import Card, named_card
from gpudoctor.fit.machine_links import machine_links
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Facts, Gpu, GpuPair, Gpus, Topology


def machine(card: str, links: list[str], *, p2p: str = "CNS", lanes: int = 16, generation: int = 4) -> Facts:
    """Three cards; `links` of the pairs 0-1, 0-2 and 1-2."""
    pairs = tuple(
        GpuPair(a=a, b=b, link=known(link, "x"), p2p_read=known(p2p, "x"), p2p_write=known(p2p, "x"))
        for (a, b), link in zip(combinations(range(3), 2), links, strict=True)
    )
    devices = tuple(
        Gpu(index=i, pcie_generation_max=known(generation, "x"), pcie_width_max=known(lanes if i == 2 else 16, "x"))
        for i in range(3)
    )
    return Facts(gpus=Gpus(devices=known(devices, "x")), topology=Topology(pairs=known(pairs, "x")))


def cards(card: str, *indices: int) -> tuple[Card, ...]:
    return tuple(replace(named_card(card), index=i) for i in indices)


@pytest.mark.parametrize(
    ("card", "facts", "indices", "name", "pair"),
    [
        ("RTX 3090", machine("RTX 3090", ["NV4", "PHB", "PHB"]), (0, 1), "nvlink_bridge", None),
        ("RTX 3090", machine("RTX 3090", ["NV4", "PHB", "PHB"]), (0, 1, 2), "pcie4", "nvlink_bridge"),
        ("RTX 3090", machine("RTX 3090", ["NV4", "PHB", "PHB"]), (0, 2), "pcie4", None),
        ("A100 80GB SXM", machine("A100", ["NV12"] * 3), (0, 1, 2), "nvlink3", None),
        ("L40S", machine("L40S", ["PIX"] * 3, p2p="OK"), (0, 1, 2), "pcie4_p2p", None),
        ("RTX 4090", machine("RTX 4090", ["PHB"] * 3, p2p="OK"), (0, 1, 2), "pcie4_p2p", None),  # a patched driver
        ("RTX 4090", machine("RTX 4090", ["PHB"] * 3), (0, 1, 2), "pcie4", None),
        ("RTX 4090", machine("RTX 4090", ["PHB"] * 3, generation=3), (0, 1, 2), "pcie3", None),
    ],
)
def test_links_are_those_between_the_cards_that_are_used(
    card: str, facts: Facts, indices: tuple[int, ...], name: str, pair: str | None
) -> None:
    found = machine_links(facts, cards(card, *indices))
    assert (found.all.name, found.pair.name if found.pair else None) == (name, pair)


def test_the_narrowest_slot_counts() -> None:
    facts = machine("RTX 4090", ["PHB"] * 3, lanes=4)
    wide, narrow = (machine_links(facts, cards("RTX 4090", *used)).all for used in ((0, 1), (0, 1, 2)))
    assert (wide.lanes, narrow.lanes) == (16, 4)


@pytest.mark.parametrize("pairs", [absent("timeout", "NVML hung"), known((), "x")])
def test_without_a_topology_cards_are_linked_as_such_cards_come(pairs: Fact[tuple[GpuPair, ...]]) -> None:
    facts = Facts(topology=Topology(pairs=pairs))
    assert machine_links(facts, cards("H100 80GB SXM", 0, 1)).all.name == "nvlink4"
    assert machine_links(facts, cards("RTX 4090", 0, 1)).all.name == "pcie4"
