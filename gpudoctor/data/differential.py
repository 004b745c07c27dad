"""Which settings tell the causes of a failed smoke run apart, in which order: the table and its loader."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class Arm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to launch the run again. `part` is what it does without."""

    name: str
    part: str = "control"  # setting | nvls | cumem | p2p | cumem_host | shm | ib | interface
    env: dict[str, str]
    without: tuple[str, ...] = ()  # variables of the user whose names begin so are taken out
    since: str = ""  # NCCL versions before this one have no such thing
    proves: str  # when the run passes with it
    costs: str


class Signs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a failed run before anything is tried. In a row "" means any."""

    said: str = ""  # what the words of the failing rank mean, as a cause, or "nvls"
    diagnostics: str = ""  # of NCCL itself: passed | failed | import
    stage: str = ""  # bootstrap: it failed before NCCL had chosen its ways | data
    transport: str = ""  # the beginning of what NCCL's log names


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the table: the first whose signs are met says what is tried, narrow settings before broad ones."""

    when: Signs
    parts: tuple[str, ...]


class Differential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table. `decided_by_words`: causes that an error text proves by itself, so that nothing is tried."""

    source: str
    date: str
    control: Arm
    arms: tuple[Arm, ...]
    orders: tuple[Order, ...]
    decided_by_words: tuple[str, ...]

    def arm(self, part: str) -> Arm:
        """The arm that does without a part."""
        return next(arm for arm in self.arms if arm.part == part)

    def parts_for(self, signs: Signs) -> tuple[str, ...]:
        """What to do without, in this order."""
        return next(order.parts for order in self.orders if _met(order.when, signs))


def _met(wanted: Signs, signs: Signs) -> bool:
    return (
        wanted.said in ("", signs.said)
        and wanted.diagnostics in ("", signs.diagnostics)
        and wanted.stage in ("", signs.stage)
        and signs.transport.startswith(wanted.transport)
    )


@cache
def differential() -> Differential:
    """The packaged table."""
    return msgspec.json.decode(data_file("differential.json").read_bytes(), type=Differential)
