"""Compiles the stub libraries, once, and makes variants that lack functions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parent / "stub"
COMPILER = ("gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-fPIC", "-shared", "-fvisibility=hidden")
WARNINGS = ("-Wall", "-Wextra", "-Werror")

# Library → the files that make it up.
LIBRARIES = {
    "libnvidia-ml.so.1": ("machine.c", "faults.c", "nvml_*.c"),
    "libcuda.so.1": ("machine.c", "faults.c", "cuda_*.c"),
}

# The driver branch whose library first has a function; an older machine's library lacks it. Anything else is older.
SINCE = {
    "nvmlDeviceGetMemoryInfo_v2": 510,
    "nvmlDeviceGetComputeRunningProcesses_v3": 515,
    "nvmlDeviceGetGraphicsRunningProcesses_v3": 515,
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": 515,
    "nvmlDeviceGetGspFirmwareMode": 515,
    "nvmlDeviceGetGspFirmwareVersion": 515,
    "nvmlDeviceGetGpuMaxPcieLinkGeneration": 525,
    "nvmlDeviceGetGpuFabricInfo": 525,
    "nvmlDeviceGetCurrentClocksEventReasons": 535,
    "nvmlDeviceGetSupportedClocksEventReasons": 535,
    "nvmlSystemGetConfComputeState": 535,
    "nvmlDeviceGetC2cModeInfoV": 545,
    "nvmlDeviceGetRunningProcessDetailList": 545,
    "nvmlDeviceGetGpuFabricInfoV": 550,
    "nvmlDeviceGetNumaNodeId": 550,
    "nvmlDeviceGetSramEccErrorStatus": 550,
    "nvmlSystemGetConfComputeSettings": 550,
    "nvmlDeviceGetPciInfoExt": 550,
    "nvmlDeviceGetCapabilities": 560,
    "nvmlDeviceGetTemperatureV": 570,
    "nvmlDeviceGetPlatformInfo": 570,
    "nvmlSystemGetDriverBranch": 570,
    "nvmlDeviceGetAddressingMode": 580,
    "nvmlDeviceGetRepairStatus": 580,
    "nvmlDeviceGetNvLinkInfo": 580,
    "nvmlDeviceGetPdi": 580,
    "nvmlDeviceGetRemappedRows_v2": 610,
    "nvmlDeviceGetGpuFabricInfo_v4": 610,
}


def newer_than(branch: int) -> list[str]:
    """Functions that the library of a driver branch does not have."""
    return sorted(name for name, since in SINCE.items() if since > branch)


def cache_dir() -> Path:
    """Where built libraries are kept between runs; a new version of a source gets a new folder in it."""
    base = os.environ.get("GPUSIM_CACHE") or Path(tempfile.gettempdir()) / f"gpusim-cache-{os.getuid()}"
    return Path(base) / _digest()


@cache
def _digest() -> str:
    digest = hashlib.sha256(" ".join(COMPILER).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def build() -> Path:
    """The folder with the two libraries, compiled if they are not there."""
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for library, patterns in LIBRARIES.items():
        if not (folder / library).exists():
            _compile(folder / library, [path for pattern in patterns for path in sorted(SOURCES.glob(pattern))])
    return folder


def _compile(library: Path, sources: Iterable[Path]) -> None:
    """Through a temporary name: tests that run side by side build the same file."""
    partial = library.with_name(f".{library.name}.{os.getpid()}")
    command = [*COMPILER, *WARNINGS, f"-Wl,-soname,{library.name}", "-o", str(partial), *map(str, sources), "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    partial.rename(library)


def without(functions: Iterable[str]) -> Path:
    """A folder with libraries in which dlsym does not find these functions (exact or unversioned names)."""
    names = sorted(set(functions))
    if not names:
        return build()
    folder = build() / f"without-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    for library in LIBRARIES:
        if not (folder / library).exists():
            partial = folder / f".{library}.{os.getpid()}"
            partial.write_bytes(_hide((build() / library).read_bytes(), _exact(library, names)))
            partial.rename(folder / library)
    return folder


def _exact(library: str, names: Iterable[str]) -> list[str]:
    return [function for function in exported(library) if not {function, unversioned(function)}.isdisjoint(names)]


def _hide(image: bytes, functions: Iterable[str]) -> bytes:
    """Misspells names in the table of dynamic symbols: the hash still leads there, the comparison fails.

    objcopy cannot take a symbol out of a linked library, and a version script would need a link for each variant.
    """
    for function in functions:
        name = b"\0" + function.encode() + b"\0"
        if image.count(name) < 1:
            raise ValueError(f"no dynamic symbol {function}")
        # All tables of strings are treated alike: in the table of debug symbols the change does no harm.
        image = image.replace(name, b"\0" + b"~" + function.encode()[1:] + b"\0")
    return image


@cache
def exported(library: str) -> tuple[str, ...]:
    """Names of all functions that a library exports, sorted."""
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", str(build() / library)], capture_output=True, text=True, check=True
    ).stdout
    return tuple(sorted(line.split()[2] for line in listing.splitlines() if line.split()[1] == "T"))


def nvml_functions() -> tuple[str, ...]:
    """Every NVML function that the stub exports."""
    return exported("libnvidia-ml.so.1")


def cuda_functions() -> tuple[str, ...]:
    """Every CUDA driver function that the stub exports."""
    return exported("libcuda.so.1")


def unversioned(function: str) -> str:
    """nvmlDeviceGetCount_v2 → nvmlDeviceGetCount."""
    stem, _, version = function.rpartition("_v")
    return stem if stem and version.isdigit() else function
