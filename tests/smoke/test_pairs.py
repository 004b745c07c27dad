"""Pairs of ranks: who is to blame, what is slow, and the real thing on gloo."""

from __future__ import annotations

import msgspec
import pytest

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Gpu, GpuPair, Gpus, Topology
from gpudoctor.model.smoke import SmokePair, SmokeRank, SmokeReport, SmokeSize, SmokeVerdict
from gpudoctor.smoke.pairs import all_pairs, blame
from gpudoctor.smoke.speed import with_speed
from tests.smoke.runs import needs_torch, run

Speeds = dict[tuple[int, int], float]


def pair(a: int, b: int, verdict: SmokeVerdict = "pass", speed: float | None = None) -> SmokePair:
    return SmokePair(
        a=a,
        b=b,
        verdict=verdict,
        phase="bandwidth",
        bytes=64 << 20,
        a_to_b_gbs=speed,
        b_to_a_gbs=speed,
        transport="P2P/CUMEM",
    )


@pytest.mark.parametrize(
    ("bad", "good", "ranks", "pairs"),
    [
        ("01", "02 12", (), ((0, 1),)),
        ("02 12", "01", (2,), ()),
        ("01 02 03", "12 13 23", (0,), ()),
        ("01 23", "02 03 12 13", (), ((0, 1), (2, 3))),
        ("01 02", "03 12", (), ((0, 1), (0, 2))),
        ("01 02 12", "", (), ((0, 1), (0, 2), (1, 2))),
        ("", "01", (), ()),
    ],
)
def test_one_gpu_is_to_blame_where_it_is_in_every_failing_pair_and_in_no_other(
    bad: str, good: str, ranks: tuple[int, ...], pairs: tuple[tuple[int, int], ...]
) -> None:
    tested = [pair(int(two[0]), int(two[1]), "hang") for two in bad.split()]
    tested += [pair(int(two[0]), int(two[1])) for two in good.split()]
    assert blame(tuple(tested)) == (ranks, pairs)


def report(speeds: Speeds, ranks: int = 4, whole: float = 20.0) -> SmokeReport:
    return SmokeReport(
        verdict="pass",
        backend="nccl",
        phase="done",
        statement="",
        world_size=ranks,
        ranks=tuple(SmokeRank(rank=rank, phase="done", index=rank) for rank in range(ranks)),
        transport="P2P/CUMEM",
        sizes=(
            SmokeSize(
                op="all_reduce", dtype="fp32", bytes=64 << 20, latency_us=1, algbw_gbs=whole, busbw_gbs=whole, wrong=0
            ),
        ),
        pairs=tuple(pair(a, b, speed=speed) for (a, b), speed in speeds.items()),
    )


def machine(links: dict[tuple[int, int], str]) -> Facts:
    """PCIe 4 x16 cards; NV4 is a 3090's bridge."""
    gpus = tuple(
        Gpu(
            index=index,
            name=known("NVIDIA GeForce RTX 3090", "nvml"),
            pcie_generation_max=known(4, "nvml"),
            pcie_width_max=known(16, "nvml"),
        )
        for index in range(4)
    )
    pairs = tuple(
        GpuPair(
            a=a,
            b=b,
            link=known(link, "nvml"),
            path=known("PHB", "nvml"),
            nvlinks=known(4 if link == "NV4" else 0, "nvml"),
        )
        for (a, b), link in links.items()
    )
    return Facts(gpus=Gpus(devices=known(gpus, "nvml")), topology=Topology(pairs=known(pairs, "nvml")))


ALL = [(a, b) for a in range(4) for b in range(a + 1, 4)]
PHB = machine(dict.fromkeys(ALL, "PHB"))
TWO_BRIDGES = machine({**dict.fromkeys(ALL, "PHB"), (0, 1): "NV4", (2, 3): "NV4"})


def test_a_pair_behind_its_siblings_is_slow() -> None:
    judged = with_speed(report({**dict.fromkeys(ALL, 22.0), (1, 2): 6.0}), PHB)
    assert judged.verdict == "slow"
    assert [(one.a, one.b) for one in judged.pairs if one.slow] == [(1, 2)]
    assert judged.speed is not None
    assert (judged.speed.basis, judged.speed.expected_gbs) == ("siblings", 22.0)


def test_pairs_of_another_kind_are_no_siblings() -> None:
    speeds = {**dict.fromkeys(ALL, 21.0), (0, 1): 44.0, (2, 3): 44.0}
    assert with_speed(report(speeds), TWO_BRIDGES).verdict == "pass"


def test_a_bridge_that_is_slow_is_judged_by_the_table_where_it_has_no_siblings() -> None:
    judged = with_speed(report({**dict.fromkeys(ALL, 21.0), (0, 1): 15.0, (2, 3): 44.0}), TWO_BRIDGES)
    assert judged.verdict == "slow"
    assert judged.speed is not None
    assert (judged.speed.basis, judged.speed.link) == ("table", "NV4")


def test_without_pairs_the_all_reduce_of_all_is_compared_with_the_worst_link() -> None:
    assert with_speed(report({}, whole=20.0), PHB).verdict == "pass"
    assert with_speed(report({}, whole=5.0), PHB).verdict == "slow"


def test_a_machine_that_is_not_known_is_never_called_slow() -> None:
    judged = with_speed(report({**dict.fromkeys(ALL, 22.0), (1, 2): 0.1}), None)
    assert (judged.verdict, judged.speed) == ("pass", None)


@needs_torch
def test_pairs_of_real_ranks_are_tested_both_ways() -> None:
    done = run("--tp", "3", "--pairs")
    pairs = done.smoke["pairs"]
    assert [(one["a"], one["b"]) for one in pairs] == [(0, 1), (0, 2), (1, 2)]
    assert all(one["a_to_b_gbs"] > 0 and one["b_to_a_gbs"] > 0 and one["busbw_gbs"] > 0 for one in pairs)
    assert {(one["verdict"], one["peer_copy"]) for one in pairs} == {("pass", "not_tested")}
    assert (done.exit_code, done.leftovers) == (0, ())


@needs_torch
def test_without_gpus_pairs_are_tested_only_when_asked_for() -> None:
    assert run("--tp", "2").smoke["pairs"] == []


def test_pairs_that_were_timed_with_small_messages_are_not_judged() -> None:
    given = report({**dict.fromkeys(ALL, 22.0), (1, 2): 0.1})
    small = msgspec.structs.replace(given, pairs=tuple(msgspec.structs.replace(one, bytes=4096) for one in given.pairs))
    assert with_speed(small, PHB).verdict == "pass"


@pytest.mark.parametrize(("ranks", "count"), [(2, 1), (4, 6), (8, 28), (12, 66), (16, 56), (64, 352)])
def test_many_ranks_are_tested_with_some_partners_each(ranks: int, count: int) -> None:
    pairs = all_pairs(ranks)
    assert len(pairs) == len(set(pairs)) == count
    assert {rank for pair in pairs for rank in pair} == set(range(ranks))
