"""/etc/hosts and what `getent ahosts` prints: the addresses of a name, in the order in which they are tried."""

from __future__ import annotations

_MAX_LINES = 4096


def addresses_in_hosts(text: str, name: str) -> tuple[str, ...]:
    """Addresses of `name` in /etc/hosts."""
    found: list[str] = []
    for line in text.splitlines()[:_MAX_LINES]:
        words = line.partition("#")[0].split()
        if name.lower() in (word.lower() for word in words[1:]):
            found.append(words[0])
    return tuple(dict.fromkeys(found))


def addresses_in_ahosts(text: str) -> tuple[str, ...]:
    """First column of `getent ahosts`, each address once."""
    return tuple(dict.fromkeys(line.split()[0] for line in text.splitlines()[:_MAX_LINES] if line.strip()))
