"""`nvidia-smi -q`: sections by indentation, a GPU after the other; also single sections that a grep left.

==============NVSMI LOG==============
Driver Version                            : 580.126.20
Attached GPUs                             : 8
GPU 00000000:18:00.0
    Product Name                          : NVIDIA B200
    Fabric
        State                             : In Progress
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, field

from gpudoctor.model.facts import Facts
from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list, smi_facts
from gpudoctor.readers.documents._smi_fields import FIELDS, values_of
from gpudoctor.readers.documents._text import MAX_LINE, count_in, version_in

SOURCE = "nvidia-smi -q"

_GPU = re.compile(r"GPU ([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])")
_MAX_ENTRIES = 400
_SECTIONS = frozenset(section for section, _ in FIELDS if section) | {
    "volatile",
    "aggregate",
    "clocks event reasons",
    "clocks throttle reasons",
}
_SINGLE = frozenset({"Fabric", "BAR1 Memory Usage", "FB Memory Usage", "MIG Mode", "Remapped Rows", "GPU Link Info"})
_OTHER_NAMES = {
    "gpu power readings": "power readings",
    "module power readings": "module power readings",
    "ecc errors": "",
}
_TOO_DEEP = 24


class _Gpu(Struct):
    bus_id: str = ""
    entries: dict[tuple[str, str], str] = field(default_factory=dict)


class _Reader(Struct):
    """Takes the lines in order."""

    flat: bool = False  # indents were lost: what follows a section's name is in it, as far as such a key is known
    gpus: list[_Gpu] = field(default_factory=list)
    head: dict[str, str] = field(default_factory=dict)
    _sections: list[tuple[int, str]] = field(default_factory=list)

    def line(self, text: str) -> None:
        """One line."""
        bare = text.strip()
        match = _GPU.fullmatch(bare)
        if match is not None:
            self._next(bus_id(match.group(1)))
            return
        indent = len(text) - len(text.lstrip())
        while self._sections and self._sections[-1][0] >= indent and not self.flat:
            self._sections.pop()
        key, colon, value = bare.partition(":")
        if colon:
            self._entry(indent, key.strip().lower(), value.strip())
        elif bare and len(bare) < 60 and not bare.startswith("="):
            self._section(indent, bare.lower())

    def _next(self, where: str) -> None:
        self._sections.clear()
        if len(self.gpus) < MAX_GPUS:
            self.gpus.append(_Gpu(bus_id=where))

    def _section(self, indent: int, name: str) -> None:
        name = _OTHER_NAMES.get(name, name)
        if indent == 0:
            self._sections.clear()
        if len(self._sections) < _TOO_DEEP:
            self._sections.append((indent, name))

    def _entry(self, indent: int, key: str, value: str) -> None:
        section = self._sections[-1][1] if self._sections else ""
        if not self.gpus and not section and indent == 0:
            if len(self.head) < _MAX_ENTRIES:
                self.head.setdefault(key, value)
            return
        if section not in _SECTIONS or (self.flat and (section, key) not in FIELDS and ("", key) in FIELDS):
            section = ""
        where = (section, key)
        if not self.gpus or (not self.gpus[-1].bus_id and where in self.gpus[-1].entries):
            self._next("")  # a section without its GPU: each time that it comes again, it is the next one's
            self._sections = [(0, section)] if section else []
        if len(self.gpus[-1].entries) < _MAX_ENTRIES:
            self.gpus[-1].entries.setdefault(where, value)


def _begins(line: str) -> bool:
    text = line[:MAX_LINE].strip()
    if "NVSMI LOG" in text or _GPU.fullmatch(text):
        return True
    return text in _SINGLE or text.startswith("Attached GPUs  ")


def _belongs(line: str, taken: int) -> bool:
    text = line[:MAX_LINE].strip()
    if "NVSMI LOG" in text and taken > 1:
        return False
    if not text or " : " in text or text.endswith(" :") or _GPU.fullmatch(text) or line.startswith(("    ", "\t")):
        return True
    return taken < 4 and text.startswith("===")


def _read(lines: Sequence[str]) -> Facts:
    reader = _Reader(flat=not any(line[:1] in (" ", "\t") for line in lines))
    for line in lines:
        reader.line(line[:MAX_LINE].expandtabs(8))
    gpus = []
    for index, one in enumerate(reader.gpus):
        values = values_of(one.entries)
        if one.bus_id:
            values["pci_bus_id"] = one.bus_id
        if any(value is not None for value in values.values()):
            gpus.append(gpu(index, values, SOURCE))
    attached = count_in(reader.head.get("attached gpus", ""))
    return smi_facts(
        SOURCE,
        gpus=gpu_list(gpus),
        partial=attached != len(gpus),
        driver=version_in(reader.head.get("driver version", "")),
        cuda=version_in(reader.head.get("cuda version", "")),
        loaded=bool(gpus),
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("NVSMI LOG", "GPU 0000", "Attached GPUs", *sorted(_SINGLE)),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=20_000,
)
