"""The acceptance table as markdown: python -m tests.acceptance.table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.acceptance.lab import Laboratory
from tests.acceptance.situation import situations


def rows(folder: Path) -> list[tuple[str, str, str, str]]:
    """Situation, cause of the first finding, its severity, its fix line."""
    laboratory, wanted = Laboratory(folder), situations()
    laboratory.start(wanted)
    outcomes = ((one, laboratory.outcome(one)) for one in wanted)
    return [(one.situation, found.cause, found.severity, found.fix_line) for one, found in outcomes]


def markdown(table: list[tuple[str, str, str, str]]) -> str:
    """The table; a fix is code, whatever it contains."""
    head = ["| situation | first cause | severity | fix |", "| --- | --- | --- | --- |"]
    return "\n".join(
        [*head, *(f"| {text} | {cause} | {severity} | {_code(fix)} |" for text, cause, severity, fix in table)]
    )


def _code(text: str) -> str:
    shown = text.replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown}{fence}" if shown else ""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(markdown(rows(Path(folder))) + "\n")


if __name__ == "__main__":
    main()
