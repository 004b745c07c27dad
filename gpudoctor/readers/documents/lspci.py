"""`lspci` in any verbosity: GPUs, their slots and BARs, and with -vvv of the whole bus the bridges between them.

41:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA102 [GeForce RTX 3090] [10de:2204] (rev a1)
        Region 1: Memory at d0000000 (64-bit, prefetchable) [size=256M]
                LnkSta: Speed 8GT/s (downgraded), Width x4 (downgraded)
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Pci
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._lspci_devices import HEADER, read_devices
from gpudoctor.readers.documents._lspci_paths import gpu_paths, pci_gpu
from gpudoctor.readers.documents._text import MAX_LINE

SOURCE = "lspci"

_DETAILS = ("ACSCtl:", "LnkSta:", "LnkCap:")
_MAX_GPUS = 64


def _begins(line: str) -> bool:
    line = line[:MAX_LINE]
    return HEADER.match(line.strip()) is not None or line.strip().startswith(_DETAILS)


def _belongs(line: str, _taken: int) -> bool:
    return not line.strip() or line[:1] in " \t" or _begins(line)


def _read(lines: Sequence[str]) -> Facts:
    text = [line[:MAX_LINE] for line in lines]
    devices = read_devices(text)
    gpus = [device for device in devices if device.is_gpu][:_MAX_GPUS]
    switches = sum(1 for device in devices if device.is_nvswitch)
    redirecting = _redirecting(text)
    return Facts(
        pci=Pci(
            gpus=known(tuple(pci_gpu(gpu, devices, SOURCE) for gpu in gpus), SOURCE) if gpus else NOT_PROVIDED,
            paths=gpu_paths(gpus, devices, SOURCE),
            nvswitches=known(switches, SOURCE) if switches or len(devices) > len(gpus) * 3 else NOT_PROVIDED,
            acs_redirect_seen=NOT_PROVIDED if redirecting is None else known(redirecting, SOURCE),
        )
    )


def _redirecting(lines: Sequence[str]) -> bool | None:
    """Whether any ACS control word redirects; None where there is none. A grep leaves the words without devices."""
    words = [line for line in lines if "ACSCtl:" in line]
    if not words:
        return None
    return any("ReqRedir+" in line or "CmpltRedir+" in line for line in words)


DOCUMENT = Document(
    name=SOURCE,
    literals=(" controller", "bridge", " Bridge", *_DETAILS),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=40_000,
)
