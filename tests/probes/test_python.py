"""The interpreter under examination: what is installed there, and what happens when it does not start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.probes.python import PROBE, collect
from tests.probes.targets import FakeTarget


def test_versions_come_from_the_names_of_dist_info_folders(target: FakeTarget) -> None:
    target.distribution("vllm", "0.11.2")
    target.distribution("flashinfer_python", "0.5.2")
    target.distribution("text_generation_server", "3.0.1")
    section = collect(target.host(), target.request())
    assert section.vllm.or_none() == "0.11.2"
    assert section.flashinfer.or_none() == "0.5.2"
    assert section.text_generation_inference.or_none() == "3.0.1"
    assert section.sglang.absent == "not_applicable"
    assert section.pynvml_wrapper.absent == "not_applicable"


def test_the_interpreter_describes_itself_with_paths_below_home_shortened(target: FakeTarget) -> None:
    section = collect(target.host(), target.request())
    assert section.version.or_none() == ".".join(str(part) for part in sys.version_info[:3])
    assert section.executable.or_none() == "~/venv/bin/python3"
    assert section.prefix.or_none() == "~/venv"
    assert section.error.or_none() == ""
    paths = section.sys_path.or_none() or ()
    assert any(path.startswith("~/venv/lib/") for path in paths)
    assert not any(str(target.home) in path or "_target" in path for path in paths)


def test_only_distributions_that_matter_to_gpus_are_listed(target: FakeTarget) -> None:
    for name in ("nvidia_cublas_cu12", "flash_attn", "xformers", "triton", "my_companys_secret_project", "requests"):
        target.distribution(name, "1.0")
    listed = {item.name for item in collect(target.host(), target.request()).distributions.or_none() or ()}
    assert listed == {"nvidia-cublas-cu12", "flash-attn", "xformers", "triton"}


def test_a_folder_without_a_version_is_read_from_its_metadata(target: FakeTarget) -> None:
    target.file("vllm.egg-info/PKG-INFO", "Metadata-Version: 2.1\nName: vLLM\nVersion: 0.9.dev1\n")
    target.file("ray-2-beta.dist-info/METADATA", "Name: ray\nVersion: 2.51.0\n")
    target.file("sglang-0.5.2-py3.11.egg-info", "Name: sglang\nVersion: 0.5.2\n")
    section = collect(target.host(), target.request())
    assert section.vllm.or_none() == "0.9.dev1"
    assert section.ray.or_none() == "2.51.0"
    assert section.sglang.or_none() == "0.5.2"


def test_the_first_on_sys_path_counts_and_both_are_listed(target: FakeTarget, tmp_path: Path) -> None:
    target.distribution("vllm", "0.11.2")
    (tmp_path / "shadow" / "vllm-0.6.3.dist-info").mkdir(parents=True)
    section = collect(target.host(PYTHONPATH=str(tmp_path / "shadow")), target.request())
    assert section.vllm.or_none() == "0.6.3"
    versions = [item.version for item in section.distributions.or_none() or () if item.name == "vllm"]
    assert versions == ["0.6.3", "0.11.2"]


def test_the_launch_commands_environment_counts(target: FakeTarget, tmp_path: Path) -> None:
    (tmp_path / "shadow" / "vllm-0.6.3.dist-info").mkdir(parents=True)
    section = collect(target.host(), target.request(PYTHONPATH=str(tmp_path / "shadow")))
    assert section.vllm.or_none() == "0.6.3"


def test_what_start_up_files_print_does_not_disturb_the_answer(target: FakeTarget) -> None:
    target.file("noise.pth", "import sys; sys.stdout.write('gpudoctor version 9.9'); sys.stderr.write('warning')\n")
    assert collect(target.host(), target.request()).version.or_none() == sys.version.split()[0]


def test_hostile_names_are_data(target: FakeTarget) -> None:
    target.file("vllm-1.0\t\x1b[31m.dist-info/METADATA", "")
    os.mkdir(os.fsencode(target.site) + b"/ray-\xff\xfe.dist-info")  # noqa: PTH102
    section = collect(target.host(), target.request())
    assert section.vllm.or_none() == "1.0\t\x1b[31m"
    assert section.ray.or_none() == "\ufffd\ufffd"


def test_examining_leaves_nothing_behind(target: FakeTarget) -> None:
    target.distribution("vllm", "1.0")
    before = sorted(target.root.rglob("*"))
    collect(target.host(), target.request())
    assert sorted(target.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("#!/bin/sh\necho I am a shell\n", "no answer"),
        ("#!/bin/sh\necho 'SyntaxError: invalid syntax' >&2; exit 1\n", "SyntaxError: invalid syntax"),
        ("#!/nonexistent/interpreter\n", "is not installed"),
        ("garbage", "could not be started"),
    ],
)
def test_what_is_no_python_is_an_error_fact_and_an_absence_elsewhere(tmp_path: Path, content: str, said: str) -> None:
    program = tmp_path / "python3"
    program.write_text(content)
    program.chmod(0o755)
    section = collect(LocalHost(environ={}, root=""), Request(python=str(program)))
    assert said in (section.error.or_none() or "")
    assert section.executable.or_none() == str(program)
    assert section.version.absent in {"failed", "tool_missing"}
    assert section.vllm.absent == section.version.absent
    assert said in section.distributions.detail


def test_a_missing_interpreter_says_so(tmp_path: Path) -> None:
    section = collect(LocalHost(environ={}, root=""), Request(python=str(tmp_path / "none")))
    assert (section.error.or_none() or "").endswith("none does not exist")
    assert section.version.absent == "tool_missing"


def test_a_hanging_interpreter_is_a_time_out(target: FakeTarget) -> None:
    target.file("hang.pth", "import time; time.sleep(60)\n")
    request = Request(python=str(target.python), deadline=0.0)  # no time left at all
    section = collect(target.host(), request)
    assert section.version.absent == "timeout"
    assert "did not answer" in (section.error.or_none() or "")


def test_the_probe_is_found_by_its_name() -> None:
    assert PROBE.name == "python"
