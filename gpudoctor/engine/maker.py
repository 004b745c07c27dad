"""Compiles the texts of a rule. Every problem in them is found before any is raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from gpudoctor.engine.body import Body, Changed, Head, Level, Remedy, Shown
from gpudoctor.engine.expression import compile_condition, compile_expression
from gpudoctor.engine.kinds import ANY_LIST, BOOL, Kind, is_hit
from gpudoctor.engine.names import SEEN, check_name
from gpudoctor.engine.node import Expression
from gpudoctor.engine.problem import Problem, RuleFileError, SpecError
from gpudoctor.engine.rule import ChangeSpec, EvidenceSpec, FixSpec, RuleSpec
from gpudoctor.engine.template import Template
from gpudoctor.engine.template_text import compile_template
from gpudoctor.engine.values import FALSE

if TYPE_CHECKING:
    from gpudoctor.engine.compiled import Rule
    from gpudoctor.engine.yaml_strict import Path

T = TypeVar("T")

_NEVER: Final = Expression("False", BOOL, lambda _: FALSE)
_EMPTY: Final = Template(())


def applies_of(rule: Rule) -> Expression | None:
    """Whether the rule is of any interest, None for always. Raises RuleFileError."""
    if not rule.spec.applies:
        return None
    maker = _Maker(rule, _signature_names(rule.spec))
    applies = maker.condition(("applies",), rule.spec.applies)
    maker.finish()
    return applies


def head_of(rule: Rule) -> Head:
    """What decides. Raises RuleFileError."""
    maker = _Maker(rule, _signature_names(rule.spec))
    lets = {name: maker.let(name, text) for name, text in rule.spec.let.items()}
    when = maker.condition(("when",), rule.spec.when)
    maker.finish()
    return Head(lets, when)


def body_of(rule: Rule) -> Body:
    """What the finding is made of. Raises RuleFileError."""
    spec = rule.spec
    lets = {name: let.kind for name, let in rule.head.lets.items()}
    maker = _Maker(rule, _signature_names(spec) | lets)
    body = Body(
        title=maker.template(("title",), spec.title),
        subject=maker.template(("subject",), spec.subject),
        why=maker.template(("why",), spec.why),
        verify=maker.template(("verify",), spec.verify, command=True),
        evidence=tuple(maker.evidence(i, item) for i, item in enumerate(spec.evidence)),
        fixes=tuple(maker.fix(("fixes", i), fix) for i, fix in enumerate(spec.fixes)),
        levels=tuple(
            Level(maker.condition(("levels", i, "when"), level.when), level.confidence, level.severity)
            for i, level in enumerate(spec.levels)
        ),
    )
    maker.finish()
    return body


class _Maker:
    """Compiles texts, and goes on after a problem."""

    def __init__(self, rule: Rule, names: dict[str, Kind]) -> None:
        self._rule = rule
        self._names = names
        self._problems: list[Problem] = []

    def finish(self) -> None:
        if self._problems:
            raise RuleFileError(self._problems)

    def _try(self, path: Path, make: Callable[[], T], otherwise: T) -> T:
        try:
            return make()
        except SpecError as error:
            self._problems.append(self._rule.document.problem(path, error.message, error.hint, error.column))
            return otherwise

    def let(self, name: str, text: str) -> Expression:
        path = ("let", name)
        self._try(path, lambda: check_name(name, set(self._names)), None)
        expression = self._try(path, lambda: compile_expression(text, self._names), _NEVER)
        if expression is _NEVER:
            self.finish()  # what follows would only complain about this name
        self._names[name] = expression.kind
        return expression

    def condition(self, path: Path, text: str) -> Expression:
        return self._try(path, lambda: compile_condition(text, self._names), _NEVER)

    def template(self, path: Path, text: str, *, command: bool = False) -> Template:
        return self._try(path, lambda: compile_template(text, self._names, command=command), _EMPTY) if text else _EMPTY

    def evidence(self, position: int, item: str | EvidenceSpec) -> Shown:
        spec = EvidenceSpec(item) if isinstance(item, str) else item
        path: Path = ("evidence", position) if isinstance(item, str) else ("evidence", position, "expr")
        return Shown(self._try(path, lambda: _evidence(spec.expr, self._names), _NEVER), spec.label)

    def fix(self, path: Path, spec: FixSpec) -> Remedy:
        return Remedy(
            when=self.condition((*path, "when"), spec.when) if spec.when else None,
            title=self.template((*path, "title"), spec.title),
            change=self._change((*path, "change"), spec.change) if spec.change is not None else None,
            command=self.template((*path, "command"), spec.command, command=True),
            caveat=self.template((*path, "caveat"), spec.caveat),
            undo=self.template((*path, "undo"), spec.undo),
            needs=spec.needs,
        )

    def _change(self, path: Path, spec: ChangeSpec) -> Changed:
        return Changed(
            flags=self._templates((*path, "flags"), spec.flags),
            env=self._templates((*path, "env"), spec.env),
            unset=self._list((*path, "unset"), spec.unset),
            add=self._list((*path, "add"), spec.add),
            remove=self._list((*path, "remove"), spec.remove),
        )

    def _templates(self, path: Path, texts: Mapping[str, object]) -> dict[str, Template]:
        return {name: self.template((*path, name), str(text)) for name, text in texts.items()}

    def _list(self, path: Path, texts: tuple[str, ...]) -> tuple[Template, ...]:
        return tuple(self.template((*path, i), text) for i, text in enumerate(texts))


def _signature_names(spec: RuleSpec) -> dict[str, Kind]:
    """The rule's own signatures as names; what they are is decided where `seen` is compiled."""
    return {f"{SEEN}.{signature.name}": ANY_LIST for signature in spec.signatures}


def _evidence(text: str, names: Mapping[str, Kind]) -> Expression:
    expression = compile_expression(text, names)
    kind = expression.kind.element if expression.kind.element is not None else expression.kind
    if kind.name not in ("bool", "int", "float", "str") and not is_hit(kind):
        raise SpecError(f"evidence is a plain value or a list of them, not a {expression.kind}", "choose a field")
    return expression
