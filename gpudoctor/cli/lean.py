"""Imports without what they load and we do not need: half of the 13 ms that msgspec and pathlib take with it.

A stand-in is there only while these two are loaded; who imports the real module later gets that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType, SimpleNamespace


class _Unused:
    """A type that no value of ours has."""


def load_msgspec() -> None:
    """Load msgspec, and pathlib, without what only others ask of them.

    msgspec takes from uuid and decimal the types that it can encode, which none of our structs holds; its JSON schemas
    bring textwrap and much of their own. Of typing_extensions it wants two names that `typing` has too, and that loads
    inspect, ast, dis and tokenize. pathlib wants urllib for file: URLs.
    """
    stand_ins: dict[str, ModuleType | None] = {
        "uuid": _module(UUID=_Unused, SafeUUID=SimpleNamespace(unknown=None)),
        "decimal": _module(Decimal=_Unused),
        "urllib.parse": _module(quote_from_bytes=_later("urllib.parse", "quote_from_bytes")),
        "msgspec.inspect": _module(),
        "msgspec._json_schema": _module(
            schema=_later("msgspec._json_schema", "schema"),
            schema_components=_later("msgspec._json_schema", "schema_components"),
        ),
    }
    if sys.version_info >= (3, 11):  # typing of 3.10 lacks one of the names
        stand_ins["typing_extensions"] = None
    if "msgspec" in sys.modules:
        return
    with suppress(ImportError):  # where the types of datetime are written in C, they are all that msgspec wants
        import _datetime  # type: ignore[import-not-found]  # typeshed knows the public name only

        stand_ins["datetime"] = _datetime
    with _standing_in(stand_ins):
        import pathlib  # noqa: F401 - only loaded

        import msgspec
    vars(msgspec).pop("inspect")  # so that it is loaded when somebody wants it


@contextmanager
def _standing_in(stand_ins: dict[str, ModuleType | None]) -> Iterator[None]:
    """For the modules that are not loaded yet. None makes an import fail, which is documented."""
    absent = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _module(**names: object) -> ModuleType:
    made = ModuleType("stand_in")
    vars(made).update(names)
    return made


def _later(module: str, name: str) -> Callable[..., object]:
    """A function that loads the real one when it is called."""

    def call(*args: object, **options: object) -> object:
        from importlib import import_module

        function: Callable[..., object] = getattr(import_module(module), name)
        return function(*args, **options)

    return call
