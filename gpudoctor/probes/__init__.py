"""One file = one probe, found by directory. A probe asks the host and returns one section of facts."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from gpudoctor.host.probe import Probe
from gpudoctor.paths import module_names


@cache
def discover() -> tuple[Probe, ...]:
    """The `PROBE` of every module here whose name has no leading underscore, by name."""
    return tuple(import_module(f"{__name__}.{name}").PROBE for name in module_names(__path__))
