"""Rules from folders: `<folder>/<area>/<slug>.yaml`. Every error is collected, not only the first."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterable, Sequence, Set
from itertools import repeat
from pathlib import Path as FilePath
from typing import Final

import msgspec

from gpudoctor.engine import packed
from gpudoctor.engine.catalogue import did_you_mean
from gpudoctor.engine.causes import causes
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.form import convert_rule
from gpudoctor.engine.problem import Problem, RuleFileError
from gpudoctor.engine.programs import Ready, programs_of
from gpudoctor.engine.ready import Reader
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.yaml_strict import MAX_BYTES, parse
from gpudoctor.errors import UsageError

MAX_FILES: Final = 2000
_MAX_ENTRIES = 20_000  # of any kind: `--rules /` is a mistake, and takes hours to walk through
_DEPTH = 2  # <area>/<slug>.yaml; one level more is looked at, to say what is wrong


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

    def select(self, only: Iterable[str], skip: Iterable[str]) -> tuple[Rule, ...]:
        """The rules that `--only` and `--skip` leave: each names a rule id or a cause. Raises UsageError."""
        wanted, unwanted = frozenset(only), frozenset(skip)
        known = {rule.id for rule in self.rules} | causes().keys()
        for name in sorted((wanted | unwanted) - known):
            raise UsageError(f"no rule or cause is called {name!r}", did_you_mean(name, known))
        return tuple(
            rule
            for rule in self.rules
            if (not wanted or wanted & {rule.id, rule.cause}) and not unwanted & {rule.id, rule.cause}
        )


class Found(msgspec.Struct, frozen=True):
    """What reading folders gave: the rules of the right form, and the problems of the others."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]


def load_rules(own: FilePath, *extra: FilePath, logs: FilePath | None = None) -> RuleSet:
    """Our own rules and those of `extra` folders; of the latter every expression is checked now.

    `logs` is the folder of our rules for logs: they are needed only where there is one.

    Raises RuleFileError with every problem.
    """
    found = _read_own(own)
    if logs is not None:
        of_logs = _read_own(logs)
        found = Found((*found.rules, *of_logs.rules), (*found.problems, *of_logs.problems))
    added = read_rules(extra, foreign=True)
    rules = (*found.rules, *added.rules)
    problems = [*found.problems, *added.problems, *check_ids(rules)]
    names = {rule.id for rule in rules}
    for rule in added.rules:
        problems += [*rule.check(), *check_links(rule, names)]
    if problems:
        raise RuleFileError(problems)
    return RuleSet(tuple(sorted(rules, key=lambda rule: rule.id)))


def pack_rules(folder: FilePath) -> None:
    """Write the packed form of the rules that a wheel brings. Raises RuleFileError with every problem."""
    read_at = time.time_ns()
    files = _read_files(folder)
    found = _parse_own(files)
    if found.problems:
        raise RuleFileError(found.problems)
    packed.pack(folder, files, _to_pack(found), programs_of(found.rules), read_at)


def _to_pack(found: Found) -> list[RuleSpec]:
    """The rules with what takes long to find out again."""
    if not any(rule.spec.signatures for rule in found.rules):
        return [rule.spec for rule in found.rules]
    from gpudoctor.engine.signatures import with_literals

    return [with_literals(rule.spec) for rule in found.rules]


def _read_own(folder: FilePath) -> Found:
    """The rules that we bring, from their packed form where that fits."""
    unread = packed.unpack_unread(folder)
    if unread is not None:
        return _with_programs(unread, repeat(None, len(unread.rules)))
    read_at = time.time_ns()
    try:
        files = _read_files(folder)
    except RuleFileError as error:
        return Found((), error.problems)
    fitting = packed.unpack(folder, files)
    if fitting is not None:
        if not sys.dont_write_bytecode:
            packed.fits_still(folder, read_at)
        return _with_programs(fitting, files.values())
    found = _parse_own(files)
    # Whoever tells Python not to write its bytecode wants nothing of the kind from us.
    if not found.problems and not sys.dont_write_bytecode:
        packed.pack(folder, files, _to_pack(found), programs_of(found.rules), read_at)
    return found


def _with_programs(found: packed.Unpacked, raw: Iterable[bytes | None]) -> Found:
    reader = Reader(found.programs.parts)
    every = zip(found.rules, found.files, raw, found.programs.rules, strict=True)
    rules = (
        Rule(rule, file, text, ready=Ready(program, reader) if program is not None else None)
        for rule, file, text, program in every
    )
    return Found(tuple(rules), ())


def _read_files(folder: FilePath) -> dict[FilePath, bytes]:
    return {file: _read(file) for file in _files(folder, foreign=False)}


def _parse_own(files: dict[FilePath, bytes]) -> Found:
    problems: list[Problem] = []
    rules = [_rule_or_note(file, raw, problems, with_cases=False) for file, raw in files.items()]
    return Found(tuple(rule for rule in rules if rule is not None), tuple(problems))


def read_rules(folders: Sequence[FilePath], *, foreign: bool = False) -> Found:
    """Read every rule below `folders`; `foreign` ones must not be writable by everybody."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for folder in folders:
        try:
            files = _files(folder, foreign=foreign)
        except RuleFileError as error:
            problems += error.problems
            continue
        for file in files:
            rule = _rule_or_note(file, None, problems)
            rules += [rule] if rule is not None else []
    return Found(tuple(rules), tuple(problems))


def _rule_or_note(
    file: FilePath, raw: bytes | None, problems: list[Problem], *, with_cases: bool = True
) -> Rule | None:
    try:
        return _rule(file, _read(file) if raw is None else raw, with_cases=with_cases)
    except RuleFileError as error:
        problems += error.problems
        return None


def _files(folder: FilePath, *, foreign: bool) -> list[FilePath]:
    if not folder.is_dir():
        raise _error(folder, "is no folder", "--rules takes a folder of <area>/<slug>.yaml")
    files = _rule_files(folder)
    problems: list[Problem] = []
    if len(files) > MAX_FILES:
        raise _error(folder, f"holds more than {MAX_FILES} rules", "name the folder of the rules")
    if foreign:
        for place in (folder, *sorted({path.parent for path in files} - {folder}), *files):
            problems += _check_mode(place)
    for path in files:
        if path.suffix == ".yml":
            problems.append(Problem(str(path), 0, 0, "a rule file ends in .yaml", "rename it"))
        elif path.parent.parent != folder:
            problems.append(Problem(str(path), 0, 0, "a rule lies in <area>/<slug>.yaml", "move it"))
    if problems:
        raise RuleFileError(problems)
    return files


def _rule_files(folder: FilePath) -> list[FilePath]:
    """What may be meant as a rule, a level too deep as well; what cannot be listed holds none."""
    found: list[FilePath] = []
    entries = 0
    for here, folders, names in os.walk(folder):
        place = FilePath(here)
        if len(place.relative_to(folder).parts) >= _DEPTH:
            folders.clear()
        entries += len(folders) + len(names)
        if entries > _MAX_ENTRIES:
            raise _error(folder, f"holds more than {_MAX_ENTRIES} files", "name the folder of the rules")
        found += [place / name for name in names if name.endswith((".yaml", ".yml")) and os.path.isfile(place / name)]  # noqa: PTH113 - no error where it is gone or denied
    return sorted(found)


def _check_mode(place: FilePath) -> list[Problem]:
    if not place.stat().st_mode & stat.S_IWOTH:
        return []
    hint = "rules end up as commands that you paste: chmod o-w, or copy them to a folder of your own"
    return [Problem(str(place), 0, 0, "can be written by every user of this machine", hint)]


def _error(place: FilePath, message: str, hint: str) -> RuleFileError:
    return RuleFileError([Problem(str(place), 0, 0, message, hint)])


def read_rule(file: FilePath, *, with_cases: bool = True) -> Rule:
    """One rule file. Raises RuleFileError."""
    return _rule(file, _read(file), with_cases=with_cases)


def _read(file: FilePath) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(file, f"cannot be read: {error.strerror}", "check its permissions") from error


def _rule(file: FilePath, raw: bytes, *, with_cases: bool) -> Rule:
    rule = None if with_cases else _without_cases(str(file), raw)
    if rule is None:
        document = parse(raw, str(file))
        rule = Rule(convert_rule(document), str(file), raw, document)
    problems = _identity_problems(file, rule)
    if problems:
        raise RuleFileError(problems)
    return rule


def _without_cases(file: str, raw: bytes) -> Rule | None:
    """The rule read up to its cases, which is half of the work; None where something is wrong."""
    head, _, tail = raw.partition(b"\ncases:\n")
    if not tail:
        return None
    try:
        return Rule(msgspec.convert(parse(head, file).data, RuleSpec), file, raw)
    except (RuleFileError, msgspec.ValidationError):
        return None  # reading all of it says what is wrong


def _identity_problems(file: FilePath, rule: Rule) -> list[Problem]:
    spec = rule.spec
    wrong: list[tuple[str, str, str]] = []
    if spec.id != file.stem:
        wrong.append(("id", f"the id {spec.id!r} is not the file's name", f"write {file.stem}"))
    if spec.area != file.parent.name:
        wrong.append(("area", f"the area {spec.area!r} is not the folder's name", f"write {file.parent.name}"))
    if spec.cause not in causes():
        wrong.append(("cause", f"unknown cause {spec.cause!r}", did_you_mean(spec.cause, causes())))
    return [rule.document.problem((key,), message, hint) for key, message, hint in wrong]


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
