"""Calls into the CUDA driver library through ctypes: each one marked beforehand, every failure a `CudaProblem`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TypeVar

from gpudoctor.host.marker import calling
from gpudoctor.model.fact import Fact, Reason, absent, known
from gpudoctor.probes._stalled import Stalled

T = TypeVar("T")

SOURCE = "cuda"
LIBRARY = "libcuda.so.1"

_SUCCESS = 0
_NAME_LENGTH = 256
_PCI_BUS_ID_LENGTH = 32
_UUID_LENGTH = 16

# From cuda.h, for a library so old or so broken that cuGetErrorName does not tell. 35 is the runtime's number; a
# driver library was never seen to return it.
_NAMES = {
    1: "CUDA_ERROR_INVALID_VALUE",
    2: "CUDA_ERROR_OUT_OF_MEMORY",
    3: "CUDA_ERROR_NOT_INITIALIZED",
    4: "CUDA_ERROR_DEINITIALIZED",
    34: "CUDA_ERROR_STUB_LIBRARY",
    35: "cudaErrorInsufficientDriver",
    46: "CUDA_ERROR_DEVICE_UNAVAILABLE",
    100: "CUDA_ERROR_NO_DEVICE",
    101: "CUDA_ERROR_INVALID_DEVICE",
    214: "CUDA_ERROR_ECC_UNCORRECTABLE",
    304: "CUDA_ERROR_OPERATING_SYSTEM",
    800: "CUDA_ERROR_NOT_PERMITTED",
    801: "CUDA_ERROR_NOT_SUPPORTED",
    802: "CUDA_ERROR_SYSTEM_NOT_READY",
    803: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
    804: "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
    999: "CUDA_ERROR_UNKNOWN",
}
_REASONS: dict[int, Reason] = {800: "no_permission", 801: "not_supported"}


class CudaProblem(Exception):  # noqa: N818 - some of these are ordinary answers, not errors
    """A call that brought no value. `code` is CUDA's, None where CUDA did not answer at all."""

    def __init__(self, reason: Reason, detail: str, code: int | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.code = code

    def fact(self) -> Fact[T]:
        """The absence that follows from it."""
        return absent(self.reason, self.detail, SOURCE)


class Library:
    """libcuda with its calls returning values. Raises CudaProblem when it cannot be loaded."""

    def __init__(self, stalled: Stalled) -> None:
        self._stalled = stalled
        self._handles: dict[int, int] = {}
        mark = f"dlopen {LIBRARY}"
        if stalled.covers(mark, ""):
            raise CudaProblem("failed", f"loading {LIBRARY} hung or crashed")
        calling(mark)
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            message = str(error)
            missing = "cannot open shared object file" in message
            raise CudaProblem("tool_missing" if missing else "failed", message[:200]) from error

    def call(self, function: str, *arguments: object, target: str = "") -> None:
        """Call a function that returns a CUresult; `target` names the device or pair for the mark."""
        if self._stalled.covers(function, target):
            raise CudaProblem("failed", f"{function} hung or crashed and was left out")
        try:
            symbol = getattr(self._library, function)
        except AttributeError as error:
            raise CudaProblem("not_supported", f"this driver has no {function}") from error
        calling(f"{function}@{target}" if target else function)
        code = symbol(*arguments)
        if code != _SUCCESS:
            name = self.error_name(code)
            raise CudaProblem(_REASONS.get(code, "failed"), name, code)

    def number(self, function: str, *arguments: object, target: str = "") -> int:
        """A function whose first parameter is where to put an int."""
        value = ctypes.c_int()
        self.call(function, ctypes.byref(value), *arguments, target=target)
        return value.value

    def error_name(self, code: int) -> str:
        """CUDA_ERROR_..., by the library itself where it can tell."""
        name = ctypes.c_char_p()
        told = getattr(self._library, "cuGetErrorName", None)
        if told is not None and not self._stalled.covers("cuGetErrorName", ""):
            calling("cuGetErrorName")
            told(code, ctypes.byref(name))
        if name.value:
            return name.value.decode("ascii", "replace")[:100]
        return _NAMES.get(code, f"CUDA_ERROR_{code}")

    def handle(self, index: int) -> int:
        """A device's handle. Every driver so far has made it the index itself, which serves where it does not say."""
        if index not in self._handles:
            try:
                self._handles[index] = self.number("cuDeviceGet", index, target=str(index))
            except CudaProblem:
                self._handles[index] = index
        return self._handles[index]

    def attribute(self, attribute: int, device: int) -> int:
        """A device attribute, by its number in cuda.h."""
        return self.number("cuDeviceGetAttribute", attribute, device, target=str(device))

    def between(self, a: int, b: int, function: str, *arguments: int) -> int:
        """A number about an ordered pair of devices."""
        return self.number(function, *arguments, a, b, target=f"{a}-{b}")

    def name(self, device: int) -> str:
        """Marketing name."""
        buffer = ctypes.create_string_buffer(_NAME_LENGTH)
        self.call("cuDeviceGetName", buffer, _NAME_LENGTH, device, target=str(device))
        return _printable(buffer.value)

    def pci_bus_id(self, device: int) -> str:
        """0000:17:00.0, lower case, as in /sys."""
        buffer = ctypes.create_string_buffer(_PCI_BUS_ID_LENGTH)
        self.call("cuDeviceGetPCIBusId", buffer, _PCI_BUS_ID_LENGTH, device, target=str(device))
        return _printable(buffer.value).lower()

    def uuid(self, device: int) -> str:
        """GPU-..., or MIG-... for a MIG device: the first version of the call gives the UUID of the GPU around it."""
        newer = self._uuid("cuDeviceGetUuid_v2", device)
        older = self._uuid("cuDeviceGetUuid", device)
        if isinstance(newer, str):
            return f"MIG-{newer}" if isinstance(older, str) and older != newer else f"GPU-{newer}"
        if isinstance(older, str):
            return f"GPU-{older}"
        raise newer

    def _uuid(self, function: str, device: int) -> str | CudaProblem:
        buffer = ctypes.create_string_buffer(_UUID_LENGTH)
        try:
            self.call(function, buffer, device, target=str(device))
        except CudaProblem as error:
            return error
        digits = buffer.raw.hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def fact_of(query: Callable[..., T], *arguments: object) -> Fact[T]:
    """What `query(*arguments)` returns, or the absence."""
    try:
        return known(query(*arguments), SOURCE)
    except CudaProblem as error:
        return error.fact()


def _printable(raw: bytes) -> str:
    return "".join(character for character in raw.decode("utf-8", "replace") if character.isprintable()).strip()
