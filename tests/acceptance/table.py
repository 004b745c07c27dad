"""The acceptance table as markdown: python -m tests.acceptance.table > docs/situations.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.acceptance.lab import Laboratory, Outcome
from tests.acceptance.situation import Situation, situations

HEAD = ("| situation | first cause | severity | fix |", "| --- | --- | --- | --- |")


def line(one: Situation, found: Outcome) -> str:
    """A situation's row: cause of the first finding, its severity, its fix line as code, whatever that contains."""
    return f"| {one.situation} | {found.cause} | {found.severity} | {_code(found.fix_line)} |"


def markdown(folder: Path) -> str:
    """The whole table."""
    laboratory, wanted = Laboratory(folder), situations()
    laboratory.start(wanted)
    return "\n".join([*HEAD, *(line(one, laboratory.outcome(one)) for one in wanted)])


def _code(text: str) -> str:
    shown = text.replace("|", "\\|")
    if "`" in shown:
        return f"`` {shown} ``"
    return f"`{shown}`" if shown else ""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(markdown(Path(folder)) + "\n")


if __name__ == "__main__":
    main()
