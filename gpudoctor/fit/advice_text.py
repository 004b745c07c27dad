"""The advice in words, for people, and the options in figures, for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gpudoctor.data.parallelism import parallelism
from gpudoctor.fit.fabric import Range
from gpudoctor.fit.options import Option
from gpudoctor.fit.parallelism import WORTH, Advice
from gpudoctor.model.fit import FitAdvice
from gpudoctor.model.fit_options import FitOption, FitTimes

_SAME: Final = 0.05  # gains that differ by less are one figure
_NAMES: Final = ("vLLM", "llama.cpp")  # written like this at the start of a sentence too
_NOTES: Final = 3  # the most important come first


def in_words(advice: Advice) -> tuple[FitAdvice, ...]:
    """What to do for one user and for many, why, and what the field knows about it."""
    if len(advice.options) < 2:
        return ()
    return tuple(_said(advice))


def _said(advice: Advice) -> Iterator[FitAdvice]:
    one, many = advice.one_user, advice.many_users
    reasons = "; ".join(advice.reasons)
    if one is None or many is None:
        yield FitAdvice(text=_sentence(reasons))
    elif (one.tp, one.pp, one.split) == (many.tp, many.pp, many.split) and many.dp == 1:
        yield FitAdvice(
            text=f"{_sentence(one.name)} is best, for one user and for many{_gains(one, advice)}", why=reasons
        )
    else:
        yield _for_one(one, advice)
        yield FitAdvice(text=f"For many users {many.name}{_many(many, advice)}", why=reasons)
    for note in advice.notes[:_NOTES]:
        yield FitAdvice(text=_sentence(note.text), why=note.url)


def _for_one(one: Option, advice: Advice) -> FitAdvice:
    if one.cards == 1 and one.decode is not None:
        return FitAdvice(
            text=f"For one user one GPU: more would not bring {WORTH:g} times the speed", why=_basis(advice)
        )
    return FitAdvice(text=f"For one user {one.name}{_gains(one, advice)}", why=_basis(advice) if one.cards > 1 else "")


def _gains(option: Option, advice: Advice) -> str:
    if option.decode is None or option.cards == 1:
        return ""
    prompts = f", prompts {_range(option.prompt)}" if option.prompt else ""
    return f": tokens come {_range(option.decode)} as fast as on one {advice.against}{prompts}"


def _many(option: Option, advice: Advice) -> str:
    if option.throughput is None or option.cards == 1:
        return ""
    return f": about {option.throughput:.1f} times the tokens of one {advice.against} with memory enough"


def _range(found: Range) -> str:
    if found.high - found.low < _SAME:
        return f"{found.middle:.1f} times"
    return f"{found.middle:.1f} times ({found.low:.1f} to {found.high:.1f})"


def _basis(advice: Advice) -> str:
    times = "measured here" if advice.measured else "by the table"
    error = parallelism().model.mean_error_percent
    return (
        f"bytes read over bandwidth, and all-reduces over {advice.links} {times}; "
        f"tokens a second by the same model were {error:g} % off on average"
    )


def _sentence(text: str) -> str:
    return text if text.startswith(_NAMES) else text[:1].upper() + text[1:]


def in_figures(advice: Advice) -> tuple[FitOption, ...]:
    """Every way with what it comes to."""
    return tuple(_figures(option) for option in advice.options) if len(advice.options) > 1 else ()


def _figures(option: Option) -> FitOption:
    return FitOption(
        name=option.name,
        tp=option.tp,
        pp=option.pp,
        dp=option.dp,
        split=option.split,
        legal=option.legal,
        fits=option.fits,
        why_not=option.why_not,
        kv_tokens=option.kv_tokens,
        decode_times=_times(option.decode),
        prompt_times=_times(option.prompt),
        throughput_times=round(option.throughput, 2) if option.throughput is not None else None,
    )


def _times(found: Range | None) -> FitTimes | None:
    if found is None:
        return None
    return FitTimes(low=round(found.low, 2), middle=round(found.middle, 2), high=round(found.high, 2))
