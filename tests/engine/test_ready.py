"""Compiled expressions written as data and read again say what they said; data that says anything else is refused."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

import msgspec
import pytest

from gpudoctor.engine import packed
from gpudoctor.engine.expression import compile_expression
from gpudoctor.engine.files import read_rules
from gpudoctor.engine.load import load_rules
from gpudoctor.engine.node import Expression
from gpudoctor.engine.programs import Program, Programs, Ready, programs_of
from gpudoctor.engine.ready import NotReadyError, Part, Reader, Writer
from gpudoctor.engine.values import Frame
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Facts
from gpudoctor.model.facts.driver import Driver
from gpudoctor.paths import log_rules_dir, rules_dir
from tests.engine.samples import write_rule

_FACTS = (
    Facts(),
    Facts(driver=Driver(module_loaded=known(True, "test"), module_version=known("570.86.10", "test"))),
    Facts(driver=Driver(module_loaded=absent("timeout", "test"), module_version=absent("not_applicable", "test"))),
)


def again(programs: Programs) -> Programs:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(programs), type=Programs)


@pytest.mark.parametrize("folder", [rules_dir(), log_rules_dir()], ids=["rules", "log_rules"])
def test_every_rule_of_ours_decides_as_it_does_compiled(folder: Path) -> None:
    rules = read_rules([folder]).rules
    programs = again(programs_of(rules))
    reader = Reader(programs.parts)
    for rule, program in zip(rules, programs.rules, strict=True):
        assert program is not None, rule.spec.id
        assert (program.applies is None) == (rule.applies is None)
        pairs = [(rule.head.when, program.when), *((rule.head.lets[name], at) for name, at in program.lets.items())]
        if rule.applies is not None and program.applies is not None:
            pairs.append((rule.applies, program.applies))
        for compiled, place in pairs:
            read = reader.take(place, Expression)
            assert (read.text, read.kind) == (compiled.text, compiled.kind)
        runs = {name: reader.take(place, Expression).run for name, place in program.lets.items()}
        for facts in _FACTS:
            expected = rule.head.when.truth(Frame(facts, rule.head.runs))
            assert reader.take(program.when, Expression).truth(Frame(facts, runs)) == expected


@pytest.mark.parametrize("folder", [rules_dir(), log_rules_dir()], ids=["rules", "log_rules"])
def test_every_finding_of_ours_is_made_of_what_was_compiled(folder: Path) -> None:
    rules = read_rules([folder]).rules
    programs = again(programs_of(rules))
    reader = Reader(programs.parts)
    for rule, program, body in zip(rules, programs.rules, programs.bodies, strict=True):
        assert program is not None
        read = Ready(program, reader, body).body()
        assert made_of(read) == made_of(rule.body), rule.id


def made_of(value: object) -> object:  # noqa: PLR0911 - a line for each kind
    """What a value is made of, down to the functions and what they hold; a search is its pattern."""
    if isinstance(value, msgspec.Struct):
        return type(value), [made_of(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, dict):
        return {name: made_of(held) for name, held in value.items()}
    if isinstance(value, tuple | list):
        return type(value), [made_of(held) for held in value]
    if isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, re.Pattern):
        return "search", value.__self__.pattern
    if isinstance(value, FunctionType):
        held = [cell.cell_contents for cell in value.__closure__ or ()]
        if value.__code__.co_name == "search":
            return "search", held[0].pattern
        return value.__module__, value.__code__, [made_of(each) for each in held]
    return value


@pytest.mark.parametrize("body", [b"", b"\x90", b"\x00", msgspec.msgpack.encode([Part("plain", plain="no body")])])
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(NotReadyError):
        Ready(Program(None, {}, 0), Reader(()), memoryview(body)).body()


def test_what_expressions_have_in_common_is_there_once() -> None:
    writer = Writer()
    first = writer.put(compile_expression("group.size > 1", {}))
    count = len(writer.parts)
    assert writer.put(compile_expression("group.size > 1", {})) == first
    assert len(writer.parts) == count


def test_true_and_one_stay_apart() -> None:
    writer = Writer()
    places = [writer.put(value) for value in (1, True, 1.0, 0, False)]
    reader = Reader(writer.parts)
    assert [type(reader.take(place, object)) for place in places] == [int, bool, float, int, bool]


@pytest.mark.parametrize(
    "part",
    [
        Part("named", plain="os:system"),
        Part("named", plain="gpudoctor.engine.packed:os.system"),
        Part("named", plain="gpudoctor.engine.packed:Path"),
        Part("named", plain="gpudoctor.engine.packed"),
        Part("template", plain="os:walk:1"),
        Part("template", plain="gpudoctor.engine.operators:conjunction:1"),
        Part("template", plain="gpudoctor.engine.operators:conjunction:first"),
        Part("closure", (0,)),
        Part("closure", ()),
        Part("struct", (0,)),
        Part("tuple", (7,)),
    ],
)
def test_data_that_names_anything_else_is_refused(part: Part) -> None:
    with pytest.raises(NotReadyError):
        Reader([part]).take(0, object)


def test_a_search_finds_what_it_found() -> None:
    search = Reader([Part("search", plain="^(29|2b[89ab])")]).take(0, FunctionType)
    assert search("2c90") is None
    assert search("2b85").group() == "2b8"


def test_what_has_no_form_as_data_is_refused() -> None:
    with pytest.raises(NotReadyError):
        Writer().put({"a": object()})


@pytest.mark.parametrize("value", [{}, {"a": 1, "b": ("c", [True, None])}, (), frozenset("ab"), [1.5, "x"]])
def test_plain_collections_come_back_as_they_were(value: object) -> None:
    writer = Writer()
    place = writer.put(value)
    read = Reader(writer.parts).take(place, type(value))
    assert (read, type(read)) == (value, type(value))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One rule, and a Python that may write its bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write_rule(tmp_path / "rules", id="first")
    return tmp_path / "rules"


def test_packed_rules_are_not_compiled_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_rules(folder).rules[0].head.when.text
    monkeypatch.setattr("gpudoctor.engine.maker.compile_condition", None)
    monkeypatch.setattr("gpudoctor.engine.maker.compile_template", None)
    again = load_rules(folder).rules[0]
    assert again.head.when.text == expected
    assert again.body.title.parts


def test_programs_that_cannot_be_read_are_compiled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_rules(folder).rules[0].head.when.text

    def refuse(*_: object) -> object:
        raise NotReadyError("gone")

    monkeypatch.setattr(Reader, "take", refuse)
    assert load_rules(folder).rules[0].head.when.text == expected


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
def test_a_change_of_what_compiles_them_counts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: bool
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "one.py").write_text("a = 1\n")
    monkeypatch.setattr(packed, "_SOURCES", (str(sources),))
    load_rules(folder)
    later = (folder / packed.NAME).stat().st_mtime_ns + 10**9
    os.utime(folder / packed.NAME, ns=(later, later) if not read else (1, 1))
    before = (folder / packed.NAME).read_bytes()
    load_rules(folder)
    assert (folder / packed.NAME).read_bytes() == before
    (sources / "one.py").write_text("a = 2\n")
    os.utime(folder / packed.NAME, ns=(1, 1))
    load_rules(folder)
    assert (folder / packed.NAME).read_bytes() != before
