"""Home folders and user names in paths."""

from __future__ import annotations

import re

from gpudoctor.redact.pseudonyms import Pseudonyms

_HOME = re.compile(r"(/home/|/Users/|/scratch/|/mnt/[a-z]/Users/)([^/\s:'\",;]{1,64})")


def apply(text: str, names: Pseudonyms) -> str:
    """`text` with `user1` for the owner of a home folder."""
    return _HOME.sub(lambda match: match[1] + names.of("user", match[2], lambda number: f"user{number}"), text)
