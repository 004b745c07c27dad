"""What carries a log changes nothing: every text with which a rule fires is read in all the forms in which it may come.

The rules' own cases are the texts. A few percent may differ where a form destroys what a rule needs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from gpudoctor.cli.findings.rule_set import reader_of
from gpudoctor.derive import derive
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.evaluate import evaluate
from gpudoctor.engine.files import read_rules
from gpudoctor.engine.load import RuleSet
from gpudoctor.logs.open import Source
from gpudoctor.logs.read import Reader, Reading
from gpudoctor.paths import log_rules_dir

Texts = list[tuple[Rule, str]]

_NOISE = [
    f"INFO 11-02 10:{i // 60:02}:{i % 60:02} some.py:{i}] nothing of interest happened, {i} times" for i in range(90)
]


class Bytes(Source):
    """Bytes as a file, by the way that a file takes."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(None)
        self.name = name
        self._data = data

    def blocks(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as its base
        yield from self._utf8(iter([self._data]))


@cache
def rules() -> RuleSet:
    return RuleSet(tuple(rule for rule in read_rules([log_rules_dir()]).rules if not rule.check()))


@cache
def reader() -> Reader:
    return reader_of(rules().rules)


def fires(rule: Rule, reading: Reading) -> bool:
    return evaluate(rule, derive(reading.facts), None, reading.seen).candidate is not None


@cache
def texts() -> tuple[tuple[Rule, str], ...]:
    """Rules with a text with which they fire without any further fact."""
    found = [
        (rule, case.log)
        for rule in rules().rules
        for case in rule.cases
        if case.log and not case.given and case.expect == "fires"
    ]
    return tuple((rule, text) for rule, text in found if fires(rule, reader().read_text(text)))


def each_line(change: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda text: "\n".join(change(line) for line in text.splitlines()).encode()


def _interleaved(text: str) -> bytes:
    pairs = zip(text.splitlines(), itertools.cycle(_NOISE), strict=False)
    return "\n".join(line for pair in pairs for line in pair).encode()


def _wrapped(text: str, width: int) -> bytes:
    """As it is copied from a narrow terminal."""
    noise = ["x" * (2 * width + 9)] * 3  # long lines of the program, so that the width shows
    lines = [*noise, *text.splitlines()]
    return "\n".join(
        part for line in lines for part in ([line[i : i + width] for i in range(0, len(line), width)] or [""])
    ).encode()


def _stamped(line: str) -> str:
    return f"2025-11-02T10:00:00.123456789Z {line}"


FORMS: dict[str, Callable[[str], bytes]] = {
    "docker --timestamps": each_line(_stamped),
    "docker compose": each_line(lambda line: f"vllm-1  | {line}"),
    "kubernetes": each_line(lambda line: f"2025-11-02T10:00:00.123456789Z stderr F {line}"),
    "kubectl --prefix": each_line(lambda line: f"[pod/vllm-0/server] {line}"),
    "journal": each_line(lambda line: f"Nov 02 10:00:00 gpu07 python3[4242]: {line}"),
    "quoted": each_line(lambda line: f"> {line}"),
    "coloured": each_line(lambda line: f"\x1b[0;36m{line}\x1b[0m"),
    "ray": each_line(lambda line: f"\x1b[36m(RayWorkerWrapper pid=77, ip=10.0.0.3)\x1b[0m {line}"),
    "mpi": each_line(lambda line: f"[1,0]<stdout>:{line}"),
    "torchrun": each_line(lambda line: f"[rank0]: {line}"),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "tabs to spaces": lambda text: text.expandtabs(4).encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "noise before": lambda text: ("\n".join(_NOISE) + "\n" + text).encode(),
    "noise between": _interleaved,
    "wrapped at 80 columns": lambda text: _wrapped(text, 80),
    "fenced": lambda text: f"Here is the log:\n\n```\n{text}```\n\nThanks!\n".encode(),
    "garbage before": lambda text: Random(1).randbytes(2000).replace(b"\n", b" ") + b"\n" + text.encode(),
}


# These name the process that said a line, and what a process says is no table of another program, by design.
_OF_A_PROCESS = frozenset({"journal", "ray", "torchrun"})


@pytest.mark.parametrize("form", FORMS)
def test_what_carries_a_log_changes_nothing(form: str) -> None:
    """Of rules that know lines; those that know only facts take them from the output of tools."""
    carried = [(rule, text) for rule, text in texts() if rule.spec.signatures or form not in _OF_A_PROCESS]
    lost = [
        rule.spec.id for rule, text in carried if not fires(rule, reader().read([Bytes("log.txt", FORMS[form](text))]))
    ]
    assert len(carried) > 200
    assert len(lost) <= 0.03 * len(carried), lost


def test_a_log_in_two_files_is_one_log() -> None:
    lost = []
    for rule, text in texts():
        lines = text.splitlines(keepends=True)
        middle = len(lines) // 2
        files = [Bytes("a.log", "".join(lines[:middle]).encode()), Bytes("b.log", "".join(lines[middle:]).encode())]
        if middle and not fires(rule, reader().read(files)):
            lost.append(rule.spec.id)
    assert len(lost) <= 0.08 * len(texts()), lost


def test_packing_changes_nothing() -> None:
    for rule, text in texts():
        spaced = re.sub(r"\n", "\n\n", text)
        assert fires(rule, reader().read_text(text))
        assert reader().read_text(spaced).seen.keys() >= reader().read_text(text).seen.keys()
