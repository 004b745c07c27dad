"""/proc/meminfo."""

from __future__ import annotations

from gpudoctor.readers.numbers import integer

_KIB = 1024
_MAX_KIB = 1 << 52


def meminfo_bytes(text: str) -> dict[str, int]:
    """The rows that are given in kB, in bytes. Rows of any other form are left out."""
    rows: dict[str, int] = {}
    for line in text.splitlines()[:128]:
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) != 2 or words[1] != "kB":
            continue
        try:
            kib = integer(words[0])
        except ValueError:
            continue
        if 0 <= kib < _MAX_KIB:
            rows[name] = kib * _KIB
    return rows
