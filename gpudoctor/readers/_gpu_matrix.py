"""Finds the tables that `nvidia-smi topo` prints, on their own or inside other text, and cuts them into cells.

What the program writes and what people paste differ: underlined headers (escape sequences, or what is left of them),
doubled tabs, tabs turned into spaces, prompts, quotation marks and time stamps before each line, blank lines between
rows. A table is found by its header, a row by its label. What the cells mean is for the caller to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_TEXT = 4 << 20
MAX_GPUS = 64

_MAX_LINE = 1 << 14
_MAX_DEVICES = 256
_MAX_TABLES = 64
_MAX_STRAY_LINES = 8  # that may stand between rows before the table counts as ended
_MAX_NOTE = 80

# With the escape character, or with what a web form or a terminal log leaves of it.
_ANSI = re.compile(r"(?:\x1b|\x9b|\^\[|␛|\\e|\\033|\\x1b)?\[[0-9;]{0,16}m")
_GPU = re.compile(r"GPU(\d{1,3})")
_DEVICE = re.compile(r"[A-Za-z][\w.:-]{0,31}\d[\w.:-]{0,31}|[A-Za-z][\w.:-]{0,31}")
_ROW_LABEL = re.compile(r"(?:GPU|NIC|mlx\d_)\d{1,3}")
_CELL = re.compile(r"[A-Z]+\d*")
_COLUMNS = (("CPU", "Affinity"), ("NUMA", "Affinity"), ("GPU", "NUMA", "ID"))


class Row(Struct, frozen=True):
    """A device's row: all that stands behind its label."""

    label: str
    cells: tuple[str, ...]


class Matrix(Struct, frozen=True):
    """A table. `before` are the lines between the table before it (or the start) and its header."""

    line: int  # of the header, from 1
    devices: tuple[str, ...]
    columns: tuple[str, ...]  # those behind the devices, as far as they are known
    rows: tuple[Row, ...]
    before: tuple[str, ...]


def gpu_number(label: str) -> int | None:
    """GPU12 → 12; None for a network card."""
    match = _GPU.fullmatch(label)
    return int(match.group(1)) if match else None


def note(label: str, complaint: str) -> str:
    """One line on a row that was not accepted."""
    return f"{label}: {complaint}"[:_MAX_NOTE]


def header_devices(line: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The devices and the columns behind them, where a line is a table's header."""
    return _header(_tokens(line)) if "GPU" in line else None


def row_of(line: str, devices: frozenset[str] | None = None) -> Row | None:
    """A line as a row, whatever table it belongs to; `devices` are the labels that count, any where it is None."""
    tokens = _tokens(line)
    labels = devices if devices is not None else frozenset(token for token in tokens[:2] if _ROW_LABEL.fullmatch(token))
    return _row(tokens, labels)


def find_matrices(text: str) -> tuple[Matrix, ...]:
    """Every table in `text`, in order."""
    return tuple(_matrices(text[:MAX_TEXT].splitlines()))


def _matrices(lines: list[str]) -> Iterator[Matrix]:
    at = start = found = 0
    while at < len(lines) and found < _MAX_TABLES:
        header = _header(_tokens(lines[at])) if "GPU" in lines[at] else None
        if header is None:
            at += 1
            continue
        devices, columns = header
        rows, end = _rows(lines, at + 1, frozenset(devices))
        if rows:
            yield Matrix(at + 1, devices, columns, rows, tuple(line[:_MAX_LINE] for line in lines[start:at]))
            found += 1
            start = end
        at = max(end, at + 1) if rows else at + 1


def _tokens(line: str) -> list[str]:
    return _ANSI.sub("", line[:_MAX_LINE]).replace("|", " ").split()


def _header(tokens: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The devices and the known columns behind them; None where this is no header."""
    first = next((number for number, token in enumerate(tokens) if _GPU.fullmatch(token)), None)
    if first is None:
        return None
    end = next((at for at in range(first, len(tokens)) if tokens[at] in {"CPU", "NUMA", "GPU"}), len(tokens))
    devices = tokens[first:end]
    columns = _columns(tokens[end:])
    plausible = all(_looks_like_device(token) for token in devices) and len(devices) <= _MAX_DEVICES
    several = len([token for token in devices if _GPU.fullmatch(token)]) > 1
    if not plausible or len(set(devices)) < len(devices) or not (columns or several):
        return None
    return tuple(devices), columns


def _looks_like_device(token: str) -> bool:
    return _DEVICE.fullmatch(token) is not None and any(character.isdigit() for character in token)


def _columns(tokens: list[str]) -> tuple[str, ...]:
    names = []
    at = 0
    while at < len(tokens):
        name = next((name for name in _COLUMNS if tuple(tokens[at : at + len(name)]) == name), None)
        if name is None:
            break
        names.append(" ".join(name))
        at += len(name)
    return tuple(names)


def _rows(lines: list[str], at: int, devices: frozenset[str]) -> tuple[tuple[Row, ...], int]:
    """The rows from line `at` on, and the line behind the last one."""
    rows: dict[str, Row] = {}
    end = at
    stray = 0
    while at < len(lines) and stray < _MAX_STRAY_LINES and len(rows) < len(devices):
        tokens = _tokens(lines[at])
        at += 1
        row = _row(tokens, devices)
        if row is not None and row.label not in rows:
            rows[row.label] = row
            end, stray = at, 0
        elif tokens and (tokens[0].startswith("Legend") or _header(tokens) is not None):
            break
        else:
            stray += bool(tokens)
    return tuple(rows.values()), end


def _row(tokens: list[str], devices: frozenset[str]) -> Row | None:
    at = next((number for number, token in enumerate(tokens) if token in devices), None)
    if at is None or at + 1 >= len(tokens) or not _CELL.fullmatch(tokens[at + 1]):
        return None
    return Row(tokens[at], tuple(tokens[at + 1 :]))
