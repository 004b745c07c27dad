"""The environment variables that may be collected. Nothing else of the environment is ever looked at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec


class AllowList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names and prefixes that GPU software reads, and parts of names that betray a secret."""

    source: str
    date: str
    prefixes: tuple[str, ...]
    names: frozenset[str]
    never: tuple[str, ...]

    def allows(self, name: str) -> bool:
        """Whether a variable of this name may be collected."""
        if any(part in name.upper() for part in self.never):
            return False
        return name in self.names or name.startswith(self.prefixes)


@cache
def allow_list() -> AllowList:
    """The packaged list."""
    return msgspec.json.decode(Path(__file__).with_name("environment_variables.json").read_bytes(), type=AllowList)
