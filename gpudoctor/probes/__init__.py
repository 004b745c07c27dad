"""One file = one probe, found by directory. A probe asks the host and returns one section of facts."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gpudoctor.host.probe import Probe


@cache
def discover() -> tuple[Probe, ...]:
    """The `PROBE` of every module here whose name has no leading underscore, by name."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(import_module(f"{__name__}.{name}").PROBE for name in names)
