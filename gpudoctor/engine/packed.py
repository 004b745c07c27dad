"""Our own rules in one file, because parsing the YAML of all takes longer than everything else that the engine does.

`packed.msgpack` lies beside the rules. A wheel brings it (hatch_build.py); in a checkout it is written when it does not
fit any more, as Python does with its bytecode, and where it cannot be written nothing is lost but time. It fits when
every rule file has the length and the checksum that it had. Checksums are not asked for where no rule file has changed
since: by its ctime, which nobody can set back, and the mtime of the packed file, which says when the rules were read.

With the rules go their expressions, compiled (`ready`). That is worth nothing after a change of what compiles them, so
our own sources are looked at as the rules are.
"""

import contextlib
import os
import stat
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gpudoctor import __version__
from gpudoctor.engine.programs import Programs
from gpudoctor.engine.rule import PackedRule, RuleSpec

NAME = "packed.msgpack"
_OWN = Path(__file__).parent.parent
_SOURCES = tuple(str(_OWN / folder) for folder in ("engine", "model", "model/facts"))  # what an expression is made of
_MAX_BYTES = 16 << 20
_CLOCK_NS = 20_000_000  # by how much the times of files may be behind the clock

Mark = tuple[str, int, int]  # <area>/<file>, its length, its CRC


class _Stamp(msgspec.Struct, frozen=True):
    """What must be as it was."""

    version: str
    fields: tuple[str, ...]  # of a rule
    marks: tuple[Mark, ...]
    sources: int  # CRC


class _Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stamp: _Stamp
    rules: tuple[PackedRule, ...]  # in the order of the marks
    programs: Programs  # likewise


class Unpacked(msgspec.Struct, frozen=True):
    """Rules in the order of their files, with their expressions."""

    files: tuple[str, ...]
    rules: tuple[PackedRule, ...]
    programs: Programs


def unpack(folder: Path, files: Mapping[Path, bytes]) -> Unpacked | None:
    """The rules of these files in their order; None where there is no packed file, or one that does not fit."""
    try:
        packed, _ = _read(folder)
        return _unpacked(folder, packed) if packed.stamp == _stamp(files) else None
    except (OSError, msgspec.MsgspecError):
        return None


def _read(folder: Path) -> tuple[_Packed, int]:
    """What was packed, and when its rules were read. Raises OSError, msgspec.MsgspecError."""
    with open(folder / NAME, "rb", buffering=0, opener=_without_waiting) as stream:
        state = os.fstat(stream.fileno())
        # At once, into memory of that size: it is kept, for what nobody has opened yet lies there.
        data = stream.read(min(state.st_size, _MAX_BYTES)) if stat.S_ISREG(state.st_mode) else b""
    return msgspec.msgpack.decode(data, type=_Packed), state.st_mtime_ns


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # whatever lies there: a pipe would wait for somebody to write


def _unpacked(folder: Path, packed: _Packed) -> Unpacked:
    return Unpacked(tuple(f"{folder}/{mark[0]}" for mark in packed.stamp.marks), packed.rules, packed.programs)


def unpack_unread(folder: Path) -> Unpacked | None:
    """The rules, without reading the files; None where one may have changed since the packed file did."""
    try:
        packed, read_at = _read(folder)
        stamp, lengths = packed.stamp, _lengths(folder, read_at)
        if (stamp.version, stamp.fields) != (__version__, RuleSpec.__struct_fields__):
            return None
        if lengths != {name: length for name, length, _ in stamp.marks} or not _sources_older(read_at):
            return None
        return _unpacked(folder, packed)
    except (OSError, msgspec.MsgspecError):
        return None


def _sources_older(than_ns: int) -> bool:
    for folder in _SOURCES:
        with os.scandir(folder) as entries:
            if any(entry.name.endswith(".py") and entry.stat().st_ctime_ns >= than_ns for entry in entries):
                return False
    return True


def _sources() -> int:
    """What tells our sources from others. Raises OSError."""
    crc = 0
    for folder in _SOURCES:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            if name.endswith(".py"):
                with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123
                    crc = zlib.crc32(file.read(), crc)
    return crc


def _lengths(folder: Path, before_ns: int) -> dict[str, int] | None:
    """Length of every rule file by <area>/<file>; None where one is younger, or something else lies there."""
    found: dict[str, int] = {}
    with os.scandir(folder) as areas:
        for area in areas:
            if not area.is_dir():
                if area.name.endswith((".yaml", ".yml")):
                    return None
                continue
            with os.scandir(area.path) as entries:
                for entry in entries:
                    state = entry.stat()
                    if stat.S_ISDIR(state.st_mode) or entry.name.endswith(".yml"):
                        return None
                    if entry.name.endswith(".yaml"):
                        if state.st_ctime_ns >= before_ns:
                            return None
                        found[f"{area.name}/{entry.name}"] = state.st_size
    return found


def fits_still(folder: Path, read_at_ns: int) -> None:
    """The files were read from that time on and it fits: say so by its time, where it is ours to touch."""
    with contextlib.suppress(OSError):
        _dated(folder / NAME, read_at_ns)


def _dated(file: Path, read_at_ns: int) -> None:
    at = read_at_ns - _CLOCK_NS
    os.utime(file, ns=(at, at))


def pack(
    folder: Path, files: Mapping[Path, bytes], specs: Sequence[RuleSpec], programs: Programs, read_at_ns: int
) -> None:
    """Write the packed file of rules that were read from that time on, whole or not at all."""
    draft = folder / f".{NAME}.{os.getpid()}"
    try:
        stamp = _stamp(files)
        rules = tuple(map(_packed_rule, specs))
        packed = _Packed(stamp, rules, programs)
        draft.write_bytes(msgspec.msgpack.encode(packed))
        _dated(draft, read_at_ns)
        draft.replace(folder / NAME)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()


def _stamp(files: Mapping[Path, bytes]) -> _Stamp:
    marks = tuple((f"{path.parent.name}/{path.name}", len(raw), zlib.crc32(raw)) for path, raw in files.items())
    return _Stamp(__version__, RuleSpec.__struct_fields__, marks, _sources())


def _packed_rule(spec: RuleSpec) -> PackedRule:
    """Without the cases that the rule of a whole file (`RuleFile`) has."""
    bare = RuleSpec(**{name: getattr(spec, name) for name in RuleSpec.__struct_fields__})
    return PackedRule(spec.id, spec.cause, memoryview(msgspec.msgpack.encode(bare)))
