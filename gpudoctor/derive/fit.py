"""Whether the workload's model fits the GPUs of its group: what `gpudoctor fit` answers, as facts for rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from gpudoctor.derive.model import find_model
from gpudoctor.errors import UsageError
from gpudoctor.fit.ask import Options, ask
from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.machine_card import card_of
from gpudoctor.fit.prediction import Prediction
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import ENGINES, Question
from gpudoctor.fit.suggest import Suggestion, single_options
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Facts, Fit

_DERIVED: Final = "derived"
_NOT_MEMORY: Final = ("tp_size", "cards", "free_memory")
_VERSIONS: Final[dict[str, Callable[[Facts], Fact[str]]]] = {
    "vllm": lambda facts: facts.python.vllm,
    "sglang": lambda facts: facts.python.sglang,
    "trtllm": lambda facts: facts.python.tensorrt_llm,
}
# Generic name of an option → its fact and the type of that.
_OPTIONS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "max_model_len": ("works_with_max_model_len", int),
    "max_num_seqs": ("works_with_max_num_seqs", int),
    "gpu_memory_utilization": ("works_with_utilization", float),
    "tp": ("works_with_tp", int),
    "kv_cache_dtype": ("works_with_kv_cache_dtype", str),
}


def with_fit(facts: Facts) -> Facts:
    """The facts with `fit`, and with the weights that one GPU really holds. Needs `model` and `group`."""
    question = _question(facts)
    if question is None:
        return facts
    found = predict(question)
    limits = tuple(limit for limit in found.limits if limit.kind not in _NOT_MEMORY)
    fit = _as_logged(_fit(question, replace(found, limits=limits)), found, facts)
    model = replace(facts.model, weights_bytes_per_gpu=fit.weights_bytes)
    return replace(facts, fit=fit, model=model if facts.workload.tp.known else facts.model)


def _question(facts: Facts) -> Question | None:
    """None where the engine or the cards are not known, or the weights cannot be counted."""
    workload = facts.workload
    engine = workload.framework.or_none() or ""
    model = find_model(workload)
    cards = _cards(facts)
    if engine not in ENGINES or model is None or not (model.countable and model.counted) or not cards:
        return None
    sglang = engine == "sglang"
    share = workload.gpu_memory_utilization.or_none()
    fact = _VERSIONS.get(engine)
    options = Options(
        engine=engine,
        engine_version=(fact(facts).or_none() or "") if fact else "",
        tp=workload.tp.or_none() or 1,
        pp=workload.pp.or_none() or 1,
        dp=workload.dp.or_none() or 1,
        expert_parallel=bool(workload.ep.or_none()),
        dtype=_plain(workload.dtype.or_none() or ""),
        max_model_len=workload.max_model_len.or_none(),
        max_num_seqs=workload.max_num_seqs.or_none(),
        utilization=None if sglang else share,
        mem_fraction=share if sglang else None,
        eager=bool(workload.enforce_eager.or_none()),
    )
    try:
        return replace(ask(model.found, cards, options).question, kv_dtype=workload.kv_cache_dtype.or_none() or "auto")
    except UsageError:  # a version or format that fit does not know
        return None


def _as_logged(fit: Fit, found: Prediction, facts: Facts) -> Fit:
    """What the run's own log printed is better than any prediction."""
    weights, cache = facts.log.weights_gib, facts.log.kv_cache_gib
    if weights.known:
        fit = replace(fit, weights_bytes=known(round((weights.or_none() or 0.0) * GIB), weights.source))
    left = cache.or_none()
    if left is None:
        return fit
    size = round(left * GIB)
    short = max(0, found.worst.kv_needed - size)
    fits: Fact[str] = absent("not_applicable", "it fits", cache.source)
    because = f"the log says {left:g} GiB for the KV cache, {found.worst.kv_needed / GIB:.2f} GiB are needed"
    return replace(
        fit,
        kv_cache_bytes=known(size, cache.source),
        kv_tokens=known(max(0, size) // max(1, found.kv_bytes_per_token), cache.source),
        fits=known(not short, cache.source),
        borderline=known(False, cache.source),  # measured
        short_bytes=known(short, cache.source),
        limit=known("kv_cache", cache.source) if short else fits,
        because=known(because, cache.source) if short else fits,
    )


def _plain(dtype: str) -> str:
    return dtype if dtype in ("float32", "fp32") else ""


def _cards(facts: Facts) -> tuple[Card, ...]:
    """All that may be used, without what others hold now: rules of their own say that."""
    visible = facts.gpus.visible.or_none() or ()
    cards = [card_of(gpu) for gpu in visible]
    return tuple(replace(card, free_bytes=None) for card in cards if card is not None) if all(cards) else ()


def _fit(question: Question, found: Prediction) -> Fit:
    worst = found.worst
    limit = found.limits[0] if found.limits else None
    fits: Fact[str] = absent("not_applicable", "it fits", _DERIVED)
    facts: dict[str, Fact[Any]] = {
        "fits": known(found.fits, _DERIVED),
        "borderline": known(found.borderline, _DERIVED),
        "limit": known(limit.kind, _DERIVED) if limit else fits,
        "because": known(limit.text, _DERIVED) if limit else fits,
        "weights_bytes": known(worst.weights, _DERIVED),
        "activation_bytes": known(worst.activation, _DERIVED),
        "overhead_bytes": known(worst.overhead + worst.outside, _DERIVED),
        "kv_cache_bytes": known(worst.kv_cache, _DERIVED),
        "kv_needed_bytes": known(worst.kv_needed, _DERIVED),
        "kv_tokens": known(found.kv_tokens or 0, _DERIVED),
        "context_tokens": known(question.context, _DERIVED),
        "available_bytes": known(worst.available, _DERIVED),
        "short_bytes": known(max(0, limit.short_bytes) if limit else 0, _DERIVED),
    }
    none: Fact[Any] = absent("not_applicable", "it fits" if found.fits else "this alone does not help", _DERIVED)
    facts |= dict.fromkeys((name for name, _ in _OPTIONS.values()), none)
    if not found.fits:
        facts |= _working(single_options(question))
    return Fit(**facts)


def _working(suggestions: list[Suggestion]) -> dict[str, Fact[Any]]:
    found: dict[str, Fact[Any]] = {}
    for one in suggestions:
        if len(one.flags) == 1 and one.flags[0][0] in _OPTIONS:
            (option, value), *_ = one.flags
            name, convert = _OPTIONS[option]
            found.setdefault(name, known(convert(value), _DERIVED))
    return found
