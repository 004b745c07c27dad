"""Text of an option → value. A wrong one raises ValueError with a clause that reads after the option's name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NoReturn

from gpudoctor.workload.spec import Kind, Value

_DTYPES = {
    "half": "float16", "fp16": "float16", "float16": "float16", "f16": "float16",
    "bf16": "bfloat16", "bfloat16": "bfloat16",
    "float": "float32", "fp32": "float32", "float32": "float32", "f32": "float32",
}  # fmt: skip
_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})
_NUMBER = re.compile(r"\+?(\d{1,18})")
_MAX_COUNT = 10**6  # of processes, GPUs, sequences: three of them multiplied still fit 64 bits
_MAX_INT = 2**63 - 1
_HUMAN = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)([kKmMgG])i?")
_DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9}
_BINARY = {"K": 2**10, "M": 2**20, "G": 2**30}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([bkmgtp]?)i?b?", re.IGNORECASE)
_SIZE_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_ENDPOINT = re.compile(r"(?:tcp://)?(\[[0-9A-Fa-f:.]+\]|[^:\s]*)(?::(\d{1,5}))?")

Fields = tuple[tuple[str, Value | None], ...]


def convert(kind: Kind, field: str, text: str) -> Fields:
    """The fields that the option sets; None as a value means that only the run decides it.

    Raises:
        ValueError: the text is no such value.
    """
    if kind == "endpoint":
        return _endpoint(text)
    return ((field, _CONVERTERS.get(kind, str)(text)),)


def _int(text: str) -> int:
    try:
        value = int(text) if len(text) < 20 else _fail(text, "a whole number")
    except ValueError:
        return _fail(text, "a whole number")
    return _within(value, text)


def _count(text: str) -> int:
    match = _NUMBER.fullmatch(text)
    value = int(match.group(1)) if match else _fail(text, "a whole number")
    if value > _MAX_COUNT:
        return _fail(text, f"a number of at most {_MAX_COUNT}")
    return value if value >= 1 else _fail(text, "a number of at least 1")


def _tokens(text: str) -> int | None:
    human = _HUMAN.fullmatch(text)
    if human:
        unit = human.group(2)
        return _within(int(float(human.group(1)) * (_DECIMAL.get(unit) or _BINARY[unit])), text)
    if text.lower() == "auto":
        return None
    value = _int(text)
    return value if value > 0 else None  # 0 and -1 leave it to the model's configuration


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return _fail(text, "a number")
    return value if math.isfinite(value) else _fail(text, "a finite number")


def _dtype(text: str) -> str:
    return _DTYPES.get(text.lower().removeprefix("torch."), text)


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    return False if text.lower() in _FALSE else _fail(text, "true or false")


def _many(text: str) -> bool:
    return _int(text) > 1


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if not match:
        return _fail(text, "a size such as 16g")
    return _within(int(float(match.group(1)) * 1024 ** _SIZE_UNITS[match.group(2).lower()]), text)


def _within(value: int, text: str) -> int:
    return value if value <= _MAX_INT else _fail(text, "a smaller number")


def _range(text: str) -> int | None:
    low, colon, high = text.partition(":")
    least = _count(low)
    return least if not colon or _count(high) == least else None


def _endpoint(text: str) -> Fields:
    match = _ENDPOINT.fullmatch(text)
    if not match:
        return _fail(text, "an address such as 10.0.0.1:29500")
    host, port = match.groups()
    fields: list[tuple[str, Value | None]] = [("master_addr", host)] if host else []
    if port is not None:
        fields.append(("master_port", int(port)))
    return tuple(fields)


def _fail(text: str, wanted: str) -> NoReturn:
    shown = text if len(text) <= 40 else text[:37] + "..."
    raise ValueError(f"needs {wanted}, not `{shown}`")


_CONVERTERS: dict[Kind, Callable[[str], Value | None]] = {
    "count": _count,
    "int": _int,
    "tokens": _tokens,
    "float": _float,
    "dtype": _dtype,
    "flag": _boolean,
    "flag_off": lambda text: not _boolean(text),
    "boolean": _boolean,
    "many": _many,
    "size": _size,
    "range": _range,
}
