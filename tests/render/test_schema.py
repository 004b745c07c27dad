"""The schema refuses what is no report, and forgives what a newer version adds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.render.drawing import draw
from tests.render.samples import SAMPLES
from tests.render.shipped import validator

# The keys of the contract: none may ever disappear.
CONTRACT = {
    "": "schema tool created_at status host workload findings not_evaluated probes facts summary",
    "findings": "rank id cause severity confidence title why subject evidence fixes verify echo_of fingerprint",
    "not_evaluated": "rule missing",
    "probes": "name status seconds reason",
}


def sample(name: str = "eight_gpus") -> dict[str, Any]:
    report: dict[str, Any] = json.loads(draw(SAMPLES[name](), "json"))
    return report


def valid(report: dict[str, Any]) -> bool:
    return validator().is_valid(report)


@pytest.mark.parametrize(("part", "keys"), CONTRACT.items())
def test_every_key_of_the_contract_is_written_and_required(part: str, keys: str) -> None:
    report = sample()
    found = report[part][0] if part else report
    assert set(keys.split()) <= set(found)
    for key in keys.split():
        broken = sample()
        del (broken[part][0] if part else broken)[key]
        assert not valid(broken), key


def test_fixes_and_summary_have_their_keys() -> None:
    report = sample()
    assert set(report["findings"][0]["fixes"][0]) >= {"title", "command", "env", "caveat", "needs"}
    assert set(report["summary"]) >= {"errors", "warnings", "infos", "rules_evaluated"}
    assert set(report["tool"]) >= {"name", "version"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "gpudoctor.report/2"),
        (("status",), "bad"),
        (("findings", 0, "severity"), "critical"),
        (("findings", 0, "confidence"), 1.5),
        (("findings", 0, "rank"), 0),
        (("findings", 0, "cause"), "Not A Code"),
        (("findings", 0, "fixes", 0, "needs"), "luck"),
        (("probes", 0, "status"), "maybe"),
        (("summary", "errors"), -1),
        (("facts", "shm", "size_bytes"), {"value": 1, "absent": "timeout"}),
        (("facts", "shm", "size_bytes"), {}),
        (("facts", "shm", "size_bytes"), {"value": "64"}),
        (("facts", "shm", "size_bytes"), {"absent": "dunno"}),
    ],
)
def test_what_is_no_report_is_refused(path: tuple[str | int, ...], value: object) -> None:
    report = sample()
    place: Any = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not valid(report)


def test_keys_of_a_newer_minor_version_are_allowed() -> None:
    report = sample()
    report["tuning"] = {"faster": True}
    report["findings"][0]["since"] = "2027"
    assert valid(report)


def test_an_error_is_there_only_when_there_is_one() -> None:
    assert "error" not in sample("healthy")
    assert sample("unusable_input")["error"]["exit_code"] == 2
