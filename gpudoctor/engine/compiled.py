"""A rule with its expressions and templates compiled: the condition when it is first asked, the rest when it fires.

A rule of ours comes with them compiled. Of others most do not fire, and compiling all texts would cost more than
everything else in the engine.
`Rule.check` compiles all and gives every problem; rules that are not ours are checked when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from gpudoctor.engine.body import Body, Head
from gpudoctor.engine.node import Expression
from gpudoctor.engine.problem import Problem, RuleFileError
from gpudoctor.engine.programs import Ready
from gpudoctor.engine.ready import NotReadyError
from gpudoctor.engine.rule import CaseSpec, PackedRule, RuleSpec

if TYPE_CHECKING:
    from gpudoctor.engine.yaml_strict import Document


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
        from gpudoctor.engine.maker import applies_of  # of packed rules nobody wants what compiles

        return applies_of(self)

    @cached_property
    def head(self) -> Head:
        """Raises RuleFileError."""
        if self._ready is not None:
            with suppress(NotReadyError):
                return self._ready.head()
        from gpudoctor.engine.maker import head_of

        return head_of(self)

    @cached_property
    def body(self) -> Body:
        """Raises RuleFileError."""
        if self._ready is not None:
            with suppress(NotReadyError):
                return self._ready.body()
        from gpudoctor.engine.maker import body_of

        return body_of(self)

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
