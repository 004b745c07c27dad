"""Small readings as facts, and the two questions about files that only they ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.host import HostError, LocalHost
from gpudoctor.host.reading import names_in, parse_fact, read_fact, text_or
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.fact import known


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "number").write_text(" 42\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pid:[4026531836]")
    return LocalHost(environ={}, root=str(tmp_path))


def test_a_value_has_the_path_as_its_source_unless_another_is_given(host: LocalHost) -> None:
    assert read_fact(host, "/number", int) == known(42, "/number")
    assert read_fact(host, "/number", int, "sysfs") == known(42, "sysfs")


def test_a_missing_file_and_a_garbled_one_are_different_absences(host: LocalHost) -> None:
    assert read_fact(host, "/nothing", int).absent == "not_applicable"
    assert parse_fact("x" * 1000, int, "pasted").absent == "parse_error"
    assert len(parse_fact("x" * 1000, int, "pasted").detail) < 100


def test_a_parser_may_give_a_reason_of_its_own(host: LocalHost) -> None:
    def refuse(_: str) -> int:
        raise HostError("not_supported", "it does not tell")

    assert read_fact(host, "/number", refuse).absent == "not_supported"


def test_defaults_where_the_reason_does_not_matter(host: LocalHost) -> None:
    assert text_or(host, "/number") == "42"
    assert text_or(host, "/nothing", "none") == "none"
    assert names_in(host, "/nothing") == ()
    assert names_in(host, "/") == ("folder", "link", "number")


@pytest.mark.parametrize("kind", [LocalHost, ReplayHost])
def test_links_are_read_unresolved_and_files_measured(host: LocalHost, tmp_path: Path, kind: type) -> None:
    either = host if kind is LocalHost else ReplayHost(str(tmp_path))

    assert either.read_link("/link") == "pid:[4026531836]"
    assert either.file_size("/number") == 4
    with pytest.raises(HostError) as missing:
        either.read_link("/nothing")
    assert missing.value.reason == "not_applicable"
    with pytest.raises(HostError) as no_link:
        either.read_link("/number")
    assert no_link.value.reason == "failed"
