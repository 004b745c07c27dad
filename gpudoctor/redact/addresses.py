"""Network addresses, e-mail addresses: pseudonyms that keep the difference between loopback, private and public."""

from __future__ import annotations

import re

from gpudoctor.redact.pseudonyms import Pseudonyms

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.+-])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{0,4}(?:::?[0-9a-fA-F]{1,4}){0,7}(?![\w:])")
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")


def apply(text: str, names: Pseudonyms) -> str:
    """`text` with pseudonyms for addresses."""
    text = _MAIL.sub(lambda match: names.of("mail", match[0], lambda number: f"user{number}@example.invalid"), text)
    text = _IPV4.sub(lambda match: _address(match[0], names), text)
    return _IPV6.sub(lambda match: _address(match[0], names), text)


def _address(text: str, names: Pseudonyms) -> str:
    import ipaddress

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text  # a version such as 13.580.95.05, a PCI address
    if address.is_loopback or address.is_unspecified:
        return text
    if address.version == 6:
        return names.of("ipv6", text, lambda number: f"fd00::{number:x}")
    if address.is_private:
        return names.of("private", text, lambda number: f"10.0.{number >> 8 & 255}.{number & 255}")
    return names.of("public", text, lambda number: f"192.0.2.{number & 255}")
