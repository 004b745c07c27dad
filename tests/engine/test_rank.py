"""The order of findings: echoes, suppression with circles, tiers, and that it is always the same."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.rank import Candidate, conclude
from gpudoctor.model.finding import Finding


def candidate(name: str, **changes: Any) -> Candidate:
    own = {
        key: changes.pop(key)
        for key in ("order", "tier", "explains", "suppresses", "place", "only_echoes")
        if key in changes
    }
    values: dict[str, Any] = {
        "rank": 0,
        "id": name,
        "cause": f"cause_{name}",
        "severity": "error",
        "confidence": 0.9,
        "title": name,
        "why": "",
        "subject": "host",
        "evidence": (),
        "fixes": (),
        "verify": "",
        "echo_of": None,
        "fingerprint": name,
    }
    return Candidate(Finding(**{**values, **changes}), **own)


def order(*candidates: Candidate) -> list[str]:
    return [finding.id for finding in conclude(candidates)]


def test_proof_leads_then_severity_then_what_a_log_says_then_order_then_confidence_then_id() -> None:
    expected = [
        candidate("proof", tier="proof", severity="warning", order=9),
        candidate("log", tier="log", order=9, confidence=0.2),
        candidate("error1", order=1, confidence=0.5),
        candidate("sure2", order=2, confidence=0.9),
        candidate("unsure2", order=2, confidence=0.3),
        candidate("x-same", order=3),
        candidate("y-same", order=3),
        candidate("log-warning", tier="log", severity="warning", order=9),
        candidate("warning1", severity="warning", order=1),
        candidate("remark", severity="info", tier="proof", order=1),
    ]
    shuffled = list(expected)
    random.Random(1).shuffle(shuffled)
    assert order(*shuffled) == [entry.finding.id for entry in expected]
    assert [finding.rank for finding in conclude(shuffled)] == [*range(1, 11)]


def test_an_echo_names_its_root_ranks_below_all_others_and_is_at_most_a_warning() -> None:
    findings = conclude(
        [
            candidate("a", order=1),
            candidate("b", order=5, explains=("cause_a", "c")),
            candidate("c", severity="info"),
            candidate("d", severity="info"),
        ]
    )
    assert [(f.id, f.echo_of, f.severity) for f in findings] == [
        ("b", None, "error"),
        ("d", None, "info"),
        ("a", "b", "warning"),
        ("c", "b", "info"),
    ]


def test_what_explains_an_error_is_one_and_a_remark_explains_none() -> None:
    findings = conclude([candidate("root", severity="warning", explains=("a",)), candidate("a")])
    assert [(f.id, f.severity, f.echo_of) for f in findings] == [("root", "error", None), ("a", "warning", "root")]
    findings = conclude([candidate("root", severity="info", explains=("a",)), candidate("a")])
    assert [(f.id, f.severity, f.echo_of) for f in findings] == [("a", "error", None), ("root", "info", None)]


def test_the_echo_of_an_echo_names_the_first_root() -> None:
    findings = conclude([candidate("a", explains=("b",)), candidate("b", explains=("c",)), candidate("c")])
    assert [(f.id, f.echo_of) for f in findings] == [("a", None), ("b", "a"), ("c", "a")]


def test_a_circle_of_explanations_keeps_the_best_ranked_as_root() -> None:
    findings = conclude(
        [
            candidate("a", order=3, explains=("b",)),
            candidate("b", order=1, explains=("c",)),
            candidate("c", order=2, explains=("a",)),
        ]
    )
    assert [(f.id, f.echo_of) for f in findings] == [("b", None), ("c", "b"), ("a", "b")]


def test_a_rule_that_explains_its_own_cause_explains_the_others_of_it() -> None:
    findings = conclude(
        [
            candidate("a", cause="x", explains=("x",)),
            candidate("b", cause="x", explains=("x",)),
            candidate("c", cause="y"),
        ]
    )
    assert [(f.id, f.echo_of) for f in findings] == [("a", None), ("c", None), ("b", "a")]


def test_of_two_explanations_the_better_ranked_counts() -> None:
    findings = conclude(
        [candidate("z", order=1, explains=("e",)), candidate("a", order=2, explains=("e",)), candidate("e")]
    )
    assert findings[-1].echo_of == "z"


def test_suppressed_findings_are_dropped_also_in_a_chain() -> None:
    assert order(
        candidate("a", suppresses=("b",)), candidate("b", suppresses=("c",)), candidate("c"), candidate("d")
    ) == [
        "a",
        "d",
    ]


def test_two_that_suppress_each_other_leave_the_better_ranked() -> None:
    assert order(candidate("a", order=2, suppresses=("b",)), candidate("b", order=1, suppresses=("a",))) == ["b"]


def test_a_circle_of_suppression_never_drops_all() -> None:
    names = "abcde"
    ring = [candidate(one, suppresses=(other,)) for one, other in zip(names, names[1:] + names[:1], strict=True)]
    assert order(*ring) == ["a"]


def test_what_was_dropped_explains_nothing() -> None:
    findings = conclude([candidate("a", suppresses=("b",)), candidate("b", explains=("c",)), candidate("c")])
    assert [(f.id, f.echo_of) for f in findings] == [("a", None), ("c", None)]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_relations_in_any_order_give_the_same_ranking_and_leave_a_root(data: st.DataObject) -> None:
    names = "abcdef"
    some = st.lists(st.sampled_from(names), max_size=3).map(tuple)
    candidates = [
        candidate(
            name,
            order=data.draw(st.integers(1, 3)),
            severity=data.draw(st.sampled_from(["error", "warning", "info"])),
            tier=data.draw(st.sampled_from(["fact", "log"])),
            explains=data.draw(some),
            suppresses=data.draw(some),
        )
        for name in names
    ]
    findings = conclude(candidates)
    assert conclude(data.draw(st.permutations(candidates))) == findings
    assert findings
    assert findings[0].echo_of is None
    roots = {finding.id for finding in findings if finding.echo_of is None}
    echoes = [finding for finding in findings if finding.echo_of is not None]
    assert all(echo.echo_of in roots and echo.severity != "error" for echo in echoes)
    assert [f.id for f in findings[: len(roots)]] == [f.id for f in findings if f.echo_of is None]


def test_of_a_log_the_surest_leads_then_what_shows_first() -> None:
    expected = [
        candidate("sure", tier="log", confidence=0.9, place=40, order=9),
        candidate("first", tier="log", confidence=0.8, place=3, order=9),
        candidate("later", tier="log", confidence=0.8, place=7, order=1),
    ]
    assert order(*reversed(expected)) == ["sure", "first", "later"]


def test_what_only_reports_others_never_leads_where_there_is_a_cause() -> None:
    reporter = candidate("time-out", tier="log", confidence=0.99, place=1, only_echoes=True)
    cause = candidate("out-of-memory", tier="log", confidence=0.6, place=9)
    found = conclude([reporter, cause])
    assert [(one.id, one.severity, one.echo_of) for one in found] == [
        ("out-of-memory", "error", None),
        ("time-out", "warning", "out-of-memory"),
    ]
    assert [(one.id, one.severity) for one in conclude([reporter])] == [("time-out", "error")]
    doubt = candidate("slow-path", severity="warning")
    assert order(reporter, doubt) == ["time-out", "slow-path"]
