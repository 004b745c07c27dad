"""Which NCCL version reads which NCCL_* variable. Source and date are in the file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

Version = tuple[int, ...]
_A_TYPING_ERROR = 0.9  # share of equal letters: one or two wrong ones in names of this length


class NcclVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`since` is the first release that reads the name, `removed` the first that no longer does."""

    since: str
    removed: str | None = None


class NcclVariables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table: NCCL's own names, and names that look like NCCL's but belong to others."""

    source: str
    date: str
    note: str
    newest: str
    variables: dict[str, NcclVariable]
    foreign: dict[str, str]
    foreign_prefixes: dict[str, str]

    def is_known(self, name: str) -> bool:
        """Whether any NCCL version, or other software, reads a variable of this name."""
        return name in self.variables or name in self.foreign or name.startswith(tuple(self.foreign_prefixes))

    def meant_by(self, name: str) -> str:
        """The name that a typing error may have turned into this unknown one, or ""."""
        from difflib import get_close_matches

        close = get_close_matches(name, self.variables, n=1, cutoff=_A_TYPING_ERROR)
        return close[0] if close else ""

    def is_removed(self, name: str, version: Version) -> bool:
        """Whether this version of NCCL no longer reads a name that an older one read."""
        row = self.variables.get(name)
        return row is not None and row.removed is not None and version >= parse(row.removed)

    def is_newer(self, name: str, version: Version) -> bool:
        """Whether only a newer NCCL than this version reads the name."""
        row = self.variables.get(name)
        return row is not None and version < parse(row.since)


def parse(version: str) -> Version:
    """'2.27.5' → (2, 27, 5); what is no number ends it."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


@cache
def table() -> NcclVariables:
    """The packaged table."""
    return msgspec.json.decode(Path(__file__).with_name("nccl_variables.json").read_bytes(), type=NcclVariables)
