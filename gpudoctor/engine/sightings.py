"""What a log showed, as values of the rule language, and what it means for the rank of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.values import Known, Many, Value
from gpudoctor.model.facts import Log
from gpudoctor.model.signature import Seen, Sighting, signature_key

NEVER = 1 << 60  # the place of what no log shows


def hits_of(spec: RuleSpec, seen: Seen) -> Callable[[str], Value]:
    """`seen.name` for this rule: its own signature, or that of another rule as `other_rule__name`."""

    def get(name: str) -> Value:
        sighting = seen.get(name if "__" in name else signature_key(spec.id, name))
        if sighting is None:
            return Many(())
        return Many(
            tuple(Known(hit, f"seen.{name}[{i}]", f"{hit.file}:{hit.line}") for i, hit in enumerate(sighting.hits))
        )

    return get


def first_place(spec: RuleSpec, seen: Seen) -> int:
    """Where the first line of a cause stands, else the first line of any kind; NEVER where there is none."""
    own = list(_own(spec, seen))
    places = [one.hits[0].ordinal for one in own if one.kind == "root"] or [one.hits[0].ordinal for one in own]
    return min(places, default=NEVER)


def only_echoes(spec: RuleSpec, seen: Seen) -> bool:
    """Whether all that was seen of this rule only reports what happened elsewhere."""
    kinds = {one.kind for one in _own(spec, seen)}
    return "echo" in kinds and "root" not in kinds


def outlived(spec: RuleSpec, seen: Seen, log: Log) -> bool:
    """Whether the run worked on after the last line that names this cause, or ended well: it did not stop for it."""
    until, file = log.worked_until.or_none(), log.worked_in.or_none()
    told = [hit for one in _own(spec, seen) if one.kind in {"root", "echo"} for hit in one.hits]
    if not told or spec.persists:
        return False
    if log.ended.or_none() == "clean" and not log.tracebacks.or_none():
        return True  # words of a help text, a failed first attempt: the run ended well
    if until is None:
        return False
    return all(hit.file == file and hit.ordinal < until for hit in told)


def _own(spec: RuleSpec, seen: Seen) -> Iterator[Sighting]:
    for signature in spec.signatures:
        sighting = seen.get(signature_key(spec.id, signature.name))
        if sighting is not None and sighting.hits:
            yield sighting
