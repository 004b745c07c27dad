"""A rule with its expressions and templates compiled: the condition when it is first asked, the rest when it fires.

Most rules do not fire, and compiling the texts of all of them would cost more than everything else in the engine.
`Rule.check` compiles all and gives every problem; rules that are not ours are checked when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from gpudoctor.engine.expression import Expression, compile_condition, compile_expression
from gpudoctor.engine.kinds import ANY_LIST, BOOL, Kind, is_hit
from gpudoctor.engine.names import SEEN, check_name
from gpudoctor.engine.problem import Problem, RuleFileError, SpecError
from gpudoctor.engine.programs import Head, Ready
from gpudoctor.engine.ready import NotReadyError
from gpudoctor.engine.rule import CaseSpec, ChangeSpec, EvidenceSpec, FixSpec, PackedRule, RuleSpec
from gpudoctor.engine.template import Template, compile_template
from gpudoctor.engine.values import FALSE
from gpudoctor.model.finding import Needs, Severity

if TYPE_CHECKING:
    from gpudoctor.engine.yaml_strict import Document, Path

T = TypeVar("T")

_NEVER = Expression("False", BOOL, lambda _: FALSE)
_EMPTY = Template("", ())


class Shown(Struct, frozen=True):
    """A piece of evidence."""

    expression: Expression
    label: str


class Changed(Struct, frozen=True):
    """The templates of a change of the launch command."""

    flags: dict[str, Template]
    env: dict[str, Template]
    unset: tuple[Template, ...]
    add: tuple[Template, ...]
    remove: tuple[Template, ...]


class Remedy(Struct, frozen=True):
    """A fix."""

    when: Expression | None
    title: Template
    change: Changed | None
    command: Template
    caveat: Template
    undo: Template
    needs: Needs


class Level(Struct, frozen=True):
    """Another confidence or severity."""

    when: Expression
    confidence: float | None
    severity: Severity | None


class Body(Struct, frozen=True):
    """What a finding is made of."""

    title: Template
    subject: Template
    why: Template
    verify: Template
    evidence: tuple[Shown, ...]
    fixes: tuple[Remedy, ...]
    levels: tuple[Level, ...]


class Rule:
    """A rule that has the right form, and the file that it is from: what is in it beyond the spec is parsed on demand.

    Those are the cases, and the places of values, which only a problem needs. A rule of ours may come with its
    expressions compiled.
    """

    def __init__(
        self,
        spec: RuleSpec | PackedRule,
        file: str,
        raw: bytes | None,
        document: Document | None = None,
        ready: Ready | None = None,
    ) -> None:
        self.id = spec.id
        self.cause = spec.cause
        self._spec = spec
        self.file = file
        self._raw = raw
        self._document = document
        self._ready = ready

    @cached_property
    def spec(self) -> RuleSpec:
        """All that it says but the cases."""
        return self._spec.spec() if isinstance(self._spec, PackedRule) else self._spec

    @property
    def document(self) -> Document:
        """The whole file, parsed. Raises RuleFileError where only the part in front of the cases can be."""
        if self._document is None:
            from gpudoctor.engine.yaml_strict import parse  # of packed rules nobody wants it, as a rule

            self._document = parse(self._raw if self._raw is not None else _read(self.file), self.file)
        return self._document

    @cached_property
    def cases(self) -> tuple[CaseSpec, ...]:
        """The cases. Raises RuleFileError."""
        from gpudoctor.engine.form import convert_rule

        return convert_rule(self.document).cases

    @cached_property
    def applies(self) -> Expression | None:
        """Whether the rule is of any interest; compiled on its own, so that most rules cost no more than this.

        Raises RuleFileError.
        """
        if self._ready is not None:
            with suppress(NotReadyError):
                return self._ready.applies()
        if not self.spec.applies:
            return None
        maker = _Maker(self, _signature_names(self.spec))
        applies = maker.condition(("applies",), self.spec.applies)
        maker.finish()
        return applies

    @cached_property
    def head(self) -> Head:
        """Raises RuleFileError."""
        if self._ready is not None:
            with suppress(NotReadyError):
                return self._ready.head()
        maker = _Maker(self, _signature_names(self.spec))
        lets = {name: maker.let(name, text) for name, text in self.spec.let.items()}
        when = maker.condition(("when",), self.spec.when)
        maker.finish()
        return Head(lets, when)

    @cached_property
    def body(self) -> Body:
        """Raises RuleFileError."""
        spec = self.spec
        lets = {name: let.kind for name, let in self.head.lets.items()}
        maker = _Maker(self, _signature_names(spec) | lets)
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

    def prepare(self) -> None:
        """Compile what decides; problems wait for who asks."""
        _problems(lambda: (self.applies, self.head))

    def check(self) -> tuple[Problem, ...]:
        """Compile everything; every problem there is."""
        problems: list[Problem] = []
        for part in (lambda: self.applies, lambda: self.body, lambda: self.cases):
            problems += _problems(part)
        if self.spec.signatures:
            from gpudoctor.engine.signatures import signature_problems

            problems += [self.document.problem(*problem) for problem in signature_problems(self.spec)]
        return tuple(problems)


class Found(Struct, frozen=True):
    """What reading folders gave: the rules of the right form, and the problems of the others."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]


def _read(file: str) -> bytes:
    """A rule file that was not read when its rule was loaded. Raises RuleFileError."""
    from gpudoctor.engine.yaml_strict import MAX_BYTES

    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a path in words is all we have
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuleFileError([Problem(file, 0, 0, f"cannot be read: {error.strerror}", "")]) from error


def _problems(part: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        part()
    except RuleFileError as error:
        return error.problems
    return ()


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
