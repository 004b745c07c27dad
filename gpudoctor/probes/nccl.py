"""Every libnccl in reach of the target's torch, and the one that the dynamic loader would take. Loads none of them."""

from __future__ import annotations

import time

from msgspec import Struct

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts.nccl import Nccl, NcclLibrary
from gpudoctor.probes._interpreter import Interpreter, describe
from gpudoctor.probes._library_version import read_library_version, version_in_name
from gpudoctor.probes._loader import Found, Loaded, Loader
from gpudoctor.probes._nccl_conf import read_conf
from gpudoctor.probes._nccl_libraries import Library, find_libraries, net_plugins
from gpudoctor.readers.elf import ElfError
from gpudoctor.readers.home import shown

_SEARCH_S = 6.0  # for the versions of all files together; a real one takes milliseconds
_LOADER = "rules of the dynamic loader"
_FOLDERS = "folders in reach of the loader"
_CONTENT = "version text in the library"
_RECORDS = "*.dist-info/RECORD"
_CUDA_LIBRARIES = ("libtorch_cuda.so", "libtorch_cuda_cpp.so")
_MAY_NEED_NCCL = (*_CUDA_LIBRARIES, "libtorch_python.so", "libtorch.so")
_BY_STEP = {"ld_preload": "LD_PRELOAD", "ld_library_path": "LD_LIBRARY_PATH"}


def collect(host: Host, request: Request) -> Nccl:
    """Facts about files stay where there is no interpreter or no torch."""
    env = request.environment(host)
    home = env.get("HOME", "")
    loader = Loader(host.unrooted, host, env)
    interpreter: Interpreter | HostError
    try:
        interpreter = describe(host, request)
    except HostError as error:
        interpreter = HostError(error.reason, shown(error.detail, home))
    found = find_libraries(loader, None if isinstance(interpreter, HostError) else interpreter)
    libraries = _describe(loader, found, request, home)
    linkage, winner = _winner(loader, interpreter, found)
    return Nccl(
        libraries=known(tuple(libraries.values()), _FOLDERS),
        wheels=_wheels(interpreter),
        linkage=linkage.fact(_LOADER) if isinstance(linkage, HostError) else known(linkage, "torch/lib"),
        config_files=known(tuple(shown(path, home) for path, _ in read_conf(host, env)), "/etc/nccl.conf and siblings"),
        net_plugins=known(tuple(shown(path, home) for path in net_plugins(loader)), _FOLDERS),
        **_winner_facts(winner, libraries, home),
    )


def _describe(loader: Loader, found: tuple[Library, ...], request: Request, home: str) -> dict[str, NcclLibrary]:
    """The facts of each file, by its real path."""
    deadline = time.monotonic() + request.seconds_left(_SEARCH_S)
    libraries: dict[str, NcclLibrary] = {}
    for library in found:
        version, cuda = _version(loader, library, deadline, home)
        libraries[library.path] = NcclLibrary(
            path=shown(library.path, home),
            version=version,
            cuda=cuda,
            found_by=library.found_by,
            owner=library.owner,
        )
    return libraries


def _version(loader: Loader, library: Library, deadline: float, home: str) -> tuple[Fact[str], Fact[str]]:
    """What the file says; its name answers for the version where the content cannot."""
    files = loader.system if library.system else loader.files
    try:
        version, cuda = read_library_version(files, library.path, deadline)
    except HostError as error:
        missing = HostError(error.reason, shown(error.detail, home))
        named = version_in_name(library.path)
        fallback: Fact[str] = known(named, "name of the file") if named else missing.fact(_CONTENT)
        return fallback, missing.fact(_CONTENT)
    return known(version, _CONTENT), known(cuda, _CONTENT)


def _wheels(interpreter: Interpreter | HostError) -> Fact[tuple[str, ...]]:
    if isinstance(interpreter, HostError):
        return interpreter.fact(_RECORDS)
    names = (f"{item.name}=={item.version}" for item in interpreter.installed if "nccl" in item.name)
    return known(tuple(dict.fromkeys(names)), _RECORDS)


class _Winner(Struct, frozen=True):
    """The file that wins, by its real path and by the way that leads there."""

    path: str
    found_by: str
    owner: str


def _winner(
    loader: Loader, interpreter: Interpreter | HostError, libraries: tuple[Library, ...]
) -> tuple[str | HostError, _Winner | HostError]:
    """How torch is linked with NCCL, and the libnccl that it would get; or why that cannot be told."""
    if isinstance(interpreter, HostError):
        return interpreter, interpreter
    if interpreter.torch is None:
        nothing = HostError("not_applicable", "torch is not installed for the target interpreter")
        return nothing, nothing
    folder = f"{interpreter.torch.folder}/lib"
    name, consumer = _consumer(loader, folder)
    if consumer is None:
        if any(loader.files.exists(f"{folder}/{library}") for library in _CUDA_LIBRARIES):
            return "static", HostError("not_applicable", "NCCL is linked into torch itself")
        return "none", HostError("not_applicable", "this torch is built without CUDA")
    found = loader.find(name, consumer, _program(loader, interpreter))
    if found is None:
        return "dynamic", HostError("failed", f"the loader would find no {name}")
    return "dynamic", _classified(loader, found, libraries)


def _consumer(loader: Loader, folder: str) -> tuple[str, Loaded | None]:
    """The library of torch that needs NCCL, and the name by which it asks."""
    for library in _MAY_NEED_NCCL:
        try:
            loaded = loader.open(f"{folder}/{library}")
        except (HostError, ElfError):
            continue
        for name in loaded.dynamic.needed:
            if name.startswith("libnccl.so"):
                return name, loaded
    return "", None


def _program(loader: Loader, interpreter: Interpreter) -> Loaded | None:
    try:
        return loader.open(interpreter.binary)
    except (HostError, ElfError):
        return None


def _classified(loader: Loader, found: Found, libraries: tuple[Library, ...]) -> _Winner | HostError:
    files = loader.system if found.step in {"cache", "default"} else loader.files
    try:
        real = files.real_path(found.path)
    except HostError as error:
        return error
    if found.step in _BY_STEP:
        return _Winner(real, found.step, _BY_STEP[found.step])
    known_as = next((library for library in libraries if library.path == real), None)
    return _Winner(real, known_as.found_by, known_as.owner) if known_as else _Winner(real, "system", "")


def _winner_facts(winner: _Winner | HostError, libraries: dict[str, NcclLibrary], home: str) -> dict[str, Fact[str]]:
    names = ("winner_path", "winner_version", "winner_found_by", "winner_owner")
    if isinstance(winner, HostError):
        return {name: winner.fact(_LOADER) for name in names}
    library = libraries.get(winner.path)
    missing = HostError("failed", "the file is not among those that were searched")
    return {
        "winner_path": known(shown(winner.path, home), _LOADER),
        "winner_version": library.version if library is not None else missing.fact(_LOADER),
        "winner_found_by": known(winner.found_by, _LOADER),
        "winner_owner": known(winner.owner, _LOADER),
    }


PROBE = Probe(name="nccl", section=Nccl, collect=collect, timeout_s=15.0, asks_target=True)
