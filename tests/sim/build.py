"""Materialises a machine file below a folder: root/ (files), lib/ (stub libraries), bin/ (nvidia-smi, dmesg ...).

eval "$(python -m tests.sim.build rtx4090x2 /tmp/machine)"; gpudoctor check
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.sim import compiled, devfs, machine, procfs, stubs, sysfs, sysfs_pci, tools
from tests.sim.machine import Machine
from tests.sim.tree import Tree

COMPILED = "machine.kv"
# What the shell of the person who runs the tests has set must not reach a simulated machine.
FOREIGN = ("CUDA_", "NVIDIA_", "NCCL_", "GPUSIM_")


def materialise(described: Machine, folder: Path, *, privileged: bool = True) -> Path:
    """The machine in `folder`, which must not exist; `privileged` is whether the reader is root."""
    root = folder / "root"
    tree = Tree(root)
    sysfs_pci.write(tree, described, privileged=privileged)
    sysfs.write(tree, described)
    procfs.write(tree, described, privileged=privileged)
    devfs.write(tree, described)
    tools.write(folder / "bin", described)
    (folder / COMPILED).write_text(compiled.compiled(described), encoding="utf-8")
    _libraries(described, folder / "lib")
    return folder


def build(name: str, folder: Path, *, privileged: bool = True) -> Path:
    """`materialise` for the machine of `fixtures/hosts/NAME.yaml`."""
    return materialise(machine.load(name), folder, privileged=privileged)


def _libraries(described: Machine, folder: Path, faults: str = "") -> None:
    """Links to the compiled stubs; without a driver an empty folder."""
    folder.mkdir(parents=True)
    if described.driver is None:
        return
    missing = [*stubs.newer_than(described.driver.branch), *missing_functions(faults)]
    for library in stubs.LIBRARIES:
        (folder / library).symlink_to(stubs.without(missing) / library)


def missing_functions(faults: str) -> list[str]:
    """Names of the faults "FUNCTION=missing"."""
    entries = (entry.strip().partition("=") for entry in faults.split(";"))
    return sorted(name for name, _, kind in entries if kind == "missing")


def environment(
    folder: Path, faults: str = "", extra_env: Mapping[str, str] | None = None, *, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a program on the machine in `folder`."""
    inherited = os.environ if base is None else base
    env = {name: value for name, value in inherited.items() if not name.startswith(FOREIGN)}
    env["PATH"] = os.pathsep.join((str(folder / "bin"), env.get("PATH", os.defpath)))
    env["LD_LIBRARY_PATH"] = str(_library_folder(folder, faults))
    env["GPUSIM_MACHINE"] = str(folder / COMPILED)
    env["GPUSIM_FAULTS"] = faults
    env["GPUDOCTOR_ROOT"] = str(folder / "root")
    env.update(_own_variables(folder))
    env.update(extra_env or {})
    return env


def _library_folder(folder: Path, faults: str) -> Path:
    """`lib`, or for faults of kind "missing" a folder beside it whose libraries lack the functions."""
    missing = missing_functions(faults)
    if not missing or not any((folder / "lib").iterdir()):
        return folder / "lib"
    branch = int(_compiled_value(folder, "driver.version").split(".")[0])
    return stubs.without([*stubs.newer_than(branch), *missing])


def _compiled_value(folder: Path, key: str) -> str:
    lines = (folder / COMPILED).read_text(encoding="utf-8").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{key}="))


def _own_variables(folder: Path) -> dict[str, str]:
    lines = (folder / COMPILED).read_text(encoding="utf-8").splitlines()
    assignments = (line.removeprefix("env.").partition("=") for line in lines if line.startswith("env."))
    return {name: value for name, _, value in assignments}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.build", description=__doc__)
    parser.add_argument("name", nargs="?", help="a file of fixtures/hosts without .yaml")
    parser.add_argument("folder", nargs="?", type=Path, help="where to build the machine; replaced if it is one")
    parser.add_argument("--faults", default="", help="e.g. 'nvmlDeviceGetMemoryInfo@1=error:15;nvidia-smi=hang'")
    parser.add_argument("--unprivileged", action="store_true", help="what a user without root rights can read")
    parser.add_argument("--list", action="store_true", help="the machines that there are")
    return parser.parse_args()


def main() -> int:
    """Prints `export` lines for a shell."""
    arguments = _arguments()
    if arguments.list or arguments.name is None or arguments.folder is None:
        sys.stdout.writelines(f"{name:<28} {machine.load(name).summary}\n" for name in machine.names())
        return 0
    folder = arguments.folder.resolve()
    if (folder / COMPILED).exists():
        shutil.rmtree(folder)
    build(arguments.name, folder, privileged=not arguments.unprivileged)
    env = environment(folder, arguments.faults)
    ours = {name: value for name, value in env.items() if os.environ.get(name) != value}
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(ours.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
