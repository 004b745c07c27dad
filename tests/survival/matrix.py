"""Every driver function that `check` calls, with every error, a hang, a crash and without the symbol.

    python -m tests.survival.matrix [--machine NAME] [--kinds error,hang,crash,missing] [--jobs 2]

Each run is the installed command on a simulated machine. What must hold: a valid report, on time (`--timeout` plus two
seconds), exit code 0 or 1, the failing probe named where the fault is a hang or a crash, every other probe unharmed and
every section that does not come from the broken library the same as on the sound machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sim.build import build, environment
from tests.sim.target import bare_target

GPUDOCTOR = str(Path(sys.executable).with_name("gpudoctor"))
TIMEOUT_S = 6.0
NVML_CODES = (*range(1, 31), 999)
CUDA_CODES = (1, 2, 3, 34, 35, 36, 46, 100, 101, 201, 304, 801, 802, 803, 804, 999)
# What only these functions bring cannot be had without them; everything else has to be.
ROOTS = (
    "nvmlInit",
    "nvmlInitWithFlags",
    "nvmlDeviceGetCount",
    "nvmlDeviceGetHandleByIndex",
    "cuInit",
    "cuDeviceGetCount",
    "cuDeviceGet",
)
SOUND_SECTIONS = ("pci", "driver", "shm", "limits", "virtualization", "machine", "rdma")


@dataclass(frozen=True)
class Fault:
    """A function and what it does."""

    function: str
    kind: str

    @property
    def probe(self) -> str:
        return "nvml" if self.function.startswith("nvml") else "cuda"

    def __str__(self) -> str:
        return f"{self.function}={self.kind}"


@dataclass(frozen=True)
class Outcome:
    """A run with a fault."""

    fault: Fault
    seconds: float
    problems: tuple[str, ...]
    lost_facts: int


def run(folder: Path, faults: str) -> tuple[dict[str, Any] | None, int, float]:
    """(report or None, exit code, seconds)."""
    command = [GPUDOCTOR, "check", "--quick", "--format", "json", "--timeout", str(TIMEOUT_S)]
    env = {"VIRTUAL_ENV": str(bare_target(folder / "target")), **environment(folder, faults)}
    started = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    seconds = time.monotonic() - started
    try:
        return json.loads(done.stdout), done.returncode, seconds
    except ValueError:
        return None, done.returncode, seconds


def called_functions(folder: Path, workspace: Path) -> list[str]:
    """The functions that `check --quick` calls on this machine, without their versions."""
    log = workspace / "calls"
    target = str(bare_target(folder / "target"))
    env = {"VIRTUAL_ENV": target, **environment(folder, "", {"GPUSIM_CALLS": str(log)})}
    subprocess.run([GPUDOCTOR, "check", "--quick"], env=env, capture_output=True, check=False)
    names = {line.split()[1] for line in log.read_text().splitlines() if len(line.split()) > 1}
    return sorted({name.rsplit("_v", 1)[0] if name.rsplit("_v", 1)[-1].isdigit() else name for name in names})


def faults_for(functions: list[str], kinds: set[str]) -> Iterator[Fault]:
    """The matrix."""
    for function in functions:
        codes = NVML_CODES if function.startswith("nvml") else CUDA_CODES
        if "error" in kinds:
            yield from (Fault(function, f"error:{code}") for code in codes)
        yield from (Fault(function, kind) for kind in ("hang", "crash", "missing") if kind in kinds)


def judge(fault: Fault, folder: Path, sound: dict[str, Any]) -> Outcome:
    """Run one fault and list what does not hold."""
    report, code, seconds = run(folder, str(fault))
    if report is None:
        return Outcome(fault, seconds, (f"no valid report, exit {code}",), 0)
    problems = []
    if seconds > TIMEOUT_S + 2:
        problems.append(f"took {seconds:.1f} s")
    if code not in (0, 1):
        problems.append(f"exit {code}")
    probes = {probe["name"]: probe for probe in report["probes"]}
    if fault.kind in ("hang", "crash"):
        own = probes[fault.probe]
        if own["status"] == "ok" or fault.function.removesuffix("WithFlags") not in own["reason"]:
            problems.append(f"the probe does not name it: {own}")
    for name, probe in probes.items():
        if name != fault.probe and probe["status"] not in ("ok", "skipped"):
            problems.append(f"{name} was harmed: {probe['reason']}")
    problems += [
        f"section {name} differs" for name in SOUND_SECTIONS if report["facts"].get(name) != sound["facts"].get(name)
    ]
    lost = known_facts(sound["facts"][fault.probe]) - known_facts(report["facts"].get(fault.probe, {}))
    # P2P attributes of 56 ordered pairs are more than half of what CUDA tells about eight GPUs.
    if lost > known_facts(sound["facts"][fault.probe]) * 0.6 and fault.function not in ROOTS:
        problems.append(f"lost {lost} facts of {fault.probe}")
    return Outcome(fault, seconds, tuple(problems), lost)


def known_facts(node: Any) -> int:
    """How many facts below `node` have a value."""
    if isinstance(node, dict):
        own = 1 if "value" in node and "source" in node else 0
        return own + sum(known_facts(child) for child in node.values())
    return sum(known_facts(child) for child in node) if isinstance(node, list) else 0


def main() -> int:
    """The matrix of one machine; exit status 1 where a run does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", default="h100x8-nvswitch")
    parser.add_argument("--kinds", default="error,hang,crash,missing")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as workspace:
        folder = build(args.machine, Path(workspace) / "machine")
        functions = called_functions(folder, Path(workspace))
        sound, _, _ = run(folder, "")
        assert sound is not None
        faults = list(faults_for(functions, set(args.kinds.split(","))))
        with ThreadPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(lambda fault: judge(fault, folder, sound), faults))
    for outcome in outcomes:
        for problem in outcome.problems:
            print(f"{outcome.fault}: {problem}")
    kinds = Counter(outcome.fault.kind.split(":")[0] for outcome in outcomes)
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    slowest = max(outcome.seconds for outcome in outcomes)
    print(f"{args.machine}: {len(functions)} functions, {len(outcomes)} runs {dict(kinds)}, slowest {slowest:.1f} s")
    print(f"{len(outcomes) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
