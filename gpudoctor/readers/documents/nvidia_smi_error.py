"""What nvidia-smi prints where it cannot do its work."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, NvidiaSmi, Nvml
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare, plain

SOURCE = "nvidia-smi"

_MESSAGE = re.compile(
    r"(?:Failed to initialize NVML: .{3,80}"
    r"|NVIDIA-SMI has failed because .{3,200}"
    r"|NVIDIA-SMI couldn't find .{3,120}"
    r"|Unable to determine the device handle for (?:GPU|gpu) ?[0-9A-Fa-f:.]{7,16}: .{3,120}"
    r"|No devices were found"
    r"|(?:-?bash|sh|zsh)?(?:: line \d{1,5})?:? ?nvidia-smi: (?:command )?not found)\.?"
)
_PROMPT = re.compile(r"[^$#%>]{0,80}[$#%>] ?")
# What NVML's own names for these are; the program prints the sentence only. "Unknown Error" has none here: inside a
# container that lost its devices it means another thing than on the machine, and the line does not say where it was.
_NVML = (
    ("Driver/library version mismatch", "LIB_RM_VERSION_MISMATCH"),
    ("Driver Not Loaded", "DRIVER_NOT_LOADED"),
    ("couldn't communicate with the NVIDIA driver", "DRIVER_NOT_LOADED"),
    ("couldn't find libnvidia-ml", "LIBRARY_NOT_FOUND"),
    ("NVML: Insufficient Permissions", "NO_PERMISSION"),
    ("NVML: GPU access blocked by the operating system", "OPERATING_SYSTEM"),
    ("NVML: GPU is lost", "GPU_IS_LOST"),
    ("NVML: Not Found", "LIBRARY_NOT_FOUND"),
)
_LIBRARY = re.compile(r"NVML library version: {0,4}(\d{2,4}(?:\.\d{1,4}){1,3})")


def _begins(line: str) -> bool:
    text = bare(line)
    return _MESSAGE.fullmatch(text) is not None or _MESSAGE.fullmatch(_PROMPT.sub("", text, count=1)) is not None


def _belongs(line: str, taken: int) -> bool:
    return taken < 3 and ("NVML library version" in line or "Make sure that the latest NVIDIA driver" in line)


def _read(lines: Sequence[str]) -> Facts:
    text = bare(lines[0]) if lines else ""
    if not text:
        return Facts()
    error = next((name for words, name in _NVML if words in text), "")
    library = next((match.group(1) for line in lines if (match := _LIBRARY.search(line[:200]))), "")
    return Facts(
        nvidia_smi=NvidiaSmi(error=known(plain(text), SOURCE)),
        nvml=Nvml(init_error=_fact(error), library_version=_fact(library)),
    )


def _fact(value: str) -> Fact[str]:
    return known(value, SOURCE) if value else NOT_PROVIDED


DOCUMENT = Document(
    name="nvidia-smi error",
    literals=(
        "Failed to initialize NVML",
        "NVIDIA-SMI has failed",
        "NVIDIA-SMI couldn't",
        "Unable to determine the device handle",
        "No devices were found",
        "nvidia-smi: command not found",
        "nvidia-smi: not found",
    ),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=4,
)
