"""What would let more rules be decided."""

from __future__ import annotations

import pytest

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import NotEvaluated
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.terminal.canvas import Canvas
from gpudoctor.render.terminal.gaps import AS_ROOT, LONGER, counts, draw, helps
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


def drawn(gaps: tuple[NotEvaluated, ...], *, verbose: bool) -> str:
    canvas = Canvas(RenderOptions(width=80))
    draw(canvas, report("ok", Facts(), not_evaluated=gaps, probes=LIVE), verbose=verbose)
    return canvas.text()


LOG = tuple(
    NotEvaluated(f"rule-{number}", (f"kernel_log.{name}: no_permission (root only)",))
    for number, name in enumerate(("xids", "oom_kills", "xids", "aer_devices", "xids", "xids", "oom_kills"))
)


def test_one_log_that_is_for_root_only_is_one_line() -> None:
    text = drawn(LOG, verbose=False)
    assert text.count("no permission") == 1
    assert "(7 rules): root only" in " ".join(text.split())
    assert "rule-3" not in text


def test_verbose_names_the_rules_behind_each_gap() -> None:
    assert "rules: rule-0, rule-1, rule-2, rule-3" in " ".join(drawn(LOG, verbose=True).split())


def test_many_reasons_are_cut_short_and_said_to_be() -> None:
    gaps = tuple(NotEvaluated(f"r{number}", (f"a.b{number}: failed (why {number})",)) for number in range(7))
    assert "and 3 other reasons: -v" in drawn(gaps, verbose=False)
    assert "why 6" in drawn(gaps, verbose=True)
