"""What is wrong with a rule file: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gpudoctor.errors import InputFileError


class Position(Struct, frozen=True):
    """A place in a file. Lines and columns start at 1; 0 means not known."""

    line: int = 0
    column: int = 0


class Problem(Struct, frozen=True, order=True):
    """One error. `str()` gives `file:line:column: message (hint)`."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class RuleFileError(InputFileError):
    """One or more rule files cannot be used; `problems` has every error that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SpecError(Exception):
    """An error inside one value of a rule file, before file and line are known.

    `column` counts from 0 within the text of that value; -1 where the whole value is meant.
    """

    def __init__(self, message: str, hint: str = "", column: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.column = column
