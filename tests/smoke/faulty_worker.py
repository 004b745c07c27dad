"""The worker as shipped, with one fault in one rank: it breaks when it enters a phase. Run by the target interpreter.

FAULT=kill FAULT_RANK=1 FAULT_PHASE=comm_init
"""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpudoctor.smoke._target.gpudoctor_worker.layer import Layer
    from gpudoctor.smoke._target.gpudoctor_worker.main import main
    from gpudoctor.smoke._target.gpudoctor_worker.patterns import PERIOD, Patterns
    from gpudoctor.smoke._target.gpudoctor_worker.worker import Worker
else:
    # The target interpreter knows nothing of gpudoctor, as in earnest.
    sys.path.insert(0, str(Path(__file__).parents[2] / "gpudoctor" / "smoke" / "_target"))
    from gpudoctor_worker.layer import Layer
    from gpudoctor_worker.main import main
    from gpudoctor_worker.patterns import PERIOD, Patterns
    from gpudoctor_worker.worker import Worker

FAULT = os.environ["FAULT"]
KEPT_BYTES: list[bytearray] = []
KEPT: list[mmap.mmap] = []


def is_mine(rank: int) -> bool:
    """Whether the fault is in this rank."""
    return os.environ.get("FAULT_RANK", "1") in (str(rank), "all")


def litter() -> None:
    """Leave what a rank of NCCL may leave: a mapped segment with a name, a process of its own, a file of its own."""
    segment, path = tempfile.mkstemp(prefix=f"nccl-of-{os.environ['SMOKE_TEST_MARK']}-of-", dir="/dev/shm")
    os.ftruncate(segment, 4096)
    mmap.mmap(segment, 4096).close() if FAULT == "litter_killed" else KEPT.append(mmap.mmap(segment, 4096))
    os.close(segment)
    subprocess.Popen(["sleep", "600"], start_new_session=False)
    Path(os.environ["LITTER_FILE"]).write_text(path)


def unsupported(*_: Any) -> None:
    """As torch before 2.6 has it with gloo."""
    raise RuntimeError("ProcessGroupGloo does not support reduce_scatter")


class FaultyPatterns(Patterns):
    """Data that may be changed on its way."""

    def __init__(self, torch: Any, device: Any, rank: int, world: int) -> None:
        super().__init__(torch, device, rank, world)
        self.mine = is_mine(rank)

    def fill(self, out: Any, dtype: str, number: int) -> None:
        super().fill(out, dtype, number)
        if FAULT == "poison" and self.mine:
            out[out.numel() // 2] += 1

    def compare(self, got: Any, expected: Any, before: Any) -> Any:
        if self.mine and got.numel() >= 1024:
            if FAULT == "zeros":
                got[512:] = 0
            elif FAULT == "stale":
                got.copy_(before()[0].repeat(got.numel() // PERIOD + 1)[: got.numel()])
            elif FAULT == "own":
                got.copy_(before()[1].repeat(got.numel() // PERIOD + 1)[: got.numel()])
            elif FAULT == "noise":
                got[7] = 3.5
        return super().compare(got, expected, before)


class FaultyLayer(Layer):
    """A layer of which one rank gets something wrong."""

    def __init__(self, torch: Any, device: Any, place: Any, shape: Any, *, half: str) -> None:
        self.mine = is_mine(place.rank)
        super().__init__(torch, device, place, shape, half=half)
        if FAULT == "shard" and self.mine:
            self._mine1 = self._mine1.flip(0)

    def _result(self, part: Any) -> Any:
        before = part.clone()
        out = super()._result(part)
        if self.mine and FAULT == "unsummed":
            out.copy_(before)
        elif self.mine and FAULT == "dropped":
            out.zero_()
        return out


class FaultyWorker(Worker):
    """One rank that may break."""

    patterns_class = FaultyPatterns
    layer_class = FaultyLayer

    def run(self) -> None:
        if FAULT == "world" and is_mine(self.place.rank):
            self.place = self.place._replace(world=self.place.world + 1)
        super().run()

    def phase(self, name: str, function: Callable[[], None]) -> None:
        self.channel.tell("phase", phase=name)
        if is_mine(self.place.rank) and name == os.environ.get("FAULT_PHASE"):
            self.break_down()
        function()

    def import_torch(self) -> None:
        super().import_torch()
        if FAULT == "old_torch":
            self.torch.distributed.reduce_scatter = unsupported

    def break_down(self) -> None:
        """Do what FAULT says."""
        if FAULT == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif FAULT == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif FAULT == "sleep":
            time.sleep(600)
        elif FAULT == "raise":
            raise RuntimeError("something of its own")
        elif FAULT in ("litter", "litter_killed"):
            litter()
            if FAULT == "litter":
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        elif FAULT == "grow":
            KEPT_BYTES.append(bytearray(os.urandom(1 << 20)) * 3000)
        elif FAULT == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif FAULT == "memory":
            import resource

            now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 20), now + (1 << 20)))


if __name__ == "__main__":
    main(sys.argv, FaultyWorker)
