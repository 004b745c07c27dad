"""Options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from gpudoctor.errors import UsageError

Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="text, json, markdown ... (see the README).")]
TextOrJson = Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to this file.")]


def finite(value: float | None) -> float | None:
    """Refuse NaN, which no range excludes. Raises UsageError."""
    if value is not None and math.isnan(value):
        raise UsageError("nan is no number that an option can have", "give a number")
    return value


Timeout = Annotated[
    float, typer.Option("--timeout", min=0.5, max=3600, callback=finite, help="Seconds for all probing together.")
]
MAX_SIZE = 10**6  # of a parallel dimension
MAX_TOKENS = 10**12
SmokeModel = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="Also compare a layer of this model, sharded and whole."),
]
Hidden = Annotated[
    int | None, typer.Option("--hidden", min=8, max=MAX_SIZE, help="Width of that layer; with --intermediate.")
]
Intermediate = Annotated[int | None, typer.Option("--intermediate", min=8, max=MAX_SIZE, help="Width of its MLP.")]
Python = Annotated[
    str | None,
    typer.Option("--python", metavar="PATH", help="Interpreter whose torch and framework are examined."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Nothing that imports torch.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show infos, all fixes and all probes in full.")]
Color = Annotated[str, typer.Option("--color", metavar="WHEN", help="auto, always or never.")]
RuleDirs = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="More rules, beside the packaged ones (repeatable)."),
]
Launch = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[-- LAUNCH COMMAND...]", help="How the run is started; parsed, never run.", show_default=False
    ),
]


def check_text_or_json(format_name: str) -> None:
    """Refuse another format. Raises UsageError."""
    if format_name not in ("text", "json"):
        raise UsageError(f"unknown format {format_name!r}", "one of text, json")
