"""Tensor parallelism, a pipeline or copies: which is best here, for one user and for many, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.data.parallelism import Note, parallelism
from gpudoctor.fit.fabric import Range
from gpudoctor.fit.options import Option, Setting, fastest, options
from gpudoctor.fit.question import BY_LAYERS
from gpudoctor.fit.shape import Attention, Experts, LatentAttention

WORTH: Final = 1.3  # so much faster, or it is not worth more cards for one copy
_SAME: Final = 1.1  # within this two ways are as good: the simpler one is taken
_LITTLE: Final = 1.25  # what TP 2 brings a model that is hardly worth cutting
_GIB: Final = 1 << 30


class Advice(Struct, frozen=True, kw_only=True):
    """`one_user` and `many_users` are the same where one way is best for both; None where nothing fits."""

    one_user: Option | None
    many_users: Option | None
    options: tuple[Option, ...]
    reasons: tuple[str, ...]
    notes: tuple[Note, ...]
    against: str  # the card that gains are told against
    links: str
    measured: bool  # whether all-reduces were timed on this machine


def advise(setting: Setting) -> Advice:
    """Every way, judged; the best ones with their reasons."""
    found = options(setting)
    fitting = [option for option in found if option.fits]
    one = _for_one(setting, found)
    many = _for_many(fitting)
    notes = parallelism().notes
    return Advice(
        one_user=one,
        many_users=many,
        options=found,
        reasons=tuple(_reasons(setting, found, one, many)),
        notes=tuple(notes[name] for name in dict.fromkeys(_notes(setting, found, one, many))),
        against=fastest(setting.cards).name,
        links=setting.fabric.words,
        measured=bool(setting.fabric.measured),
    )


def _for_one(setting: Setting, found: Sequence[Option]) -> Option | None:
    """The fastest for one user that is worth its cards. Copies do not matter to him: the others may be left idle."""
    fitting = [option for option in found if option.fits]
    best = fitting[0] if fitting else None
    for option in () if _hardly_gains(setting, found) else fitting:
        if best is not None and _middle(option.decode) > WORTH * _middle(best.decode):
            best = option
    return replace(best, dp=1) if best is not None else None


def _hardly_gains(setting: Setting, found: Sequence[Option]) -> bool:
    """Experts with few active parameters: measured gains are still below what bytes and links alone would give."""
    pair = next((option for option in found if option.tp == 2 and option.pp == 1 and option.decode), None)
    experts = any(isinstance(layer.feed_forward, Experts) for layer in setting.question.shape.layers)
    return experts and pair is not None and _middle(pair.decode) < _LITTLE


def _for_many(fitting: Sequence[Option]) -> Option | None:
    """The most tokens for many users; of ways that are as good, the smallest groups."""
    top = max((option.throughput or 0.0 for option in fitting), default=0.0)
    return next((option for option in fitting if (option.throughput or 0.0) * _SAME >= top), None)


def _middle(found: Range | None) -> float:
    return found.middle if found is not None else 0.0


def _reasons(setting: Setting, found: Sequence[Option], one: Option | None, many: Option | None) -> Iterator[str]:
    single = next((option for option in found if option.tp == option.pp == 1), None)
    if one is None or many is None:
        yield from _nothing(found)
        return
    if single is not None and single.fits:
        yield "the model and the context asked for fit one GPU"
    else:
        yield from _smallest(found, single)
    yield from _illegal(setting, found)
    whole = [option for option in found if option.fits and option.dp == 1]
    other = max(whole, key=lambda option: option.throughput or 0.0, default=None)
    if other is not None and many.dp > 1 and (many.throughput or 0.0) > _SAME * (other.throughput or 0.0) > 0:
        times = (many.throughput or 0.0) / (other.throughput or 1.0)
        yield f"for many users {many.name} give about {times:.1f} times the tokens of {other.name}"


def _smallest(found: Sequence[Option], single: Option | None) -> Iterator[str]:
    if single is not None and single.short_bytes:
        yield f"one GPU is {single.short_bytes / _GIB:.1f} GiB short"
    first = next((option for option in found if option.fits), None)
    if first is not None:
        group = Option(tp=first.tp, pp=first.pp, dp=1, fits=True, split=first.split)
        yield f"{group.name} is the smallest group that fits"


def _nothing(found: Sequence[Option]) -> Iterator[str]:
    legal = [option for option in found if option.legal]
    if legal:
        least = min(legal, key=lambda option: option.short_bytes)
        short = f" ({least.short_bytes / _GIB:.1f} GiB short on a GPU)" if least.short_bytes else ""
        yield f"nothing fits on these GPUs; {least.name} comes nearest{short}"
    for option in found:
        if not option.legal:
            yield f"TP {option.tp} is impossible: {option.why_not}"
            return


def _illegal(setting: Setting, found: Sequence[Option]) -> Iterator[str]:
    """Why the size asked for, or one with all GPUs, is not among the answers."""
    for tp in dict.fromkeys((setting.question.tp, len(setting.cards))):
        refused = next((option for option in found if option.tp == tp and not option.legal), None)
        if refused is not None:
            yield f"TP {tp} is impossible: {refused.why_not}"


def _notes(setting: Setting, found: Sequence[Option], one: Option | None, many: Option | None) -> Iterator[str]:
    """Names of the notes that this case is about, the most important first."""
    question, cards = setting.question, setting.cards
    if question.engine in BY_LAYERS:
        yield from ("layer_split", "tensor_split") if len(cards) > 1 and question.engine == "llamacpp" else ()
    elif len(cards) > 1:
        yield from _of_copies(found, many)
        yield from _of_pipelines(setting, one, many)
    if len({card.name for card in cards}) > 1 or len({card.total_bytes for card in cards}) > 1:
        yield "mixed_tp"
    if setting.fabric.nodes > 1:
        yield "nodes"
    if question.engine not in BY_LAYERS and one is not None:
        yield from _of_links(setting, one, many)
    yield from _of_shape(setting, found)


def _of_copies(found: Sequence[Option], many: Option | None) -> Iterator[str]:
    single = next((option for option in found if option.tp == option.pp == 1), None)
    if many is None:
        return
    if many.dp > 1:
        yield "replicas" if many.tp * many.pp == 1 else "smallest_group"
    elif single is not None and single.fits and (many.throughput or 0.0) > _SAME * (single.throughput or 0.0):
        yield "kv_starved"


def _of_pipelines(setting: Setting, one: Option | None, many: Option | None) -> Iterator[str]:
    if any(option is not None and option.pp > 1 for option in (one, many)) or setting.question.pp > 1:
        yield "pipeline_capacity"


def _of_links(setting: Setting, one: Option | None, many: Option | None) -> Iterator[str]:
    widest = max((option.tp for option in (one, many) if option is not None), default=setting.question.tp)
    widest = max(widest, setting.question.tp)
    if widest > 2 and not setting.fabric.is_nvlink:
        yield "pcie_more_than_two"
    if widest > 1 and not setting.fabric.is_nvlink and any(card.geforce for card in setting.cards):
        yield "no_p2p"
    if widest > 8:
        yield "eight"


def _of_shape(setting: Setting, found: Sequence[Option]) -> Iterator[str]:
    shape, asked = setting.question.shape, setting.question
    widest = max((option.tp for option in found if option.legal), default=1)
    mixers = [layer.mixer for layer in shape.layers]
    if _hardly_gains(setting, found):
        yield "small_active"
    if asked.expert_parallel:
        yield "experts"
    if any(isinstance(mixer, LatentAttention) for mixer in mixers) and max(widest, asked.tp) > 1:
        yield "latent"
    elif any(isinstance(mixer, Attention) and mixer.kv_heads < asked.tp for mixer in mixers):
        yield "kv_heads_copied"
