"""Partial facts become one, whatever their order."""

from __future__ import annotations

from itertools import permutations

from msgspec.structs import replace

from gpudoctor.logs.join import Part, join, stamped
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Environment, Facts, KernelLog, Nccl, Torch
from gpudoctor.readers.document import NOTE, REPORT, TOOL


def part(trust: int, file: str, **sections: object) -> Part:
    return Part(replace(Facts(), **sections), trust, file, 1, "kind")


def torch(version: Fact[str]) -> Torch:
    return Torch(version=version)


def test_known_beats_absent_and_trust_decides() -> None:
    parts = [
        part(NOTE, "a", torch=torch(known("2.0", "note"))),
        part(TOOL, "b", torch=torch(absent("parse_error", "x"))),
        part(REPORT, "c", torch=torch(known("2.5", "report")), nccl=Nccl(winner_version=known("2.21.5", "report"))),
    ]
    for order in permutations(parts):
        joined = join(order)
        assert joined.torch.version == known("2.5", "report")
        assert joined.nccl.winner_version == known("2.21.5", "report")


def test_of_the_same_trust_the_first_place_wins_and_reasons_stay() -> None:
    parts = [
        part(REPORT, "b.txt", torch=torch(known("2.4", "b"))),
        part(REPORT, "a.txt", torch=torch(known("2.5", "a"))),
        part(REPORT, "a.txt", nccl=Nccl(winner_version=absent("parse_error", "cut"))),
    ]
    for order in permutations(parts):
        assert join(order).torch.version == known("2.5", "a")
        assert join(order).nccl.winner_version.absent == "parse_error"


def test_maps_and_kernel_logs_grow_together() -> None:
    parts = [
        part(REPORT, "a", environment=Environment(variables=known({"A": "1", "B": "1"}, "a"))),
        part(TOOL, "b", environment=Environment(variables=known({"B": "2"}, "b"))),
        part(TOOL, "c", kernel_log=KernelLog(oom_kills=known(("x",), "c"))),
        part(TOOL, "d", kernel_log=KernelLog(oom_kills=known(("x", "y"), "d"))),
    ]
    for order in permutations(parts):
        joined = join(order)
        assert joined.environment.variables.value == {"A": "1", "B": "2"}
        assert joined.kernel_log.oom_kills.value == ("x", "y")


def test_a_source_says_where_it_stands() -> None:
    facts = stamped(replace(Facts(), torch=torch(known("2.5", "collect_env"))), "env.txt:7")
    assert facts.torch.version.source == "collect_env (env.txt:7)"
    assert facts.nccl == Nccl()
