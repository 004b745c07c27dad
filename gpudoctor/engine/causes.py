"""The public vocabulary of causes: every finding carries exactly one code. Codes are never renamed or reused."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gpudoctor.paths import data_dir


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A root cause, never a symptom."""

    code: str
    group: str
    meaning: str
    hardware: bool = False  # no setting repairs it


@lru_cache(maxsize=1)
def causes() -> dict[str, Cause]:
    """All causes by code, in the order of the table."""
    table = msgspec.json.decode((data_dir() / "causes.json").read_bytes(), type=list[Cause])
    return {cause.code: cause for cause in table}
