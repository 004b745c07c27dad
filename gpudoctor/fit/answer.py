"""Question and prediction → the `fit` part of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.engines.common import card_of
from gpudoctor.fit.identify import Identified
from gpudoctor.fit.legality import legal_sizes
from gpudoctor.fit.prediction import Limit, Prediction, RankUse
from gpudoctor.fit.question import Question
from gpudoctor.fit.suggest import Suggestion
from gpudoctor.fit.tensors import parameters
from gpudoctor.model.fit import FitAdvice, FitGpu, FitLimit, FitModel, FitReport, FitSuggestion
from gpudoctor.model.fit_options import FitOption

_NO_BYTES = ("tp_size", "cards")


class Case(Struct, frozen=True, kw_only=True):
    """Everything that one answer is made of.

    `asked` is the model as the user named it, `notes` what was chosen for the user; `rewrite` puts a suggestion into
    the user's own launch command.
    """

    asked: str
    model: Identified
    question: Question
    found: Prediction
    suggestions: Sequence[Suggestion] = ()
    notes: Sequence[str] = ()
    advice: Sequence[FitAdvice] = ()
    options: Sequence[FitOption] = ()
    rewrite: Callable[[Suggestion], str] | None = None


def answer(case: Case) -> FitReport:
    """What a renderer shows."""
    question, found = case.question, case.found
    worst = found.worst
    known = bool(question.cards) and not all(card.imagined for card in question.cards)
    limits = found.limits if known else tuple(limit for limit in found.limits if limit.kind == "tp_size")
    return FitReport(
        fits=not limits if known or limits else None,
        borderline=known and found.borderline and not _structural(found),
        engine=question.engine,
        engine_version=".".join(map(str, question.version)) if question.version else None,
        tp=question.tp,
        pp=question.pp,
        dp=question.dp,
        model=_model(case.asked, case.model, question),
        weights_gib_per_gpu=_gib(worst.weights),
        kv_cache_gib_per_gpu=_gib(worst.kv_cache) if known else None,
        kv_tokens=found.kv_tokens if known else None,
        activation_gib=_gib(worst.activation),
        overhead_gib=_gib(worst.overhead + worst.outside),
        required_gib_per_gpu=_gib(worst.required),
        available_gib_per_gpu=_gib(worst.available) if known else None,
        margin_gib=_gib(found.margin),
        context_tokens=question.context,
        kv_bytes_per_token=found.kv_bytes_per_token,
        legal_tp=legal_sizes(question),
        limits=tuple(_limit(limit) for limit in limits),
        suggestions=tuple(_suggestion(one, case.rewrite) for one in case.suggestions),
        gpus=tuple(_gpu(rank, card_of(question, rank.card)) for rank in found.ranks) if known else (),
        weights_gib_by_class={name: _gib(size) for name, size in sorted(found.classes.items())},
        advice=tuple(case.advice),
        options=tuple(case.options),
        assumptions=(*case.model.notes, *case.notes, *found.assumptions, *_guesses(question)),
    )


def _structural(found: Prediction) -> bool:
    return any(limit.kind in _NO_BYTES for limit in found.limits)


def _model(asked: str, model: Identified, question: Question) -> FitModel:
    shape = model.shape
    return FitModel(
        asked=asked,
        id=shape.id,
        resolved_by=model.by,
        source=shape.source,
        parameters=parameters(shape) + (shape.tower.parameters if shape.tower else 0),
        layers=shape.depth,
        quantization=question.packing.method if question.packing else "none",
    )


def _gpu(rank: RankUse, card: Card) -> FitGpu:
    overhead = rank.overhead + rank.outside
    cache = max(rank.kv_cache, 0)
    left = card.total_bytes - card.used_by_others - rank.weights - cache - rank.activation - overhead
    if rank.kv_cache < 0:
        left = min(left, rank.kv_cache)
    return FitGpu(
        rank=rank.rank,
        index=card.index,
        name=card.name,
        total_gib=_gib(card.total_bytes),
        used_by_others_gib=_gib(card.used_by_others),
        weights_gib=_gib(rank.weights),
        kv_cache_gib=_gib(cache),
        kv_needed_gib=_gib(rank.kv_needed),
        activation_gib=_gib(rank.activation),
        overhead_gib=_gib(overhead),
        free_gib=_gib(left),
    )


def _limit(limit: Limit) -> FitLimit:
    return FitLimit(
        kind=limit.kind, text=limit.text, short_gib=None if limit.kind in _NO_BYTES else _gib(limit.short_bytes)
    )


def _suggestion(one: Suggestion, rewrite: Callable[[Suggestion], str] | None) -> FitSuggestion:
    worst = one.prediction.worst
    tokens = one.prediction.kv_tokens
    spare = f"{-worst.short / GIB:.1f} GiB a GPU to spare"
    result = f"room for {tokens:,} tokens" if tokens and one.prediction.kv_exact else spare
    return FitSuggestion(
        change=one.change,
        result=result,
        loses=one.loses,
        command=rewrite(one) if rewrite else "",
        kv_tokens=tokens,
    )


def _guesses(question: Question) -> tuple[str, ...]:
    """What is not known of the cards."""
    unknown = {card.name for card in question.used_cards if card.guessed}
    return tuple(f"{name}: only its size is known" for name in sorted(unknown))


def _gib(size: int) -> float:
    return round(size / GIB, 4)
