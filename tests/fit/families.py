"""Configurations and tensors of a hundred families, as transformers itself builds them."""

from __future__ import annotations

import json
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from gpudoctor.readers.tensor import Tensor


@cache
def families() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "families.json").read_text())["families"]
    return found


def config_text(family: str) -> str:
    return json.dumps(families()[family]["config"])


def tensors(family: str, bytes_each: int = 2) -> list[Tensor]:
    """Every tensor that a checkpoint would have, in 16 bit."""
    found: list[Tensor] = []
    for template, shape, numbers in families()[family]["tensors"]:
        names = [template.replace("#", str(number), 1) for number in _numbers(numbers)] or [template]
        found.extend(Tensor(name, "BF16", tuple(shape), bytes_each * prod(shape)) for name in names)
    return found


def _numbers(ranges: str) -> list[int]:
    """The layers of `0-3,7`."""
    found: list[int] = []
    for part in ranges.split(",") if ranges else []:
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found
