"""The launch command after `--`, read without its secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpudoctor.workload import ParsedCommand


def read_launch(words: Sequence[str] | None) -> tuple[ParsedCommand, tuple[str, ...]]:
    """The command, and what the user should know about how it was read.

    Its secrets are taken out first, so that no fact, fix, message or snapshot can repeat them.

    Raises:
        CommandError: the command cannot be read; it says where.
    """
    from gpudoctor.workload import parse

    if not words:
        return parse(()), ()
    from gpudoctor.redact.launch import STAND_IN, without_secrets

    kept, count = without_secrets(words)
    command = parse(kept)
    notes = []
    if count:
        what = "The launch command holds a secret" if count == 1 else f"The launch command holds {count} secrets"
        notes.append(f"{what}; every command shown here has {STAND_IN} in its place.")
    if command.elsewhere:
        notes.append(
            f"{command.elsewhere} starts the run in another environment; its variables and GPUs are not known here. "
            "Run gpudoctor there."
        )
    return command, tuple(notes)


def without_credentials(text: str | None) -> str | None:
    """The value of an option, such as --model, that may be a URL."""
    if text is None or "://" not in text:
        return text
    from gpudoctor.redact.launch import without_secrets

    return without_secrets((text,))[0][0]
