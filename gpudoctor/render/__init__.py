"""Renderers: a report in, text out. One file of `formats/` is one format; nothing here prints or decides exit codes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from gpudoctor.errors import UsageError
from gpudoctor.paths import module_names
from gpudoctor.render import formats as _formats
from gpudoctor.render.options import RenderOptions

if TYPE_CHECKING:
    from gpudoctor.model.report import Report

__all__ = ["RenderOptions", "Renderer", "check_format", "formats", "renderer"]


class Renderer(Protocol):
    """What a module of `formats/` has."""

    NAME: str

    def render(self, report: Report, out: TextIO, options: RenderOptions) -> None:
        """Write the whole document to `out`."""


def formats() -> tuple[str, ...]:
    """The names for `--format`, text first: the modules of `formats/`, none of them imported."""
    return tuple(sorted(module_names(_formats.__path__), key=lambda name: name != "text"))


def check_format(name: str) -> None:
    """Refuse a name that is no format, without loading any.

    Raises:
        UsageError: there is no such format.
    """
    if name not in formats():
        raise UsageError(f"unknown format {name!r}", hint=f"one of {', '.join(formats())}")


def renderer(name: str) -> Renderer:
    """The renderer of that name.

    Raises:
        UsageError: there is no such format.
    """
    check_format(name)
    return cast("Renderer", importlib.import_module(f"{_formats.__name__}.{name}"))
