"""What `gpudoctor fit` does, once its command line is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gpudoctor.cli.exit import ExitCode
    from gpudoctor.fit.ask import Options
    from gpudoctor.fit.card import Card
    from gpudoctor.fit.identify import Identified
    from gpudoctor.fit.suggest import Suggestion
    from gpudoctor.model.facts import Facts as MachineFacts
    from gpudoctor.model.fit import FitReport
    from gpudoctor.model.report import Report, ReportError

_MOST_CARDS = 1024


class Wanted(Struct, frozen=True, kw_only=True):
    """The options of one command line; defaults are those of `fit --help`."""

    model: str = ""
    params: str = ""
    quant: str = ""
    gpu: str = ""
    gpus: int | None = None
    gpu_memory_gib: float | None = None
    snapshot: Path | None = None
    nodes: int = 1
    nccl_test: Path | None = None
    options: Options
    launch: tuple[str, ...] = ()
    format_name: str = "text"
    output: Path | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False


def run(wanted: Wanted) -> ExitCode:
    """Predict, explain, write.

    Raises:
        UsageError: an option has no meaning, or the model is not known.
        GpudoctorError: this machine has no GPU that could be read.
    """
    from gpudoctor.cli.exit import exit_code
    from gpudoctor.cli.write import write_report
    from gpudoctor.render import check_format

    check_format(wanted.format_name)
    report = fit_report(wanted)
    write_report(report, wanted.format_name, wanted.output, color=wanted.color, verbose=wanted.verbose, fail_on="error")
    return exit_code(report, "error")


def fit_report(wanted: Wanted) -> Report:
    """The whole report."""
    import time

    from gpudoctor import __version__
    from gpudoctor.cli.fit.findings import findings_of
    from gpudoctor.errors import UsageError
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.report import Report, Summary, Tool

    given = wanted.options
    wanted, rewrite = _with_launch(wanted)
    model = _model(wanted)
    if wanted.quant.lower() == "gguf" and model.packing is None:
        raise UsageError("which type of GGUF?", "name it: --quant gguf:Q4_K_M, or give the file")
    cards, facts = _cards(wanted)
    if wanted.nodes > len(cards) and not any(card.imagined for card in cards):
        raise UsageError(
            f"{wanted.nodes} nodes, and {len(cards)} GPUs in all of them", "--gpus counts those of all nodes"
        )
    fit = _answer(wanted, model, (cards, facts), rewrite, given)
    findings = findings_of(fit)
    return Report(
        tool=Tool("gpudoctor", __version__),  # cli.assemble takes 10 ms to load
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        status="error" if findings else "unknown" if fit.fits is None else "ok",
        host={"gpus": [card.name for card in cards]},
        workload={"model": fit.model.asked, "framework": fit.engine, "tp": fit.tp, "pp": fit.pp},
        findings=findings,
        not_evaluated=(),
        probes=(),
        facts=Facts(),
        summary=Summary(len(findings), 0, 0, 0),
        error=UNSET if findings or fit.fits is not None else _no_card(),
        fit=fit,
    )


def _no_card() -> ReportError:
    from gpudoctor.cli.exit import ExitCode
    from gpudoctor.cli.fit.machine import HINT
    from gpudoctor.model.report import ReportError

    message = "this machine has no GPU that can be read, and none was named"
    return ReportError(message, HINT, "undiagnosable", int(ExitCode.NO_DIAGNOSIS))


def _answer(
    wanted: Wanted,
    model: Identified,
    machine: tuple[tuple[Card, ...], MachineFacts | None],
    rewrite: Callable[[Suggestion], str] | None,
    given: Options,
) -> FitReport:
    """`given` are the options without those of a launch command, which are its engine's."""
    from gpudoctor.fit.answer import Case, answer
    from gpudoctor.fit.ask import ask, without_effect
    from gpudoctor.fit.predictor import predict

    cards, facts = machine
    asked = ask(model, cards, wanted.options)
    if facts is not None and asked.question.version is None:
        from msgspec.structs import replace

        asked = replace(asked, question=replace(asked.question, version=_installed(facts, asked.question.engine)))
    found = predict(asked.question)
    suggestions: Sequence[Suggestion] = ()
    if not found.fits:
        from gpudoctor.fit.suggest import suggest

        suggestions = suggest(asked.question, found)
    from gpudoctor.cli.fit.advice import advised

    name = wanted.model or wanted.params
    advice = advised(asked.question, facts, nodes=wanted.nodes, measured=wanted.nccl_test)
    return answer(
        Case(
            asked=name,
            model=model,
            question=asked.question,
            found=found,
            suggestions=suggestions,
            notes=(*asked.notes, *without_effect(given, asked.question.engine)),
            advice=advice.words,
            options=advice.options,
            rewrite=rewrite,
        )
    )


def _installed(facts: MachineFacts, engine: str) -> tuple[int, ...] | None:
    """The version that is there, where it was looked for."""
    from gpudoctor.cli.fit.machine import installed_version
    from gpudoctor.fit.question import parse_version

    return parse_version(installed_version(facts, engine))


def _model(wanted: Wanted) -> Identified:
    from gpudoctor.errors import UsageError
    from gpudoctor.fit.identify import identify, of_local, of_size

    if bool(wanted.model) == bool(wanted.params):
        raise UsageError("which model?", "an id, a folder, a .gguf file, or --params 70b; one of them")
    if wanted.params:
        return of_size(wanted.params, wanted.quant)
    if not _plainly_an_id(wanted.model):
        from gpudoctor.cli.fit.local_model import local_shape, names_a_place

        if names_a_place(wanted.model):
            from gpudoctor.host import LocalHost

            return of_local(local_shape(LocalHost(), wanted.model), wanted.quant)
    return identify(wanted.model, wanted.quant)


def _plainly_an_id(model: str) -> bool:
    """`organisation/name`, which no check of the disk has to confirm."""
    if os.path.isdir(model):  # noqa: PTH112 - a folder of that name is meant, as engines take it
        return False
    return model.count("/") == 1 and model[0] not in "/.~" and not model.endswith((".gguf", ".safetensors", ".json"))


def _cards(wanted: Wanted) -> tuple[tuple[Card, ...], MachineFacts | None]:
    """The cards named, or those of this machine with its facts."""
    from gpudoctor.errors import UsageError

    if wanted.gpu or wanted.gpu_memory_gib is not None:
        from gpudoctor.fit.card import named_card

        several = wanted.gpu.split(",")
        if len(several) > 1:  # cards of several kinds, one by one
            return tuple(named_card(name.strip(), wanted.gpu_memory_gib) for name in several[:_MOST_CARDS]), None
        count = wanted.gpus or (wanted.options.tp or 1) * wanted.options.pp * wanted.options.dp
        if count > _MOST_CARDS:
            raise UsageError(f"{count} GPUs are more than can be counted", f"at most {_MOST_CARDS}")
        name = wanted.gpu or f"{wanted.gpu_memory_gib:g} GiB GPU"
        return (named_card(name, wanted.gpu_memory_gib),) * count, None
    from gpudoctor.cli.fit.machine import machine_cards

    return machine_cards(wanted)


def _with_launch(wanted: Wanted) -> tuple[Wanted, Callable[[Suggestion], str] | None]:
    """What the launch command says, where no option says otherwise."""
    if not wanted.launch:
        return wanted, None
    from gpudoctor.cli.fit.launch import with_launch

    return with_launch(wanted)
