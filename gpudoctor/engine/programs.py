"""What decides whether a rule fires, compiled; and as the data that packed rules come with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from gpudoctor.engine.expression import Expression
from gpudoctor.engine.node import Run
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.ready import NotReadyError, Part, Reader, Writer

if TYPE_CHECKING:
    from gpudoctor.engine.compiled import Rule


class Head(Struct, frozen=True):
    """What decides whether the rule fires."""

    lets: dict[str, Expression]
    when: Expression

    @property
    def runs(self) -> dict[str, Run]:
        """Of the lets."""
        return {name: let.run for name, let in self.lets.items()}


class Program(Struct, frozen=True, array_like=True):
    """Where the expressions of a rule are among the parts."""

    applies: int | None
    lets: dict[str, int]
    when: int


class Programs(Struct, frozen=True, array_like=True):
    """The expressions of a folder of rules, in the order of its files; None for one that has to be compiled."""

    parts: tuple[Part, ...]
    rules: tuple[Program | None, ...]


class Ready(Struct, frozen=True):
    """What was compiled when the rules were packed. Everything raises NotReadyError."""

    program: Program
    reader: Reader

    def applies(self) -> Expression | None:
        """As `Rule.applies`."""
        place = self.program.applies
        return None if place is None else self.reader.take(place, Expression)

    def head(self) -> Head:
        """As `Rule.head`."""
        lets = {name: self.reader.take(place, Expression) for name, place in self.program.lets.items()}
        return Head(lets, self.reader.take(self.program.when, Expression))


def programs_of(rules: Sequence["Rule"]) -> Programs:
    """Their expressions as data."""
    writer = Writer()
    programs = tuple(_program_of(rule, writer) for rule in rules)
    return Programs(tuple(writer.parts), programs)


def _program_of(rule: "Rule", writer: Writer) -> Program | None:
    """None for what has a mistake, or no form as data: it is left to be compiled."""
    try:
        lets = {name: writer.put(let) for name, let in rule.head.lets.items()}
        applies = None if rule.applies is None else writer.put(rule.applies)
        return Program(applies, lets, writer.put(rule.head.when))
    except (RuleFileError, NotReadyError):
        return None
