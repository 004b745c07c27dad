"""Words of a command that stand for something else. What is printed as a command can be pasted as it is."""

from __future__ import annotations

import re
import shlex

# Docker refuses these before anything is done; no fact has the name where such a fix is offered.
TOLERATED = frozenset({"IMAGE", "CONTAINER"})
# Words that the programs themselves write so.
_OWN = re.compile(
    "COMPUTE|DEFAULT|ECC|GID|GPU|INFO|TRACE|WARN|VERSION|DETAIL|IPC_LOCK|LOC|MEMORY|NVRM|ON|PAGE_RETIREMENT|PCI_BUS_ID"
    "|PERFORMANCE|POWER|ROW_REMAPPER|SYS_NICE|TEMPERATURE|INIT|ALL|NVL|SYS|PHB|PXB|PIX"
)
_NAMES_FOLLOW = frozenset({"unset", "export", "-u", "-x", "-e"})
_ASKED_FOR = "CUDA_VISIBLE_DEVICES"  # in files
_SEPARATOR = re.compile(r"[=,:/@;]+")
_CAPITALS = re.compile(r"[A-Z][A-Z_]*\d?")
_NAME = re.compile(r"[A-Z]\w*")


def filled(template: str) -> str:
    """A template as it could come out."""
    return re.sub(r"\{[^{}]*\}", "0", template.replace("{{", "_").replace("}}", "_"))


def placeholders(command: str) -> list[str]:
    """Words in capitals that are neither variables nor the programs' own, `<name>`, `...` and /path/to."""
    found: list[str] = []
    names = False  # whether what comes is the name of a variable
    for word in shlex.split(command, comments=True):
        found += [word] if re.search(r"/path/to|<[a-z]|^\.\.\.$", word) else []
        name, assigned, value = word.rstrip(";").partition("=")
        if word in _NAMES_FOLLOW:
            names = True
        elif _NAME.fullmatch(name) and (assigned or names):
            found += _capitals(value)
        else:
            names = False
            found += _capitals(word) if " " not in word or _CAPITALS.fullmatch(word.replace(" ", "")) else []
    return found


def _capitals(word: str) -> list[str]:
    pieces = [] if word.startswith("$") else _SEPARATOR.split(word.replace(" ", ","))
    capitals = [piece for piece in pieces if _CAPITALS.fullmatch(piece) and piece not in (*TOLERATED, _ASKED_FOR)]
    return [piece for piece in capitals if not _OWN.fullmatch(piece)]
