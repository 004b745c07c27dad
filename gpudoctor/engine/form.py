"""The form of a rule file: plain data to structs, and every way in which it differs, with its line."""

from __future__ import annotations

from typing import Final

import msgspec

from gpudoctor.engine.catalogue import did_you_mean
from gpudoctor.engine.problem import Problem, RuleFileError
from gpudoctor.engine.rule import RuleFile
from gpudoctor.engine.yaml_strict import Document, Path
from gpudoctor.lazy_pattern import lazy_pattern


def convert_rule(document: Document) -> RuleFile:
    """The structs of a whole file. Raises RuleFileError."""
    try:
        return msgspec.convert(document.data, RuleFile)
    except msgspec.ValidationError as error:
        raise RuleFileError(_form_problems(document, error)) from error


def _form_problems(document: Document, first: msgspec.ValidationError) -> list[Problem]:
    """Every key on its own, because msgspec stops at the first error."""
    if not isinstance(document.data, dict):
        return [document.problem((), "a rule is a mapping", "see docs/rules.md")]
    problems: list[Problem] = []
    known = {field.name: field for field in msgspec.structs.fields(RuleFile)}
    for name, value in document.data.items():
        if name not in known:
            problems.append(document.problem((name,), f"unknown key {name!r}", did_you_mean(name, known)))
            continue
        try:
            msgspec.convert(value, known[name].type)
        except msgspec.ValidationError as error:
            problems.append(_form_problem(document, error, (name,)))
    missing = sorted(name for name, field in known.items() if field.required and name not in document.data)
    if missing:
        problems.append(document.problem((), "lacks " + ", ".join(missing), "see docs/rules.md"))
    return problems or [_form_problem(document, first, ())]


_PLACE: Final = lazy_pattern(r" - at `\$(?P<path>[^`]*)`$")
_STEP: Final = lazy_pattern(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")
_UNKNOWN: Final = lazy_pattern(r"unknown field `(?P<name>[^`]*)`")


def _form_problem(document: Document, error: msgspec.ValidationError, prefix: Path) -> Problem:
    text = str(error)
    place = _PLACE.search(text)
    path = prefix
    for name, index in _STEP.findall(place["path"]) if place else []:
        if not name and not index:
            break  # a value of a mapping: msgspec does not say which
        path = (*path, name or int(index))
    unknown = _UNKNOWN.search(text)
    message = text[: place.start()] if place else text
    return document.problem((*path, unknown["name"]) if unknown else path, message[:1].lower() + message[1:])
