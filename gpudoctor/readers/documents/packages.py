"""`pip list`, `pip freeze`, `uv pip list`, `conda list`, the lists inside collect_env, `dpkg -l` for NCCL, remarks.

torch                        2.9.1+cu128
nvidia-nccl-cu12==2.27.5
[conda] pytorch              2.1.0    py3.10_cuda12.1_cudnn8.9.2_0    pytorch
ii  libnccl2   2.25.1-1+cuda12.8   amd64
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.distributions import matters, normalised
from gpudoctor.readers.document import REPORT, Document
from gpudoctor.readers.documents._software import software_facts
from gpudoctor.readers.documents._text import bare

SOURCE = "list of packages"

_LINE = re.compile(
    r"(\[(?:pip3?|conda)\] {1,8}|(?:ii|hi) {1,8}|[-+~*•|] {0,4})?"
    r"([A-Za-z][\w-]{1,60})(?::(?:amd64|arm64))?(?:\[[\w,-]{0,40}\])?"
    r"(?: {0,2}={1,3} {0,2}|[ \t]{1,60}| {0,8}\| {0,8})"
    r"v?(\d{1,4}(?:\.\d{1,4}){1,3}[\w.+!-]{0,60})"
    r"(?:[ \t|]{1,40}(.{1,200}))?"
)
# What may follow in a listing: conda's build and channel, a path, a remark. Words are a sentence.
_COLUMNS = re.compile(r"(?:\S{0,80}[_/]\S{0,80}|pypi|\|)(?:[ \t]{1,40}\S{1,60})?|[#;(].{0,200}|\\")
_SYSTEM = frozenset({"libnccl2", "libnccl"})
_COMMON = (
    "torch", "vllm", "sglang", "deepspeed", "accelerate", "transformers", "ray", "tensorrt-llm", "tensorrt_llm",
    "flashinfer-python", "flashinfer", "exllamav2", "xformers", "triton", "flash-attn", "flash_attn", "pynvml",
    "text-generation-server", "pytorch", "torchvision",
)  # fmt: skip
_MAX_LINES = 1500


def _package(line: str) -> tuple[str, str, str] | None:
    """Normalised name, version and the word behind it, of a line that is nothing else."""
    match = _LINE.fullmatch(bare(line))
    if match is None:
        return None
    listed, written, version, rest = match.groups()
    name = normalised(written)
    if not (matters(name) or name in _SYSTEM):
        return None
    if rest and not (listed and listed.strip() not in "-+~*•|") and not _COLUMNS.fullmatch(rest.strip()):
        return None
    return name, version.rstrip(".,;"), (rest or "").split(" ", 1)[0]


def _begins(line: str) -> bool:
    return _package(line) is not None


def _read(lines: Sequence[str]) -> Facts:
    packages: dict[str, str] = {}
    builds: dict[str, str] = {}
    for line in lines:
        found = _package(line)
        if found is not None:
            name, version, build = found
            packages.setdefault(name, version)
            builds.setdefault(name, build)
    return software_facts(packages, SOURCE, builds=builds)


DOCUMENT = Document(
    name=SOURCE,
    literals=(
        "[pip", "[conda]", "nvidia-nccl", "nvidia_nccl", "nvidia-cu", "libnccl",
        *(f"{name}{sign}" for name in _COMMON for sign in ("==", "  ", "\t", " 0.", " 1.", " 2.", " 4.", " 5.")),
    ),
    begins=_begins,
    read=_read,
    max_lines=_MAX_LINES,
    scattered=True,
    trust=REPORT,
)  # fmt: skip
