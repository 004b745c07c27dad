"""Our own rules in one file, because parsing the YAML of all takes longer than everything else that the engine does.

`packed.msgpack` lies beside the rules. A wheel brings it (hatch_build.py); in a checkout it is written when it does not
fit any more, as Python does with its bytecode, and where it cannot be written nothing is lost but time. It fits when
every rule file has the length and the checksum that it had.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gpudoctor import __version__
from gpudoctor.engine.rule import RuleSpec

NAME = "packed.msgpack"
_MAX_BYTES = 16 << 20

Mark = tuple[str, int, int]  # a file's name, its length, its CRC


class _Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    fields: tuple[str, ...]  # of a rule
    marks: tuple[Mark, ...]
    specs: tuple[RuleSpec, ...]  # in the order of `marks`


class _Stamp(msgspec.Struct, frozen=True):
    """The part that is looked at first."""

    version: str
    fields: tuple[str, ...]
    marks: tuple[Mark, ...]


def unpack(folder: Path, files: Mapping[Path, bytes]) -> tuple[RuleSpec, ...] | None:
    """The rules of these files in their order; None where there is no packed file, or one that does not fit."""
    try:
        with (folder / NAME).open("rb") as stream:
            data = stream.read(_MAX_BYTES)
        if msgspec.msgpack.decode(data, type=_Stamp) != _stamp(files):
            return None
        return msgspec.msgpack.decode(data, type=_Packed).specs
    except (OSError, msgspec.MsgspecError):
        return None


def pack(folder: Path, files: Mapping[Path, bytes], specs: Sequence[RuleSpec]) -> None:
    """Write the packed file, whole or not at all."""
    stamp = _stamp(files)
    data = msgspec.msgpack.encode(_Packed(stamp.version, stamp.fields, stamp.marks, tuple(map(_without_cases, specs))))
    draft = folder / f".{NAME}.{os.getpid()}"
    try:
        draft.write_bytes(data)
        draft.replace(folder / NAME)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()


def _stamp(files: Mapping[Path, bytes]) -> _Stamp:
    marks = tuple((path.name, len(raw), zlib.crc32(raw)) for path, raw in files.items())
    return _Stamp(__version__, RuleSpec.__struct_fields__, marks)


def _without_cases(spec: RuleSpec) -> RuleSpec:
    """A whole file's rule (`RuleFile`) as what the engine needs of it."""
    return RuleSpec(**{name: getattr(spec, name) for name in RuleSpec.__struct_fields__})
