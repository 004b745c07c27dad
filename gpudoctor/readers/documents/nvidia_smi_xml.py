"""`nvidia-smi -q -x`: the same as -q in XML."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from gpudoctor.model.facts import Facts
from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list, smi_facts
from gpudoctor.readers.documents._smi_fields import values_of
from gpudoctor.readers.documents._tags import Tag, tags
from gpudoctor.readers.documents._text import MAX_LINE, count_in, version_in

SOURCE = "nvidia-smi -q -x"

# Tags whose words differ from those of the text form; others differ by underscores only.
_SECTIONS = {
    "pcie_gen": "pcie generation",
    "link_widths": "link width",
    "fb_memory_usage": "fb memory usage",
    "bar1_memory_usage": "bar1 memory usage",
    "ecc_mode": "ecc mode",
    "mig_mode": "mig mode",
    "gpu_virtualization_mode": "gpu virtualization mode",
    "clocks_event_reasons": "clocks event reasons",
    "clocks_throttle_reasons": "clocks throttle reasons",
    "gpu_power_readings": "power readings",
    "power_readings": "power readings",
}
_KEYS = {
    "uuid": "gpu uuid",
    "current_mig": "current",
    "pending_mig": "pending",
    "current_ecc": "current",
    "pci_bus_id": "bus id",
    "pci_device_id": "device id",
    "max_link_gen": "max",
    "current_link_gen": "current",
    "max_device_link_gen": "device max",
    "max_link_width": "max",
    "current_link_width": "current",
    "replay_counter": "replays since reset",
    "gpu_util": "gpu",
    "gpu_temp": "gpu current temp",
    "gpu_temp_slow_threshold": "gpu slowdown temp",
    "gpu_temp_slow_threshold_in_c": "gpu slowdown temp",
    "remapped_row_unc": "uncorrectable error",
    "remapped_row_pending": "pending",
    "remapped_row_failure": "remapping failure occurred",
    "pending_retirement": "pending page blacklist",
    "instant_power_draw": "power draw",
    "virtualization_mode": "virtualization mode",
}
_REASON = ("clocks_event_reason_", "clocks_throttle_reason_", "clocks_event_reasons_")
_MAX_ENTRIES = 600
_MAX_DEPTH = 16


class _Reader(Struct):
    """Takes the tags in order."""

    gpus: list[dict[tuple[str, str], str]] = field(default_factory=list)
    head: dict[str, str] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)

    def tag(self, tag: Tag) -> None:
        """One tag."""
        if tag.closing:
            if tag.name in self._path[-_MAX_DEPTH:]:
                while self._path.pop() != tag.name:
                    pass
            return
        if tag.name == "gpu" and tag.attribute("id"):
            self._path = ["gpu"]
            if len(self.gpus) < MAX_GPUS:
                self.gpus.append({("pci", "bus id"): bus_id(tag.attribute("id"))})
            return
        if tag.text:
            self._entry(tag.name, tag.text)
        if not tag.empty:
            self._path.append(tag.name)

    def _entry(self, name: str, text: str) -> None:
        if not self.gpus:
            self.head.setdefault(name, text)
            return
        section = self._path[-1] if self._path else ""
        section = "" if section == "gpu" else _SECTIONS.get(section, section.replace("_", " "))
        for prefix in _REASON:
            name = name.removeprefix(prefix)
        key = _KEYS.get(name, name.replace("_", " "))
        entries = self.gpus[-1]
        if len(entries) < _MAX_ENTRIES:
            entries.setdefault((section, key), text)


def _begins(line: str) -> bool:
    return "<nvidia_smi_log" in line or "<gpu id=" in line


def _belongs(line: str, taken: int) -> bool:
    text = line[:MAX_LINE].strip()
    if "<nvidia_smi_log" in text and taken > 2:
        return False
    return not text or text.startswith("<") or text.endswith(">")


def _read(lines: Sequence[str]) -> Facts:
    reader = _Reader()
    for tag in tags("\n".join(line[:MAX_LINE] for line in lines)):
        reader.tag(tag)
    gpus = gpu_list(gpu(index, values_of(entries), SOURCE) for index, entries in enumerate(reader.gpus))
    attached = count_in(reader.head.get("attached_gpus", ""))
    return smi_facts(
        SOURCE,
        gpus=gpus,
        partial=attached != len(gpus),
        driver=version_in(reader.head.get("driver_version", "")),
        cuda=version_in(reader.head.get("cuda_version", "")),
        loaded=bool(gpus),
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("<nvidia_smi_log", "<gpu id="),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=30_000,
)
