"""Fixes for this machine. A fix whose command would need an absent fact is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from gpudoctor.engine.body import Changed, Remedy
from gpudoctor.engine.clean import clean
from gpudoctor.engine.template import Template
from gpudoctor.engine.values import Frame
from gpudoctor.model.change import Change, Rewritten
from gpudoctor.model.facts import Workload
from gpudoctor.model.finding import Fix

# Writes the user's own launch command with the change; see `gpudoctor.workload.rewrite`.
Rewriter = Callable[[Workload, Change], Rewritten]


class Remedies(Struct, frozen=True):
    """The fixes that apply, best first, and what went wrong with the others."""

    fixes: tuple[Fix, ...]
    defects: tuple[str, ...]
    change: Change | None  # of the best fix, None where that is none of the launch command


def remedies(fixes: Sequence[Remedy], frame: Frame, rewrite: Rewriter | None) -> Remedies:
    """Fixes for this machine."""
    made: list[Fix] = []
    defects: list[str] = []
    best: Change | None = None
    for number, remedy in enumerate(fixes, 1):
        try:
            change = change_of(remedy.change, frame) if remedy.change is not None else None
            fix = _fix(remedy, change, frame, rewrite)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            defects.append(clean(f"internal: fix {number}: {type(error).__name__}: {error}"))
            continue
        if fix is not None and not any(_same(fix, earlier) for earlier in made):
            best = best if made else change
            made.append(fix)
    return Remedies(tuple(made), tuple(defects), best)


def _same(fix: Fix, earlier: Fix) -> bool:
    """Several fixes of a rule can come to one and the same command, or be one sentence with and without a command."""
    return fix.title == earlier.title or (fix.command != "" and fix.command == earlier.command)


def _fix(remedy: Remedy, change: Change | None, frame: Frame, rewrite: Rewriter | None) -> Fix | None:
    if remedy.when is not None and remedy.when.truth(frame) is not True:
        return None
    command: str | None = ""
    title = remedy.title.prose(frame)
    env: dict[str, str] = {}
    if remedy.change is not None:
        if change is None:
            return None
        env = change.env
        rewritten = rewrite(frame.facts.workload, change) if rewrite is not None else Rewritten()
        command = rewritten.command
        title = f"{title}: {rewritten.options}" if rewritten.options else title
    elif remedy.command.parts:
        command = remedy.command.command(frame)
    if command is None:
        return None
    return Fix(
        title=title,
        command=command,
        env=env,
        caveat=remedy.caveat.prose(frame),
        undo=remedy.undo.prose(frame),
        needs=remedy.needs,
    )


def change_of(templates: Changed, frame: Frame) -> Change | None:
    """The change with its values, None where one of them is absent."""
    flags, env = _filled(templates.flags, frame), _filled(templates.env, frame)
    unset, add, remove = (_list(texts, frame) for texts in (templates.unset, templates.add, templates.remove))
    if flags is None or env is None or unset is None or add is None or remove is None:
        return None
    return Change(flags=flags, env=env, unset=unset, add=add, remove=remove)


def _filled(templates: Mapping[str, Template], frame: Frame) -> dict[str, str] | None:
    texts = {name: template.plain(frame) for name, template in templates.items()}
    whole = {name: text for name, text in texts.items() if text is not None}
    return whole if len(whole) == len(texts) else None


def _list(templates: Iterable[Template], frame: Frame) -> tuple[str, ...] | None:
    texts = [template.plain(frame) for template in templates]
    whole = tuple(text for text in texts if text is not None)
    return whole if len(whole) == len(texts) else None
