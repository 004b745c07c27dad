"""Interpreters to examine: real virtual environments with made-up packages, and real libraries built by gcc."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request

CUDA_VERSION_PY = "__version__ = '2.9.1+cu128'\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n"
CPU_VERSION_PY = "__version__ = '2.9.1+cpu'\ncuda = None\nhip = None\n"
# As much of torch as the probe asks for.
WORKING_TORCH = """
from types import SimpleNamespace as _N
__version__ = "2.9.1+cu128"
version = _N(cuda="12.8", hip=None)
_C = _N(_cuda_getArchFlags=lambda: "sm_80 sm_90 compute_90")
distributed = _N(is_available=lambda: True, is_nccl_available=lambda: True, is_gloo_available=lambda: False)
cuda = _N(is_available=lambda: True, device_count=lambda: 4, is_initialized=lambda: False)
"""
requires_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")


class FakeTarget:
    """A virtual environment below `root`, and the home folder of the user who examines it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir()
        self.prefix = self.home / "venv"
        venv.create(self.prefix, symlinks=True, with_pip=False)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = self.prefix / "lib" / version / "site-packages"
        self.python = self.prefix / "bin" / "python3"

    def host(self, **environ: str) -> LocalHost:
        return LocalHost(environ={"PATH": os.defpath, "HOME": str(self.home), **environ}, root="")

    def request(self, *, quick: bool = False, **launch_env: str) -> Request:
        return Request(python=str(self.python), quick=quick, launch_env=tuple(launch_env.items()))

    def file(self, path: str, content: str | bytes = "") -> Path:
        """A file below site-packages."""
        place = self.site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def distribution(self, name: str, version: str, *, headers: str = "", record: str = "") -> None:
        folder = f"{name}-{version}.dist-info"
        self.file(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{headers}\n\nAbout.")
        self.file(f"{folder}/RECORD", record)

    def torch(self, code: str = WORKING_TORCH, version_py: str = CUDA_VERSION_PY, requires: str = "") -> None:
        self.file("torch/__init__.py", code)
        self.file("torch/version.py", version_py)
        self.distribution("torch", "2.9.1+cu128", headers=f"Requires-Dist: {requires}" if requires else "")

    def nccl_wheel(self, cuda: str, version: str) -> None:
        """The distribution's claim; the file itself is written apart, as the last of several would."""
        record = "nvidia/__init__.py,,\nnvidia/nccl/lib/libnccl.so.2,sha256=x,429628328\n"
        self.distribution(f"nvidia_nccl_{cuda}", version, record=record)


def nccl_bytes(version: str, cuda: str = "12.9", before: int = 100) -> bytes:
    """What a libnccl contains around its version, with text that only looks like it before."""
    decoys = b"\0Mismatched NCCL version detected : rank %d\0NCCL version 2.27.5 compiled with CUDA 12.9\n\0"
    return b"\x7fELF" + bytes(before) + decoys + f"NCCL version {version}+cuda{cuda}\0".encode() + bytes(50)


def build_library(path: Path, code: str, *flags: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path), *flags]
    subprocess.run(command, input=code.encode(), check=True, capture_output=True)
    return path


def build_nccl(path: Path, version: str) -> Path:
    code = f'const char* ncclVersionText(void) {{ return "NCCL version {version}+cuda12.8"; }}'
    return build_library(path, code, "-Wl,-soname,libnccl.so.2")


def build_torch_cuda(path: Path, nccl: Path, *flags: str) -> Path:
    """A library that needs libnccl.so.2, as libtorch_cuda.so does."""
    code = "extern const char* ncclVersionText(void); const char* use(void) { return ncclVersionText(); }"
    return build_library(path, code, f"-L{nccl.parent}", "-l:libnccl.so.2", *flags)
