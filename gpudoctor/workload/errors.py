"""The one error of this package: the launch command cannot be read."""

from gpudoctor.errors import UsageError

_WINDOW = 72  # columns of the command that the message shows


class CommandError(UsageError):
    """The launch command is wrong at one place.

    Attributes:
        position: number of the word, counted from 1.
        problem: what is wrong, one clause without the place.
    """

    def __init__(self, position: int, problem: str, text: str = "", span: tuple[int, int] = (0, 0)) -> None:
        self.position = position
        self.problem = problem
        message = f"word {position} of the launch command: {problem}"
        super().__init__(message + _excerpt(text, span), hint="the words after `--` are read, never run")


def _excerpt(text: str, span: tuple[int, int]) -> str:
    """The part of the command around the place, with carets below it; empty where there is no text."""
    if not text:
        return ""
    start, end = span
    end = max(start + 1, end)
    first = max(0, min(start - _WINDOW // 2, len(text) - _WINDOW))
    shown = "".join(c if c.isprintable() else " " for c in text[first : first + _WINDOW])
    carets = "^" * max(1, min(end, first + _WINDOW) - start)
    return f"\n    {shown}\n    {' ' * (start - first)}{carets}"
