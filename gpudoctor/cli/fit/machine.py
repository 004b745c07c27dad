"""The cards of this machine, or of a snapshot, as fit needs them: what each has and what is free of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gpudoctor.errors import GpudoctorError

if TYPE_CHECKING:
    from gpudoctor.cli.fit.work import Wanted
    from gpudoctor.fit.card import Card
    from gpudoctor.model.facts import Facts

_TIMEOUT_S: Final = 30.0
HINT: Final = 'name the card: --gpu "RTX 4090 24GB" --gpus 2'


def machine_cards(wanted: Wanted) -> tuple[tuple[Card, ...], Facts]:
    """The cards that CUDA would see, in its order; a machine without any gets one that is none.

    Raises:
        GpudoctorError: the snapshot has none.
    """
    from gpudoctor.fit.card import no_card
    from gpudoctor.fit.machine_card import card_of

    facts = _facts(wanted)
    devices = facts.gpus.devices.or_none() or ()
    order = facts.visible.devices.or_none()
    chosen = [gpu for gpu in devices if order is None or gpu.index in order]
    if order is not None:
        chosen.sort(key=lambda gpu: order.index(gpu.index))
    cards = tuple(card for card in map(card_of, chosen) if card is not None)
    if not cards:
        if wanted.snapshot is not None:
            raise GpudoctorError("the snapshot has no GPU's memory", HINT)
        return (no_card(),) * (wanted.gpus or 1), facts
    return cards[: wanted.gpus] if wanted.gpus else cards, facts


def _facts(wanted: Wanted) -> Facts:
    from gpudoctor.derive import derive

    if wanted.snapshot is not None:
        from gpudoctor.cli.examine.snapshot_file import from_snapshot

        return derive(from_snapshot(wanted.snapshot).facts)
    from gpudoctor.cli.examine.examiner import examine
    from gpudoctor.cli.examine.order import Order, request_of

    order = Order(request_of(None, python=None, quick=True), _TIMEOUT_S, wanted.quiet)
    return derive(examine(None, order).facts)


def installed_version(facts: Facts, engine: str) -> str:
    """The version of an engine in the interpreter that was examined; "" where it is not there."""
    fact = {"vllm": facts.python.vllm, "sglang": facts.python.sglang, "trtllm": facts.python.tensorrt_llm}.get(engine)
    return (fact.or_none() or "") if fact is not None else ""
