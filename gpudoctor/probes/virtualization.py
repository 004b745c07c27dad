"""Container, virtual machine, WSL, and whether the NVIDIA container toolkit was at work."""

from __future__ import annotations

import re

from gpudoctor.host.access import Host
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import text_or
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Virtualization
from gpudoctor.probes._hypervisor import virtual_machine
from gpudoctor.probes._processes import in_first_namespace

_KUBERNETES = ("/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount")
_FILES = (("/.singularity.d", "apptainer"), ("/run/.containerenv", "podman"), ("/.dockerenv", "docker"))
_VARIABLES = (
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
    ("APPTAINER_CONTAINER", "apptainer"),
    ("SINGULARITY_CONTAINER", "apptainer"),
)
_GROUPS = (
    (re.compile(r"kubepods"), "kubernetes"),
    (re.compile(r"libpod-[0-9a-f]{12}"), "podman"),
    (re.compile(r"docker[/-][0-9a-f]{12}"), "docker"),
    (re.compile(r"/lxc(?:/|\.payload)"), "lxc"),
)
_MANAGERS = {"lxc": "lxc", "lxc-libvirt": "lxc", "podman": "podman", "docker": "docker"}
_OVERLAID_ROOT = re.compile(r"^\d+ \d+ \S+ \S+ / .* - (?:overlay|9p|fuse-overlayfs|aufs) ", re.M)
_DRIVER_MOUNT = re.compile(r" \S*/(?:libnvidia-ml\.so\S*|libcuda\.so\S*|nvidia-smi|usr/local/nvidia(?:/lib64)?) ")
_MAX_VALUE = 500


def collect(host: Host, request: Request) -> Virtualization:  # noqa: ARG001 - every probe is called alike
    """What stands between this process and the metal."""
    mounts = text_or(host, "/proc/self/mountinfo")
    container, wsl = _container(host, mounts), _wsl(host)
    devices = host.environ.get("NVIDIA_VISIBLE_DEVICES")
    return Virtualization(
        container=container,
        vm=virtual_machine(host, wsl=bool(wsl.or_none())),
        wsl=wsl,
        host_pid_namespace=_namespace(host, "pid"),
        host_ipc_namespace=_namespace(host, "ipc"),
        nvidia_runtime=_toolkit(host, container, mounts),
        nvidia_visible_devices=(
            absent("not_applicable", "not set", "environment")
            if devices is None
            else known(devices[:_MAX_VALUE], "environment")
        ),
    )


def _container(host: Host, mounts: str) -> Fact[str]:
    """Marker files and variables first, then the control group's name, then a root that is laid over another."""
    for variable, name in _VARIABLES:
        if variable in host.environ:
            return known(name, "environment")
    for path, name in (*((path, "kubernetes") for path in _KUBERNETES), *_FILES):
        if host.exists(path):
            return known(name, path)
    groups = text_or(host, "/proc/self/cgroup")
    for pattern, name in _GROUPS:
        if pattern.search(groups):
            return known(name, "/proc/self/cgroup")
    manager = text_or(host, "/run/systemd/container") or host.environ.get("container", "")
    if manager and manager != "wsl":
        return known(_MANAGERS.get(manager, "other"), "/run/systemd/container")
    if in_first_namespace(host, "pid") is False and _OVERLAID_ROOT.search(mounts):
        return known("other", "/proc/self/mountinfo")
    return known("none", "no marker of a container")


def _wsl(host: Host) -> Fact[int]:
    """The release of a WSL kernel ends in Microsoft (1) or contains microsoft-standard (2)."""
    path = "/proc/sys/kernel/osrelease"
    release = text_or(host, path) or " ".join(text_or(host, "/proc/version").split()[2:3])
    if not release:
        return absent("not_applicable", f"{path} does not exist", path)
    if "microsoft" not in release.lower():
        return known(0, path)
    second = "wsl2" in release.lower() or "microsoft-standard" in release or host.exists("/dev/dxg")
    return known(2 if second else 1, path)


def _namespace(host: Host, kind: str) -> Fact[bool]:
    first = in_first_namespace(host, kind)
    source = f"/proc/self/ns/{kind}"
    return absent("not_supported", "the kernel does not tell", source) if first is None else known(first, source)


def _toolkit(host: Host, container: Fact[str], mounts: str) -> Fact[bool]:
    """By the driver files that it mounts: NVIDIA_VISIBLE_DEVICES alone is set by many images."""
    if container.or_none() == "none":
        return absent("not_applicable", "not in a container", "/proc/self/mountinfo")
    return known(bool(_DRIVER_MOUNT.search(mounts)) or host.exists("/.singularity.d/libs/libcuda.so.1"), "mountinfo")


PROBE = Probe(name="virtualization", section=Virtualization, collect=collect)
