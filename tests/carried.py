"""`python -m tests.carried DIR`: whether labelled cases end the same in every form in which their logs may come.

For each form and for logs cut at either end: how many cases have the same first cause as in the original, and how many
are right (as `tests.cases` counts: the first cause acceptable, a healthy run quiet).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cases import INPUTS, Bench, Scored, score
from tests.logs.test_robustness import FORMS


def _cut(first: float, last: float) -> Callable[[str], bytes]:
    """The part of the lines between two shares of all."""

    def form(text: str) -> bytes:
        lines = text.splitlines(keepends=True)
        return "".join(lines[round(first * len(lines)) : round(last * len(lines))]).encode()

    return form


CUTS = {
    "first tenth missing": _cut(0.1, 1),
    "first quarter missing": _cut(0.25, 1),
    "last tenth missing": _cut(0, 0.9),
    "last quarter missing": _cut(0, 0.75),
}


def carried(folder: Path, form: Callable[[str], bytes], bench: Bench, into: Path) -> Scored | None:
    """A case with its log in another form; the other files as they are."""
    (into / folder.name).mkdir()
    for name in ("case.json", *INPUTS):
        if (folder / name).exists():
            data = (folder / name).read_bytes()
            text = data.decode("utf-8", "replace")
            (into / folder.name / name).write_bytes(form(text) if name == "log.txt" else data)
    return score(into / folder.name, bench)


def main() -> int:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    bench = Bench()
    folders = sorted(file.parent for file in options.folder.glob("*/log.txt") if _usable(file.parent))
    originals = {folder.name: score(folder, bench) for folder in folders}
    print(f"{'form':24}{'same first cause':>18}{'right':>8}   of {len(folders)}; as it is:", _right(originals.values()))
    for name, form in (FORMS | CUTS).items():
        with TemporaryDirectory() as temporary:
            now = {folder.name: carried(folder, form, bench, Path(temporary)) for folder in folders}
        changed = [case for case, one in now.items() if _first(one) != _first(originals[case])]
        print(
            f"{name:24}{len(folders) - len(changed):>18}{_right(now.values()):>8}   {' '.join(changed[:12])}",
            flush=True,
        )
    return 0


def _usable(folder: Path) -> bool:
    return bool(json.loads((folder / "case.json").read_text()).get("usable", True))


def _first(one: Scored | None) -> str:
    return one.ranked[0] if one is not None and one.ranked else ""


def _right(ones: object) -> int:
    return sum(one.top1 for one in ones if isinstance(one, Scored)) if hasattr(ones, "__iter__") else 0


if __name__ == "__main__":
    sys.exit(main())
