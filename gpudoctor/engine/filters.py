"""The filters of templates: how a value is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from msgspec import Struct

from gpudoctor.engine.clean import clean
from gpudoctor.engine.kinds import ANY_LIST, Kind
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.values import Known, Many, Value
from gpudoctor.lazy_pattern import lazy_pattern

UNKNOWN: Final = "?"
SHELL_WORD: Final = "sh"  # the filter that quotes for a shell
MAX_ITEMS: Final = 64
_SHORT: Final = 60
# "~/" stays outside of quotes, because a quoted tilde is not the home folder.
_PLAIN: Final = lazy_pattern(r"[A-Za-z0-9_@%+=:,./-]+")


class Filter(Struct, frozen=True):
    """How values are written. `takes` says which kinds it is for; `subject` is for programs, where that differs."""

    write: Callable[[Sequence[object]], str]
    takes: Callable[[Kind], bool]
    wanted: str
    subject: Callable[[Sequence[object]], str] | None = None


def shown(value: object) -> str:
    """A plain value in prose."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.0f}"
    return clean(str(value))


def quoted(text: str) -> str:
    """`text` as one word of a POSIX shell; plain words stay as they are."""
    if text.startswith("~/") and len(text) > 2:
        return "~/" + quoted(text[2:])
    if _PLAIN.fullmatch(text):
        return text
    import shlex  # few words need it

    return shlex.quote(text)


def plain_values(value: Value) -> list[object] | None:
    """The values to write; None where there is none. Of a list an absent item is `?`."""
    if isinstance(value, Known):
        return [value.value]
    if isinstance(value, Many) and (value.values or not value.undecided):
        return [item.value if isinstance(item, Known) else None for item in value.values]
    return None


def _joined(glue: str, write: Callable[[object], str]) -> Callable[[Sequence[object]], str]:
    def run(values: Sequence[object]) -> str:
        parts = [UNKNOWN if value is None else write(value) for value in values[:MAX_ITEMS]]
        more = len(values) - MAX_ITEMS
        return glue.join(parts) + (f"{glue}… {more} more" if more > 0 else "")

    return run


def _bytes(unit: int, name: str) -> Callable[[object], str]:
    def write(value: object) -> str:
        number = cast("int | float", value) / unit
        return f"{number:.0f} {name}" if number == int(number) or abs(number) >= 1000 else f"{number:.1f} {name}"

    return write


def _percent(value: object) -> str:
    return f"{cast('int | float', value) * 100:.0f}%"


def _counted(singular: str, plural: str) -> Filter:
    def write(value: object) -> str:
        return f"{shown(value)} {singular if value == 1 else plural}"

    return Filter(_joined(", ", write), _is_number, "a number")


def _index(value: object) -> str:
    return clean(str(getattr(value, "index", value)))


def _gpus(values: Sequence[object]) -> str:
    noun = "GPU" if len(values) == 1 else "GPUs"
    return f"{noun} {_joined(', ', _index)(values)}"


def _pair(value: object) -> str:
    return clean(f"{getattr(value, 'a', UNKNOWN)}-{getattr(value, 'b', UNKNOWN)}")


def _short(value: object) -> str:
    return clean(shown(value), _SHORT)


def _element(kind: Kind) -> Kind:
    return kind.element if kind.element is not None else kind


def _is_number(kind: Kind) -> bool:
    return _element(kind).number


def _is_plain(kind: Kind) -> bool:
    return kind == ANY_LIST or _element(kind).name in ("bool", "int", "float", "str")


def _has(kind: Kind, *names: str) -> bool:
    struct = _element(kind).struct
    return struct is not None and all(name in struct.__struct_fields__ for name in names)


def _is_gpu(kind: Kind) -> bool:
    return _has(kind, "index") or _element(kind).name == "int"


def _is_pair(kind: Kind) -> bool:
    return _has(kind, "a", "b")


_PLAIN_WANTED: Final = "plain values: choose a field, or use |gpus or |pairs"

FILTERS: Final[dict[str, Filter]] = {
    "": Filter(_joined(", ", shown), _is_plain, _PLAIN_WANTED),
    "list": Filter(_joined(", ", shown), _is_plain, _PLAIN_WANTED),
    "csv": Filter(_joined(",", shown), _is_plain, _PLAIN_WANTED),
    "gib": Filter(_joined(", ", _bytes(1 << 30, "GiB")), _is_number, "a number of bytes"),
    "mib": Filter(_joined(", ", _bytes(1 << 20, "MiB")), _is_number, "a number of bytes"),
    "percent": Filter(_joined(", ", _percent), _is_number, "a share between 0 and 1"),
    "gpus": Filter(_gpus, _is_gpu, "GPUs or their indices", _joined(",", lambda value: f"gpu:{_index(value)}")),
    "pairs": Filter(_joined(", ", _pair), _is_pair, "pairs"),
    "short": Filter(_joined(", ", _short), _is_plain, _PLAIN_WANTED),
    "n_gpus": _counted("GPU", "GPUs"),
    "n_pairs": _counted("pair", "pairs"),
    "n_processes": _counted("process", "processes"),
    SHELL_WORD: Filter(_joined(" ", lambda value: quoted(shown(value))), _is_plain, _PLAIN_WANTED),
}


def check_filter(name: str, kind: Kind) -> None:
    """Raises SpecError: there is no such filter, or it is not for a value of `kind`."""
    found = FILTERS.get(name)
    if found is None:
        raise SpecError(f"unknown filter |{name}", "known: " + ", ".join(sorted(FILTERS)[1:]))
    if not found.takes(kind):
        what = f"|{name}" if name else "a template"
        raise SpecError(f"{what} cannot write a {kind}", f"it takes {found.wanted}")
