"""Tokens, keys and passwords: dropped, not replaced by a pseudonym."""

from __future__ import annotations

import re

from gpudoctor.redact.pseudonyms import Pseudonyms

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,256}|sk-[A-Za-z0-9_-]{8,256}|nvapi-[A-Za-z0-9_-]{8,256}|gh[pousr]_[A-Za-z0-9]{8,256}"
    r"|AKIA[A-Z0-9]{12,64}|eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_.-]{8,2048})"
)
_OPTION = re.compile(
    r"(?i)(--?[a-z0-9-]{0,40}(?:key|token|secret|password|passwd)[a-z-]{0,20}[= ]+)([^\s-][^\s]{0,512})"
)
_ASSIGNMENT = re.compile(r"(?i)\b([A-Z0-9_]{0,60}(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)[A-Z0-9_]{0,20}=)(\S{1,512})")
_URL = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)([^/\s:@]{1,256}:[^/\s@]{1,256}@)")


def apply(text: str, names: Pseudonyms) -> str:
    """`text` without secrets."""

    def drop(value: str) -> str:
        return names.of("secret", value, lambda number: f"<secret{number}>")

    text = _URL.sub(lambda match: match[1] + drop(match[2]) + "@", text)
    text = _OPTION.sub(lambda match: match[1] + drop(match[2]), text)
    text = _ASSIGNMENT.sub(lambda match: match[1] + drop(match[2]), text)
    return _TOKEN.sub(lambda match: drop(match[0]), text)
