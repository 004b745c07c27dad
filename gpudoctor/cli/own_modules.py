"""Our own modules, found where their names say and loaded with one look at the source and one at the bytecode.

Python looks for a module in every form that one can have, whether its folder has changed, and three times at its file.
Of what importing our small modules takes that is a fourth (8.5 of 35 ms for the 186 that a check imports, Python 3.11).
Everything that is not the usual case is left to Python: no bytecode yet, another kind of it, an unknown place for it.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

import gpudoctor

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from importlib.machinery import SourceFileLoader as PythonLoader
else:  # importing importlib.machinery takes a millisecond; our own package was loaded by what it has
    PythonLoader = type(gpudoctor.__spec__.loader)

_PYTHON = "_frozen_importlib_external"  # what loads source files everywhere but in zip files and frozen programs
_HEADER_BYTES = 16
_READ_BYTES = 1 << 16  # at once; a larger buffer would be mapped and unmapped for every module


def find_by_name() -> None:
    """Look there first from now on, where we are files in folders; what is not found is left to Python as ever."""
    if (PythonLoader.__module__, PythonLoader.__name__) == (_PYTHON, "SourceFileLoader"):
        sys.meta_path.insert(0, _Finder(gpudoctor.__file__))


class _Loader(PythonLoader):
    """Loads the bytecode that Python has written, where that is of this very source."""

    def __init__(self, name: str, path: str, bytecode: str, header: bytes) -> None:
        super().__init__(name, path)
        self._bytecode = bytecode
        self._header = header

    def get_code(self, fullname: str) -> CodeType | None:
        """Part of Python's import protocol."""
        try:
            descriptor = os.open(self._bytecode, os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.read(descriptor, _READ_BYTES)
            finally:
                os.close(descriptor)
            if data.startswith(self._header) and len(data) < _READ_BYTES:
                code = marshal.loads(memoryview(data)[_HEADER_BYTES:])  # noqa: S302 - where Python reads it itself
                if isinstance(code, CodeType) and code.co_filename == self.path:
                    return code
        except (OSError, EOFError, ValueError, TypeError):
            pass  # Python knows what to do, or what to say
        try:
            return super().get_code(fullname)
        except EOFError:  # bytecode that was cut: before 3.12 Python leaves that where files may not grow (ulimit -f)
            code = self.source_to_code(self.get_data(self.path), self.path)
            return code if isinstance(code, CodeType) else None


class _Finder:
    def __init__(self, package: str) -> None:
        self._folder = os.path.dirname(package)  # noqa: PTH120 - pathlib is not loaded yet
        self._prefix = f"{gpudoctor.__name__}."
        self._spec: type[ModuleSpec] = type(gpudoctor.__spec__)
        # As in "<folder>/__pycache__/__init__.cpython-311.pyc"; Python may have been told another place.
        beside, _, file = (gpudoctor.__spec__.cached or "").rpartition("/")
        self._suffix = file.removeprefix("__init__") if beside == f"{self._folder}/__pycache__" else ""
        self._magic = sys.modules[_PYTHON].MAGIC_NUMBER + bytes(4)  # and no flag: told by time and length

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Part of Python's import protocol."""
        if not name.startswith(self._prefix):
            return None
        place = f"{self._folder}/{name[len(self._prefix) :].replace('.', '/')}"
        for source, is_package in ((f"{place}.py", False), (f"{place}/__init__.py", True)):
            try:
                state = os.stat(source)  # noqa: PTH116
            except OSError:
                continue
            spec = self._spec(name, self._loader(name, source, state), origin=source, is_package=is_package)
            spec.has_location = True
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations.append(place)
            return spec
        return None

    def _loader(self, name: str, source: str, state: os.stat_result) -> PythonLoader:
        if not self._suffix:
            return PythonLoader(name, source)
        folder, _, file = source.rpartition("/")
        header = self._magic + _four_bytes(int(state.st_mtime)) + _four_bytes(state.st_size)
        return _Loader(name, source, f"{folder}/__pycache__/{file.removesuffix('.py')}{self._suffix}", header)


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")
