"""Rows of the nvidia-smi table. Columns are found by what stands in them: their widths differ between versions.

The list of processes is not taken: who pastes it while a run hangs shows the run itself, in a container it is empty,
and nothing in it tells either from somebody else's process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from gpudoctor.model.facts import Gpu
from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.documents._gpu_names import canonical, tidy
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu

# A row of 2018 reads: |   0  Tesla K80           Off  | 0000:00:1E.0     Off |                    0 |
ROW = re.compile(
    r"(?:^|[ |\t])(\d{1,2}) {1,6}([A-Za-z][\w .+/()-]{1,60}?)(?: {1,40}(On|Off|N/A))? {0,40}\|"
    r" {0,20}([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]) {1,20}(On|Off|N/A) ?\| {0,40}(\S{1,8})?"
)
_MEMORY = re.compile(r"(\d{1,7}) ?MiB {0,8}/ {0,8}(\d{1,7}) ?MiB")
_POWER = re.compile(r"(\d{1,5}(?:\.\d)?) ?W {0,8}/ {0,8}(\d{1,5}) ?W")
_TEMPERATURE = re.compile(r" (\d{1,3})C ")
_LOAD = re.compile(r"\| {0,12}(\d{1,3})% {1,20}(\S.{0,14}?) {0,8}\|? *$")
_MODES = {
    "default": "default",
    "e. process": "exclusive_process",
    "e. thread": "exclusive_thread",
    "prohibited": "prohibited",
}
_MIG_MODE = re.compile(r"\| {1,40}(Enabled|Disabled|N/A)(\*?) {0,4}\|? *$")
_MIG_DEVICE = re.compile(r"^\| {1,4}(\d{1,2}) {1,8}\d{1,3} {1,8}(?:\d{1,3}|N/A) {1,8}\d{1,3} {0,4}\|")
_CUT = "..."
# The second and third line of a GPU, and the line of a MIG device.
MORE = re.compile(rf"{_MEMORY.pattern}|{_MIG_MODE.pattern}|{_MIG_DEVICE.pattern}")
_MIB = 1 << 20


class _Row(Struct):
    values: dict[str, object] = field(default_factory=dict)
    name: str = ""
    cut: bool = False


class TableReader(Struct):
    """Takes the lines of one table in order."""

    source: str
    seen: bool = False
    complete: bool = False  # the end of the list of GPUs was seen
    _rows: dict[int, _Row] = field(default_factory=dict)
    _mig: dict[int, int] = field(default_factory=dict)
    _last: int = -1

    def line(self, text: str) -> None:
        """One line of the table."""
        match = ROW.search(text)
        if match is not None:
            self._first(match)
        elif "MIG devices" in text or "Processes:" in text:
            self.complete = self.complete or bool(self._rows)
            self._last = -1
        elif self._last >= 0:
            self._more(self._rows[self._last], text)
        else:
            self._below(text.lstrip())

    def gpus(self) -> Iterator[Gpu]:
        """The GPUs with everything that the lines said of them."""
        for index, row in self._rows.items():
            total = row.values.get("memory_total_bytes")
            row.values["name"] = canonical(row.name, total if isinstance(total, int) else None) if row.cut else row.name
            if index in self._mig:
                row.values["mig_devices"] = self._mig[index]
            yield gpu(index, row.values, self.source)

    def _first(self, match: re.Match[str]) -> None:
        number, name, persistence, where, display, ecc = match.groups()
        index = int(number)
        self.seen = True
        if index in self._rows or len(self._rows) >= MAX_GPUS:
            self._last = -1
            return
        row = self._rows[index] = _Row(name=tidy(name), cut=name.rstrip().endswith(_CUT))
        self._last = index
        row.values = {
            "pci_bus_id": bus_id(where) or None,
            "persistence": {"On": True, "Off": False}.get(persistence or ""),
            "display_active": {"On": True, "Off": False}.get(display),
            **_ecc(ecc or ""),
        }

    def _more(self, row: _Row, text: str) -> None:
        """The second and the third line of a GPU."""
        memory = _MEMORY.search(text)
        if memory is not None:
            row.values["memory_used_bytes"] = int(memory.group(1)) * _MIB
            row.values["memory_total_bytes"] = int(memory.group(2)) * _MIB
            row.values.update(_second(text))
            return
        mig = _MIG_MODE.search(text)
        if mig is not None and mig.group(1) != "N/A":
            row.values["mig_enabled"] = mig.group(1) == "Enabled"
            row.values["mig_pending"] = (mig.group(1) == "Enabled") != bool(mig.group(2))

    def _below(self, text: str) -> None:
        device = _MIG_DEVICE.match(text)
        if device is not None:
            index = int(device.group(1))
            self._mig[index] = self._mig.get(index, 0) + 1


def _ecc(cell: str) -> dict[str, object]:
    """Off, N/A, or the volatile count of uncorrected errors; a star says that the mode changes with a reset."""
    cell = cell.rstrip("*")
    if cell == "Off":
        return {"ecc_enabled": False}
    if cell.isascii() and cell.isdigit():
        return {"ecc_enabled": True, "ecc_uncorrected_volatile": int(cell)}
    return {}


def _second(text: str) -> dict[str, object]:
    values: dict[str, object] = {}
    if power := _POWER.search(text):
        values["power_draw_mw"] = round(float(power.group(1)) * 1000)
        values["power_limit_mw"] = int(power.group(2)) * 1000
    if temperature := _TEMPERATURE.search(text):
        values["temperature_c"] = int(temperature.group(1))
    if load := _LOAD.search(text):
        values["utilization_percent"] = int(load.group(1))
        values["compute_mode"] = _MODES.get(load.group(2).lower())
    return values
