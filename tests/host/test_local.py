"""The local host: reading parts of files, hostile files, mounted roots."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.host import HostError, LocalHost


def test_a_part_of_a_file_is_read_without_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "big"
    with file.open("wb") as out:
        out.truncate(3 << 30)
        out.seek(2 << 30)
        out.write(b"needle")
    host = LocalHost(environ={})
    assert host.read_at(str(file), 2 << 30, 6) == b"needle"
    assert host.read_at(str(file), 4 << 30, 6) == b""


def test_a_named_pipe_is_neither_waited_for_nor_read(tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    host = LocalHost(environ={})
    assert host.read(pipe) == b""
    with pytest.raises(HostError) as caught:
        host.read_at(pipe, 0, 10)
    assert caught.value.reason == "failed"


def test_a_folder_and_a_missing_file_have_their_reasons(tmp_path: Path) -> None:
    host = LocalHost(environ={})
    for path, reason in ((tmp_path, "failed"), (tmp_path / "none", "not_applicable")):
        with pytest.raises(HostError) as caught:
            host.read_at(str(path), 0, 10)
        assert caught.value.reason == reason


def test_a_path_that_can_name_no_file_is_a_host_error() -> None:
    host = LocalHost(environ={})
    for path in ("/etc/\0passwd", "/etc/\ud800"):
        with pytest.raises(HostError):
            host.read(path)
        with pytest.raises(HostError):
            host.read_at(path, 0, 1)


def test_without_the_mounted_root_paths_are_those_of_the_running_machine(tmp_path: Path) -> None:
    (tmp_path / "root" / "etc").mkdir(parents=True)
    (tmp_path / "root" / "etc" / "marker").write_text("below the root")
    host = LocalHost(environ={"GPUDOCTOR_ROOT": str(tmp_path / "root")})
    assert host.read_text("/etc/marker") == "below the root"
    assert not host.unrooted.exists("/etc/marker")
    assert host.unrooted.exists(str(tmp_path / "root" / "etc" / "marker"))
    assert host.unrooted.environ == host.environ


def test_only_an_executable_file_may_be_run(tmp_path: Path) -> None:
    host = LocalHost(environ={})
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    assert not host.may_run(str(tool))
    tool.chmod(0o755)
    assert host.may_run(str(tool))
    assert not host.may_run(str(tmp_path))
    assert not host.may_run(str(tmp_path / "none"))
