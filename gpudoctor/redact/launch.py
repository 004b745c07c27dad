"""Secrets of a launch command, taken out before anything of it becomes a fact, a fix or a message."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.redact import secrets

STAND_IN = "<secret>"


def without_secrets(words: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The words with `<secret>` for every token, key and password, and how many there were."""
    count = 0

    def stand_in(value: str) -> str:
        nonlocal count
        if value == STAND_IN:
            return value
        count += 1
        return STAND_IN

    kept: list[str] = []
    for number, word in enumerate(words):
        announced = number > 0 and secrets.announces(words[number - 1])
        if announced and not word.startswith("-") and not secrets.is_harmless(word):
            kept.append(stand_in(word))
        else:
            kept.append(secrets.replace(word, stand_in))
    return tuple(kept), count
