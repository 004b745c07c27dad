"""How long one all-reduce takes over a kind of link: the table, and what lies between its points."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class FabricRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Microseconds for the table's message sizes, by number of GPUs. `assumed`: nobody published a measurement."""

    gpus: dict[str, tuple[float, ...]]
    note: str
    assumed: bool = False


class AllReduceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `spread`: factors within which a machine of that kind is expected to lie."""

    source: str
    date: str
    bytes: tuple[int, ...]
    fabrics: dict[str, FabricRow]
    spread: dict[str, tuple[float, float]]


@cache
def allreduce_table() -> AllReduceTable:
    """The packaged table."""
    return msgspec.json.decode(data_file("allreduce.json").read_bytes(), type=AllReduceTable)
