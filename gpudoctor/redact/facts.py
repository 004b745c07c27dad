"""Every text among the facts passes through each redactor; versions, which look like addresses, through one."""

from __future__ import annotations

from typing import Any

import msgspec

from gpudoctor.model.facts import Facts
from gpudoctor.redact import addresses, identifiers, paths, secrets
from gpudoctor.redact.pseudonyms import Pseudonyms

_REDACTORS = (secrets.apply, identifiers.apply, addresses.apply, paths.apply)


def redact_facts(facts: Facts) -> tuple[Facts, int]:
    """The facts with pseudonyms, and how many distinct values were replaced."""
    names = Pseudonyms()
    plain = _walk(msgspec.to_builtins(facts), names, key="")
    return msgspec.convert(plain, type=Facts), names.replaced


def _walk(node: Any, names: Pseudonyms, key: str) -> Any:  # noqa: ANN401 - the plain form of any fact
    if isinstance(node, str):
        # A version looks like an address.
        return secrets.apply(node, names) if key.endswith("version") else redact_text(node, names)
    if isinstance(node, list | tuple):
        return [_walk(child, names, key) for child in node]
    if isinstance(node, dict):
        # A fact's own keys (value, detail) say nothing about what it holds: its name does.
        return {name: _walk(child, names, key if name in ("value", "detail") else name) for name, child in node.items()}
    return node


def redact_text(text: str, names: Pseudonyms) -> str:
    """One text through every redactor."""
    for apply in _REDACTORS:
        text = apply(text, names)
    return text
