"""Small helpers for the tests of fit."""

from __future__ import annotations

from typing import Any

from gpudoctor.fit.card import Card, named_card
from gpudoctor.fit.identify import identify
from gpudoctor.fit.prediction import Prediction
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import Attention, Dense, Experts, FeedForward, LatentAttention, Layer, Mixer, Shape

GIB = 1 << 30


def question(model: str, *, gpu: str = "H100 80GB", gpus: int = 0, quant: str = "", **options: Any) -> Question:
    """A question about a model of the table."""
    found = identify(model, quant)
    world = options.get("tp", 1) * options.get("pp", 1)
    return Question(shape=found.shape, packing=found.packing, cards=(named_card(gpu),) * (gpus or world), **options)


def ask(model: str, **options: Any) -> Prediction:
    """The prediction of such a question."""
    return predict(question(model, **options))


def card(total_gib: float, free_gib: float | None = None, index: int | None = None) -> Card:
    """A card of so many GiB."""
    free = None if free_gib is None else round(free_gib * GIB)
    return Card(
        name="card", total_bytes=round(total_gib * GIB), free_bytes=free, index=index, compute_capability=(9, 0)
    )


def tiny(
    mixer: Mixer | None = None,
    part: FeedForward | None = None,
    *,
    layers: int = 2,
    vocab: int = 128,
    tied: bool = False,
) -> Shape:
    """A model small enough to count by hand: width 64, four heads of 16, two KV heads, MLP of 256."""
    layer = Layer(mixer=mixer or Attention(heads=4, kv_heads=2, head_dim=16), feed_forward=part or Dense(width=256))
    return Shape(id="tiny", source="test", hidden=64, vocab=vocab, layers=(layer,) * layers, tied=tied)


LATENT = LatentAttention(heads=4, kv_rank=32, nope_dim=16, rope_dim=8, value_dim=16, q_rank=24)
EXPERTS = Experts(count=8, active=2, width=128, shared_width=128)
