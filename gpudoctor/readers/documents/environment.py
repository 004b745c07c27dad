"""Environment variables as people paste them: `env`, exports, collect_env's list, ENV lines, several on one line.

NCCL_P2P_DISABLE=1
export CUDA_VISIBLE_DEVICES=0,1,2,3
- NCCL_DEBUG=INFO
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gpudoctor.data.environment_variables import allow_list
from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Environment, Facts, Virtualization
from gpudoctor.readers.document import REPORT, Document
from gpudoctor.readers.documents._text import bare

SOURCE = "environment in the paste"

_FRONT = re.compile(r"(?:[$#>] )?(?:(?:export|set|setenv|declare -x|ENV|-e|-x|[-*•]|\d{1,2}\.) {1,4})?")
_ONE = re.compile(r"([A-Z_][A-Z0-9_]{2,63})=(\"[^\"]{0,400}\"|'[^']{0,400}'|[^\s\"']{0,400})(?:[ ;]{1,4}|$)")
_SPACED = re.compile(r"([A-Z_][A-Z0-9_]{2,63}) = ([\w.,:/^=-]{0,200})")
_YAML = re.compile(r"([A-Z][A-Z0-9_]{2,63}): {1,4}([\"']?)([\w.,:/^=-]{0,200})\2")
_REMARK = re.compile(r" {1,20}#.{0,300}$")
_URL_USER = re.compile(r"(?<=://)[^/\s@]{1,100}@")
_MAX_VALUE = 512
_MAX_ON_A_LINE = 32
_MAX_VARIABLES = 500
# Set by an orchestrator for every container, and by WSL.
_CONTAINERS = (("KUBERNETES_SERVICE_HOST", "kubernetes"), ("APPTAINER_CONTAINER", "apptainer"))


def assignments(line: str) -> tuple[tuple[str, str], ...]:
    """The variables of a line that holds nothing else; empty for any other line."""
    text = _REMARK.sub("", bare(line).removesuffix("\\"))
    text = _FRONT.sub("", text, count=1)
    for form in (_SPACED, _YAML):
        match = form.fullmatch(text)
        if match is not None and "_" in match.group(1):
            return ((match.group(1), match.group(match.lastindex or 2)),)
    return tuple(_several(text))


def _several(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    found: list[tuple[str, str]] = []
    while at < len(text) and len(found) < _MAX_ON_A_LINE:
        match = _ONE.match(text, at)
        if match is None:
            return
        found.append((match.group(1), match.group(2).strip("\"'")))
        at = match.end()
    yield from found


def _begins(line: str) -> bool:
    allow = allow_list()
    return any(allow.allows(name) or name == _CONTAINERS[0][0] for name, _ in assignments(line))


def _read(lines: Sequence[str]) -> Facts:
    """The last assignment of a name counts, as in a shell."""
    everything = {name: value for line in lines for name, value in assignments(line)}
    return environment_facts(everything, SOURCE)


def environment_facts(everything: dict[str, str], source: str, *, of_container: bool = False) -> Facts:
    """Facts of variables; those that are not GPU software's are left out. `of_container`: no shell's."""
    allow = allow_list()
    kept = {name: _URL_USER.sub("", value)[:_MAX_VALUE] for name, value in everything.items() if allow.allows(name)}
    kept = dict(list(kept.items())[:_MAX_VARIABLES])
    container = next((name for variable, name in _CONTAINERS if variable in everything), "")
    devices = kept.get("NVIDIA_VISIBLE_DEVICES")
    listed = known(kept, source) if kept else NOT_PROVIDED
    return Facts(
        environment=Environment(
            variables=listed,
            shell=NOT_PROVIDED if of_container else listed,
            launch=listed if of_container else NOT_PROVIDED,
        ),
        virtualization=Virtualization(
            container=known(container, source) if container else NOT_PROVIDED,
            nvidia_visible_devices=NOT_PROVIDED if devices is None else known(devices, source),
        ),
    )


DOCUMENT = Document(
    name="environment",
    literals=(
        "NCCL_", "CUDA_", "TORCH_", "PYTORCH_", "VLLM_", "SGLANG_", "GLOO_", "NVIDIA_VISIBLE", "NVIDIA_DRIVER_CAP",
        "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE=", "LOCAL_RANK=", "RANK=", "LD_LIBRARY_PATH=", "LD_PRELOAD=",
        "OMP_NUM_THREADS", "RAY_", "UCX_", "GGML_", "TRTLLM_", "TLLM_", "HIP_VISIBLE", "KUBERNETES_SERVICE_HOST=",
        "FI_", "HF_", "DS_", "ACCELERATE_", "SLURM_", "OMPI_COMM", "CONDA_PREFIX=", "TP_SOCKET_IFNAME",
    ),
    begins=_begins,
    read=_read,
    max_lines=600,
    scattered=True,
    trust=REPORT,
)  # fmt: skip
