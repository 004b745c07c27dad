"""A layout → the workload's values, the later and inner ones winning, and what contradicts itself on the way."""

from __future__ import annotations

from msgspec import Struct, field

from gpudoctor.workload.layout import Layout
from gpudoctor.workload.scan import Hit, Scan
from gpudoctor.workload.spec import Spec, Value
from gpudoctor.workload.values import convert

_REPEATABLE = frozenset({"unset", "environment", "container_device", "tensor_split"})


class Given(Struct, frozen=True):
    """A value, None where only the run decides it, and who gave it: the words of the command, or nobody."""

    value: Value | None
    spelled: str  # "--tensor-parallel-size 4"
    source: str  # launch_command | default
    because: str = ""  # where the value is None: what decides it


class Collected(Struct, kw_only=True):
    """What a launch command says. `given` has fields of `Workload` and the intermediate ones of `sizes.py`."""

    engine: Spec | None = None
    launcher: Spec | None = None
    given: dict[str, Given] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)

    def value(self, name: str) -> Value | None:
        """The value of a field, None where it was not given or only the run decides it."""
        given = self.given.get(name)
        return given.value if given else None

    def count(self, name: str) -> int | None:
        """A field that is a number."""
        value = self.value(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def spelled(layout: Layout, hit: Hit) -> str:
    """An option and its value as the user wrote them, bounded."""
    last = hit.last if hit.value >= 0 else hit.name
    text = " ".join(w.text for w in layout.words[hit.name : last + 1])
    return text if len(text) <= 80 else text[:77] + "..."


def collect(top: Layout) -> Collected:
    """Everything that the command and the layouts inside it give."""
    found = Collected()
    environment: dict[str, str] = {}
    for layout in top.chain():
        environment.update({a.name: a.value for a in layout.assignments if a.value is not None})
        for scan in layout.scans:
            if scan.spec.role == "engine":
                found.engine = scan.spec
            elif scan.spec.role == "launcher":
                found.launcher = scan.spec
            _scan(layout, scan, found)
        found.contradictions.extend(_lost(layout))
    for spec in (found.launcher, found.engine):
        if spec is not None:
            _fallbacks(spec, environment, found)
    return found


def _scan(layout: Layout, scan: Scan, found: Collected) -> None:
    here: dict[str, tuple[Value | None, Hit]] = {}
    for hit in scan.hits:
        for name, value in hit.fields:
            before = here.get(name)
            if before is not None and before[0] != value and name not in _REPEATABLE:
                words = f"`{spelled(layout, before[1])}` and `{spelled(layout, hit)}`"
                found.contradictions.append(f"The command gives {words}; the last one counts.")
            here[name] = (value, hit)
            found.given[name] = Given(value, spelled(layout, hit), "launch_command")


def _lost(layout: Layout) -> list[str]:
    kept = {a.name for inner in layout.chain() for a in inner.assignments}
    return [
        f"{name} is set in front of `{program}`, which does not pass it on."
        for name, program in dict(layout.lost).items()
        if name not in kept
    ]


def _fallbacks(spec: Spec, environment: dict[str, str], found: Collected) -> None:
    """Variables that the program reads in place of an option, then its defaults."""
    for option in spec.options:
        text = environment.get(option.env, "") if option.env else ""
        if not text or option.field in found.given:
            continue
        try:
            fields = convert(option.kind, option.field, text)
        except ValueError as error:
            found.contradictions.append(f"{option.env} in the command {error}.")
            continue
        for name, value in fields:
            found.given[name] = Given(value, f"{option.env}={text[:60]}", "launch_command")
    for name, default in spec.defaults:
        found.given.setdefault(name, Given(default, "", "default"))
