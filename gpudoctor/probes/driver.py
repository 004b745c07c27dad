"""The NVIDIA kernel driver as the kernel shows it: /proc/driver/nvidia, /sys/module, /dev, names of libraries."""

from __future__ import annotations

import re

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import names_in, read_fact
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Driver
from gpudoctor.probes._processes import in_first_namespace, running_names
from gpudoctor.readers.driver_version import ModuleVersion, module_version, registry_dwords

_PROC = "/proc/driver/nvidia"
_MODULES = "/sys/module"
_DEV = "/dev"
_WSL_NODE = "/dev/dxg"
_IN_WINDOWS = "under WSL the driver runs in Windows"
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/usr/lib64/nvidia",
    "/usr/local/nvidia/lib64",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
)
_LIBRARY = re.compile(r"libnvidia-ml\.so\.(\d{1,4}(?:\.\d{1,4}){1,2})")
_GPU_NODE = re.compile(r"nvidia\d{1,3}")
_CONTROL_NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-nvswitchctl")
# Folders of capability nodes; who may open those is the administrator's business, so they are listed, not tried.
_CAPABILITY_FOLDERS = ("nvidia-caps", "nvidia-caps-imex-channels")
_FABRIC_MANAGER = "/usr/bin/nv-fabricmanager"
_COMM_LENGTH = 15  # the kernel cuts names of processes
_VERSION = re.compile(r"\d{2,4}\.\d{1,4}(?:\.\d{1,4})?")


def collect(host: Host, request: Request) -> Driver:  # noqa: ARG001 - every probe is called alike
    """Module, device nodes, libraries, daemons."""
    parsed: Fact[ModuleVersion] = read_fact(host, f"{_PROC}/version", module_version)
    version = _version(host, parsed)
    is_open = _open(host, parsed)
    nodes, control = _nodes(host)
    running = running_names(host)
    manager = _daemon(host, running, "nv-fabricmanager", _FABRIC_MANAGER)
    return Driver(
        module_loaded=_main_module(host),
        module_version=version,
        module_open=is_open,
        module_patched_p2p=_patched(version, is_open),
        library_versions=_libraries(host),
        nouveau_loaded=_module(host, "nouveau"),
        uvm_loaded=_own_module(host, "nvidia_uvm"),
        peermem_loaded=_own_module(host, "nvidia_peermem", "nv_peer_mem"),
        device_nodes=nodes,
        control_nodes=control,
        nodes_denied=_denied(host, nodes, control),
        registry_dwords=read_fact(host, f"{_PROC}/params", registry_dwords),
        fabric_manager=manager,
        fabric_manager_version=_fabric_manager_version(host, manager),
        persistenced=_daemon(host, running, "nvidia-persistenced", "/usr/bin/nvidia-persistenced"),
    )


def _under_wsl(host: Host) -> bool:
    """Under WSL the driver is Windows': there is neither a module nor a node that could be missing."""
    return host.exists(_WSL_NODE)


def _module(host: Host, *names: str) -> Fact[bool]:
    if not host.exists(_MODULES):
        return absent("not_applicable", f"{_MODULES} does not exist", _MODULES)
    return known(any(host.exists(f"{_MODULES}/{name}") for name in names), _MODULES)


def _main_module(host: Host) -> Fact[bool]:
    if host.exists(f"{_PROC}/version"):
        return known(True, f"{_PROC}/version")
    return _own_module(host, "nvidia")


def _own_module(host: Host, *names: str) -> Fact[bool]:
    if _under_wsl(host):
        return absent("not_applicable", _IN_WINDOWS, _WSL_NODE)
    return _module(host, *names)


def _version(host: Host, parsed: Fact[ModuleVersion]) -> Fact[str]:
    told = parsed.or_none()
    if told is not None:
        return known(told.version, parsed.source)
    return read_fact(host, f"{_MODULES}/nvidia/version", _version_word)


def _open(host: Host, parsed: Fact[ModuleVersion]) -> Fact[bool]:
    """Beside its own words: a proprietary module taints the kernel with P."""
    told = parsed.or_none()
    if told is not None:
        return known(told.open, parsed.source)
    return read_fact(host, f"{_MODULES}/nvidia/taint", lambda text: "P" not in text)


def _version_word(text: str) -> str:
    if not _VERSION.match(text) or len(text) > 64:
        raise ValueError("not a version")
    return text


def _patched(version: Fact[str], is_open: Fact[bool]) -> Fact[bool]:
    """Certain only where the version says so, or where there is no source that could have been patched.

    The usual patches keep the version of the stock module, because the libraries insist on it.
    """
    text = version.or_none()
    if text is None:
        return absent_like(version)
    if "p2p" in text.lower():
        return known(True, version.source)
    if is_open.or_none() is False:
        return known(False, is_open.source)
    return absent("not_supported", "a patched module has the version of the stock one", version.source)


def _libraries(host: Host) -> Fact[tuple[str, ...]]:
    names = {name for folder in _LIBRARY_FOLDERS for name in names_in(host, folder)}
    versions = {match.group(1) for name in names if (match := _LIBRARY.fullmatch(name))}
    return known(tuple(sorted(versions, key=_numbers)), "libnvidia-ml.so.*")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _nodes(host: Host) -> tuple[Fact[tuple[str, ...]], Fact[tuple[str, ...]]]:
    if _under_wsl(host):
        missing: Fact[tuple[str, ...]] = absent("not_applicable", _IN_WINDOWS, _WSL_NODE)
        return missing, missing
    try:
        names = host.list_dir(_DEV)
    except HostError as error:
        return error.fact(_DEV), error.fact(_DEV)
    gpus = sorted((name for name in names if _GPU_NODE.fullmatch(name)), key=lambda name: int(name[len("nvidia") :]))
    control = [f"{_DEV}/{name}" for name in _CONTROL_NODES if name in names]
    for folder in _CAPABILITY_FOLDERS:
        if folder in names:
            control += [f"{_DEV}/{folder}/{name}" for name in names_in(host, f"{_DEV}/{folder}")]
    return known(tuple(f"{_DEV}/{name}" for name in gpus), _DEV), known(tuple(control), _DEV)


def _denied(host: Host, nodes: Fact[tuple[str, ...]], control: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    listed, others = nodes.or_none(), control.or_none()
    if listed is None or others is None:
        return absent_like(nodes)
    tried = (*listed, *(node for node in others if node.count("/") == _DEV.count("/") + 1))
    return known(tuple(node for node in tried if not host.may_open(node)), _DEV)


def _daemon(host: Host, running: frozenset[str], name: str, program: str) -> Fact[str]:
    """One of running, not_running, not_installed. A container sees neither the machine's programs nor its processes.

    Where /proc is mounted with hidepid, other users' processes cannot be seen either, not even the first.
    """
    if any(running_name.startswith(name[:_COMM_LENGTH]) for running_name in running):
        return known("running", "/proc/*/comm")
    if in_first_namespace(host, "pid") is not True or not host.exists("/proc/1"):
        return absent("not_supported", "the machine's processes cannot be seen from here", "/proc")
    return known("not_running" if host.exists(program) else "not_installed", "/proc/*/comm")


def _fabric_manager_version(host: Host, state: Fact[str]) -> Fact[str]:
    """Asked only where it is installed: starting it costs some milliseconds."""
    if not host.exists(_FABRIC_MANAGER):
        if state.or_none() in {None, "running"}:
            return absent("not_supported", f"{_FABRIC_MANAGER} cannot be seen from here", _FABRIC_MANAGER)
        return absent("not_applicable", "not installed", _FABRIC_MANAGER)
    source = "nv-fabricmanager --version"
    try:
        answer = host.run(source.split(), timeout_s=2.0)
    except HostError as error:
        return error.fact(source)
    match = _VERSION.search(answer.stdout[:1000])
    return known(match.group(), source) if match else absent("parse_error", "no version in the answer", source)


PROBE = Probe(name="driver", section=Driver, collect=collect)
