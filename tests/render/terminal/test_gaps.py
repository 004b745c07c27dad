"""What would let more rules be decided."""

from __future__ import annotations

import pytest

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import NotEvaluated
from gpudoctor.model.report import ProbeResult
from gpudoctor.render.terminal.gaps import AS_ROOT, LONGER, counts, helps
from tests.render.samples import report

LAUNCH = "gpudoctor check -- YOUR LAUNCH COMMAND"
LIVE = (ProbeResult("nvml", "ok", 0.1),)
QUICK = (*LIVE, ProbeResult("torch", "skipped", 0.0, "--quick"))


def commands(missing: str, probes: tuple[ProbeResult, ...] = LIVE, facts: Facts | None = None) -> list[str]:
    gap = (NotEvaluated("rule", (missing,)),)
    return [command for _, command in helps(report("ok", facts or Facts(), not_evaluated=gap, probes=probes))]


@pytest.mark.parametrize(
    ("missing", "probes", "wanted"),
    [
        ("pci.paths: no_permission (config)", LIVE, [AS_ROOT]),
        ("torch.imported: timeout", LIVE, [LONGER]),
        ("workload.tp: not_provided", LIVE, [LAUNCH]),
        ("torch.imported: not_provided", QUICK, ["gpudoctor check"]),
        ("torch.imported: not_provided", LIVE, []),
        ("shm.size_bytes: not_provided", (), ["gpudoctor check"]),
        ("nvml.devices: failed", LIVE, []),
    ],
)
def test_each_reason_has_its_own_way_out(missing: str, probes: tuple[ProbeResult, ...], wanted: list[str]) -> None:
    assert commands(missing, probes) == wanted


def test_a_launch_command_that_was_given_is_not_asked_for_again() -> None:
    facts = Facts(workload=Workload(command=known("vllm serve x", "launch command")))
    assert commands("workload.max_model_len: not_provided", facts=facts) == []


def test_coverage_counts_rules_once_and_leaves_skipped_probes_out() -> None:
    gaps = (NotEvaluated("a", ("x.y: timeout",)), NotEvaluated("a", ("x.z: timeout",)))
    made = report("ok", Facts(), not_evaluated=gaps, probes=QUICK)
    assert counts(made) == "84 rules evaluated, 1 could not be, 1 of 1 probe answered"
