"""Lists that programs print of the GPUs they use, which may be fewer than there are.

#  Rank  0 Group  0 Pid  6311 on host7 device  0 [0000:3b:00] NVIDIA GeForce RTX 4090
  Device 0: NVIDIA GeForce RTX 3090, compute capability 8.6, VMM: yes
Device 0: "NVIDIA GeForce RTX 3090"
Device: 0, NVIDIA GeForce RTX 4090, pciBusID: 1, pciDeviceID: 0, pciDomainID:0
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, NvidiaSmi, PeerAccess
from gpudoctor.model.facts.cuda import CudaDriver
from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.document import REPORT, Document
from gpudoctor.readers.documents._gpu_names import canonical, looks_like_gpu
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list, smi_facts
from gpudoctor.readers.documents._text import bare

SOURCE = "GPUs that a program lists"

_NCCL_TESTS = re.compile(
    r"#? {0,4}Rank {1,6}\d{1,6} (?:Group {1,6}\d{1,6} )?Pid {1,9}\d{1,9} on {1,4}(\S{1,80}) device {1,4}(\d{1,3})"
    r" \[([0-9A-Fa-fx:.]{2,20})\] (.{2,80})"
)
_GGML = re.compile(
    r"(?:ggml_cuda_init: )?Device (\d{1,2}): ([^,\"]{2,60}), compute capability (\d{1,2}\.\d)(?:,.{0,120})?"
)
_QUERY = re.compile(r"Device (\d{1,2}): \"([^\"]{2,60})\"")
_P2P_TEST = re.compile(
    r"Device: {0,2}(\d{1,2}), ([^,]{2,60}), pciBusID: {0,2}([0-9a-fA-F]{1,2}), pciDeviceID: {0,2}[\da-fA-F]{1,2}.{0,60}"
)
_MATRIX_HEADER = re.compile(r"D\\D(?:[ \t]{1,8}\d{1,2}){2,64}")
_MATRIX_ROW = re.compile(r"(\d{1,2})((?:[ \t]{1,8}[01]){2,64})")


def _device(line: str) -> tuple[str, int, dict[str, Any]] | None:
    """Node ("" for this one), number and values of a line."""
    text = bare(line)
    if match := _NCCL_TESTS.fullmatch(text):
        node, number, where, name = match.groups()
        values: dict[str, Any] = {"pci_bus_id": bus_id(f"{where}.0") or bus_id(f"{where.removeprefix('0x')}:00.0")}
    elif match := _GGML.fullmatch(text):
        node, (number, name, capability) = "", match.groups()
        values = {"compute_capability": capability}
    elif match := _QUERY.fullmatch(text):
        node, (number, name), values = "", match.groups(), {}
    elif match := _P2P_TEST.fullmatch(text):
        node, (number, name, where) = "", match.groups()
        values = {"pci_bus_id": bus_id(f"{where.zfill(2)}:00.0")}
    else:
        return None
    if not looks_like_gpu(name) or int(number) >= MAX_GPUS:
        return None
    values = {key: value for key, value in values.items() if value}
    return node, int(number), {"name": canonical(name), **values}


def _begins(line: str) -> bool:
    text = bare(line)
    return _device(line) is not None or bool(_MATRIX_HEADER.fullmatch(text) or _MATRIX_ROW.fullmatch(text))


def _read(lines: Sequence[str]) -> Facts:
    nodes: dict[str, dict[int, dict[str, Any]]] = {}
    moved: set[str] = set()  # nodes on which a number meant two cards: runs with other visible devices
    for line in lines:
        found = _device(line)
        if found is not None:
            node, number, values = found
            kept = nodes.setdefault(node, {}).setdefault(number, values)
            if kept.get("pci_bus_id") != values.get("pci_bus_id") and "pci_bus_id" in kept and "pci_bus_id" in values:
                moved.add(node)
    most = max(nodes, key=lambda node: len(nodes[node]), default="")
    devices = nodes.get(most, {})
    if most in moved:
        names = tuple(dict.fromkeys(values["name"] for values in devices.values()))
        return Facts(nvidia_smi=NvidiaSmi(models=known(names, SOURCE)))
    gpus = gpu_list(gpu(number, values, SOURCE) for number, values in devices.items())
    facts = smi_facts(SOURCE, gpus=gpus, partial=True)
    peers = _peers(lines, {number: values.get("pci_bus_id", "") for number, values in devices.items()})
    if not peers.known:
        return facts
    return Facts(nvidia_smi=facts.nvidia_smi, cuda=CudaDriver(peer_access=peers))


def _peers(lines: Sequence[str], addresses: dict[int, str]) -> Fact[tuple[PeerAccess, ...]]:
    """The connectivity matrix of p2pBandwidthLatencyTest; its bandwidths are tables of other numbers."""
    columns: list[int] = []
    peers: dict[tuple[str, str], PeerAccess] = {}
    for line in lines:
        text = bare(line)
        if _MATRIX_HEADER.fullmatch(text):
            columns = [int(word) for word in text.split()[1:]]
            continue
        row = _MATRIX_ROW.fullmatch(text)
        cells = row.group(2).split() if row else []
        if row is None or len(cells) != len(columns):
            continue
        a = addresses.get(int(row.group(1)), "")
        for number, cell in zip(columns, cells, strict=True):
            b = addresses.get(number, "")
            if a and b and a != b:
                peers.setdefault((a, b), PeerAccess(a=a, b=b, allowed=known(cell == "1", SOURCE)))
    return known(tuple(peers.values()), SOURCE) if peers else NOT_PROVIDED


DOCUMENT = Document(
    name=SOURCE,
    literals=("Pid ", "Device ", "Device: ", "D\\D", *(f"{number}\t" for number in range(10))),
    begins=_begins,
    read=_read,
    max_lines=2000,
    scattered=True,
    trust=REPORT,
)
