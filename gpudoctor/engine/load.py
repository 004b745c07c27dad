"""The rules of a run: our own, from their packed form where that fits, and those of other folders."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Set
from itertools import repeat
from pathlib import Path

import msgspec

from gpudoctor.engine import packed
from gpudoctor.engine.catalogue import did_you_mean
from gpudoctor.engine.causes import causes
from gpudoctor.engine.compiled import Found, Rule
from gpudoctor.engine.problem import Problem, RuleFileError
from gpudoctor.engine.programs import Ready, programs_of
from gpudoctor.engine.ready import Reader
from gpudoctor.engine.rule import RuleSpec, decoder
from gpudoctor.errors import UsageError


class RuleSet(msgspec.Struct, frozen=True):
    """Rules in the order of their ids."""

    rules: tuple[Rule, ...]

    def find(self, rule_id: str) -> Rule | None:
        """The rule with this id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def prepare(self) -> None:
        """Compile now, while probes run, what every run needs; a mistake in a rule shows when it is evaluated."""
        for rule in self.rules:
            with contextlib.suppress(RuleFileError):
                _ = rule.applies, rule.head
        decoder()

    def select(self, only: Iterable[str], skip: Iterable[str]) -> tuple[Rule, ...]:
        """The rules that `--only` and `--skip` leave: each names a rule id or a cause. Raises UsageError."""
        wanted, unwanted = frozenset(only), frozenset(skip)
        if not wanted and not unwanted:
            return self.rules
        known = {rule.id for rule in self.rules} | causes().keys()
        for name in sorted((wanted | unwanted) - known):
            raise UsageError(f"no rule or cause is called {name!r}", did_you_mean(name, known))
        left = tuple(
            rule
            for rule in self.rules
            if (not wanted or wanted & {rule.id, rule.cause}) and not unwanted & {rule.id, rule.cause}
        )
        if not left:
            raise UsageError("--only and --skip leave no rule", "gpudoctor rules list shows all")
        return left


def load_rules(own: Path, *extra: Path, logs: Path | None = None) -> RuleSet:
    """Our own rules and those of `extra` folders; of the latter every expression is checked now.

    `logs` is the folder of our rules for logs: they are needed only where there is one.

    Raises RuleFileError with every problem.
    """
    found = _read_own(own)
    if logs is not None:
        of_logs = _read_own(logs)
        found = Found((*found.rules, *of_logs.rules), (*found.problems, *of_logs.problems))
    rules, problems = found.rules, [*found.problems]
    if extra:
        from gpudoctor.engine.files import read_rules

        added = read_rules(extra, foreign=True)
        rules = (*rules, *added.rules)
        problems += added.problems
        names = {rule.id for rule in rules}
        for rule in added.rules:
            problems += [*rule.check(), *check_links(rule, names)]
    problems += check_ids(rules)
    if problems:
        raise RuleFileError(problems)
    return RuleSet(tuple(sorted(rules, key=lambda rule: rule.id)))


def pack_rules(folder: Path) -> None:
    """Write the packed form of the rules that a wheel brings. Raises RuleFileError with every problem."""
    from gpudoctor.engine.files import parse_own, read_own

    read_at = time.time_ns()
    files = read_own(folder)
    found = parse_own(files)
    if found.problems:
        raise RuleFileError(found.problems)
    packed.pack(folder, files, _to_pack(found), programs_of(found.rules), read_at)


def _to_pack(found: Found) -> list[RuleSpec]:
    """The rules with what takes long to find out again."""
    if not any(rule.spec.signatures for rule in found.rules):
        return [rule.spec for rule in found.rules]
    from gpudoctor.engine.signatures import with_literals

    return [with_literals(rule.spec) for rule in found.rules]


def _read_own(folder: Path) -> Found:
    """The rules that we bring, from their packed form where that fits."""
    unread = packed.unpack_unread(folder)
    if unread is not None:
        return _with_programs(unread, repeat(None, len(unread.rules)))
    from gpudoctor.engine.files import parse_own, read_own  # what reads YAML is loaded where some is to be read

    read_at = time.time_ns()
    try:
        files = read_own(folder)
    except RuleFileError as error:
        return Found((), error.problems)
    fitting = packed.unpack(folder, files)
    if fitting is not None:
        if not sys.dont_write_bytecode:
            packed.fits_still(folder, read_at)
        return _with_programs(fitting, files.values())
    found = parse_own(files)
    # Whoever tells Python not to write its bytecode wants nothing of the kind from us.
    if not found.problems and not sys.dont_write_bytecode:
        packed.pack(folder, files, _to_pack(found), programs_of(found.rules), read_at)
    return found


def _with_programs(found: packed.Unpacked, raw: Iterable[bytes | None]) -> Found:
    reader = Reader(found.programs.parts)
    programs = found.programs
    every = zip(found.rules, found.files, raw, programs.rules, programs.bodies, strict=True)
    rules = (
        Rule(rule, file, text, ready=Ready(program, reader, body) if program is not None else None)
        for rule, file, text, program, body in every
    )
    return Found(tuple(rules), ())


def check_ids(rules: Iterable[Rule]) -> list[Problem]:
    """Ids that are there twice."""
    problems: list[Problem] = []
    files: dict[str, str] = {}
    for rule in rules:
        other = files.setdefault(rule.id, rule.file)
        if other != rule.file:
            problems.append(rule.document.problem(("id",), f"{other} has the same id", "rename one of the two"))
    return problems


def check_links(rule: Rule, ids: Set[str]) -> list[Problem]:
    """Names in `explains` and `suppresses` that neither a rule nor, for `explains`, a cause has."""
    problems: list[Problem] = []
    for key, names, known in (
        ("explains", rule.spec.explains, ids | causes().keys()),
        ("suppresses", rule.spec.suppresses, ids),
    ):
        for position, name in enumerate(names):
            if name not in known:
                hint = did_you_mean(name, known)
                problems.append(rule.document.problem((key, position), f"nothing is called {name!r}", hint))
    return problems
