"""torch of the target: read from its files, then really imported there, because a broken import is a finding."""

from __future__ import annotations

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.torch import Torch
from gpudoctor.probes._interpreter import TorchFiles, describe
from gpudoctor.probes._torch_import import absent_facts, add_facts, run_import
from gpudoctor.readers.home import shown
from gpudoctor.readers.torch_version import TorchVersion, read_nccl_pin, read_version

_SOURCE = "the target's import system"
_VERSION_PY = "torch/version.py"
_METADATA = "torch's METADATA"


def collect(host: Host, request: Request) -> Torch:
    """Facts of the files survive whatever the import does; with --quick nothing is imported."""
    home = request.home(host)
    try:
        said = None if request.quick else run_import(host, request)
        interpreter = describe(host, request) if said is None else said.interpreter
    except HostError as error:
        return _without_torch(HostError(error.reason, shown(error.detail, home)))
    if interpreter.torch is None:
        nothing = HostError("not_applicable", "torch is not installed for the target interpreter")
        return _without_torch(nothing, installed=known(False, _SOURCE))
    section = _from_files(interpreter.torch, home)
    if said is None:
        return absent_facts(section, HostError("not_provided", "left out by --quick"))
    return add_facts(section, said)


def _from_files(files: TorchFiles, home: str) -> Torch:
    build = read_version(files.version_py)
    pin, pin_distribution = _pin(files)
    return Torch(
        installed=known(True, _SOURCE),
        path=known(shown(files.folder, home), _SOURCE),
        version=known(build.version, _VERSION_PY) if build.version else absent("parse_error", source=_VERSION_PY),
        cuda_version=_toolkit(build, build.cuda, "built without CUDA"),
        hip_version=_toolkit(build, build.hip, "built without ROCm"),
        cuda_build=known(build.cuda is not None, _VERSION_PY) if build.says_cuda else _silent(),
        nccl_pin=pin,
        nccl_pin_distribution=pin_distribution,
    )


def _silent() -> Fact[bool]:
    return absent("parse_error", "it does not say whether torch is built with CUDA", _VERSION_PY)


def _toolkit(build: TorchVersion, value: str | None, without: str) -> Fact[str]:
    if value is not None:
        return known(value, _VERSION_PY)
    if build.says_cuda:
        return absent("not_applicable", without, _VERSION_PY)
    return absent("parse_error", "it does not say what torch is built with", _VERSION_PY)


def _pin(files: TorchFiles) -> tuple[Fact[str], Fact[str]]:
    """Version and distribution of the NCCL wheel that torch requires; builds other than PyPI's require none."""
    for requirement in files.requires_nccl:
        pin = read_nccl_pin(requirement)
        if pin is not None:
            return known(pin[1], _METADATA), known(pin[0], _METADATA)
    none: Fact[str] = absent("not_applicable", "this torch requires no NCCL wheel", _METADATA)
    return none, none


def _without_torch(error: HostError, installed: Fact[bool] | None = None) -> Torch:
    section = Torch(
        installed=installed or error.fact(_SOURCE),
        path=error.fact(_SOURCE),
        version=error.fact(_SOURCE),
        cuda_version=error.fact(_SOURCE),
        hip_version=error.fact(_SOURCE),
        cuda_build=error.fact(_SOURCE),
        nccl_pin=error.fact(_SOURCE),
        nccl_pin_distribution=error.fact(_SOURCE),
    )
    return absent_facts(section, error)


# Isolated and first, so that everything else runs beside the import. Its own deadline is shorter than this one.
PROBE = Probe(
    name="torch",
    section=Torch,
    collect=collect,
    timeout_s=120.0,
    isolated=True,
    harmless_when_quick=True,
    starts_first=True,
    asks_target=True,
)
