"""The cards of this machine, or of a snapshot, as fit needs them: what each has and what is free of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gpudoctor.errors import GpudoctorError

if TYPE_CHECKING:
    from gpudoctor.cli.fitting import Wanted
    from gpudoctor.fit.card import Card
    from gpudoctor.model.facts import Facts, Gpu

GIB: Final = 1 << 30
_TIMEOUT_S: Final = 30.0
HINT: Final = 'name the card: --gpu "RTX 4090 24GB" --gpus 2'


def machine_cards(wanted: Wanted) -> tuple[tuple[Card, ...], Facts]:
    """The cards that CUDA would see, in its order; a machine without any gets one that is none.

    Raises:
        GpudoctorError: the snapshot has none.
    """
    from gpudoctor.fit.card import no_card

    facts = _facts(wanted)
    devices = facts.gpus.devices.or_none() or ()
    order = facts.visible.devices.or_none()
    chosen = [gpu for gpu in devices if order is None or gpu.index in order]
    if order is not None:
        chosen.sort(key=lambda gpu: order.index(gpu.index))
    cards = tuple(card for card in map(_card, chosen) if card is not None)
    if not cards:
        if wanted.snapshot is not None:
            raise GpudoctorError("the snapshot has no GPU's memory", HINT)
        return (no_card(),) * (wanted.gpus or 1), facts
    return cards[: wanted.gpus] if wanted.gpus else cards, facts


def _facts(wanted: Wanted) -> Facts:
    from gpudoctor.derive import derive

    if wanted.snapshot is not None:
        from gpudoctor.cli.gather import from_snapshot

        return derive(from_snapshot(wanted.snapshot).facts)
    from gpudoctor.cli.examiner import examine
    from gpudoctor.cli.gather import Order, request_of

    order = Order(request_of(None, python=None, quick=True), _TIMEOUT_S, wanted.quiet)
    return derive(examine(None, order).facts)


def _card(gpu: Gpu) -> Card | None:
    from msgspec.structs import replace

    from gpudoctor.data.hardware import look_up
    from gpudoctor.fit.card import Card, of_row, visible_gib

    total = gpu.memory_total_bytes.or_none()
    if not total:
        return None
    name = gpu.name.or_none() or "GPU"
    row = look_up(name)
    seen = round(visible_gib(total / GIB) * GIB)
    base = of_row(row) if row is not None else Card(name=name, total_bytes=seen)
    if row is not None and row.vram_mib and abs(row.vram_mib * (1 << 20) - total) > 0.03 * total:
        base = replace(base, total_bytes=seen)  # MIG, ECC or a modified card
    used = gpu.memory_used_bytes.or_none()
    free = gpu.memory_free_bytes.or_none()
    if used is not None:
        free = max(0, base.total_bytes - used)
    capability = gpu.compute_capability.or_none()
    return replace(
        base,
        free_bytes=free,
        driver_total_bytes=total,
        index=gpu.index,
        compute_capability=_pair(capability) if capability else base.compute_capability,
        nvlink=bool(gpu.nvlinks_active.or_none()) if gpu.nvlinks_active.known else base.nvlink,
    )


def _pair(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None
