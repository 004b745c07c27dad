"""A GPU among the facts → a card."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.data.hardware import look_up
from gpudoctor.fit.card import GIB, Card, of_row, visible_gib
from gpudoctor.model.facts import Gpu

_OTHER_SIZE = 0.03  # of the table's: MIG, ECC or a modified card


def card_of(gpu: Gpu) -> Card | None:
    """The card with what is free of it now; None where its memory is not known."""
    total = gpu.memory_total_bytes.or_none()
    if not total:
        return None
    name = gpu.name.or_none() or "GPU"
    row = look_up(name)
    seen = round(visible_gib(total / GIB) * GIB)
    base = of_row(row) if row is not None else Card(name=name, total_bytes=seen)
    if row is not None and row.vram_mib and abs(row.vram_mib * (1 << 20) - total) > _OTHER_SIZE * total:
        base = replace(base, total_bytes=seen)
    used = gpu.memory_used_bytes.or_none()
    free = max(0, base.total_bytes - used) if used is not None else gpu.memory_free_bytes.or_none()
    capability = gpu.compute_capability.or_none()
    links = gpu.nvlinks_active.or_none()
    return replace(
        base,
        free_bytes=free,
        driver_total_bytes=total,
        index=gpu.index,
        compute_capability=_pair(capability) if capability else base.compute_capability,
        nvlink=base.nvlink if links is None else links > 0,
    )


def _pair(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None
