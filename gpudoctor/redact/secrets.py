"""Tokens, keys and passwords: dropped, not replaced by something that resembles them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gpudoctor.redact.pseudonyms import Pseudonyms

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,256}|sk-[A-Za-z0-9_-]{8,256}|nvapi-[A-Za-z0-9_-]{8,256}|gh[pousr]_[A-Za-z0-9]{8,256}"
    r"|github_pat_[A-Za-z0-9_]{8,256}|glpat-[A-Za-z0-9_-]{8,256}|xox[abprs]-[A-Za-z0-9-]{8,256}"
    r"|AKIA[A-Z0-9]{12,64}|eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_.-]{8,2048})"
)
_KINDS: Final = r"(?:token|key|apikey|secret|password|passwd|passphrase|credentials?)"
# The kind must be a whole part of the name: --tokenizer and --max-num-batched-tokens hold no secret.
_NAME: Final = rf"(?:[a-z0-9]{{1,40}}[_.-]){{0,8}}{_KINDS}(?:[_.-](?:id|value|file))?"
_VALUE: Final = r"""(?:"[^"\n]{0,2048}"|'[^'\n]{0,2048}'|[^\s'"]{1,2048})"""
_OPTION = re.compile(rf"(?i)(?<![\w-])(--?{_NAME}(?:=|[ \t]+))(?!-)({_VALUE})")
_ASSIGNMENT = re.compile(rf"(?i)(?<![\w.-])({_NAME}=)({_VALUE})")
_OPTION_NAME = re.compile(rf"(?i)--?{_NAME}")
_URL = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)([^/\s:@]{0,256}:[^/\s@]{1,256})@")
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)[ \t]+)([A-Za-z0-9+/=._~-]{8,2048})")
# What the shell will put there, a stand-in already, a file, a number: nothing to hide, and needed to run the command.
_HARMLESS = re.compile(
    r"""["']?(?:\$.*|`.*`|<[\w ]+>|\d+|true|false|none|null)["']?|["']?""", re.IGNORECASE | re.DOTALL
)


def apply(text: str, names: Pseudonyms) -> str:
    """`text` without secrets."""
    return replace(text, lambda value: names.of("secret", value, lambda number: f"<secret{number}>"))


def replace(text: str, stand_in: Callable[[str], str]) -> str:
    """`text` with a stand-in for every secret; quotes around a value stay."""

    def named(match: re.Match[str]) -> str:
        value = match[2]
        if is_harmless(value):
            return match[0]
        quote = value[0] if value[0] in "'\"" and value[-1] == value[0] and len(value) > 1 else ""
        return match[1] + quote + stand_in(value[1:-1] if quote else value) + quote

    text = _URL.sub(lambda match: match[1] + stand_in(match[2]) + "@", text)
    text = _OPTION.sub(named, text)
    text = _ASSIGNMENT.sub(named, text)
    text = _BEARER.sub(lambda match: match[1] + stand_in(match[2]), text)
    return _TOKEN.sub(lambda match: stand_in(match[0]), text)


def is_harmless(value: str) -> bool:
    """Whether the value of a secret's option is none: a reference, a stand-in, a number, nothing."""
    return _HARMLESS.fullmatch(value) is not None


def announces(word: str) -> bool:
    """Whether the word is an option whose value, the next word, is a secret."""
    return _OPTION_NAME.fullmatch(word) is not None
