"""One rank of the smoke run. Run by the interpreter under examination: torch and the standard library only.

    RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 python worker.py '{"pipe": 5, ...}'

Before each phase and each collective it writes a line of JSON to the inherited pipe, so that whoever started it knows
where a rank is when it hangs or dies. A signal makes it write every thread's Python stack to the same pipe, even while
it waits inside a library. Python 3.8 or newer.
"""

from __future__ import annotations

import errno
import faulthandler
import json
import os
import signal
import statistics
import sys
import time
import traceback
from datetime import timedelta
from typing import Any, Callable, Mapping, Sequence, Tuple

# torch is the examined interpreter's, whatever version: nothing is known of its types here.
Tensor = Any
# One result, and what must be in it for a given round: one period of the data.
Checked = Tuple[Tensor, Callable[[int], Tensor]]

# A prime: no power of two is a multiple of it, so data that lands in the wrong chunk never looks right.
PERIOD = 1009
RANK_SHIFT, ROUND_SHIFT = 101, 313
# Largest integer up to which every integer, and so every partial sum, is exact in the type.
EXACT = {"fp32": 1 << 20, "fp16": 2048, "bf16": 256}
SHM_BYTES = 8 << 20  # what NCCL asks for one channel, about
CPU_MAX_BYTES = 4 << 20
CHECK_ROUNDS = 2
TIMED_ROUNDS = 5
WARM_UP_ROUNDS = 2
ERROR_CHARS = 4000


class RefusedError(Exception):
    """The run cannot go on, for a reason that this worker knows by name."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Worker:
    """The state of one rank."""

    def __init__(self, config: dict[str, Any], environ: Mapping[str, str]) -> None:
        self.config = config
        self.rank = int(environ["RANK"])
        self.world = int(environ["WORLD_SIZE"])
        self.local_rank = int(environ.get("LOCAL_RANK", self.rank))
        self.local_world = int(environ.get("LOCAL_WORLD_SIZE", self.world))
        self.address = (environ["MASTER_ADDR"], int(environ["MASTER_PORT"]))
        self.store_elsewhere = environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        self.prefix = "gpudoctor/" + environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self.timeout = timedelta(seconds=config["timeout_s"] + 60)  # our launcher's deadline comes first
        self.torch: Any = None
        self.dist: Any = None
        self.device: Any = None
        self.store: Any = None
        self.backend = ""
        self.max_bytes = 0
        self.tables: dict[str, Tensor] = {}
        self.bases: dict[str, Tensor] = {}

    # What is told

    def tell(self, event: str, **values: str | int | float) -> None:
        """One line to the launcher; without a launcher there is nothing to live for."""
        line = json.dumps({"event": event, **values}) + "\n"
        try:
            os.write(self.config["pipe"], line.encode())
        except OSError:
            os._exit(1)

    def phase(self, name: str, function: Callable[[], None]) -> None:
        """Announce a phase, then do it."""
        self.tell("phase", phase=name)
        function()

    # Phases

    def run(self) -> None:
        """The life of a rank."""
        self.phase("import", self.import_torch)
        self.phase("cuda_init", self.choose_device)
        self.phase("rendezvous", self.meet)
        self.phase("comm_init", self.init_group)
        self.phase("correctness", self.check_collectives)
        self.phase("bandwidth", self.time_all_reduce)
        self.phase("teardown", self.leave)
        self.tell("phase", phase="done")

    def import_torch(self) -> None:
        """Import torch and torch.distributed."""
        import torch
        import torch.distributed

        self.torch, self.dist = torch, torch.distributed
        self.tell("facts", torch=str(torch.__version__), cuda=str(torch.version.cuda or ""))
        if not self.dist.is_available():
            raise RefusedError("no_distributed", "this build of torch has no torch.distributed")

    def choose_device(self) -> None:
        """A GPU for each rank, or the CPU where there is no GPU and none was asked for."""
        torch, wanted = self.torch, self.config["backend"]
        count = 0 if wanted == "gloo" else torch.cuda.device_count()
        asked = wanted == "nccl" or self.config["devices_asked"]
        if not count and not asked:
            self.backend, self.device = "gloo", torch.device("cpu")
            torch.set_num_threads(1)
        else:
            self.take_gpu(count)
        if self.backend == "gloo" and not self.dist.is_gloo_available():
            raise RefusedError("no_backend", "this build of torch has no gloo")
        self.tell("facts", backend=self.backend, device=str(self.device))

    def take_gpu(self, count: int) -> None:
        """Bind this rank to its GPU."""
        torch = self.torch
        self.tell("facts", backend="nccl", devices=count)
        if torch.version.cuda is None:
            raise RefusedError("no_cuda_build", "this build of torch has no CUDA: " + str(torch.__version__))
        if self.local_rank >= count or self.local_world > count:
            raise RefusedError(
                "too_few_devices", "%d ranks on this machine, torch sees %d GPUs" % (self.local_world, count)
            )
        if not self.dist.is_nccl_available():
            raise RefusedError("no_backend", "this build of torch has no NCCL")
        self.backend, self.device = "nccl", torch.device("cuda", self.local_rank)
        torch.cuda.set_device(self.device)
        torch.zeros(1, device=self.device)  # creates the context
        torch.cuda.synchronize()
        properties = torch.cuda.get_device_properties(self.device)
        version = torch.cuda.nccl.version()
        self.tell(
            "facts",
            gpu=properties.name,
            nccl=".".join(map(str, version)) if isinstance(version, tuple) else str(version),
        )

    def meet(self) -> None:
        """Find the other ranks and make sure that all were started for the same run."""
        host, port = self.address
        master = self.rank == 0 and not self.store_elsewhere
        store = self.dist.TCPStore(host, port, self.world, master, timeout=self.timeout, wait_for_workers=False)
        self.store = self.dist.PrefixStore(self.prefix, store)
        mine: dict[str, Any] = {
            "world": self.world,
            "backend": self.backend,
            "max_bytes": self.affordable(),
            "config": self.shared(),
        }
        self.store.set("hello/%d" % self.rank, json.dumps(mine))
        self.max_bytes = mine["max_bytes"]
        for other in range(self.world):
            self.await_key("hello/%d" % other, other)
            theirs = json.loads(self.store.get("hello/%d" % other))
            self.compare(mine, theirs, other)
            self.max_bytes = min(self.max_bytes, theirs["max_bytes"])

    def shared(self) -> dict[str, Any]:
        """What must be the same on every rank."""
        return {key: self.config[key] for key in ("ops", "dtypes", "max_bytes")}

    def compare(self, mine: dict[str, Any], theirs: dict[str, Any], other: int) -> None:
        """Refuse ranks of another run."""
        for key, kind in (("world", "world_size"), ("backend", "backend_differs"), ("config", "options_differ")):
            if mine[key] != theirs[key]:
                text = "rank %d was started with %s %s, rank %d with %s"
                raise RefusedError(kind, text % (self.rank, key, mine[key], other, theirs[key]))

    def await_key(self, key: str, other: int) -> None:
        """Wait for a rank's sign in the store; say now and then who is missing."""
        started = said = time.monotonic()
        while not self.store.check([key]):
            now = time.monotonic()
            if now - said > 1:
                self.tell("waiting", rank=other)
                said = now
            time.sleep(0.002 if now - started < 0.5 else 0.05)

    def affordable(self) -> int:
        """Largest message in bytes that memory allows: input, output, mask and room for the rest."""
        asked = int(self.config["max_bytes"])
        if self.backend == "nccl":
            free = int(self.torch.cuda.mem_get_info(self.device)[0])
            return min(asked or 256 << 20, max(4, free // 6))
        return min(asked or CPU_MAX_BYTES, max(4, free_host_bytes() // (6 * max(1, self.local_world))))

    def init_group(self) -> None:
        """Build the communicator and send the first bytes through it."""
        take_shared_memory()
        self.dist.init_process_group(
            self.backend, store=self.store, rank=self.rank, world_size=self.world, timeout=self.timeout
        )
        one = self.torch.ones(1, device=self.device)
        self.dist.all_reduce(one)
        if float(one) != self.world:
            raise RefusedError("first_reduce", "the sum of %d ones is %g" % (self.world, float(one)))

    # Data

    def table(self, dtype: str) -> Tensor:
        """One period of whole numbers, at most EXACT divided by the ranks, never 0."""
        if dtype not in self.tables:
            torch = self.torch
            values = max(1, EXACT[dtype] // self.world)
            positions = torch.arange(PERIOD, dtype=torch.int64)
            numbers = (positions * positions * 7919 + positions * 104729 + 12345) % 65521 % values + 1
            kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[dtype]
            self.tables[dtype] = numbers.to(kind).to(self.device)
        return self.tables[dtype]

    def pattern(self, dtype: str, rank: int, number: int, offset: int = 0) -> Tensor:
        """What `rank` holds in round `number` from element `offset` on: one period."""
        return self.torch.roll(self.table(dtype), -self.shift(rank, number, offset))

    def shift(self, rank: int, number: int, offset: int = 0) -> int:
        """Where in the period a rank's data of a round begins."""
        return (rank * RANK_SHIFT + number * ROUND_SHIFT + offset) % PERIOD

    def fill(self, out: Tensor, dtype: str, number: int) -> None:
        """Put the data of this rank into `out`."""
        base = self.bases.get(dtype)
        if base is None or base.numel() < out.numel() + PERIOD:
            periods = out.numel() // PERIOD + 2
            base = self.bases[dtype] = self.table(dtype).repeat(periods)
        start = self.shift(self.rank, number)
        out.copy_(base[start : start + out.numel()])

    def total(self, dtype: str, number: int, offset: int = 0) -> Tensor:
        """One period of the sum over all ranks: every partial sum is exact, so the order does not matter."""
        total = self.torch.zeros_like(self.table(dtype))
        for rank in range(self.world):
            total += self.pattern(dtype, rank, number, offset)
        return total

    def holds(self, dtype: str, rank: int, offset: int = 0) -> Callable[[int], Tensor]:
        """The data of one rank, by round."""
        return lambda number: self.pattern(dtype, rank, number, offset)

    def compare_data(self, got: Tensor, expected: Tensor, before: Tensor) -> tuple[int, int, str] | None:
        """Compare every element with the periodic `expected`. None, or (first wrong, number wrong, what it is)."""
        torch = self.torch
        whole = got.numel() // PERIOD * PERIOD
        head = got[:whole].view(-1, PERIOD)
        tail = got[whole:]
        if bool(torch.eq(head, expected).all()) and bool(torch.eq(tail, expected[: tail.numel()]).all()):
            return None
        wrong = torch.cat([head.ne(expected).flatten(), tail.ne(expected[: tail.numel()])]).nonzero().flatten()
        values = got[wrong]
        if bool((values == 0).all()):
            kind = "zeros"
        elif bool((values == before[wrong % PERIOD]).all()):
            kind = "stale"
        else:
            kind = "noise"
        return int(wrong[0]), int(wrong.numel()), kind

    # Collectives: each returns what it wrote and, per part, one period of what must be there

    def all_reduce(self, count: int, dtype: str, number: int) -> list[Checked]:
        """Sum over the ranks, in place."""
        out = self.torch.empty(count, dtype=self.table(dtype).dtype, device=self.device)
        self.fill(out, dtype, number)
        self.dist.all_reduce(out)
        return [(out, lambda k: self.total(dtype, k))]

    def all_gather(self, count: int, dtype: str, number: int) -> list[Checked]:
        """Every rank's part on every rank."""
        part = max(1, count // self.world)
        mine = self.torch.empty(part, dtype=self.table(dtype).dtype, device=self.device)
        self.fill(mine, dtype, number)
        parts = [self.torch.empty_like(mine) for _ in range(self.world)]
        self.dist.all_gather(parts, mine)
        return [(out, self.holds(dtype, rank)) for rank, out in enumerate(parts)]

    def reduce_scatter(self, count: int, dtype: str, number: int) -> list[Checked]:
        """This rank's part of the sum."""
        part = max(1, count // self.world)
        data = self.torch.empty(part * self.world, dtype=self.table(dtype).dtype, device=self.device)
        self.fill(data, dtype, number)
        out = self.torch.empty(part, dtype=data.dtype, device=self.device)
        self.dist.reduce_scatter(out, list(data.chunk(self.world)))
        return [(out, lambda k: self.total(dtype, k, self.rank * part))]

    def broadcast(self, count: int, dtype: str, number: int) -> list[Checked]:
        """The data of a root that changes each round, in place."""
        root = number % self.world
        out = self.torch.zeros(count, dtype=self.table(dtype).dtype, device=self.device)
        if self.rank == root:
            self.fill(out, dtype, number)
        self.dist.broadcast(out, root)
        return [(out, lambda k: self.pattern(dtype, k % self.world, k))]

    def all_to_all(self, count: int, dtype: str, number: int) -> list[Checked]:
        """This rank's part of every rank's data."""
        part = max(1, count // self.world)
        data = self.torch.empty(part * self.world, dtype=self.table(dtype).dtype, device=self.device)
        self.fill(data, dtype, number)
        out = self.torch.empty_like(data)
        self.dist.all_to_all_single(out, data)
        return [(piece, self.holds(dtype, rank, self.rank * part)) for rank, piece in enumerate(out.chunk(self.world))]

    def check_collectives(self) -> None:
        """Every collective, type and size; every element compared."""
        number = 0
        for op in self.config["ops"]:
            for dtype in self.config["dtypes"]:
                for size in sizes_up_to(self.max_bytes):
                    for _ in range(CHECK_ROUNDS):
                        number += 1
                        self.check(op, dtype, size, number)
        self.bases.clear()

    def check(self, op: str, dtype: str, size: int, number: int) -> None:
        """One collective. A rank that finds wrong data goes on: the others would wait for it."""
        self.tell("step", step="%s %s %d bytes" % (op, dtype, size))
        count = max(1, size // self.table(dtype).element_size())
        for out, expected in getattr(self, op)(count, dtype, number):
            found = self.compare_data(out, expected(number), expected(number - 1))
            if found:
                first, wrong, kind = found
                self.tell(
                    "wrong",
                    op=op,
                    dtype=dtype,
                    bytes=size,
                    round=number,
                    offset=first,
                    count=wrong,
                    elements=out.numel(),
                    kind=kind,
                )

    def time_all_reduce(self) -> None:
        """Time per size: the median of the rounds after a warm-up, each round ended by a synchronisation."""
        for size in sizes_up_to(self.max_bytes):
            self.tell("step", step="all_reduce fp32 %d bytes, timed" % size)
            data = self.torch.zeros(max(1, size // 4), device=self.device)
            times = [self.timed(data) for _ in range(WARM_UP_ROUNDS + TIMED_ROUNDS)][WARM_UP_ROUNDS:]
            self.tell("size", op="all_reduce", dtype="fp32", bytes=size, seconds=statistics.median(times))

    def timed(self, data: Tensor) -> float:
        """Seconds of one all-reduce."""
        started = time.perf_counter()
        self.dist.all_reduce(data)
        if self.backend == "nccl":
            self.torch.cuda.synchronize()
        return time.perf_counter() - started

    def leave(self) -> None:
        """Part: nobody goes before all have come to the end, because rank 0 holds the store."""
        self.dist.destroy_process_group()
        self.store.set("bye/%d" % self.rank, "1")
        for other in range(self.world) if self.rank == 0 else ():
            self.await_key("bye/%d" % other, other)


def sizes_up_to(largest: int) -> list[int]:
    """Message sizes in bytes: one element, then by four from 4 KiB, with the largest itself."""
    sizes = [4]
    size = 4096
    while size < largest:
        sizes.append(size)
        size *= 4
    return [*sizes, largest] if largest > 4 else sizes


def take_shared_memory() -> None:
    """Take and touch as much shared memory as a channel of NCCL would; nothing is left, it has no name."""
    folder = "/dev/shm"  # noqa: S108 - the place itself is what is tested
    if not os.path.isdir(folder):
        return
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EACCES, errno.EROFS):
            return
        raise RefusedError("shm", "no file can be made in %s: %s" % (folder, error.strerror)) from error
    try:
        os.posix_fallocate(file, 0, SHM_BYTES)
    except OSError as error:
        free = os.statvfs(folder)
        text = "%d bytes of shared memory cannot be had in %s (%d bytes free): %s"
        raise RefusedError("shm", text % (SHM_BYTES, folder, free.f_bavail * free.f_frsize, error.strerror)) from error
    finally:
        os.close(file)


def free_host_bytes() -> int:
    """Memory that the machine has to spare; plenty where it does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 1 << 40


def main(argv: Sequence[str], worker_class: type[Worker] = Worker) -> None:
    """Run one rank; what goes wrong is told by name before the process ends."""
    config = json.loads(argv[1])
    os.set_blocking(config["pipe"], True)
    os.set_inheritable(config["pipe"], False)
    faulthandler.enable(file=config["pipe"])
    faulthandler.register(signal.SIGUSR1, file=config["pipe"], all_threads=True)
    worker = worker_class(config, os.environ)
    status = 1
    try:
        worker.run()
        status = 0
    except BaseException as error:  # noqa: BLE001 - the border of the process: whatever it is, it is told
        worker.tell(
            "error",
            kind=getattr(error, "kind", "exception"),
            type=type(error).__name__,
            text=str(error)[:ERROR_CHARS],
            trace="".join(traceback.format_tb(error.__traceback__)[-6:])[:ERROR_CHARS],
        )
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving by the front door would run destructors that wait for other ranks.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv)
