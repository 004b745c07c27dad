"""Tokens, keys and passwords are taken out of everything that was read, wherever a machine had put them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from gpudoctor.redact import secrets
from gpudoctor.redact.launch import STAND_IN

S = TypeVar("S", bound=msgspec.Struct)


def masked(holder: S) -> S:
    """The same struct with `<secret>` for every secret in its texts. Addresses, UUIDs and paths stay as they are."""
    return msgspec.convert(_walk(msgspec.to_builtins(holder)), type=type(holder))


def _walk(node: Any) -> Any:  # noqa: ANN401 - the plain form of any struct
    if isinstance(node, str):
        return secrets.replace(node, lambda _: STAND_IN)
    if isinstance(node, list | tuple):
        return [_walk(child) for child in node]
    if isinstance(node, dict):
        return {name: _walk(child) for name, child in node.items()}
    return node
