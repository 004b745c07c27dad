"""Every libnccl in reach, and the one that wins: compared with what the real dynamic loader takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.model.facts.nccl import Nccl, NcclLibrary
from gpudoctor.probes import torch
from gpudoctor.probes.nccl import collect
from tests.probes.targets import (
    WORKING_TORCH,
    FakeTarget,
    build_library,
    build_nccl,
    build_torch_cuda,
    nccl_bytes,
    requires_gcc,
)

LOAD_TORCH_CUDA = WORKING_TORCH + "import ctypes\nctypes.CDLL(__path__[0] + '/lib/libtorch_cuda.so')\n"
WHEEL_RPATH = "$ORIGIN/../../nvidia/nccl/lib"


def library(section: Nccl, path: Path) -> NcclLibrary:
    found = {item.path: item for item in section.libraries.or_none() or ()}
    return found[str(path)]


def shown(target: FakeTarget, path: Path) -> Path:
    return Path("~") / path.relative_to(target.home)


def test_a_wheels_library_is_read_and_every_claimant_named(target: FakeTarget) -> None:
    target.nccl_wheel("cu12", "2.27.5")
    target.nccl_wheel("cu13", "2.29.7")
    path = target.file("nvidia/nccl/lib/libnccl.so.2", nccl_bytes("2.29.7", "13.0"))
    section = collect(target.host(), target.request())
    assert section.wheels.or_none() == ("nvidia-nccl-cu12==2.27.5", "nvidia-nccl-cu13==2.29.7")
    item = library(section, shown(target, path))
    assert (item.version.or_none(), item.cuda.or_none()) == ("2.29.7", "13.0")
    assert (item.found_by, item.owner) == ("wheel", "nvidia-nccl-cu12, nvidia-nccl-cu13")


def test_each_way_by_which_a_library_comes_into_reach(target: FakeTarget, tmp_path: Path) -> None:
    def nccl(place: str, version: str) -> Path:
        path = tmp_path / place / "libnccl.so.2"
        path.parent.mkdir(parents=True)
        path.write_bytes(nccl_bytes(version))
        return path

    expected = {
        nccl("one", "2.1.1"): ("ld_library_path", "LD_LIBRARY_PATH", "2.1.1"),
        nccl("two", "2.2.2"): ("ld_preload", "LD_PRELOAD", "2.2.2"),
        nccl("three", "2.3.3"): ("variable", "VLLM_NCCL_SO_PATH", "2.3.3"),
        nccl("four", "2.4.4"): ("variable", "SGLANG_NCCL_SO_PATH", "2.4.4"),
        nccl("five/lib", "2.5.5"): ("nccl_home", "NCCL_HOME", "2.5.5"),
        nccl("conda/lib", "2.6.6"): ("conda", "nccl-2.6.6-h1", "2.6.6"),
        nccl("home/.config/vllm/nccl/cu12", "2.7.7"): ("vllm_config", "vllm-nccl", "2.7.7"),
    }
    (tmp_path / "conda" / "conda-meta").mkdir()
    (tmp_path / "conda" / "conda-meta" / "nccl-2.6.6-h1.json").touch()
    host = target.host(
        LD_LIBRARY_PATH=f"relative::{tmp_path}/none:{tmp_path}/one",
        LD_PRELOAD=f"{tmp_path}/two/libnccl.so.2 /lib/libother.so",
        VLLM_NCCL_SO_PATH=f"{tmp_path}/three/libnccl.so.2",
        NCCL_HOME=f"{tmp_path}/five",
        CONDA_PREFIX=f"{tmp_path}/conda",
    )
    section = collect(host, target.request(SGLANG_NCCL_SO_PATH=f"{tmp_path}/four/libnccl.so.2"))
    listed = section.libraries.or_none() or ()
    found = {item.path: (item.found_by, item.owner, item.version.or_none()) for item in listed}
    for path, how in expected.items():
        assert found[str(path).replace(str(target.home), "~")] == how


def test_system_folders_and_configuration_come_from_the_examined_root(target: FakeTarget, tmp_path: Path) -> None:
    root = tmp_path / "machine"
    for folder in ("usr/lib/x86_64-linux-gnu", "usr/local/cuda-12.4/lib64", "opt/nccl/build/lib", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/libnccl.so.2.18.5").write_bytes(nccl_bytes("2.18.5", "12.2"))
    (root / "usr/lib/x86_64-linux-gnu/libnccl.so.2").symlink_to("libnccl.so.2.18.5")
    (root / "usr/lib/x86_64-linux-gnu/libnccl.so").symlink_to("libnccl.so.2")
    (root / "usr/local/cuda-12.4/lib64/libnccl.so.2").write_bytes(nccl_bytes("2.21.5", "12.4"))
    (root / "opt/nccl/build/lib/libnccl.so.2").write_bytes(nccl_bytes("2.23.4", "12.5"))
    (root / "etc/nccl.conf").write_text("NCCL_DEBUG=INFO\n")
    host = LocalHost(environ=dict(target.host().environ), root=str(root))
    section = collect(host, target.request())
    found = {item.path: (item.found_by, item.version.or_none()) for item in section.libraries.or_none() or ()}
    assert found == {
        "/usr/lib/x86_64-linux-gnu/libnccl.so.2.18.5": ("system", "2.18.5"),
        "/usr/local/cuda-12.4/lib64/libnccl.so.2": ("system", "2.21.5"),
        "/opt/nccl/build/lib/libnccl.so.2": ("system", "2.23.4"),
    }
    assert section.config_files.or_none() == ("/etc/nccl.conf",)


def test_files_that_are_no_library_have_a_reason_or_the_version_in_their_name(target: FakeTarget) -> None:
    garbage = target.file("nvidia/nccl/lib/libnccl.so.2", b"version https://git-lfs.github.com/spec/v1\n")
    named = target.file("nvidia/nccl/lib/libnccl.so.2.19.3", b"NCCL version ")
    empty = target.file("nvidia/nccl/lib/libnccl.so", b"")
    folder = target.site / "nvidia/cu13/lib/libnccl.so.2"
    folder.mkdir(parents=True)
    pipe = target.site / "nvidia/cu13/lib/libnccl.so.pipe"
    os.mkfifo(pipe)
    section = collect(target.host(), target.request())
    assert library(section, shown(target, garbage)).version.absent == "parse_error"
    assert library(section, shown(target, named)).version.or_none() == "2.19.3"
    assert library(section, shown(target, named)).cuda.absent == "parse_error"
    assert library(section, shown(target, empty)).version.absent == "parse_error"
    assert library(section, shown(target, folder)).version.absent == "failed"
    assert library(section, shown(target, pipe)).version.absent == "failed"


def test_links_to_nowhere_and_in_circles_are_passed_over(target: FakeTarget) -> None:
    folder = target.site / "nvidia/nccl/lib"
    folder.mkdir(parents=True)
    (folder / "libnccl.so.2").symlink_to("libnccl.so")
    (folder / "libnccl.so").symlink_to("libnccl.so.2")
    (folder / "libnccl.so.1").symlink_to("/nonexistent")
    (target.site / "nvidia/loop").symlink_to(".")
    assert (collect(target.host(), target.request()).libraries.or_none() or ()) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_library_is_listed_with_that_reason(target: FakeTarget) -> None:
    path = target.file("nvidia/nccl/lib/libnccl.so.2", nccl_bytes("2.27.5"))
    path.chmod(0)
    item = library(collect(target.host(), target.request()), shown(target, path))
    assert item.version.absent == "no_permission"
    assert str(target.home) not in item.version.detail


def test_a_huge_library_is_searched_without_reading_it_into_memory(target: FakeTarget) -> None:
    path = target.file("nvidia/nccl/lib/libnccl.so.2", b"\x7fELF")
    with path.open("r+b") as file:
        file.truncate(500 << 20)
        file.seek((96 << 20) - 7)  # across the border of two pieces
        file.write(nccl_bytes("2.27.5", before=0)[4:])
    assert library(collect(target.host(), target.request()), shown(target, path)).version.or_none() == "2.27.5"


def test_a_search_without_time_says_so(target: FakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudoctor.probes.nccl._SEARCH_S", 0.0)
    path = target.file("nvidia/nccl/lib/libnccl.so.2", b"")
    with path.open("r+b") as file:
        file.truncate(64 << 30)  # nothing there: searched up to the bound
    item = library(collect(target.host(), target.request()), shown(target, path))
    assert item.version.absent == "timeout"


def test_network_plugins_on_the_library_path_are_named(target: FakeTarget, tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "libnccl-net.so").touch()
    (tmp_path / "plugin" / "libnccl-tuner.so").touch()
    section = collect(target.host(LD_LIBRARY_PATH=str(tmp_path / "plugin")), target.request())
    assert section.net_plugins.or_none() == (str(tmp_path / "plugin" / "libnccl-net.so"),)
    assert (section.libraries.or_none() or ()) == ()


def test_configuration_files_are_those_that_nccl_reads(target: FakeTarget, tmp_path: Path) -> None:
    own = target.home / ".nccl.conf"
    other = tmp_path / "other.conf"
    own.touch()
    other.touch()
    assert collect(target.host(), target.request()).config_files.or_none() == ("~/.nccl.conf",)
    section = collect(target.host(NCCL_CONF_FILE=str(other)), target.request())
    assert section.config_files.or_none() == (str(other),)  # instead of the one in the home folder


def test_without_torch_or_with_a_cpu_build_nothing_wins(target: FakeTarget) -> None:
    assert collect(target.host(), target.request()).winner_path.absent == "not_applicable"
    target.torch()
    section = collect(target.host(), target.request(quick=True))
    assert section.linkage.or_none() == "none"
    assert section.winner_path.detail == "this torch is built without CUDA"


def test_without_an_interpreter_the_files_are_still_found(target: FakeTarget, tmp_path: Path) -> None:
    (tmp_path / "libnccl.so.2").write_bytes(nccl_bytes("2.20.5"))
    request = Request(python=str(tmp_path / "none"))
    section = collect(target.host(LD_LIBRARY_PATH=str(tmp_path)), request)
    assert library(section, tmp_path / "libnccl.so.2").version.or_none() == "2.20.5"
    assert section.wheels.absent == "tool_missing"
    assert section.winner_version.absent == "tool_missing"


@requires_gcc
def test_a_torch_with_nccl_linked_in_has_no_winner(target: FakeTarget) -> None:
    target.torch()
    build_library(target.site / "torch/lib/libtorch_cuda.so", "int ncclGetVersion(void) { return 0; }")
    section = collect(target.host(), target.request())
    assert section.linkage.or_none() == "static"
    assert section.winner_path.absent == "not_applicable"


@requires_gcc
class TestTheWinnerIsTheOneThatTheLoaderTakes:
    """Each set-up is asked twice: our rules, and a real import whose memory map tells."""

    @pytest.fixture
    def built(self, target: FakeTarget, tmp_path: Path) -> FakeTarget:
        target.torch(LOAD_TORCH_CUDA)
        target.nccl_wheel("cu12", "2.27.5")
        build_nccl(target.site / "nvidia/nccl/lib/libnccl.so.2", "2.27.5")
        build_nccl(tmp_path / "stray/libnccl.so.2", "2.18.1")
        return target

    def link(self, target: FakeTarget, *flags: str) -> None:
        wheel = target.site / "nvidia/nccl/lib/libnccl.so.2"
        build_torch_cuda(target.site / "torch/lib/libtorch_cuda.so", wheel, *flags)

    def winner(self, target: FakeTarget, **environ: str) -> tuple[str | None, str | None, str | None]:
        host = target.host(**environ)
        section = collect(host, target.request())
        mapped = torch.collect(host, target.request()).nccl_mapped_path
        assert section.linkage.or_none() == "dynamic"
        assert section.winner_path.or_none() == mapped.or_none()
        return section.winner_version.or_none(), section.winner_found_by.or_none(), section.winner_owner.or_none()

    def test_rpath_beats_the_library_path(self, built: FakeTarget, tmp_path: Path) -> None:
        self.link(built, f"-Wl,--disable-new-dtags,-rpath,/none:{WHEEL_RPATH}")
        stray = str(tmp_path / "stray")
        assert self.winner(built, LD_LIBRARY_PATH=stray) == ("2.27.5", "wheel", "nvidia-nccl-cu12")

    def test_the_library_path_beats_runpath(self, built: FakeTarget, tmp_path: Path) -> None:
        self.link(built, f"-Wl,--enable-new-dtags,-rpath,{WHEEL_RPATH}")
        stray = str(tmp_path / "stray")
        assert self.winner(built) == ("2.27.5", "wheel", "nvidia-nccl-cu12")
        assert self.winner(built, LD_LIBRARY_PATH=stray) == ("2.18.1", "ld_library_path", "LD_LIBRARY_PATH")

    def test_a_preloaded_library_beats_all_by_file_name_and_by_soname(self, built: FakeTarget, tmp_path: Path) -> None:
        self.link(built, f"-Wl,--disable-new-dtags,-rpath,{WHEEL_RPATH}")
        stray = tmp_path / "stray/libnccl.so.2"
        assert self.winner(built, LD_PRELOAD=str(stray)) == ("2.18.1", "ld_preload", "LD_PRELOAD")
        renamed = build_nccl(tmp_path / "stray/libnccl-patched.so", "2.19.9")
        assert self.winner(built, LD_PRELOAD=str(renamed)) == ("2.19.9", "ld_preload", "LD_PRELOAD")

    def test_files_that_are_no_library_for_this_machine_are_passed_over(
        self, built: FakeTarget, tmp_path: Path
    ) -> None:
        self.link(built, f"-Wl,--enable-new-dtags,-rpath,{WHEEL_RPATH}")
        other = tmp_path / "other/libnccl.so.2"
        other.parent.mkdir()
        header = bytearray((tmp_path / "stray/libnccl.so.2").read_bytes())
        header[4] = 1  # 32 bits
        other.write_bytes(header)
        assert self.winner(built, LD_LIBRARY_PATH=str(other.parent)) == ("2.27.5", "wheel", "nvidia-nccl-cu12")

    def test_links_are_resolved_as_the_memory_map_shows_them(self, built: FakeTarget, tmp_path: Path) -> None:
        self.link(built)
        (tmp_path / "linked").mkdir()
        (tmp_path / "linked/libnccl.so.2").symlink_to(tmp_path / "stray/libnccl.so.2")
        assert self.winner(built, LD_LIBRARY_PATH=str(tmp_path / "linked"))[0] == "2.18.1"

    def test_none_at_all_is_a_reason(self, built: FakeTarget) -> None:
        self.link(built)
        section = collect(built.host(), built.request())
        assert section.winner_path.absent == "failed"
        assert section.winner_path.detail == "the loader would find no libnccl.so.2"
        failed = torch.collect(built.host(), built.request())
        assert "libnccl.so.2: cannot open shared object file" in (failed.import_error.or_none() or "")
