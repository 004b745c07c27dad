"""Findings in reading order, and gaps by reason."""

from __future__ import annotations

from gpudoctor.model.finding import NotEvaluated
from gpudoctor.render.arrange import Missing, missing, roots
from tests.render.samples import finding


def test_echoes_hang_below_their_root_by_rule_id_or_fingerprint() -> None:
    root = finding(1, "root", "error", "root")
    by_id = finding(3, "by-id", "warning", "x", echo_of="root")
    by_print = finding(2, "by-print", "warning", "y", echo_of=root.fingerprint)
    other = finding(4, "other", "warning", "z")
    arranged = roots([other, by_id, root, by_print])
    assert [(one.finding.id, [echo.id for echo in one.echoes]) for one in arranged] == [
        ("root", ["by-print", "by-id"]),
        ("other", []),
    ]


def test_an_echo_of_an_echo_hangs_on_the_first_root() -> None:
    chain = [
        finding(1, "root", "error", "root"),
        finding(2, "middle", "warning", "m", echo_of="root"),
        finding(3, "last", "warning", "l", echo_of="middle"),
    ]
    assert [one.finding.id for one in roots(chain)] == ["root"]
    assert [echo.id for echo in roots(chain)[0].echoes] == ["middle", "last"]


def test_an_echo_without_its_root_and_a_circle_are_still_shown() -> None:
    lost = finding(1, "lost", "warning", "x", echo_of="gone")
    assert [one.finding.id for one in roots([lost])] == ["lost"]
    circle = [finding(1, "a", "warning", "a", echo_of="b"), finding(2, "b", "warning", "b", echo_of="a")]
    shown = [entry.id for one in roots(circle) for entry in (one.finding, *one.echoes)]
    assert sorted(shown) == ["a", "b"]


def test_gaps_are_grouped_by_reason_those_that_a_user_can_close_first() -> None:
    gaps = [
        NotEvaluated("r1", ("shm.size_bytes: timeout", "pci.paths: no_permission (config space)")),
        NotEvaluated("r2", ("pci.paths: no_permission",)),
        NotEvaluated("r3", ("strange entry", "a: invented_reason")),
        NotEvaluated(
            "r4", ("gpus.devices[0].name: failed", "gpus.devices[1].name: failed", "t.pairs[0-1].link: failed")
        ),
        NotEvaluated("r5", ("environment.variables['X']: failed",)),
    ]
    assert missing(gaps) == [
        Missing("no_permission", "config space", ("pci.paths",), ("r1",)),
        Missing("no_permission", "", ("pci.paths",), ("r2",)),
        Missing("timeout", "", ("shm.size_bytes",), ("r1",)),
        Missing("failed", "", ("gpus.devices.name", "t.pairs.link", "environment.variables['X']"), ("r4", "r5")),
        Missing("unknown", "", ("strange entry", "a"), ("r3",)),
    ]


def test_one_log_that_cannot_be_read_is_one_gap() -> None:
    why = "no_permission (dmesg may not read the kernel log (root only))"
    gaps = [NotEvaluated(f"r{number}", (f"kernel_log.{name}: {why}",)) for number, name in enumerate(("xids", "oom"))]
    (only,) = missing(gaps)
    assert (only.paths, only.rules) == (("kernel_log.xids", "kernel_log.oom"), ("r0", "r1"))
    assert only.detail == "dmesg may not read the kernel log (root only)"
