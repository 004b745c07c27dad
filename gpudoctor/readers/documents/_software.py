"""Versions of installed software as facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import Facts, Nccl, PythonTarget, Torch
from gpudoctor.model.facts.python_target import Distribution
from gpudoctor.readers.distributions import VERSION_FIELDS, matters

_WHEEL = re.compile(r"nvidia-nccl(?:-cu\d{1,2})?")
_SYSTEM_LIBRARIES = ("libnccl2", "libnccl", "nccl")  # of apt, dnf, conda or a remark
_CUDA_BUILD = re.compile(r"[+_](?:cu|cuda)(\d{1,2}\.\d|\d{2,3})(?![\d.])")
_HIP_BUILD = re.compile(r"\+(?:rocm|hip)([\d.]{1,12})")
_NUMBERS = re.compile(r"\d{1,3}(?:\.\d{1,4}){1,2}")
_MAX_PACKAGES = 400


def software_facts(packages: Mapping[str, str], source: str, *, builds: Mapping[str, str] | None = None) -> Facts:
    """Facts of a listing: normalised name → version. `builds`: conda's build string by name."""
    listed = dict(list(packages.items())[:_MAX_PACKAGES])
    return Facts(
        python=_python(listed, source),
        torch=torch_facts(_torch_version(listed), source, build=_torch_build(builds or {})),
        nccl=_nccl(listed, source),
    )


def torch_facts(version: str, source: str, *, build: str = "", cuda: str = "") -> Torch:
    """What torch's version says; `cuda` where it is told beside it, "none" for a build without."""
    if not version and not cuda:
        return Torch()
    toolkit = cuda or cuda_of_build(version) or cuda_of_build(build)
    without = cuda == "none" or "+cpu" in version or "cpuonly" in build
    hip = _HIP_BUILD.search(version)
    return Torch(
        installed=known(True, source) if version else NOT_PROVIDED,
        version=known(version, source) if version else NOT_PROVIDED,
        cuda_version=_toolkit(toolkit, without=without or hip is not None, source=source),
        cuda_build=known(False, source) if without or hip else known(True, source) if toolkit else NOT_PROVIDED,
        hip_version=known(hip.group(1), source) if hip else NOT_PROVIDED,
    )


def cuda_of_build(text: str) -> str:
    """`2.9.1+cu128` → 12.8, `py3.10_cuda12.1_cudnn8.9.2_0` → 12.1, else "".

    >>> cuda_of_build("2.9.1+cu128"), cuda_of_build("1.13.1+cu117"), cuda_of_build("1.7.1+cu92")
    ('12.8', '11.7', '9.2')
    """
    match = _CUDA_BUILD.search(text)
    if match is None:
        return ""
    digits = match.group(1)
    return digits if "." in digits else f"{digits[:-1]}.{digits[-1]}"


def _toolkit(cuda: str, *, without: bool, source: str) -> Fact[str]:
    if without:
        return absent("not_applicable", "built without CUDA", source)
    return known(cuda, source) if cuda else NOT_PROVIDED


def _torch_version(packages: Mapping[str, str]) -> str:
    return packages.get("torch") or packages.get("pytorch") or ""


def _torch_build(builds: Mapping[str, str]) -> str:
    return builds.get("torch") or builds.get("pytorch") or ""


def _python(packages: Mapping[str, str], source: str) -> PythonTarget:
    found = tuple(Distribution(name=name, version=version) for name, version in packages.items() if matters(name))
    versions: dict[str, Any] = {}
    for field, names in VERSION_FIELDS.items():
        version = next((packages[name] for name in names if name in packages), None)
        if version is not None:
            versions[field] = known(version, source)
    return PythonTarget(distributions=known(found, source) if found else NOT_PROVIDED, **versions)


def _nccl(packages: Mapping[str, str], source: str) -> Nccl:
    """A single wheel is what torch loads, unless something stands before it, which a listing cannot tell."""
    wheels = {name: version for name, version in packages.items() if _WHEEL.fullmatch(name)}
    if len(wheels) == 1:
        (name, version), found_by = next(iter(wheels.items())), "wheel"
    elif wheels:
        name, version, found_by = "", "", ""
    else:
        name = next((name for name in _SYSTEM_LIBRARIES if name in packages), "")
        version, found_by = packages.get(name, ""), "system" if name.startswith("lib") else ""
    number = _NUMBERS.match(version)
    return Nccl(
        wheels=known(tuple(f"{name}=={version}" for name, version in wheels.items()), source)
        if wheels
        else NOT_PROVIDED,
        winner_version=known(number.group(), source) if number else NOT_PROVIDED,
        winner_found_by=known(found_by, source) if number and found_by else NOT_PROVIDED,
        winner_owner=known(name, source) if number and found_by == "wheel" else NOT_PROVIDED,
    )
