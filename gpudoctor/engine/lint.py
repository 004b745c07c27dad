"""What `gpudoctor rules lint` reports: everything that is wrong with a rule or missing from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Final

from gpudoctor.engine.causes import causes
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.files import read_rules
from gpudoctor.engine.load import check_ids, check_links
from gpudoctor.engine.problem import Problem
from gpudoctor.engine.rule import ChangeSpec, FixSpec
from gpudoctor.engine.signatures import foreign_references, signatures_of
from gpudoctor.engine.yaml_strict import Path

MAX_TITLE: Final = 100
MIN_DOC_WORDS: Final = 40
_OUTCOMES: Final = ("fires", "silent", "unknown")
_FLAGS: Final = re.compile("[a-z][a-z0-9_]*")
_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def lint(folders: Sequence[FilePath]) -> tuple[Problem, ...]:
    """Every problem of every rule below `folders`, in order of file and line."""
    found = read_rules(folders)
    problems = [*found.problems, *check_ids(found.rules)]
    names = {rule.spec.id for rule in found.rules}
    keys = {signature.key for signature in signatures_of(found.rules)}
    for rule in found.rules:
        problems += [*lint_rule(rule), *check_links(rule, names), *foreign_references(rule, keys)]
    return tuple(sorted(set(problems)))


def lint_rule(rule: Rule) -> tuple[Problem, ...]:
    """The problems of one rule whose form is right."""
    advice = [rule.document.problem(path, message, hint) for path, message, hint in _advice(rule)]
    return (*rule.check(), *advice)


Advice = Iterator[tuple[Path, str, str]]


def _advice(rule: Rule) -> Advice:
    yield from _texts(rule)
    yield from _cases(rule)
    for position, fix in enumerate(rule.spec.fixes):
        yield from _fix(("fixes", position), fix)
    yield from _hardware(rule)
    yield from _literals(rule)


def _texts(rule: Rule) -> Advice:
    spec = rule.spec
    words = len(spec.doc.split())
    if words < MIN_DOC_WORDS:
        hint = "what it means, why it happens, how to tell it from its neighbours, what is folklore"
        yield ("doc",), f"doc has {words} words, at least {MIN_DOC_WORDS} are needed", hint
    if len(spec.title) > MAX_TITLE:
        yield ("title",), f"the title is longer than {MAX_TITLE} characters", "the rest belongs into why"
    if spec.title.rstrip().endswith("."):
        yield ("title",), "the title ends in a full stop", "take it away"
    if not spec.why.strip():
        yield ("why",), "why is empty", "one or two sentences for this machine"
    if not spec.evidence:
        yield ("evidence",), "no evidence", "name the facts that prove it"
    if not spec.references:
        yield ("references",), "no references", "where is it written? title, url and the date of reading"
    if not spec.fixes:
        yield ("fixes",), "no fixes", "at least say what to look at"


def _cases(rule: Rule) -> Advice:
    expected = {case.expect for case in rule.cases}
    # What a log does not say is not missing.
    of_log = bool(rule.spec.signatures) or any(case.log for case in rule.cases)
    for outcome in _OUTCOMES[:2] if of_log else _OUTCOMES:
        if outcome not in expected:
            yield ("cases",), f"no case with expect: {outcome}", "one of each: fires, silent, unknown"
    if of_log and not any(case.log and case.expect == "fires" for case in rule.cases):
        yield ("cases",), "no case that fires because of a text", "give it a log: as it stands in a real one"
    seen: set[str] = set()
    for position, case in enumerate(rule.cases):
        if case.name in seen:
            yield ("cases", position, "name"), f"two cases are called {case.name!r}", "rename one"
        seen.add(case.name)
    if isinstance(rule.document.data, dict) and list(rule.document.data)[-1] != "cases":
        yield ("cases",), "the cases are not the last key", "put them last: only tests read them"


def _fix(path: Path, fix: FixSpec) -> Advice:
    if fix.change is not None and fix.command:
        yield path, "a fix with both command and change", "make two fixes of it"
    said = fix.change is not None or fix.command or fix.caveat or fix.undo
    if not said and fix.needs not in ("hardware", "reboot"):
        yield path, "a fix with neither command nor change nor a word on how", "add one of them"
    if fix.command.count("\n") > 8:
        yield (*path, "command"), "a command of more than 8 lines", "a fix is pasted, not installed"
    if "<<" in fix.command:
        yield (*path, "command"), "a here-document in a command", "values are not quoted there: use printf"
    if fix.change is not None:
        yield from _change((*path, "change"), fix.change)


def _change(path: Path, change: ChangeSpec) -> Advice:
    for name in change.flags:
        if not _FLAGS.fullmatch(name):
            yield (*path, "flags", name), f"{name!r} is no generic flag name", "like tp or max_model_len"
    for name in (*change.env, *change.unset):
        if "{" not in name and not _VARIABLE.fullmatch(name):
            yield path, f"{name!r} is no name of a variable", "like NCCL_P2P_DISABLE"
    for name in (*change.add, *change.remove):
        if not name.startswith(("-", "{")):
            yield path, f"{name!r} is no option", "an option and its value are one text, or a flag by its generic name"
    if not any((change.flags, change.env, change.unset, change.add, change.remove)):
        yield path, "an empty change", "say what changes"


def _literals(rule: Rule) -> Advice:
    """They are found, and stand in the packed form only."""
    written = rule.document.data if isinstance(rule.document.data, dict) else {}
    signatures = written.get("signatures")
    for position, one in enumerate(signatures if isinstance(signatures, list) else []):
        if isinstance(one, dict) and "literals" in one:
            yield ("signatures", position), "literals are found, not written", "take them away"


def _hardware(rule: Rule) -> Advice:
    cause = causes().get(rule.spec.cause)
    if cause is None or not cause.hardware:
        return
    if all(fix.change is not None for fix in rule.spec.fixes) and rule.spec.fixes:
        hint = "a fault of hardware is repaired, a setting is at most a workaround further down"
        yield ("fixes",), "a hardware cause whose only fixes are settings", hint
    first = rule.spec.fixes[0] if rule.spec.fixes else None
    if first is not None and first.change is not None:
        yield ("fixes", 0), "a hardware cause whose best fix is a setting", "put the repair first"
