"""Reports and notes of the form `what: value`.

collect_env of torch and vLLM, ds_report, SGLang's check_env, `transformers-cli env`, `accelerate env`, and what people
write about their machine.

PyTorch version              : 2.5.1+cu124
torch cuda version ............... 12.1
Driver Version: 570.86.10    CUDA Version: 12.8
GPU: 8 x NVIDIA RTX 6000D (PCIe)
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import NOTE, Document
from gpudoctor.readers.documents._stated import Stated
from gpudoctor.readers.documents._statement_keys import literals
from gpudoctor.readers.documents._statements import statements

SOURCE = "note"
_CARDS = tuple(
    f"{mark}{name}"
    for mark in ("x ", "x", "\u00d7 ", "* ", "ual ")
    for name in (
        "NVIDIA",
        "RTX",
        "GTX",
        "A10",
        "A40",
        "A6000",
        "H100",
        "H200",
        "H20",
        "L4",
        "B200",
        "V100",
        "T4",
        "GeForce",
    )
)


def _begins(line: str) -> bool:
    return bool(statements(line))


def _read(lines: Sequence[str]) -> Facts:
    report = any("CUDA used to build PyTorch" in line for line in lines)
    stated = Stated("collect_env" if report else SOURCE)
    for line in lines:
        stated.take(statements(line))
    return stated.facts()


DOCUMENT = Document(
    name="report or notes",
    literals=(*literals(), *_CARDS, "WSL2", "WSL 2"),
    begins=_begins,
    read=_read,
    max_lines=400,
    scattered=True,
    trust=NOTE,
)
