"""`py-spy dump`: where the main thread of a process stands. `gpudoctor run` begins its lines with `[rankN]: `."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Log, RankStack
from gpudoctor.readers.document import Document

SOURCE = "py-spy dump"
_MAX_FRAMES = 200

_RANK = re.compile(r"\[rank(?P<rank>\d{1,7})\]: ?")
_HEAD = re.compile(r"Process (?P<pid>\d{1,9}): \S")
_THREAD = re.compile(r"Thread (?:0x[0-9A-Fa-f]{1,16}|\d{1,10}) \([^)]{1,40}\)")
_FRAME = re.compile(r"\s{2,}(?P<function>\S{1,120}) \((?P<file>[^()]{1,300}):(?P<line>\d{1,7})\)\s*$")
# Files in which a rank waits for the others, as py-spy writes them: from the package on.
_WAITING = (
    "torch/distributed/distributed_c10d.py",
    "torch/distributed/_functional_collectives.py",
    "torch/distributed/tensor/",
    "deepspeed/comm/",
    "device_communicators/pynccl.py",
    "device_communicators/custom_all_reduce.py",
    "device_communicators/shm_broadcast.py",
    "torch/cuda/__init__.py",
    "torch/cuda/streams.py",
)
_SET_UP = frozenset({"wrapper", "init_process_group", "new_group", "set_device", "current_device"})


def _begins(line: str) -> bool:
    return _HEAD.match(_RANK.sub("", line, count=1)) is not None


def _waits(function: str) -> bool:
    return function not in _SET_UP and not function.startswith("_")


def _belongs(line: str, _: int) -> bool:
    text = _RANK.sub("", line, count=1)
    return not text.strip() or text.startswith(("    ", "Python v", "Thread ")) or _THREAD.match(text) is not None


def read(lines: Sequence[str]) -> Facts:
    """The main thread's innermost frame, and the operation in which it waits for others, "" for none."""
    if not lines:
        return Facts()
    mark = _RANK.match(lines[0])
    texts = [_RANK.sub("", line, count=1) for line in lines]
    head = _HEAD.match(texts[0])
    frames = _main_thread(texts)
    if head is None or not frames:
        return Facts()
    top = frames[0]
    waits = next(
        (
            frame["function"]
            for frame in frames
            if any(name in frame["file"] for name in _WAITING) and _waits(frame["function"])
        ),
        "",
    )
    stack = RankStack(
        rank=int(mark["rank"]) if mark else -1,
        pid=int(head["pid"]),
        function=top["function"],
        place=f"{top['file']}:{top['line']}",
        waits_in=waits,
    )
    return Facts(log=Log(stacks=known((stack,), SOURCE)))


def _main_thread(texts: Sequence[str]) -> list[re.Match[str]]:
    """Its frames, innermost first; the first thread's where none is called so."""
    threads: list[tuple[str, list[re.Match[str]]]] = []
    for text in texts[1:]:
        if _THREAD.match(text):
            threads.append((text, []))
        elif threads and len(threads[-1][1]) < _MAX_FRAMES and (frame := _FRAME.match(text)):
            threads[-1][1].append(frame)
    main = [frames for text, frames in threads if "MainThread" in text]
    return main[0] if main else threads[0][1] if threads else []


DOCUMENT = Document(
    name=SOURCE,
    literals=("Process ",),
    begins=_begins,
    belongs=_belongs,
    read=read,
    max_lines=2000,
)
