"""GPUs that somebody counts in passing: "I run tp=8 on 8xV100 GPUs", "two RTX 3090s", "a box with 4x 4090".

Sentences are hearsay: they count only where all of them agree, and less than anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import NOTE, Document
from gpudoctor.readers.documents._gpu_names import canonical, looks_like_gpu, nominal_bytes
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, smi_facts
from gpudoctor.readers.documents._text import MAX_LINE

SOURCE = "mentioned GPUs"

_WORDS = {"two": 2, "dual": 2, "three": 3, "four": 4, "quad": 4, "six": 6, "eight": 8}
_COUNT = (
    r"(?<![\w.,/-])(?:(\d{1,2}) ?[x\u00d7*] ?|(\d{1,2}) (?=NVIDIA|Nvidia|RTX|GeForce|Tesla)"
    r"|(two|dual|three|four|quad|six|eight) )"
)
_MAKER = r"((?:(?:NVIDIA|Nvidia|nvidia|GeForce|Tesla|Quadro) ){0,2})"
_CARD = (
    r"((?:RTX|rtx|GTX) ?(?:PRO )?A?\d{4}(?: ?(?:Ti|TI|ti|SUPER|Super|Ada|D))?"
    r"|(?:A6000|A5000|A4000|A100|A800|A40|A30|A10G?|H100|H200|H800|H20|B200|B300|L40S?|L20|L4|V100S?|P100|P40|T4|K80)"
    r"(?:[ -](?:SXM\d?|PCIe|NVL))?(?:[ -]\d{2,3} ?GB?)?|(?:3090|4090|5090|3080|4080|2080)(?: ?[Tt]i)?)(?![\w.%])"
)
_MENTION = re.compile(_COUNT + _MAKER + _CARD)
_PLURAL = re.compile(r"(?<=[0-9GBiTS])s\b")
_BARE = re.compile(r"\d{4}(?: ?[Tt]i)?")
_NODES = re.compile(r"\b(?:nodes?|machines?|servers?|hosts?)\b", re.IGNORECASE)
_MAX_MENTIONS = 64


def _mentions(line: str) -> Iterator[tuple[int, str]]:
    """Count and name of each mention; none in a line that speaks of several machines."""
    text = _PLURAL.sub("", line[:MAX_LINE])
    if _NODES.search(text):
        return
    for match in _MENTION.finditer(text):
        digits, loose, word, maker, card = match.groups()
        count = int(digits or loose) if digits or loose else _WORDS[word.lower()]
        name = f"RTX {card}" if _BARE.fullmatch(card) else card
        if 0 < count <= MAX_GPUS and looks_like_gpu(name):
            yield count, canonical(f"{maker}{name}")


def _begins(line: str) -> bool:
    return next(_mentions(line), None) is not None


def _read(lines: Sequence[str]) -> Facts:
    found = {mention for line in lines[:_MAX_MENTIONS] for mention in _mentions(line)}
    if len(found) != 1:
        return Facts()
    ((count, name),) = found
    values = {"name": name, "memory_total_bytes": nominal_bytes(name)}
    return smi_facts(SOURCE, gpus=tuple(gpu(index, values, SOURCE) for index in range(count)))


DOCUMENT = Document(
    name=SOURCE,
    literals=(
        *(f"{count}{sign}" for count in (2, 3, 4, 6, 8, 16) for sign in ("x", " x", "\u00d7", " \u00d7", "*", " *")),
        *(f"{count} {maker}" for count in (2, 3, 4, 6, 8) for maker in ("NVIDIA", "Nvidia", "RTX", "GeForce", "Tesla")),
        *(f"{word} " for word in _WORDS),
    ),
    begins=_begins,
    read=_read,
    max_lines=_MAX_MENTIONS,
    scattered=True,
    trust=NOTE,
)
