"""Rule files read: `<folder>/<area>/<slug>.yaml`. Every error is collected, not only the first."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from gpudoctor.engine.catalogue import did_you_mean
from gpudoctor.engine.causes import causes
from gpudoctor.engine.compiled import Found, Rule
from gpudoctor.engine.form import convert_rule
from gpudoctor.engine.problem import Problem, RuleFileError
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.yaml_strict import MAX_BYTES, parse

MAX_FILES: Final = 2000
_MAX_ENTRIES = 20_000  # of any kind: `--rules /` is a mistake, and takes hours to walk through
_DEPTH = 2  # <area>/<slug>.yaml; one level more is looked at, to say what is wrong


def read_own(folder: Path) -> dict[Path, bytes]:
    """The files of our own rules. Raises RuleFileError."""
    return {file: _read(file) for file in _files(folder, foreign=False)}


def parse_own(files: dict[Path, bytes]) -> Found:
    """The rules of these files, without their cases."""
    problems: list[Problem] = []
    rules = [_rule_or_note(file, raw, problems, with_cases=False) for file, raw in files.items()]
    return Found(tuple(rule for rule in rules if rule is not None), tuple(problems))


def read_rules(folders: Sequence[Path], *, foreign: bool = False) -> Found:
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


def _rule_or_note(file: Path, raw: bytes | None, problems: list[Problem], *, with_cases: bool = True) -> Rule | None:
    try:
        return _rule(file, _read(file) if raw is None else raw, with_cases=with_cases)
    except RuleFileError as error:
        problems += error.problems
        return None


def _files(folder: Path, *, foreign: bool) -> list[Path]:
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


def _rule_files(folder: Path) -> list[Path]:
    """What may be meant as a rule, a level too deep as well; what cannot be listed holds none."""
    found: list[Path] = []
    entries = 0
    for here, folders, names in os.walk(folder):
        place = Path(here)
        if len(place.relative_to(folder).parts) >= _DEPTH:
            folders.clear()
        entries += len(folders) + len(names)
        if entries > _MAX_ENTRIES:
            raise _error(folder, f"holds more than {_MAX_ENTRIES} files", "name the folder of the rules")
        found += [place / name for name in names if name.endswith((".yaml", ".yml")) and os.path.isfile(place / name)]  # noqa: PTH113 - no error where it is gone or denied
    return sorted(found)


def _check_mode(place: Path) -> list[Problem]:
    if not place.stat().st_mode & stat.S_IWOTH:
        return []
    hint = "rules end up as commands that you paste: chmod o-w, or copy them to a folder of your own"
    return [Problem(str(place), 0, 0, "can be written by every user of this machine", hint)]


def _error(place: Path, message: str, hint: str) -> RuleFileError:
    return RuleFileError([Problem(str(place), 0, 0, message, hint)])


def read_rule(file: Path, *, with_cases: bool = True) -> Rule:
    """One rule file. Raises RuleFileError."""
    return _rule(file, _read(file), with_cases=with_cases)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(file, f"cannot be read: {error.strerror}", "check its permissions") from error


def _rule(file: Path, raw: bytes, *, with_cases: bool) -> Rule:
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


def _identity_problems(file: Path, rule: Rule) -> list[Problem]:
    spec = rule.spec
    wrong: list[tuple[str, str, str]] = []
    if spec.id != file.stem:
        wrong.append(("id", f"the id {spec.id!r} is not the file's name", f"write {file.stem}"))
    if spec.area != file.parent.name:
        wrong.append(("area", f"the area {spec.area!r} is not the folder's name", f"write {file.parent.name}"))
    if spec.cause not in causes():
        wrong.append(("cause", f"unknown cause {spec.cause!r}", did_you_mean(spec.cause, causes())))
    return [rule.document.problem((key,), message, hint) for key, message, hint in wrong]
