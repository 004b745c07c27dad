"""Python's expression syntax as a tree; nothing of it is ever run as Python."""

from __future__ import annotations

import ast
import warnings
from typing import Final

from gpudoctor.engine.problem import SpecError

MAX_LENGTH: Final = 2000


def parse_expression(text: str) -> ast.expr:
    """The tree of one expression. Raises SpecError with the column."""
    if not text:
        raise SpecError("an empty expression", "see docs/rules.md")
    if len(text) > MAX_LENGTH:
        raise SpecError(f"an expression of more than {MAX_LENGTH} characters", "split it with let")
    try:
        if "\\" not in text:
            return ast.parse(text, mode="eval").body
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an unknown escape like '\d' is only a warning to Python
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 0) - 1
        column = column if 0 <= column < len(text) else len(text) - 1  # the end came too early
        hint = "write a pattern as r'...'" if "escape" in str(error.msg) else ""
        raise SpecError(f"not an expression: {error.msg}", hint, column) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise SpecError("not an expression: nested too deep, or with strange characters") from error
