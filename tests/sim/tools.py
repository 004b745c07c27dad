"""The programs of a simulated machine: small shell scripts that print prepared answers."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.sim import procfs, smi_full, smi_query, smi_table, smi_topo
from tests.sim.machine import Machine

# Faults meant for a program: "nvidia-smi=hang", "dmesg=error:1"; the machine's own come after those of the caller.
_FAULTS = """#!/bin/sh
# Made by tests/sim/build.py.
faults=";$GPUSIM_FAULTS;"{always}";"
case "$faults" in
*";{tool}=hang"*) trap '' TERM INT HUP; exec sleep infinity ;;
*";{tool}=error:"*) code=${{faults#*;{tool}=error:}}; echo "{tool}: simulated failure" >&2; exit "${{code%%;*}}" ;;
*";{tool}=sleep:"*) seconds=${{faults#*;{tool}=sleep:}}; sleep "${{seconds%%;*}}" ;;
esac
"""

_SMI = """
answers={answers}
case "$*" in "topo "*) {topo} esac
case "$*" in
"") exec cat "$answers/table" ;;
"-L"|"--list-gpus") exec cat "$answers/list" ;;
"-q"|"--query") exec cat "$answers/full" ;;
"topo -m"|"topo --matrix") exec cat "$answers/topo" ;;
"topo -p2p "[rwnap]) exec cat "$answers/p2p-$3" ;;
"nvlink -s"|"nvlink --status") exec cat "$answers/nvlink" ;;
"--query-gpu="*|*" --query-gpu="*) ;;
*) echo "Option \\"$1\\" is not recognized. Please run 'nvidia-smi -h'."; exit 2 ;;
esac
for word; do
    case "$word" in
    --query-gpu=*) fields=${{word#*=}} ;;
    --format=*) format=",${{word#*=}}," ;;
    esac
done
case "$format" in *,nounits,*) units=plain ;; *) units=units ;; esac
IFS=,
set --
names=
for field in $fields; do
    field=${{field# }}
    if [ ! -f "$answers/$units/$field" ]; then
        echo "Field \\"$field\\" is not a valid field to query."
        exit 2
    fi
    set -- "$@" "$answers/$units/$field"
    names="$names, $field"
done
case "$format" in *,noheader,*) ;; *) echo "${{names#, }}" ;; esac
exec paste -d , "$@" | sed 's/,/, /g'
"""

_MISMATCH = """
echo "Failed to initialize NVML: Driver/library version mismatch"
echo "NVML library version: {version}"
exit 18
"""

_NO_DRIVER = """
echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA \
driver is installed and running."
echo
exit 9
"""

_NO_DEVICES = """
echo "No devices were found"
exit 6
"""

_OTHER_ERROR = """
echo {text}
exit {code}
"""


def write(folder: Path, machine: Machine) -> None:
    """The folder that goes first on PATH."""
    folder.mkdir(parents=True)
    if machine.smi != "absent":
        _program(folder, machine, "nvidia-smi", _nvidia_smi(folder, machine))
    _program(folder, machine, "dmesg", _dmesg(folder, machine))
    _program(folder, machine, "journalctl", _dmesg(folder, machine, journal=True))
    _program(folder, machine, "systemctl", _systemctl(machine))
    virt = machine.system.virt
    _program(folder, machine, "systemd-detect-virt", f"echo {virt}\nexit {int(virt == 'none')}\n")


def _program(folder: Path, machine: Machine, tool: str, body: str) -> None:
    faults = machine.faults + (";nvidia-smi=hang" if machine.smi == "hangs" else "")
    script = folder / tool
    script.write_text(_FAULTS.format(tool=tool, always=shlex.quote(faults)) + body, encoding="utf-8")
    script.chmod(0o755)


def _nvidia_smi(folder: Path, machine: Machine) -> str:
    driver = machine.driver
    if driver is None or driver.nvml_init == 9:
        return _NO_DRIVER
    if driver.nvml_init == 18:
        return _MISMATCH.format(version=".".join(driver.version.split(".")[:2]))
    if driver.nvml_init:
        return _OTHER_ERROR.format(text=shlex.quote("Failed to initialize NVML: Unknown Error"), code=255)
    if machine.smi_error is not None:
        return _OTHER_ERROR.format(text=shlex.quote(machine.smi_error.text), code=machine.smi_error.code)
    if not machine.gpus:
        return _NO_DEVICES
    answers = folder.parent / "answers"
    _answers(answers, machine)
    # WSL and the like: nothing is printed, and the exit status is not 0.
    topo = "exit 255 ;;" if machine.system.wsl else ";;"
    return _SMI.format(answers=shlex.quote(str(answers)), topo=topo)


def _answers(folder: Path, machine: Machine) -> None:
    for name, text in (
        ("table", smi_table.table(machine)),
        ("list", smi_table.listing(machine)),
        ("full", smi_full.full(machine)),
        ("topo", smi_topo.matrix(machine)),
        ("nvlink", smi_topo.nvlink_status(machine)),
        *((f"p2p-{letter}", smi_topo.p2p(machine, name)) for letter, name in smi_topo.CAPABILITY_LETTERS.items()),
    ):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for kind in ("plain", "units"):
        (folder / kind).mkdir()
    for field, values in smi_query.columns(machine).items():
        unit = f" {smi_query.UNITS[field]}" if field in smi_query.UNITS else ""
        with_unit = [value if value == smi_query.NOT_AVAILABLE else value + unit for value in values]
        (folder / "plain" / field).write_text("\n".join(values) + "\n", encoding="utf-8")
        (folder / "units" / field).write_text("\n".join(with_unit) + "\n", encoding="utf-8")


def _dmesg(folder: Path, machine: Machine, *, journal: bool = False) -> str:
    if machine.system.dmesg_restricted and not journal:
        return 'echo "dmesg: read kernel buffer failed: Operation not permitted" >&2\nexit 1\n'
    if machine.system.dmesg_restricted:
        return 'echo "-- No entries --"\n'
    log = folder / "kernel.log"
    banner = "" if "Linux version" in machine.system.dmesg else f"[    0.000000] {procfs.kernel_banner(machine)}\n"
    log.write_text(banner + machine.system.dmesg, encoding="utf-8")
    if journal:  # "[    4.812345] text" → "Nov 21 03:00:04 machine kernel: text"
        return f"exec sed 's/^\\[ *[0-9.]*\\] /Nov 21 03:00:00 {machine.name} kernel: /' {shlex.quote(str(log))}\n"
    return f"exec cat {shlex.quote(str(log))}\n"


def _systemctl(machine: Machine) -> str:
    """is-active of the driver's services; anything else is unknown."""
    state = machine.driver.fabric_manager if machine.driver else "not_installed"
    fabric = {"running": "active", "not_running": "inactive", "not_installed": "inactive"}[state]
    persistenced = any(process.comm.startswith("nvidia-persist") for process in machine.system.processes)
    return f"""case "$*" in
*is-active*nvidia-fabricmanager*) echo {fabric}; exit {0 if fabric == "active" else 3} ;;
*is-active*nvidia-persistenced*) echo {"active" if persistenced else "inactive"}; exit {0 if persistenced else 3} ;;
*is-active*) echo inactive; exit 3 ;;
*) exit 1 ;;
esac
"""
