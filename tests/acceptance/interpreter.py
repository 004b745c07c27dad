"""Builds the Python environment of a run: a real virtual environment with a made-up torch and real libraries."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.situation import Target
from tests.probes.targets import FakeTarget, build_nccl, build_torch_cuda

_TORCH = """
import ctypes as _ctypes, os as _os
from types import SimpleNamespace as _N
{failure}
_library = _os.path.join(__path__[0], "lib", "libtorch_cuda.so")
if _os.path.exists(_library):
    _ctypes.CDLL(_library)
__version__ = {version!r}
version = _N(cuda={cuda!r}, hip={hip!r})
_C = _N(_cuda_getArchFlags=lambda: {archs!r})
_starts_cuda = {starts_cuda!r}
if {cuda!r}:
    _C._nccl_version = lambda: 0
distributed = _N(is_available=lambda: True, is_nccl_available=lambda: bool({cuda!r}), is_gloo_available=lambda: True)
from torch import cuda
"""
# Asks the driver as torch does; on a simulated machine that is the stub.
_CUDA = """
import ctypes, torch, warnings

def device_count():
    if not torch.version.cuda:
        return 0
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        warnings.warn("CUDA initialization: Found no NVIDIA driver on your system.")
        return 0
    code, count = driver.cuInit(0), ctypes.c_int()
    if code == 0:
        code = driver.cuDeviceGetCount(ctypes.byref(count))
    if code not in (0, 100):
        warnings.warn("CUDA initialization: Unexpected error from cudaGetDeviceCount(). Error %d" % code)
        return 0
    return count.value

def is_available():
    return device_count() > 0

def is_initialized():
    return torch._starts_cuda

def init():
    raise RuntimeError("No CUDA GPUs are available" if torch.version.cuda else "Torch not compiled with CUDA enabled")
"""


def build_target(described: Target, folder: Path) -> FakeTarget:
    """The environment below `folder`."""
    folder.mkdir(parents=True)
    target = FakeTarget(folder)
    for name, version in described.packages.items():
        target.distribution(name, version)
    if described.torch is not None:
        _torch(target, described, described.torch)
    if described.sitecustomize:
        target.file("sitecustomize.py", described.sitecustomize)
    if described.stray_nccl:
        build_nccl(folder / "stray" / "libnccl.so.2", described.stray_nccl)
    return target


def _torch(target: FakeTarget, described: Target, version: str) -> None:
    code = _TORCH.format(
        version=version,
        cuda=described.cuda,
        hip=described.hip,
        archs=described.archs,
        starts_cuda=described.starts_cuda,
        failure=f"raise {described.import_error}" if described.import_error else "",
    )
    target.file("torch/__init__.py", code)
    target.file("torch/cuda/__init__.py", _CUDA)
    target.file("torch/cuda/nccl.py", f"def version(): return {tuple(map(int, described.nccl_built.split('.')))}\n")
    target.file("torch/version.py", f"__version__ = {version!r}\ncuda = {described.cuda!r}\nhip = {described.hip!r}\n")
    pin = (
        f"Requires-Dist: nvidia-nccl-cu{described.cuda.split('.')[0]}=={described.nccl_built}" if described.cuda else ""
    )
    target.distribution("torch", version, headers=pin)
    if described.cuda:
        _nccl(target, described)


def _nccl(target: FakeTarget, described: Target) -> None:
    for cuda, claimed in described.wheels.items():
        target.nccl_wheel(cuda, claimed)
    library = target.site / "nvidia/nccl/lib/libnccl.so.2"
    build_nccl(library, described.nccl_file or described.nccl_built)
    how = "--enable-new-dtags" if described.runpath else "--disable-new-dtags"
    build_torch_cuda(
        target.site / "torch/lib/libtorch_cuda.so", library, f"-Wl,{how},-rpath,$ORIGIN/../../nvidia/nccl/lib"
    )
    if described.nccl_file is None:
        library.unlink()
