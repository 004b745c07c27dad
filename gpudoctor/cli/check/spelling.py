"""Options that name something: a misspelt name is an error, not a run of which nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.errors import UsageError


def check_names(flags: Mapping[str, int | float | str]) -> None:
    """Raises UsageError for a name that is no text, or that nobody knows."""
    for name, value in flags.items():
        if isinstance(value, str) and not value.isprintable():
            raise UsageError(f"--{name.replace('_', '-')} {value[:80]!r} is no text that can be printed")
    quantization = flags.get("quantization")
    if isinstance(quantization, str):
        from gpudoctor.fit.identify import asked_packing
        from gpudoctor.fit.packing import AS_STORED

        if quantization.lower() not in AS_STORED:
            asked_packing(quantization)
