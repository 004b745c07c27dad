"""The packed rules are the parsed ones, and are never used when they may be others."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.load import load_rules, pack_rules
from gpudoctor.engine.packed import NAME
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.paths import rules_dir
from tests.engine.samples import write_rule


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rules, and a Python that may write its bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write_rule(tmp_path / "rules", id="first")
    write_rule(tmp_path / "rules", id="second")
    return tmp_path / "rules"


def specs(folder: Path) -> list[list[object]]:
    return [[getattr(rule.spec, name) for name in RuleSpec.__struct_fields__] for rule in load_rules(folder).rules]


def test_our_rules_are_the_same_packed_and_parsed(tmp_path: Path) -> None:
    shutil.copytree(rules_dir(), tmp_path / "rules", ignore=shutil.ignore_patterns(NAME))
    pack_rules(tmp_path / "rules")
    packed = specs(tmp_path / "rules")
    (tmp_path / "rules" / NAME).unlink()
    assert packed == specs(tmp_path / "rules")
    assert packed


def test_the_first_load_writes_it_and_the_second_gives_the_same(folder: Path) -> None:
    first = load_rules(folder)
    assert (folder / NAME).is_file()
    second = load_rules(folder)
    assert [rule.cases for rule in second.rules] == [rule.cases for rule in first.rules]
    assert [rule.document.data for rule in second.rules] == [rule.document.data for rule in first.rules]


def test_it_is_really_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = specs(folder)
    monkeypatch.setattr("gpudoctor.engine.files.parse", None)
    assert specs(folder) == before


def test_an_edit_a_new_file_and_a_lost_one_count_at_once(folder: Path) -> None:
    specs(folder)
    file = folder / "test" / "first.yaml"
    file.write_text(file.read_text().replace('"order": 1', '"order": 6'))
    changed = load_rules(folder).find("first")
    assert changed is not None
    assert changed.spec.order == 6
    write_rule(folder, id="third")
    assert len(specs(folder)) == 3
    file.unlink()
    assert len(specs(folder)) == 2


def grow_old(folder: Path) -> None:
    """As if the rules had been written long before they were packed."""
    packed_file = folder / NAME
    later = packed_file.stat().st_mtime_ns + 10**9
    os.utime(packed_file, ns=(later, later))


def test_rules_that_have_not_changed_since_are_not_even_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = specs(folder)
    grow_old(folder)
    monkeypatch.setattr("gpudoctor.engine.files._read", None)
    assert specs(folder) == before


def test_their_documents_and_cases_are_read_when_asked_for(folder: Path) -> None:
    first = load_rules(folder)
    grow_old(folder)
    second = load_rules(folder)
    assert [rule.file for rule in second.rules] == [rule.file for rule in first.rules]
    assert [rule.cases for rule in second.rules] == [rule.cases for rule in first.rules]
    with pytest.raises(RuleFileError):
        _ = Rule(second.rules[0].spec, "/nonexistent/test/first.yaml", None).document


def test_a_change_of_the_same_length_with_its_old_mtime_counts(folder: Path) -> None:
    specs(folder)
    file = folder / "test" / "first.yaml"
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    file.write_text(file.read_text().replace('"order": 1', '"order": 6'))
    os.utime(file, ns=times)
    changed = load_rules(folder).find("first")
    assert changed is not None
    assert changed.spec.order == 6


@pytest.mark.parametrize("stray", ["test/third.yml", "third.yaml", "test/deeper/third.yaml"])
def test_a_rule_in_the_wrong_place_is_still_noticed(folder: Path, stray: str) -> None:
    specs(folder)
    grow_old(folder)
    (folder / stray).parent.mkdir(exist_ok=True)
    (folder / stray).write_text("id: third\n")
    with pytest.raises(RuleFileError):
        load_rules(folder)


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xc1" * 100, b"\x84"])
def test_garbage_in_its_place_is_replaced(folder: Path, content: bytes) -> None:
    before = specs(folder)
    (folder / NAME).write_bytes(content)
    assert specs(folder) == before
    assert (folder / NAME).read_bytes() != content


def test_a_pipe_in_its_place_is_not_waited_for(folder: Path) -> None:
    before = specs(folder)
    (folder / NAME).unlink()
    os.mkfifo(folder / NAME)
    assert specs(folder) == before
    assert (folder / NAME).is_file()


def test_of_another_version_it_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs(folder)
    before = (folder / NAME).read_bytes()
    monkeypatch.setattr("gpudoctor.engine.packed.__version__", "99.0")
    specs(folder)
    assert (folder / NAME).read_bytes() != before


def test_where_it_cannot_be_written_nothing_is_lost(folder: Path) -> None:
    (folder / NAME).mkdir()
    assert len(specs(folder)) == 2
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_python_without_bytecode_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    specs(folder)
    assert not (folder / NAME).exists()


def test_wrong_rules_are_not_packed(folder: Path) -> None:
    (folder / "test" / "first.yaml").write_text("id: first\n")
    with pytest.raises(RuleFileError):
        load_rules(folder)
    with pytest.raises(RuleFileError):
        pack_rules(folder)
    assert not (folder / NAME).exists()


def test_foreign_rules_are_neither_packed_nor_read_packed(folder: Path) -> None:
    load_rules(rules_dir(), folder)
    assert not (folder / NAME).exists()
