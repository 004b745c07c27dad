"""Command lines that are read without typer mean what they mean to typer."""

from __future__ import annotations

import pytest

from gpudoctor.cli import app
from gpudoctor.cli.check import plain
from gpudoctor.cli.check import work as checking
from gpudoctor.cli.check.work import Wanted
from gpudoctor.cli.exit import ExitCode
from gpudoctor.cli.explain import work as explaining
from gpudoctor.cli.explain.plain import read as read_explain

PLAIN = [
    "check",
    "check --quick",
    "check -q -v --quick --quiet --verbose",
    "check --format json --fail-on warning --color never",
    "check --format json --format text",
    "check --python /opt/venv/bin/python --quick",
    "check --fail-on nonsense --format nonsense",
    "check --quick --",
    "check --quick -- vllm serve some/model --tp 8 --quick",
    "check -- --format json",
]
LEFT_TO_TYPER = [
    "",
    "--version",
    "check --help",
    "check --format=json",
    "check --tp 8",
    "check --format",
    "check --format -- vllm",
    "check --format --quick",
    "check --qui",
    "check -qv",
    "check vllm serve",
    "check --timeout 5",
    "check --snapshot file",
    "snapshot --quick",
    "explain iommu_acs",
]


def by_typer(line: str, monkeypatch: pytest.MonkeyPatch) -> Wanted:
    """What reaches the verb when typer reads the line."""
    seen: list[Wanted] = []

    def run(wanted: Wanted, early: object) -> ExitCode:
        seen.append(wanted)
        return ExitCode.OK

    monkeypatch.setattr(checking, "run", run)
    app.run(line.split())
    return seen[0]


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_means_the_same_as_to_typer(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain.read(line.split()) == by_typer(line, monkeypatch)


@pytest.mark.parametrize("line", LEFT_TO_TYPER)
def test_every_other_line_is_left_to_typer(line: str) -> None:
    assert plain.read(line.split()) is None


def test_an_empty_value_is_left_to_typer() -> None:
    assert plain.read(["check", "--format", ""]) is None


def test_a_plain_explain_means_the_same_as_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr(explaining, "show", lambda *arguments: seen.append(arguments))
    app.run(["explain", "iommu_acs"])
    assert seen == [(read_explain(["explain", "iommu_acs"]), (), "text", "auto")]


@pytest.mark.parametrize("line", ["explain", "explain --help", "explain a b", "explain a --format json", "check a"])
def test_every_other_explain_is_left_to_typer(line: str) -> None:
    assert read_explain(line.split()) is None
