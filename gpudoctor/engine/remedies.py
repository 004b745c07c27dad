"""Fixes for this machine. A fix whose command would need an absent fact is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.engine.body import Changed, Remedy
from gpudoctor.engine.clean import clean
from gpudoctor.engine.template import Template
from gpudoctor.engine.values import Frame
from gpudoctor.model.change import Change, Rewritten
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import Fix

_STARTERS: Final = ("ray", "torchrun", "accelerate")  # they start programs that have options of their own
# Writes the user's own launch command with the change; see `gpudoctor.workload.rewrite`.
Rewriter = Callable[[Workload, Change], Rewritten]


class Remedies(Struct, frozen=True):
    """The fixes that apply, best first, and what went wrong with the others."""

    fixes: tuple[Fix, ...]
    defects: tuple[str, ...]
    change: Change | None  # of the best fix, None where that is none of the launch command


def remedies(fixes: Sequence[Remedy], frame: Frame, rewrite: Rewriter | None) -> Remedies:
    """Fixes for this machine."""
    made: list[tuple[Fix, Change | None]] = []
    defects: list[str] = []
    workload = _workload(frame.facts)
    for number, remedy in enumerate(fixes, 1):
        try:
            change = change_of(remedy.change, frame) if remedy.change is not None else None
            fix = _fix(remedy, change, frame, rewrite and partial(rewrite, workload))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            defects.append(clean(f"internal: fix {number}: {type(error).__name__}: {error}"))
            continue
        if fix is not None and not any(_same(fix, earlier) for earlier, _ in made):
            made.append((fix, change))
    said = [(fix, change) for fix, change in made if rewrite is None or not _unsaid(fix, change, workload)]
    kept = said or made
    return Remedies(tuple(fix for fix, _ in kept), tuple(defects), kept[0][1] if kept else None)


def _workload(facts: Facts) -> Workload:
    """The run; where nobody gave its command, a log may have shown whose it is."""
    workload = facts.workload
    if workload.command.known or workload.framework.known:
        return workload
    shown = (name for name in facts.log.frameworks.or_none() or () if name not in _STARTERS)
    name = next(shown, None)
    return workload if name is None else replace(workload, framework=known(name, "log"))


def _unsaid(fix: Fix, change: Change | None, workload: Workload) -> bool:
    """Options that this program does not have; what only another one has is no advice."""
    if change is None or fix.command or change.env or change.unset or "`" in fix.title:
        return False
    return bool(change.add) or (workload.framework.known and not workload.command.known)


def _same(fix: Fix, earlier: Fix) -> bool:
    """Several fixes of a rule can come to one and the same command, or be one sentence with and without a command."""
    return fix.title == earlier.title or (fix.command != "" and fix.command == earlier.command)


def _fix(
    remedy: Remedy, change: Change | None, frame: Frame, rewrite: Callable[[Change], Rewritten] | None
) -> Fix | None:
    if remedy.when is not None and remedy.when.truth(frame) is not True:
        return None
    command: str | None = ""
    title = remedy.title.prose(frame)
    env: dict[str, str] = {}
    if remedy.change is not None:
        if change is None:
            return None
        env = change.env
        rewritten = rewrite(change) if rewrite is not None else Rewritten()
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
