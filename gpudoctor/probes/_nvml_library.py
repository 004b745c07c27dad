"""Calls into NVML through nvidia-ml-py: each one marked beforehand, every failure turned into an `NvmlProblem`.

A call that hung or crashed in an earlier attempt is left out of this one.
"""

from __future__ import annotations

import ctypes
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from gpudoctor.host.marker import calling
from gpudoctor.probes._nvml_errors import (
    FUNCTION_NOT_FOUND,
    LOST,
    NvmlProblem,
    error_name,
    problem,
)
from gpudoctor.probes._stalled import Stalled


class Library:
    """nvidia-ml-py with the differences between its versions and the driver's taken out."""

    def __init__(self, module: ModuleType, stalled: Stalled) -> None:
        self.module = module
        self.stalled = stalled
        self._error: type[Exception] = module.NVMLError

    def call(self, function: str, *arguments: object, target: str = "", mark: str = "") -> object:
        """Call one function of nvidia-ml-py.

        `target` names the GPU or pair for the mark; `mark` is the name where versions of a function share one.
        Raises NvmlProblem.
        """
        name = mark or function
        if self.stalled.covers(name, target):
            raise NvmlProblem("failed", f"{name} hung or crashed and was left out")
        wanted = getattr(self.module, function, None)
        if wanted is None:
            raise NvmlProblem("not_supported", f"this nvidia-ml-py has no {function}", FUNCTION_NOT_FOUND)
        calling(f"{name}@{target}" if target else name)
        try:
            return wanted(*arguments)
        except self._error as error:
            raise problem(_code(error)) from error
        except TypeError as error:  # a version with fewer parameters
            raise NvmlProblem(
                "not_supported", f"this nvidia-ml-py has another {function}", FUNCTION_NOT_FOUND
            ) from error
        except UnicodeDecodeError as error:
            raise NvmlProblem("parse_error", f"{function} returned text that is not UTF-8") from error

    def structure(self, name: str) -> ctypes.Structure:
        """A C struct of nvidia-ml-py, zeroed but for its version word. Raises NvmlProblem."""
        kind = getattr(self.module, name, None)
        if kind is None:
            raise NvmlProblem("not_supported", f"this nvidia-ml-py has no {name}", FUNCTION_NOT_FOUND)
        made: ctypes.Structure = kind()
        return made


class Device:
    """One GPU's handle. Remembers the first answer that says that the card is lost."""

    def __init__(self, library: Library, index: int, handle: object) -> None:
        self.library = library
        self.index = index
        self.handle = handle
        self.access_error = ""

    def call(self, function: str, *arguments: object, mark: str = "") -> object:
        """Call a function about this GPU. Raises NvmlProblem."""
        try:
            return self.library.call(function, self.handle, *arguments, target=str(self.index), mark=mark)
        except NvmlProblem as error:
            if error.code in LOST and not self.access_error:
                self.access_error = error_name(error.code)
            raise


def load(stalled: Stalled) -> Library:
    """Import nvidia-ml-py; whichever package provides the module, with its deprecation notes kept silent.

    Raises NvmlProblem: tool_missing where there is none that can be used.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _find_library_later():
                import pynvml  # here, because it takes 10 ms and only this child needs it
    except ImportError as error:
        raise NvmlProblem("tool_missing", f"nvidia-ml-py cannot be imported: {error}") from error
    if not hasattr(pynvml, "NVMLError") or not hasattr(pynvml, "nvmlInit"):
        raise NvmlProblem("tool_missing", f"{pynvml.__file__} is not nvidia-ml-py")
    return Library(pynvml, stalled)


@contextmanager
def _find_library_later() -> Iterator[None]:
    """Import without `ctypes.util`, of which nvidia-ml-py wants `find_library` and calls it on Windows only.

    It loads tempfile and shutil, and those OpenSSL and every compression: 5 ms. Whoever calls it gets the real one.
    """
    name = "ctypes.util"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.__dict__["find_library"] = _find_library
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


def _find_library(name: str) -> str | None:
    from ctypes.util import find_library

    return find_library(name)


def _code(error: Exception) -> int:
    code = getattr(error, "value", None)
    return code if isinstance(code, int) else 999
