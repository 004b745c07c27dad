"""A cheap look for what could be a secret, so that nothing slower has to be loaded where there is none."""

from __future__ import annotations

from typing import Final

# At least one of these, in lower case, is in everything that `secrets.apply` would take out.
_HINTS: Final = tuple(
    hint.encode()
    for hint in (
        "token", "key", "secret", "passw", "passphrase", "credential", "://", "bearer", "basic", "hf_", "sk-", "nvapi-",
        "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "akia", "eyj",
    )
)  # fmt: skip


def may_hold_secrets(data: bytes) -> bool:
    """Whether encoded facts are worth a closer look."""
    lower = data.lower()
    return any(hint in lower for hint in _HINTS)
