"""What NCCL's own log says about the transport. Formats differ by version; the field after `via` is common to all."""

from __future__ import annotations

import re
from collections import Counter

_CHANNEL = re.compile(
    r"NCCL INFO Channel \d+(?:/\d+)? ?: ?\d+\[\w+\] -> \d+\[\w+\] (?:\[\w+\] )?via (?P<via>\S+(?: \w+)*)"
)
_SHARED_MEMORY = "direct shared memory"  # what SHM was called up to 2.12


def transport(logs: list[str]) -> str | None:
    """`P2P/CUMEM`, `P2P/IPC`, `SHM`, `NET/Socket` ...: all that were used, the most frequent first; None if unsaid."""
    counts = Counter(_short(match["via"]) for log in logs for match in _CHANNEL.finditer(log))
    return ", ".join(name for name, _ in counts.most_common(4)) or None


def _short(via: str) -> str:
    if via.startswith(_SHARED_MEMORY):
        return "SHM"
    parts = via.split(maxsplit=1)[0].split("/")
    return parts[0] if parts[0] == "SHM" else "/".join(parts[:2])
