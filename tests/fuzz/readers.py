"""Feeds damaged documents to every reader: `python -m tests.fuzz.readers 200000 [--only NAME] [--seed 1]`.

Prints a line for each reader and the inputs that crashed one or took longer than a quarter of a second of CPU time.
The exit status is 1 where there were any.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document, blocks
from tests.fuzz.mutate import mutated

SAMPLES = Path(__file__).parents[1] / "readers" / "documents" / "samples"
SLOW_S = 0.25
_SHOWN = 5


class Outcome(NamedTuple):
    """What became of the inputs of one reader."""

    inputs: int
    recognised: int  # of which at least one block was read
    seconds: float
    slowest_s: float
    crashes: tuple[str, ...]  # the input and the error of each kind once
    slow: tuple[str, ...]


def kinds() -> dict[str, Document]:
    """Every kind by the name of its file."""
    from importlib import import_module
    from pkgutil import iter_modules

    package = import_module("gpudoctor.readers.documents")
    names = sorted(info.name for info in iter_modules(package.__path__) if not info.name.startswith("_"))
    return {name: import_module(f"{package.__name__}.{name}").DOCUMENT for name in names}


def samples(name: str) -> list[str]:
    """The whole documents of one kind."""
    return [file.read_text() for file in sorted(SAMPLES.glob(f"{name}.*"))]


def feed(text: str, kind: Document) -> int:
    """Read every block of a text; how many there were. All lines are also given to `read` as they are."""
    lines = text.split("\n")
    found = 0
    for block in blocks(lines, [kind]):
        assert isinstance(kind.read(block.lines), Facts)
        found += 1
    assert isinstance(kind.read(lines[: kind.max_lines]), Facts)
    return found


def fuzz(name: str, count: int, seed: int) -> Outcome:
    """Feed `count` damaged documents to one reader."""
    kind, texts = kinds()[name], samples(name)
    others = [text for other in kinds() for text in samples(other)]
    dice = random.Random(f"{seed} {name}")
    crashes: dict[str, str] = {}
    slow: list[str] = []
    recognised = 0
    slowest = 0.0
    start = time.monotonic()
    for _ in range(count):
        text = mutated(texts if dice.random() < 0.9 else others, dice)
        before = time.process_time()
        try:
            recognised += feed(text, kind) > 0
        except Exception:  # noqa: BLE001 - this is what is looked for
            error = traceback.format_exc(limit=-3)
            crashes.setdefault(error, text)
        took = time.process_time() - before
        if took > SLOW_S:
            took = min(took, _again(text, kind))
            slow += [text] if took > SLOW_S else []
        slowest = max(slowest, took)
    found = tuple(f"{error}\n{text[:2000]!r}" for error, text in crashes.items())
    return Outcome(count, recognised, time.monotonic() - start, slowest, found, tuple(slow))


def _again(text: str, kind: Document) -> float:
    """The best of three: another process may have been in the way."""
    times = []
    for _ in range(3):
        before = time.process_time()
        feed(text, kind)
        times.append(time.process_time() - before)
    return min(times)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--only", action="append", choices=sorted(kinds()))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    bad = 0
    for name in options.only or kinds():
        outcome = fuzz(name, options.count, options.seed)
        bad += len(outcome.crashes) + len(outcome.slow)
        _show(name, outcome)
    return 1 if bad else 0


def _show(name: str, outcome: Outcome) -> None:
    print(
        f"{name:20} {outcome.inputs:8} inputs  {outcome.recognised:8} recognised  {outcome.seconds:7.1f} s  "
        f"slowest {outcome.slowest_s * 1000:6.1f} ms  {len(outcome.crashes)} crashes  {len(outcome.slow)} slow",
        flush=True,
    )
    for text in (*outcome.crashes[:_SHOWN], *outcome.slow[:_SHOWN]):
        print(text[:3000])


if __name__ == "__main__":
    sys.exit(main())
