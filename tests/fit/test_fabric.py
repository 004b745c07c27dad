"""Links and the time of an all-reduce: the table, what lies between, and what was measured."""

from __future__ import annotations

import pytest

from gpudoctor.data.allreduce import allreduce_table
from gpudoctor.fit.card import named_card
from gpudoctor.fit.fabric import Fabric, fabric_of, pcie_fabric, with_measurement
from gpudoctor.model.smoke import SmokeReport, SmokeSize

KIB, MIB = 1 << 10, 1 << 20


def nvlink() -> Fabric:
    return Fabric(name="nvlink3", words="NVLink")


@pytest.mark.parametrize(
    ("gpus", "size", "expected"),
    [
        (2, 16 * KIB, 5.2),
        (4, MIB, 26),
        (8, 16 * MIB, 364),
        (2, 1, 5.2),
        (2, 32 * MIB, 444),
        (16, 16 * KIB, 13.8),
        (3, 16 * KIB, 5.6),
        (1, MIB, 0),
    ],
)
def test_times_are_those_of_the_table_and_straight_between(gpus: int, size: int, expected: float) -> None:
    assert nvlink().time_us(gpus, size).middle == pytest.approx(expected)


def test_every_row_grows_with_size_and_number() -> None:
    for name in allreduce_table().fabrics:
        fabric = Fabric(name=name, words=name)
        sizes = [fabric.time_us(2, size).middle for size in (KIB, 64 * KIB, MIB, 8 * MIB, 64 * MIB)]
        assert sizes == sorted(sizes)
        found = fabric.time_us(2, MIB)
        assert found.low < found.middle < found.high


@pytest.mark.parametrize(
    ("card", "row"),
    [
        ("A100 80GB SXM", "nvlink3"), ("H100 80GB SXM", "nvlink4"), ("B200", "nvlink5"), ("RTX 4090", "pcie4"),
        ("RTX 5090", "pcie5"), ("L40S", "pcie4_p2p"), ("RTX 3090", "pcie4"), ("Tesla T4", "pcie3"),
        ("V100-SXM2-32GB", "nvlink3"),
    ],
)  # fmt: skip
def test_cards_are_linked_as_such_cards_come(card: str, row: str) -> None:
    assert fabric_of((named_card(card),) * 2).name == row


def test_a_bridge_a_mixed_pair_and_a_narrow_slot() -> None:
    pair = (named_card("RTX 3090"),) * 2
    assert fabric_of(pair, linked=True).name == "nvlink_bridge"
    assert fabric_of(pair, linked=True).is_nvlink
    mixed = (named_card("L40S"), named_card("RTX A6000"))
    assert fabric_of(mixed).name == "pcie4"  # no peer-to-peer access between different chips
    wide, narrow = pcie_fabric(4, peers=False), pcie_fabric(4, peers=False, lanes=4)
    assert narrow.time_us(2, 16 * MIB).middle == 4 * wide.time_us(2, 16 * MIB).middle
    assert narrow.time_us(2, 16 * KIB) == wide.time_us(2, 16 * KIB)  # latency knows no lanes
    assert narrow.words == "PCIe 4.0 x4 without peer-to-peer access"


def test_an_unknown_card_is_taken_for_one_on_pcie() -> None:
    assert fabric_of((named_card("made-up 24GB"),) * 2).name == "pcie4"


def smoke(**keys: object) -> SmokeReport:
    sizes = tuple(
        SmokeSize(op=op, dtype=kind, bytes=size, latency_us=us, algbw_gbs=1.0, busbw_gbs=1.0, wrong=0)
        for op, kind, size, us in (
            ("all_reduce", "bfloat16", 16 * KIB, 50.0),
            ("all_reduce", "float32", 16 * KIB, 40.0),
            ("all_reduce", "bfloat16", MIB, 400.0),
            ("all_gather", "bfloat16", MIB, 1.0),
        )
    )
    base = {"verdict": "pass", "backend": "nccl", "phase": "done", "statement": "", "world_size": 2, "ranks": (),
            "sizes": sizes}  # fmt: skip
    return SmokeReport(**{**base, **keys})  # type: ignore[arg-type]


def test_what_was_measured_here_wins_over_the_table() -> None:
    measured = with_measurement(pcie_fabric(4, peers=False), smoke())
    assert measured.time_us(2, 16 * KIB).middle == 40
    assert measured.time_us(2, MIB).middle == 400
    assert measured.time_us(2, 4 * MIB).middle == 1600
    # Four GPUs were not measured: the table says how times grow.
    assert measured.time_us(4, 16 * KIB).middle == pytest.approx(40 * 40 / 25)
    assert not measured.assumed


@pytest.mark.parametrize("keys", [{"verdict": "hang"}, {"backend": "gloo"}, {"world_size": 1}, {"sizes": ()}])
def test_a_run_without_gpus_or_without_success_measures_nothing(keys: dict[str, object]) -> None:
    fabric = pcie_fabric(4, peers=False)
    assert with_measurement(fabric, smoke(**keys)) == fabric
