"""The worker as shipped, with one fault in one rank: it breaks when it enters a phase. Run by the target interpreter.

FAULT=kill FAULT_RANK=1 FAULT_PHASE=comm_init
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKER = Path(__file__).parents[2] / "gpudoctor" / "smoke" / "_target" / "worker.py"


def load() -> Any:
    """The shipped worker file as a module."""
    spec = importlib.util.spec_from_file_location("worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worker = load()


class FaultyWorker(worker.Worker):  # type: ignore[misc, name-defined]  # loaded by path
    """One rank that may break."""

    fault = os.environ["FAULT"]

    def run(self) -> None:
        if self.fault == "world" and self.mine():
            self.world += 1
        super().run()

    def mine(self) -> bool:
        """Whether the fault is in this rank."""
        return os.environ.get("FAULT_RANK", "1") in (str(self.rank), "all")

    def phase(self, name: str, function: Callable[[], None]) -> None:
        self.tell("phase", phase=name)
        if self.mine() and name == os.environ.get("FAULT_PHASE"):
            self.break_down()
        function()

    def break_down(self) -> None:
        """Do what FAULT says."""
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fault == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self.fault == "sleep":
            time.sleep(600)
        elif self.fault == "raise":
            raise RuntimeError("something of its own")
        elif self.fault == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.fault == "memory":
            import resource

            now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 20), now + (1 << 20)))

    def fill(self, out: Any, dtype: str, number: int) -> None:
        super().fill(out, dtype, number)
        if self.fault == "poison" and self.mine():
            out[out.numel() // 2] += 1

    def compare_data(self, got: Any, expected: Any, before: Any) -> Any:
        if self.mine() and got.numel() >= 1024:
            if self.fault == "zeros":
                got[512:] = 0
            elif self.fault == "stale":
                got.copy_(before.repeat(got.numel() // worker.PERIOD + 1)[: got.numel()])
            elif self.fault == "noise":
                got[7] = 3.5
        return super().compare_data(got, expected, before)


if __name__ == "__main__":
    worker.main(sys.argv, FaultyWorker)
