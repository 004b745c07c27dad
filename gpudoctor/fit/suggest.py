"""What to change so that it fits: every change is computed again, and those that cost the user least come first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.identify import asked_packing
from gpudoctor.fit.legality import legal_sizes, obstacles
from gpudoctor.fit.prediction import Prediction
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import BY_LAYERS, Question

MOST: Final = 5
_HIGHEST_SHARE: Final = 0.95
_LEAST_CONTEXT: Final = 1024
_ROUND_CONTEXT: Final = 512
_SEQUENCES: Final = (64, 16)
_NATIVE_FP8: Final = (8, 9)
_MOST_CARDS_TRIED: Final = 64
_MOST_LAYER_CARDS: Final = 16
_USEFUL_CONTEXT: Final = 8192
_KV_EIGHT_BIT: Final = {
    "vllm": ("fp8", "--kv-cache-dtype fp8"),
    "sglang": ("fp8_e5m2", "--kv-cache-dtype fp8_e5m2"),
    "tgi": ("fp8", "--kv-cache-dtype fp8_e4m3fn"),
    "llamacpp": ("q8_0", "-ctk q8_0 -ctv q8_0"),
    "exllamav2": ("q8", "an 8-bit cache (cache_mode: Q8)"),
    "exllamav3": ("q8", "an 8-bit cache (cache_mode: 8,8)"),
}


class Suggestion(Struct, frozen=True):
    """One change with its outcome. `flags` are generic names of options, for a launch command."""

    change: str
    loses: str
    question: Question
    prediction: Prediction
    flags: tuple[tuple[str, str], ...] = ()


class _Try(Struct, frozen=True):
    change: str
    loses: str
    question: Question
    flags: tuple[tuple[str, str], ...] = ()


def suggest(question: Question, found: Prediction) -> list[Suggestion]:
    """Changes after which it fits, best first; nothing where it fits as it is."""
    if found.fits:
        return []
    kept: list[Suggestion] = []
    seen: set[object] = set()
    for tried in _candidates(question):
        kind = tuple(name for name, _ in tried.flags) or tried.change  # one value of each option will do
        if kind in seen:
            continue
        one = _working(
            tried, shorten=not _is_setting(kind) or (("max_model_len",) not in seen and len(tried.flags) > 1)
        )
        if one is not None:
            seen.add(kind)
            kept.append(one)
            if len(kept) == MOST:
                break
    return kept


def single_options(question: Question) -> list[Suggestion]:
    """Options that make it fit alone, on the cards that are there."""
    tries = chain(_settings(question), _eight_bit_cache(question), _sizes(question))
    outcomes = ((tried, predict(tried.question)) for tried in tries if len(tried.flags) == 1)
    return [
        Suggestion(tried.change, tried.loses, tried.question, outcome, tried.flags)
        for tried, outcome in outcomes
        if outcome.fits
    ]


def _is_setting(kind: object) -> bool:
    """Whether a change is of options that leave cards and weights as they are."""
    return isinstance(kind, tuple) and set(kind) <= {"max_num_seqs", "gpu_memory_utilization", "max_model_len"}


def _working(tried: _Try, *, shorten: bool) -> Suggestion | None:
    for case in chain((tried,), _shorter(tried) if shorten else ()):
        outcome = predict(case.question)
        if outcome.fits:
            return Suggestion(case.change, case.loses, case.question, outcome, case.flags)
    return None


def _shorter(tried: _Try) -> Iterator[_Try]:
    """The same change with the longest context that then fits, where nobody asked for the full one."""
    question = tried.question
    if question.max_model_len is None and predict(replace(question, max_model_len=_USEFUL_CONTEXT)).fits:
        for shorter in _context(question):
            flags = (*tried.flags, *shorter.flags)
            yield _Try(f"{tried.change} with {shorter.change}", tried.loses, shorter.question, flags)


def _candidates(question: Question) -> Iterator[_Try]:
    """In the order of what the user loses: nothing, concurrency, context, precision of the cache, GPUs, weights."""
    yield from _other_cards(question)
    if next(obstacles(question), None) is not None or len(question.cards) < question.world:
        yield from _sizes(question)
    yield from _settings(question)
    yield from _pairs(question)
    yield from _eight_bit_cache(question)
    yield from _sizes(question)
    yield from _quantised(question)
    yield from _more_cards(question)


def _other_cards(question: Question) -> Iterator[_Try]:
    """Cards of this machine with more room than those that the run would take."""
    if question.engine in BY_LAYERS or len(question.cards) <= question.world:
        return
    order = sorted(range(len(question.cards)), key=lambda i: -question.cards[i].free_now)
    best = tuple(sorted(order[: question.world]))
    cards = tuple(question.cards[i] for i in best)
    if cards != question.used_cards:
        numbers = ",".join(
            str(card.index if card.index is not None else i) for i, card in zip(best, cards, strict=True)
        )
        yield _Try(f"use GPU {numbers}: CUDA_VISIBLE_DEVICES={numbers}", "nothing", replace(question, cards=cards))


def _settings(question: Question) -> Iterator[_Try]:
    if question.engine == "vllm":
        yield from _vllm_settings(question)
    if question.engine == "sglang":
        yield from _sglang_fraction(question)
    yield from _context(question)


def _vllm_settings(question: Question) -> Iterator[_Try]:
    share = _free_share(question.used_cards)
    if share is not None and share < (question.utilization or 0.92):
        yield _Try(
            f"--gpu-memory-utilization {share:.2f}",
            "cache: others keep their memory",
            replace(question, utilization=share),
            (("gpu_memory_utilization", f"{share:.2f}"),),
        )
    for sequences in _SEQUENCES:
        if (question.max_num_seqs or 1024) > sequences:
            yield _Try(
                f"--max-num-seqs {sequences}",
                "requests served at a time",
                replace(question, max_num_seqs=sequences),
                (("max_num_seqs", str(sequences)),),
            )
    if share is None and (question.utilization or 0.9) < _HIGHEST_SHARE:
        yield _Try(
            f"--gpu-memory-utilization {_HIGHEST_SHARE}",
            "room for anything else on the card",
            replace(question, utilization=_HIGHEST_SHARE),
            (("gpu_memory_utilization", str(_HIGHEST_SHARE)),),
        )


def _free_share(cards: tuple[Card, ...]) -> float | None:
    """The share that is free on every card, rounded down; None where nothing is in use."""
    if all(card.free_bytes is None or card.used_by_others < GIB // 2 for card in cards):
        return None
    return int(100 * min(card.free_now / card.total_bytes for card in cards)) / 100 - 0.01


def _sglang_fraction(question: Question) -> Iterator[_Try]:
    for fraction in (0.9, 0.94):
        if fraction > (question.mem_fraction or 0):
            yield _Try(
                f"--mem-fraction-static {fraction}",
                "room for long prefills: lower it again if they run out of memory",
                replace(question, mem_fraction=fraction),
                (("gpu_memory_utilization", str(fraction)),),
            )


def _context(question: Question) -> Iterator[_Try]:
    """The longest context that fits, found by halving."""
    low, high = 0, question.context // _ROUND_CONTEXT
    while low < high:
        middle = (low + high + 1) // 2
        fits = predict(replace(question, max_model_len=middle * _ROUND_CONTEXT)).fits
        low, high = (middle, high) if fits else (low, middle - 1)
    length = low * _ROUND_CONTEXT
    if _LEAST_CONTEXT <= length < question.context:
        yield _Try(
            f"{_CONTEXT_OPTION.get(question.engine, 'a context of')} {length}",
            f"context above {length:,} tokens",
            replace(question, max_model_len=length),
            (("max_model_len", str(length)),),
        )


_CONTEXT_OPTION: Final = {
    "vllm": "--max-model-len",
    "sglang": "--context-length",
    "tgi": "--max-total-tokens",
    "llamacpp": "-c",
    "trtllm": "--max_seq_len",
}


def _pairs(question: Question) -> Iterator[_Try]:
    """Fewer sequences and a larger share together."""
    if question.engine == "vllm" and _free_share(question.used_cards) is None:
        share = max(_HIGHEST_SHARE, question.utilization or 0)
        both = replace(question, max_num_seqs=_SEQUENCES[0], utilization=share)
        flags = (("max_num_seqs", str(_SEQUENCES[0])), ("gpu_memory_utilization", f"{share:g}"))
        change = f"--max-num-seqs {_SEQUENCES[0]} --gpu-memory-utilization {share:g}"
        yield _Try(change, "requests served at a time, room on the card", both, flags)


def _eight_bit_cache(question: Question) -> Iterator[_Try]:
    known = _KV_EIGHT_BIT.get(question.engine)
    if known is None or question.kv_bytes <= 1.1:
        return
    dtype, option = known
    yield _Try(option, "a little quality", replace(question, kv_dtype=dtype), (("kv_cache_dtype", dtype),))


def _sizes(question: Question) -> Iterator[_Try]:
    """Other legal sizes on the cards that are there, the nearest first; pipeline stages where none is left."""
    if question.engine in BY_LAYERS:
        return
    most = len(question.cards) // (question.pp * question.dp)
    legal = [tp for tp in legal_sizes(question) if tp <= most and tp != question.tp]
    for tp in sorted(legal, key=lambda tp: (tp < question.tp, abs(tp - question.tp))):
        loses = "GPUs for other work" if tp > question.tp else "speed"
        yield _Try(f"TP {tp}", loses, replace(question, tp=tp), (("tp", str(tp)),))
    for tp in reversed([tp for tp in (*legal, question.tp) if tp <= most // 2]):
        if question.pp == 1:
            pp = most // tp
            flags = (("tp", str(tp)), ("pp", str(pp)))
            yield _Try(f"TP {tp} with PP {pp}", "speed of one request", replace(question, tp=tp, pp=pp), flags)


def _quantised(question: Question) -> Iterator[_Try]:
    """The same model in fewer bits, as far as cards and engine have kernels."""
    bits = question.packing.method if question.packing else ""
    ways: list[tuple[str, str, str]] = []
    oldest = min((card.compute_capability or (8, 0) for card in question.used_cards), default=(8, 0))
    if not bits and question.engine in ("vllm", "sglang", "trtllm", "tgi"):
        slow = "" if oldest >= _NATIVE_FP8 else ", speed: these cards have no FP8 arithmetic"
        ways.append(("fp8", "FP8 weights (online, or a checkpoint of that kind)", f"a little quality{slow}"))
    if bits in ("", "fp8", "int8", "gptq-8bit") and question.engine in ("vllm", "sglang", "tgi", "trtllm"):
        ways.append(("awq", "a 4-bit checkpoint (AWQ or GPTQ)", "some quality"))
    if question.engine == "llamacpp":
        ways += [(f"gguf:{kind}", f"a {kind} file", "quality") for kind in ("Q8_0", "Q6_K", "Q4_K_M", "IQ3_M", "IQ2_M")]
    if question.engine in ("exllamav2", "exllamav3"):
        name = "exl3" if question.engine == "exllamav3" else "exl2"
        ways += [(f"{name}:{bpw}", f"{bpw} bits a weight", "quality") for bpw in ("5.0", "4.0", "3.0", "2.5")]
    for method, change, loses in ways:
        smaller = replace(question, packing=asked_packing(method))
        yield _Try(change, loses, smaller)


def _more_cards(question: Question) -> Iterator[_Try]:
    """More of the same card: the fewest that do, with a context that is still of use."""
    card = question.cards[-1]
    if question.engine in BY_LAYERS:
        counts: tuple[int, ...] = tuple(range(len(question.cards) + 1, _MOST_LAYER_CARDS + 1))
    else:
        counts = tuple(tp for tp in legal_sizes(question) if len(question.cards) < tp <= _MOST_CARDS_TRIED)
    for count in counts:
        cards = (*question.cards, *([replace(card, index=None)] * (count - len(question.cards))))
        case = replace(question, cards=cards)
        if question.engine not in BY_LAYERS:
            case = replace(case, tp=count, pp=1, dp=1)
        change = f"{count} such GPUs" + ("" if question.engine in BY_LAYERS else f" at TP {count}")
        shortest = replace(case, max_model_len=min(case.context, _USEFUL_CONTEXT))
        if predict(case).fits or (case.max_model_len is None and predict(shortest).fits):
            yield _Try(change, "hardware", case)
            return
