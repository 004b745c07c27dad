"""Pieces of an examination become facts; one that cannot be read, or holds a secret, costs nothing else."""

from __future__ import annotations

import msgspec
import pytest

from gpudoctor.cli.examine.examined import Collected, End, Piece, without_secrets
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Section, Shm, Workload
from gpudoctor.model.facts.environment import Environment
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.probes import discover


def piece(probe: str, section: Section) -> Piece:
    return Piece(probe, msgspec.msgpack.encode(section))


def ended(*names: str) -> End:
    return End(Workload(tp=known(2, "option")), tuple(ProbeResult(name, "ok", 0.1) for name in names))


def test_every_probe_is_called_like_its_section() -> None:
    for probe in discover():
        assert type(getattr(Facts(), probe.name)) is probe.section


def test_sections_come_to_their_places_and_the_run_with_them() -> None:
    collected = Collected()
    collected.take(piece("shm", Shm(size_bytes=known(7, "test"))))
    found = collected.facts_of(ended("shm"))
    assert found.facts == Facts(shm=Shm(size_bytes=known(7, "test")), workload=Workload(tp=known(2, "option")))
    assert found.probes == (ProbeResult("shm", "ok", 0.1),)


@pytest.mark.parametrize(
    ("status", "reason"), [("timeout", "timeout"), ("skipped", "not_provided"), ("failed", "failed")]
)
def test_what_was_not_brought_is_absent_for_that_reason(status: str, reason: str) -> None:
    result = msgspec.convert({"name": "shm", "status": status, "seconds": 0.0, "reason": "why"}, ProbeResult)
    size = Collected().facts_of(End(results=(result,))).facts.shm.size_bytes
    assert (size.absent, size.detail, size.source) == (reason, "why", "shm")


class _Lie(Section, frozen=True, kw_only=True):
    total_bytes: int = 3


@pytest.mark.parametrize("section", [msgspec.msgpack.encode(_Lie(total_bytes=4)), b"", b"\xc1 no msgpack"])
def test_a_section_that_cannot_be_read_is_a_failure_of_its_probe_alone(section: bytes) -> None:
    collected = Collected()
    collected.take(Piece("memory", section))
    collected.take(piece("shm", Shm(size_bytes=known(7, "test"))))
    found = collected.facts_of(ended("memory", "shm"))
    assert [result.status for result in found.probes] == ["failed", "ok"]
    assert found.probes[0].reason.startswith("sent a section that cannot be read: ")
    assert found.facts.memory.total_bytes.absent == "failed"
    assert found.facts.shm.size_bytes.value == 7


def test_secrets_are_taken_out_wherever_they_are() -> None:
    token = "hf_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYz1"
    collected = Collected()
    collected.take(piece("environment", Environment(variables=known({"NCCL_X": token}, "environment"))))
    workload = Workload(command=known(f"vllm serve --api-key {token}", "command line"))
    end = End(workload, (ProbeResult("environment", "failed", 0.0, token),), f"failed: {token}")
    end = without_secrets(end)
    assert token not in end.problem
    found = collected.facts_of(end)
    assert token not in repr(found)
    assert "<secret>" in repr(found.facts.environment)
