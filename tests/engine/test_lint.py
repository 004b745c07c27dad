"""What lint finds in rules that load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gpudoctor.engine.lint import lint
from tests.engine.samples import BASE, write_rule


def found(folder: Path, **changes: Any) -> list[str]:
    write_rule(folder, **changes)
    return [str(problem) for problem in lint([folder])]


def test_a_good_rule_has_no_problems(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doc": "short"}, "doc has 1 words"),
        ({"title": "x" * 101}, "longer than 100 characters"),
        ({"title": "It ends."}, "full stop"),
        ({"why": " "}, "why is empty"),
        ({"evidence": []}, "no evidence"),
        ({"references": []}, "no references"),
        ({"fixes": []}, "no fixes"),
        ({"fixes": [{"title": "t"}]}, "neither command nor change"),
        ({"fixes": [{"title": "t", "command": "x", "change": {"flags": {"tp": 1}}}]}, "both command and change"),
        ({"fixes": [{"title": "t", "change": {}}]}, "an empty change"),
        ({"fixes": [{"title": "t", "change": {"add": ["--backend", "mp"]}}]}, "'mp' is no option"),
        ({"fixes": [{"title": "t", "change": {"flags": {"--tp": 1}}}]}, "no generic flag name"),
        ({"fixes": [{"title": "t", "change": {"env": {"A B": 1}}}]}, "no name of a variable"),
        ({"fixes": [{"title": "t", "command": "cat <<EOF\n{workload.tp}\nEOF"}]}, "here-document"),
        ({"fixes": [{"title": "t", "command": "echo '{workload.tp}'"}]}, "inside quotes"),
        ({"cases": BASE["cases"][:2]}, "no case with expect: unknown"),
        ({"cases": [*BASE["cases"], BASE["cases"][0]]}, "two cases are called 'fires'"),
        ({"cause": "gpu_fault", "fixes": [{"title": "t", "change": {"flags": {"tp": 1}}}]}, "hardware cause"),
        ({"when": "workload.tpp > 1"}, "unknown fact 'workload.tpp'"),
        ({"title": "{workload.tpp}"}, "unknown fact 'workload.tpp'"),
        ({"when": "workload.tp"}, "a condition must be true/false"),
        ({"severity": "bad"}, "invalid enum value"),
        ({"explains": ["nothing"]}, "nothing is called 'nothing'"),
    ],
)
def test_each_weakness_is_named_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    problems = found(tmp_path, **changes)
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith(f"{tmp_path}/test/sample.yaml:") for problem in problems)


@pytest.mark.parametrize(
    "fix", [{"title": "t", "needs": "hardware"}, {"title": "t", "caveat": "how"}, {"title": "t", "needs": "reboot"}]
)
def test_a_fix_in_words_is_enough_where_no_command_does_it(tmp_path: Path, fix: dict[str, Any]) -> None:
    assert found(tmp_path, fixes=[fix]) == []


def test_cases_come_last(tmp_path: Path) -> None:
    file = write_rule(tmp_path, cases=None)
    cases = msgspec.json.encode(BASE["cases"]).decode()
    file.write_text('{"cases": ' + cases + "," + file.read_text().removeprefix("{"))
    assert any("the cases are not the last key" in str(problem) for problem in lint([tmp_path]))


def test_problems_of_all_parts_come_at_once_in_order_of_the_file(tmp_path: Path) -> None:
    problems = found(tmp_path, title="{workload.tpp}", doc="short", evidence=["gpus.devices", "workload.x"])
    assert len(problems) == 4
    lines = [int(problem.split(":")[1]) for problem in problems]
    assert lines == sorted(lines)
