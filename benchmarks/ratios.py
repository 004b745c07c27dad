"""Print every speed ratio that the project promises, each from one run on this machine.

    python -m benchmarks.ratios [--target PYTHON_WITH_TORCH] [--rounds 7]

Both sides of a ratio run alternately, so that a busy moment hits both; the median of the rounds counts. The ratio of
processor time stands beside it: what runs on two cores takes as long as on one where somebody else has the other.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.sim.build import build, environment

GPUDOCTOR = str(Path(sys.executable).with_name("gpudoctor"))
NVITOP = str(Path(sys.executable).with_name("nvitop"))


class Cost(NamedTuple):
    """Of one run, in seconds; processor time of all its processes together."""

    wall: float
    processor: float


def cost(command: Sequence[str], env: dict[str, str]) -> Cost:
    """Run it; its output goes nowhere, its exit code does not matter."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    null = subprocess.DEVNULL
    subprocess.run(list(command), env=env, stdin=null, stdout=null, stderr=null, check=False)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def median(costs: Sequence[Cost]) -> Cost:
    """Of each part by itself."""
    return Cost(*(statistics.median(part) for part in zip(*costs, strict=True)))


def compare(
    name: str, ours: Sequence[str], theirs: Sequence[str], env: dict[str, str], rounds: int, bar: float
) -> bool:
    """Run both sides `rounds` times, print the ratio of the medians, return whether it is within the bar."""
    cost(ours, env)
    cost(theirs, env)
    pairs = [(cost(ours, env), cost(theirs, env)) for _ in range(rounds)]
    mine, other = (median(costs) for costs in zip(*pairs, strict=True))
    ratio = mine.wall / other.wall
    verdict = "ok  " if ratio <= bar else "OVER"
    processor = mine.processor / max(other.processor, 0.001)
    times = f"{mine.wall * 1000:.0f} ms : {other.wall * 1000:.0f} ms"
    print(f"{verdict} {name:44} {ratio:5.2f}  (bar {bar:g};  {times};  processor {processor:.2f})", flush=True)
    return bool(ratio <= bar)


def shell() -> dict[str, str]:
    """Our environment; Python may write its bytecode, which an installed package brings."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def simulated(name: str, folder: Path) -> dict[str, str]:
    """The environment of a simulated machine."""
    return {**shell(), **environment(build(name, folder), base=shell())}


def main() -> int:
    """All ratios; exit status 1 where one is over its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default=sys.executable, help="an interpreter with torch")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    bare = [sys.executable, "-c", "pass"]
    held: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        eight = simulated("h100x8-nvswitch", Path(folder) / "eight")
        quick = [GPUDOCTOR, "check", "--quick"]
        held.append(compare("check --quick, 8 GPUs : nvitop -1", quick, [NVITOP, "-1"], eight, args.rounds, 1.0))
        torch_import = [args.target, "-c", "import torch"]
        full = [GPUDOCTOR, "check", "--python", args.target]
        collect_env = [args.target, "-m", "torch.utils.collect_env"]
        held.append(compare("check, 8 GPUs : import torch", full, torch_import, eight, args.rounds, 1.15))
        compare("collect_env : import torch (for comparison)", collect_env, torch_import, eight, 3, 99)
    env = shell()
    held += [
        compare(f"{verb} : python -c pass", [GPUDOCTOR, *verb.split()], bare, env, args.rounds, 10)
        for verb in (
            "--version",
            "--help",
            "explain iommu_acs",
            "fit meta-llama/Llama-3.1-8B --tp 2 --gpu 4090",
            "fit meta-llama/Llama-3.1-70B --tp 2 --gpu 4090",
        )
    ]
    smoke = [GPUDOCTOR, "nccl-test", "--tp", "2", "--python", args.target]
    bare_script = [args.target, str(Path(__file__).with_name("bare_all_reduce.py")), "2"]
    held.append(compare("nccl-test, 2 ranks, gloo : bare script", smoke, bare_script, env, args.rounds, 1.3))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
