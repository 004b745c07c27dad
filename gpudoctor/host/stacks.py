"""Where each Python process of a run stands: a dump by py-spy where it is installed, else what the kernel tells."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gpudoctor.host.access import HostError
from gpudoctor.host.process import run_bounded
from gpudoctor.host.process_tree import Process, is_python

MAX_DUMPS: Final = 64
_TIMEOUT_S: Final = 5.0
_MAX_TEXT: Final = 64 << 10


def dump_stacks(processes: Sequence[Process]) -> tuple[str, str]:
    """The stacks as lines that begin with `[rankN]:` where the rank is known, and what hindered; "" for nothing."""
    wanted = [process for process in processes if is_python(process.pid)][:MAX_DUMPS]
    tool = _py_spy()
    lines: list[str] = []
    problem = "" if tool else "py-spy is not installed: no stacks of the ranks (pip install py-spy)"
    for process in wanted:
        who = f"[rank{process.rank}]: " if process.rank >= 0 else ""
        lines.append(f"{who}== process {process.pid} ({process.name}, state {process.state}{_channel(process.pid)})")
        if not tool:
            continue
        try:
            done = run_bounded([tool, "dump", "--pid", str(process.pid)], timeout_s=_TIMEOUT_S, env=dict(os.environ))
        except HostError as error:
            problem = problem or f"py-spy: {error.detail}"
            continue
        if done.exit_code:
            problem = problem or f"py-spy: {(done.stderr.strip() or 'failed').splitlines()[-1][:200]}"
        lines += [f"{who}{line}" for line in done.stdout[:_MAX_TEXT].splitlines()]
    return "\n".join(lines), problem


def _py_spy() -> str:
    """On PATH, else beside our own interpreter."""
    found = shutil.which("py-spy")
    if found:
        return found
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if os.access(beside, os.X_OK) else ""


def _channel(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
            channel = stream.read(200).strip()
    except OSError:
        return ""
    return f", in {channel}" if channel and channel != "0" else ""
