"""A graphics card as fit needs it: how much memory a CUDA program sees, how much of it is free, which kernels it runs.

A card is one of this machine, or is named by the user in any of the usual ways: "RTX 4090 24GB", "A100 80GB SXM".
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gpudoctor.data.hardware import HardwareRow, look_up, table
from gpudoctor.errors import UsageError

GIB: Final = 1 << 30
_MIG = re.compile(r"\b\d+g\.(\d+)gb\b")
_SIZE = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d)?)\s*(?:gib|gb|g)\b")
_GLUED = re.compile(r"(\d)(ti|super)\b")
_WORD = re.compile(r"[a-z]*\d[a-z0-9]*|[a-z]+")
_SAYS_NOTHING: Final = frozenset(
    {
        "nvidia",
        "geforce",
        "tesla",
        "gpu",
        "gpus",
        "generation",
        "hbm2",
        "hbm2e",
        "hbm3",
        "edition",
        "quadro",
        "dgx",
        "spark",
    }
)
_FORM: Final = {"sxm": "sxm", "sxm2": "sxm", "sxm4": "sxm", "sxm5": "sxm"}
_TOLERANCE: Final = 0.1  # between a size on the box and what the driver reports (ECC takes a sixteenth)
# The driver and CUDA keep this much of what nvidia-smi prints as total: difference of totals in public logs, 16 to
# 141 GiB (2026-11): within 0.1 GiB.
_KEPT_GIB: Final = 0.33
_KEPT_SHARE: Final = 0.0028
_MIG_SHARE: Final = 0.95  # a 1g.5gb slice has 4.75 GiB


class Card(Struct, frozen=True, kw_only=True):
    """One GPU. `total_bytes` is what CUDA programs see, less than nvidia-smi's total."""

    name: str
    total_bytes: int
    free_bytes: int | None = None  # now; None: a card that nobody uses
    driver_total_bytes: int | None = None  # what nvidia-smi prints
    index: int | None = None  # of this machine, as nvidia-smi numbers it
    compute_capability: tuple[int, int] | None = None
    memory_bandwidth_gbs: float | None = None
    nvlink: bool = False  # on a board where all GPUs are linked
    geforce: bool = False
    unified: bool = False  # memory shared with the CPU
    guessed: bool = False  # no row of the hardware table: only the size is known
    imagined: bool = False  # no card is known at all: stands in so that weights can be counted

    @property
    def total_gib(self) -> float:
        """What CUDA programs see."""
        return self.total_bytes / GIB

    @property
    def free_now(self) -> int:
        """Bytes that a new process can get."""
        return self.total_bytes if self.free_bytes is None else min(self.free_bytes, self.total_bytes)

    @property
    def used_by_others(self) -> int:
        """Bytes that other processes hold."""
        return self.total_bytes - self.free_now


def no_card() -> Card:
    """What weights are counted on where no card is known."""
    return Card(name="no card", total_bytes=80 * GIB, imagined=True)


def named_card(text: str, memory_gib: float | None = None) -> Card:
    """The card that a user names.

    Args:
        text: its name, with or without the size; a size alone will do.
        memory_gib: total as CUDA programs see it, where the user knows better.

    Raises:
        UsageError: neither the name nor a size is known.
    """
    low = _GLUED.sub(r"\1 \2", text.lower()[:200])
    slice_ = _MIG.search(low)
    if slice_:
        total = round((memory_gib or float(slice_.group(1)) * _MIG_SHARE) * GIB)
        return Card(name=text, total_bytes=total, guessed=True)
    found = _SIZE.search(low)
    size = float(found.group(1)) if found else None
    row = look_up(text) or _row(low, size)
    if row is None and size is not None:  # another size of a known card: V100 16GB, a modded 2080 Ti
        row = _row(low, None)
        memory_gib = memory_gib or visible_gib(size)
    if row is None:
        return _unlisted(text, memory_gib)
    card = of_row(row)
    return card if memory_gib is None else _with_total(card, memory_gib)


def of_row(row: HardwareRow) -> Card:
    """An empty card of the hardware table."""
    driver = (row.vram_mib or 0) / 1024
    total = row.torch_total_gib or visible_gib(driver)
    major, _, minor = (row.compute_capability or "").partition(".")
    return Card(
        name=row.name.removeprefix("NVIDIA ").removeprefix("GeForce "),
        total_bytes=round(total * GIB),
        driver_total_bytes=round(driver * GIB) or None,
        compute_capability=(int(major), int(minor)) if minor else None,
        memory_bandwidth_gbs=row.memory_bandwidth_gbs,
        nvlink=row.form == "sxm" and bool(row.nvlinks_active),
        geforce=row.geforce,
        unified=row.name.endswith("GB10"),
    )


def visible_gib(driver_gib: float) -> float:
    """What CUDA programs see of a card whose total nvidia-smi gives."""
    return max(0.0, driver_gib - _KEPT_GIB - _KEPT_SHARE * driver_gib)


def close_names(text: str) -> list[str]:
    """Cards that share a word with the text, for a hint."""
    words = _words(text.lower())
    found = [row.name.removeprefix("NVIDIA ") for row in table().values() if words & _words(row.name.lower())]
    return found[:4]


def _with_total(card: Card, memory_gib: float) -> Card:
    from msgspec.structs import replace

    return replace(card, total_bytes=round(memory_gib * GIB))


def _unlisted(text: str, memory_gib: float | None) -> Card:
    if memory_gib is None:
        near = close_names(text)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else 'add its memory: --gpu "NAME 24GB", or --gpu-memory-gib'
        )
        raise UsageError(f"no card called {text[:60]!r} is in the table", hint)
    return Card(name=text, total_bytes=round(memory_gib * GIB), guessed=True)


def _words(low: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_SIZE.sub(" ", low))) - _SAYS_NOTHING


def _row(low: str, size: float | None) -> HardwareRow | None:
    words = _words(low)
    forms = {_FORM[word] for word in words if word in _FORM}
    words -= _FORM.keys()
    if not any(any(c.isdigit() for c in word) or word == "titan" for word in words):
        return None
    fitting = [
        row
        for row in table().values()
        if words <= _words(row.name.lower())
        and (not forms or row.form in forms)
        and (size is None or _has_size(row, size))
    ]
    return min(fitting, key=lambda row: _preference(row, words), default=None)


def _preference(row: HardwareRow, words: frozenset[str]) -> tuple[int, bool, str]:
    """The plainest name first; of equals the board with NVLink, which most logs come from."""
    extra = _words(row.name.lower()) - words - {"pcie", "sxm2", "sxm4"}
    return len(extra), row.form != "sxm", row.name


def _has_size(row: HardwareRow, size: float) -> bool:
    known = (row.vram_mib or 0) / 1024 or row.torch_total_gib or 0.0
    return abs(known - size) <= _TOLERANCE * size
