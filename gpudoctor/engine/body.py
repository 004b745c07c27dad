"""A rule's expressions and templates, compiled: what decides whether it fires, and what its finding is made of."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.engine.node import Expression, Run
from gpudoctor.engine.template import Template
from gpudoctor.model.finding import Needs, Severity


class Head(Struct, frozen=True):
    """What decides whether the rule fires."""

    lets: dict[str, Expression]
    when: Expression

    @property
    def runs(self) -> dict[str, Run]:
        """Of the lets."""
        return {name: let.run for name, let in self.lets.items()}


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
