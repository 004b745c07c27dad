"""Names of GPUs as people write them: "RTX 3090", "A100 80GB", "GeForce RTX 208..." cut by a table's column."""

from __future__ import annotations

import re

from gpudoctor.data.hardware import HardwareRow, look_up, table
from gpudoctor.readers.documents._text import plain

_BRAND = re.compile(r"(?:GeForce|Quadro|Tesla|TITAN|GRID|RTX|GTX|DGX|HGX)|(?:RTX|GTX)\d{3,4}\w{0,8}", re.IGNORECASE)
_CHIP = re.compile(
    r"(?:GH200|GB[23]00|[BH][123]00|H800|H20|A100|A800|A[1-6]000|A[23]0|A40|A10[GM]?|A16|A2|L40S?|L20|L4|V100S?|P100|P40|P4"
    r"|T4G?|K80|M40|M60|T1000)(?:[-_][\w-]{1,20})?"
)
_MORE = re.compile(r"[A-Z0-9(][\w.+/()-]{0,24}|ti|super|x")
_MAX_WORDS = 9
_PREFIXES = ("", "NVIDIA ", "NVIDIA GeForce ", "NVIDIA RTX ", "Tesla ", "Quadro ", "NVIDIA Tesla ")
_NOISE = re.compile(r"\((?:R|TM|UUID|PCIe|SXM\d?)[^)]{0,60}\)|®|™|\bGPUs?\b|\bgraphics cards?\b", re.IGNORECASE)
_MAKER = re.compile(r"^NVIDIA (?!TITAN)", re.IGNORECASE)
_GLUED = re.compile(r"\b(RTX|GTX)(\d)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\xa0]+")
_NOMINAL = re.compile(r"[ -]?(\d{2,3}) ?GB?\b", re.IGNORECASE)
_REMARK = re.compile(r" \d{1,3} GB$")
_NEAR = 0.03
_NEAR_NOMINAL = 0.09  # "80GB" is 81559 MiB on one card and 81920 on the next; "24 GB" is 23028 on an A10
_MIB = 1 << 20


def looks_like_gpu(text: str) -> bool:
    """Whether a text is the name of an NVIDIA GPU and nothing else."""
    words = tidy(text).split(" ", _MAX_WORDS)
    if words and words[0].upper() == "NVIDIA":
        words = words[1:]
    if not words or len(words) > _MAX_WORDS or not (_BRAND.fullmatch(words[0]) or _CHIP.fullmatch(words[0])):
        return False
    return all(map(_MORE.fullmatch, words[1:]))


def tidy(name: str) -> str:
    """One line without marks and remarks."""
    return _SPACES.sub(" ", _NOISE.sub(" ", plain(name))).strip(" .,;:|\"'")


def canonical(name: str, memory_bytes: int | None = None) -> str:
    """The driver's name where the text fits exactly one model of the table; else the text, tidied.

    >>> canonical("RTX 3090"), canonical("GeForce RTX 208", 11019 << 20), canonical("A6000")
    ('NVIDIA GeForce RTX 3090', 'NVIDIA GeForce RTX 2080 Ti', 'NVIDIA RTX A6000')
    """
    text = _GLUED.sub(r"\1 \2", tidy(name))
    exact = look_up(text)
    if exact is not None:
        return exact.name
    short = _MAKER.sub("", _NOMINAL.sub("", text).strip(" -"))
    for prefix in _PREFIXES:
        row = _named(prefix + short)
        if row is not None:
            return row.name
    size, near = memory_bytes or nominal_bytes(text), _NEAR if memory_bytes else _NEAR_NOMINAL
    row = _only(text, size, near) or _only(short, size, near)
    if row is not None:
        return row.name
    if _REMARK.search(text):
        text = short
    return f"NVIDIA {text}" if _CHIP.fullmatch(text.split(" ", 1)[0]) else text


def nominal_bytes(text: str) -> int | None:
    """Memory that a name or a remark states: `A100 80GB`, `4090 (24 GB)`. Of the round number, not the exact one."""
    match = _NOMINAL.search(text)
    return int(match.group(1)) << 30 if match else None


def _named(name: str) -> HardwareRow | None:
    lowered = name.lower()
    return next((row for row in table().values() if row.name.lower() == lowered), None)


def _only(start: str, memory_bytes: int | None, near: float) -> HardwareRow | None:
    """The one model whose name begins like this and whose memory, where it is told, is as large."""
    start = start.lower().removeprefix("nvidia ")
    if not start or (memory_bytes is None and " " not in start):
        return None
    fitting = [row for row in table().values() if row.name.lower().removeprefix("nvidia ").startswith(start)]
    if memory_bytes is not None:
        fitting = [row for row in fitting if abs((row.vram_mib or 0) * _MIB - memory_bytes) <= near * memory_bytes]
    return fitting[0] if len(fitting) == 1 else None
