"""The expressions of rules as the data that packed rules come with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from gpudoctor.engine.body import Body, Head
from gpudoctor.engine.node import Expression
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.ready import NotReadyError, Part, Reader, Writer

if TYPE_CHECKING:
    from gpudoctor.engine.compiled import Rule


class Program(Struct, frozen=True, array_like=True):
    """Where the expressions of a rule are among the parts."""

    applies: int | None
    lets: dict[str, int]
    when: int


class Programs(Struct, frozen=True, array_like=True):
    """The expressions of a folder of rules, in the order of its files; None for one that has to be compiled."""

    parts: tuple[Part, ...]
    rules: tuple[Program | None, ...]
    bodies: tuple[
        memoryview, ...
    ]  # each is parts as msgpack, of which the last is the body; opened when the rule fires


class Ready(Struct, frozen=True):
    """What was compiled when the rules were packed. Everything raises NotReadyError."""

    program: Program
    reader: Reader
    packed_body: memoryview

    def applies(self) -> Expression | None:
        """As `Rule.applies`."""
        place = self.program.applies
        return None if place is None else self.reader.take(place, Expression)

    def head(self) -> Head:
        """As `Rule.head`."""
        lets = {name: self.reader.take(place, Expression) for name, place in self.program.lets.items()}
        return Head(lets, self.reader.take(self.program.when, Expression))

    def body(self) -> Body:
        """As `Rule.body`."""
        try:
            parts = msgspec.msgpack.decode(self.packed_body, type=tuple[Part, ...])
        except msgspec.MsgspecError as error:
            raise NotReadyError(str(error)) from error
        return Reader(parts).take(len(parts) - 1, Body)


def programs_of(rules: Sequence["Rule"]) -> Programs:
    """Their expressions as data."""
    writer = Writer()
    programs = tuple(_program_of(rule, writer) for rule in rules)
    return Programs(tuple(writer.parts), programs, tuple(map(_body_of, rules)))


def _program_of(rule: "Rule", writer: Writer) -> Program | None:
    """None for what has a mistake, or no form as data: it is left to be compiled."""
    try:
        lets = {name: writer.put(let) for name, let in rule.head.lets.items()}
        applies = None if rule.applies is None else writer.put(rule.applies)
        return Program(applies, lets, writer.put(rule.head.when))
    except (RuleFileError, NotReadyError):
        return None


def _body_of(rule: "Rule") -> memoryview:
    """No part for what has a mistake, or no form as data."""
    writer = Writer()
    try:
        writer.put(rule.body)
    except (RuleFileError, NotReadyError):
        writer.parts.clear()
    return memoryview(msgspec.msgpack.encode(writer.parts))
