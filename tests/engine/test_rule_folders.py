"""Folders given with --rules: whatever lies there, an answer in time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from gpudoctor.engine.load import load_rules
from gpudoctor.errors import GpudoctorError
from gpudoctor.paths import rules_dir


def _load(folder: Path) -> int:
    return len(load_rules(rules_dir(), folder).rules)


def test_links_pipes_devices_and_other_files_are_no_rules(tmp_path: Path) -> None:
    area = tmp_path / "area"
    area.mkdir()
    (area / "loop").symlink_to("..")
    (area / "zero.yaml").symlink_to("/dev/zero")
    os.mkfifo(area / "pipe.yaml")
    (area / "gone.yaml").symlink_to("nowhere")
    (area / "README.md").write_text("# rules")
    assert _load(tmp_path) == len(load_rules(rules_dir()).rules)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(100)),
        "id: x\nwhen: " + "(" * 20_000 + "1" + ")" * 20_000,
        "id: x\nwhen: " + "not " * 20_000 + "true",
        "".join(map(chr, range(256))),
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_a_hostile_rule_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "x.yaml").write_text(text)
    with pytest.raises(GpudoctorError, match=r"x\.yaml"):
        _load(tmp_path)


def test_a_tree_that_is_no_folder_of_rules_is_not_walked_through(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(200):
        place /= "d"
        place.mkdir()
    (place / "x.yaml").write_text("id: x")
    assert _load(tmp_path) == len(load_rules(rules_dir()).rules)
    with suppress(GpudoctorError):  # refused where very many processes run
        _load(Path("/proc"))


def test_a_folder_with_very_many_files_is_refused_early(tmp_path: Path) -> None:
    for number in range(20_001):
        (tmp_path / f"{number}").touch()
    with pytest.raises(GpudoctorError, match="more than 20000 files"):
        _load(tmp_path)
