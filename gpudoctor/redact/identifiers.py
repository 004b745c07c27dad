"""GPU and MIG UUIDs, MAC addresses: pseudonyms of the same form, so that what matched still matches."""

from __future__ import annotations

import re

from gpudoctor.redact.pseudonyms import Pseudonyms

_UUID = re.compile(r"\b(GPU|MIG)-([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})")
_MAC = re.compile(r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b")


def apply(text: str, names: Pseudonyms) -> str:
    """`text` with pseudonyms for identifiers. A shortened UUID in a device list keeps only its first block."""

    def uuid(number: int) -> str:
        return f"{number:08x}-0000-0000-0000-000000000000"

    text = _UUID.sub(lambda match: f"{match[1]}-" + names.of("uuid", match[2], uuid), text)
    return _MAC.sub(lambda match: names.of("mac", match[0], lambda number: f"02:00:00:00:00:{number & 255:02x}"), text)
