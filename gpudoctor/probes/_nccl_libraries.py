"""Every libnccl in reach: wheels, conda, variables, system folders, and what frameworks left in the home folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from gpudoctor.host.access import Host, HostError
from gpudoctor.probes._interpreter import Interpreter
from gpudoctor.probes._loader import Loader, library_path

_PREFIX = "libnccl.so"
_MAX_LIBRARIES = 40
_SO_VARIABLES = ("VLLM_NCCL_SO_PATH", "SGLANG_NCCL_SO_PATH")  # the frameworks open this file themselves
_HOME_VARIABLES = ("NCCL_HOME", "NCCL_ROOT", "NCCL_ROOT_DIR", "NCCL_LIB_DIR")  # for building: no loader reads them
_SYSTEM_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib64", "/lib",
    "/usr/local/lib", "/usr/local/lib64", "/opt/nvidia/nccl/lib", "/opt/amazon/nccl/lib",
)  # fmt: skip


class Library(Struct, frozen=True):
    """A libnccl file, links resolved. `system`: below the machine's root, not where programs run."""

    path: str
    found_by: str
    owner: str
    system: bool = False


def find_libraries(loader: Loader, interpreter: Interpreter | None) -> tuple[Library, ...]:
    """Each file once, under the first way by which it is found: what brought it, before what points there."""
    found: dict[str, Library] = {}
    for library in _all(loader, interpreter):
        files = loader.system if library.system else loader.files
        try:
            real = files.real_path(library.path)
        except HostError:
            continue  # a link to nowhere, or round in circles: the loader passes it over too
        found.setdefault(real, Library(real, library.found_by, library.owner, library.system))
        if len(found) == _MAX_LIBRARIES:
            break
    return tuple(found.values())


def net_plugins(loader: Loader) -> tuple[str, ...]:
    """NCCL's network plugins on LD_LIBRARY_PATH and in the loader's cache."""
    listed = [path for folder in library_path(loader.env) for path in _listed(loader.files, folder, "libnccl-net")]
    cached = [path for _, path in loader.cached("libnccl-net")]
    return tuple(dict.fromkeys([*listed, *cached]))


def _all(loader: Loader, interpreter: Interpreter | None) -> Iterator[Library]:
    prefixes = [loader.env.get("CONDA_PREFIX", "")]
    if interpreter is not None:
        yield from _wheels(loader.files, interpreter)
        prefixes += [interpreter.prefix, interpreter.base_prefix]
    for prefix in dict.fromkeys(prefixes):
        yield from _conda(loader.files, prefix)
    yield from _left_by_vllm(loader.files, loader.env)
    yield from _of_variables(loader.files, loader.env)
    yield from _system(loader)


def _of_variables(files: Host, env: Mapping[str, str]) -> Iterator[Library]:
    for path in env.get("LD_PRELOAD", "").replace(":", " ").split():
        if PurePosixPath(path).name.startswith("libnccl") and path.startswith("/"):
            yield Library(path, "ld_preload", "LD_PRELOAD")
    for variable in _SO_VARIABLES:
        if env.get(variable, "").startswith("/"):
            yield Library(env[variable], "variable", variable)
    for folder in library_path(env):
        for path in _listed(files, folder):
            yield Library(path, "ld_library_path", "LD_LIBRARY_PATH")
    for variable in _HOME_VARIABLES:
        for inside in ("", "/lib", "/lib64", "/build/lib"):
            for path in _listed(files, env.get(variable, "") + inside):
                yield Library(path, "nccl_home", variable)


def _wheels(files: Host, interpreter: Interpreter) -> Iterator[Library]:
    """nvidia/nccl/lib, nvidia/cu13/lib and the like below sys.path, and what torch bundles in its own folder."""
    for entry in interpreter.path:
        for package in _names(files, f"{entry}/nvidia"):
            for path in _listed(files, f"{entry}/nvidia/{package}/lib"):
                yield Library(path, "wheel", _owner(interpreter, path))
    if interpreter.torch is not None:
        for path in _listed(files, f"{interpreter.torch.folder}/lib"):
            yield Library(path, "wheel", "torch")


def _owner(interpreter: Interpreter, path: str) -> str:
    """The distributions whose RECORD lists the file: the last one installed has overwritten the others."""
    claims = dict.fromkeys(claim.distribution for claim in interpreter.claims if claim.path == path)
    return ", ".join(claims)


def _conda(files: Host, prefix: str) -> Iterator[Library]:
    packages = [name for name in _names(files, f"{prefix}/conda-meta") if name.startswith("nccl-")]
    if prefix and files.exists(f"{prefix}/conda-meta"):
        owner = packages[0].removesuffix(".json") if packages else "conda"
        for path in _listed(files, f"{prefix}/lib"):
            yield Library(path, "conda", owner)


def _left_by_vllm(files: Host, env: Mapping[str, str]) -> Iterator[Library]:
    """Old releases of vLLM (vllm-nccl-cu12) downloaded an NCCL of their own there."""
    config = env.get("VLLM_CONFIG_ROOT") or f"{env.get('XDG_CONFIG_HOME') or env.get('HOME', '') + '/.config'}/vllm"
    for cuda in _names(files, f"{config}/nccl"):
        for path in _listed(files, f"{config}/nccl/{cuda}"):
            yield Library(path, "vllm_config", "vllm-nccl")


def _system(loader: Loader) -> Iterator[Library]:
    for _, path in loader.cached(_PREFIX):
        yield Library(path, "system", "", system=True)
    folders = list(_SYSTEM_FOLDERS)
    for parent in ("/usr/local", "/opt"):
        for name in _names(loader.system, parent):
            if name.startswith(("cuda", "nccl")):
                folders += [f"{parent}/{name}/{inside}" for inside in ("lib", "lib64", "build/lib")]
    for folder in folders:
        for path in _listed(loader.system, folder):
            yield Library(path, "system", "", system=True)


def _listed(files: Host, folder: str, prefix: str = _PREFIX) -> list[str]:
    return [f"{folder.rstrip('/')}/{name}" for name in _names(files, folder) if name.startswith(prefix)]


def _names(files: Host, folder: str) -> tuple[str, ...]:
    if not folder.startswith("/"):
        return ()
    try:
        return files.list_dir(folder)
    except HostError:
        return ()
