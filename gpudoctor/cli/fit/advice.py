"""TP, PP or copies, for `fit`: the links of this machine or of such cards, with what an nccl-test run measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from gpudoctor.fit.machine_links import Links
    from gpudoctor.fit.question import Question
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.fit import FitAdvice
    from gpudoctor.model.fit_options import FitOption
    from gpudoctor.model.smoke import SmokeReport

_MAX_REPORT_BYTES = 64 << 20


class Advised(Struct, frozen=True):
    """What is said, and the figures behind it; both empty where there is one card and nothing to choose."""

    words: tuple[FitAdvice, ...] = ()
    options: tuple[FitOption, ...] = ()


def advised(question: Question, facts: Facts | None, *, nodes: int = 1, measured: Path | None = None) -> Advised:
    """The advice for a question.

    Args:
        question: the cards are all that may be used.
        facts: of this machine or snapshot; None where the cards were named.
        nodes: machines that the cards are spread over evenly.
        measured: a report of `nccl-test --format json`, whose times are taken for those of the links.

    Raises:
        InputFileError: the report cannot be used.
    """
    smoke = read_smoke(measured) if measured is not None else None
    if len(question.cards) < 2 or any(card.imagined for card in question.cards):
        return Advised()
    from msgspec.structs import replace

    from gpudoctor.fit.advice_text import in_figures, in_words
    from gpudoctor.fit.fabric import with_measurement
    from gpudoctor.fit.options import Setting
    from gpudoctor.fit.parallelism import advise

    links = _links(question, facts)
    fabric = replace(links.all, nodes=max(1, min(nodes, len(question.cards))))
    if smoke is not None:
        fabric = with_measurement(fabric, smoke)
    pair = links.pair if smoke is None else None
    found = advise(Setting(question=question, fabric=fabric, pair=pair))
    return Advised(in_words(found), in_figures(found))


def _links(question: Question, facts: Facts | None) -> Links:
    from gpudoctor.fit.machine_links import Links, machine_links

    if facts is not None:
        return machine_links(facts, question.cards)
    from gpudoctor.fit.fabric import fabric_of

    return Links(fabric_of(question.cards))


def read_smoke(path: Path) -> SmokeReport:
    """The smoke run in a report that nccl-test wrote; the file is foreign: bounded and checked.

    Raises:
        InputFileError: not readable, too large, or no such report.
    """
    import msgspec

    from gpudoctor.errors import InputFileError
    from gpudoctor.model.smoke import SmokeReport

    hint = "write one with `gpudoctor nccl-test --format json -o FILE`"
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}", hint) from error
    if len(data) > _MAX_REPORT_BYTES:
        raise InputFileError(f"{path} is larger than {_MAX_REPORT_BYTES >> 20} MiB, which no report is")
    try:
        parts = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(parts["smoke"], type=SmokeReport)
    except KeyError as error:
        raise InputFileError(f"{path} is no report of nccl-test: it has no `smoke`", hint) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path} is no report of nccl-test: {str(error)[:160]}", hint) from error
