"""GGUF files by their names: which belong together, and which are models of their own.

Naming: docs/gguf.md of https://github.com/ggml-org/ggml, "GGUF naming convention": NAME-00001-of-00003.gguf.
"""

from __future__ import annotations

import re
from typing import Final

from gpudoctor.readers.gguf import Gguf

MAX_PARTS: Final = 1000
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<end>\.gguf)", re.IGNORECASE)


def parts_of(name: str) -> tuple[str, ...]:
    """All parts of the model that the file belongs to, in order; the file alone where it is no part."""
    found = _PART.fullmatch(name)
    count = int(found["count"]) if found else 0
    if found is None or not 0 < count <= MAX_PARTS:
        return (name,)
    return tuple(f"{found['stem']}-{number:05d}-of-{count:05d}{found['end']}" for number in range(1, count + 1))


def models_among(names: tuple[str, ...]) -> tuple[str, ...]:
    """One file for each model in a folder: first parts, and no projectors for images."""
    models: list[str] = []
    for name in names:
        if not name.lower().endswith(".gguf") or "mmproj" in name.lower():
            continue
        found = _PART.fullmatch(name)
        if found is None or int(found["number"]) == 1:
            models.append(name)
    return tuple(models)


def is_no_model(first: Gguf) -> bool:
    """Whether a file is a projector, an adapter or a matrix of importances rather than a model."""
    return first.text("general.type") in ("mmproj", "adapter", "imatrix") or first.architecture in ("clip", "")
