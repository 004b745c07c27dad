"""/dev, the driver's own files, container markers: what is plain files in a simulated root."""

from __future__ import annotations

from tests.sim.machine import Machine
from tests.sim.tree import Tree


def write(tree: Tree, machine: Machine) -> None:
    _system(tree, machine)
    _nodes(tree, machine)
    _libraries(tree, machine)
    _container(tree, machine)
    for path, text in machine.system.files.items():
        tree.write(path, text)


def _system(tree: Tree, machine: Machine) -> None:
    system = machine.system
    text = f"GNU C Library (Ubuntu GLIBC {system.glibc}-0ubuntu8.3) stable release version {system.glibc}."
    tree.write("/usr/lib/x86_64-linux-gnu/libc.so.6", text)
    tree.link("/lib", "/usr/lib")
    if system.secure_boot is not None and not system.wsl:
        name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        tree.write(f"/sys/firmware/efi/efivars/{name}", bytes((6, 0, 0, 0, system.secure_boot)))


def _nodes(tree: Tree, machine: Machine) -> None:
    tree.write("/dev/null", "")
    if machine.system.wsl:
        tree.write("/dev/dxg", "")
    elif machine.driver is not None and machine.driver.loaded:
        names = ["nvidiactl", "nvidia-modeset"]
        names += ["nvidia-uvm", "nvidia-uvm-tools"] if machine.driver.uvm else []
        names += ["nvidia-nvswitchctl"] if machine.nvswitches else []
        names += [f"nvidia-nvswitch{number}" for number in range(len(machine.nvswitches))]
        names += [f"nvidia{index if gpu.minor is None else gpu.minor}" for index, gpu in enumerate(machine.gpus)]
        for name in names:
            tree.write(f"/dev/{name}", "")
    for number in range(len(machine.system.infiniband)):
        tree.write(f"/dev/infiniband/uverbs{number}", "")


def _libraries(tree: Tree, machine: Machine) -> None:
    """Names only: the loader finds the stub libraries through LD_LIBRARY_PATH."""
    driver = machine.driver
    if driver is None:
        return
    folder = "/usr/lib/wsl/lib" if machine.system.wsl else "/usr/lib/x86_64-linux-gnu"
    for stem in ("libnvidia-ml.so", "libcuda.so"):
        if machine.system.wsl:
            tree.write(f"{folder}/{stem}.1", "")
            continue
        tree.write(f"{folder}/{stem}.{driver.version}", "")
        tree.link(f"{folder}/{stem}.1", f"{folder}/{stem}.{driver.version}")
    if driver.fabric_manager != "not_installed":
        tree.write("/usr/bin/nv-fabricmanager", "")
        tree.write(
            "/usr/lib/systemd/system/nvidia-fabricmanager.service", "[Unit]\nDescription=NVIDIA fabric manager service"
        )


def _container(tree: Tree, machine: Machine) -> None:
    kind = machine.system.container
    if kind == "docker":
        tree.write("/.dockerenv", "")
    elif kind == "podman":
        tree.write("/run/.containerenv", 'engine="podman-4.9.3"')
    elif kind == "kubernetes":
        tree.write("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "default")
