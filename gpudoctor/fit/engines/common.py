"""What several engines share."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import Dense, Experts, FeedForward
from gpudoctor.fit.tensors import share


def gib(size: float) -> str:
    """Bytes for a person."""
    return f"{size / GIB:.1f} GiB" if abs(size) >= 10 * GIB or abs(size) < GIB / 100 else f"{size / GIB:.2f} GiB"


def card_of(question: Question, position: int) -> Card:
    """The card at a position; where fewer were named than the run takes, the last stands for the rest."""
    return question.cards[min(position, len(question.cards) - 1)]


def card_name(card: Card) -> str:
    """`GPU 2` on this machine, else the model."""
    return f"GPU {card.index}" if card.index is not None else card.name


def stage_cards(question: Question, stage: int) -> Iterator[tuple[int, Card]]:
    """The cards of one pipeline stage with their positions."""
    for offset in range(stage * question.tp, (stage + 1) * question.tp):
        yield offset, card_of(question, offset)


def activation_width(question: Question) -> int:
    """Numbers that live at once for each token of a prefill: the widest feed-forward part and three hidden states."""
    hidden = question.shape.hidden
    parts = {layer.feed_forward for layer in question.shape.layers if layer.feed_forward is not None}
    return 3 * hidden + max((_width(part, question, hidden) for part in parts), default=4 * hidden)


def _width(part: FeedForward, question: Question, hidden: int) -> int:
    if isinstance(part, Dense):
        return (3 if part.gated else 2) * share(part.width, question.tp)
    return _experts_width(part, question, hidden)


def _experts_width(part: Experts, question: Question, hidden: int) -> int:
    """Fused experts: each token goes through `active` of them; two of three buffers share memory."""
    width = share(part.width, 1 if question.expert_parallel else question.tp)
    return part.active * (max(2 * width, hidden) + width)
