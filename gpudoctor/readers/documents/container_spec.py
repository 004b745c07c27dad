"""docker compose files and Kubernetes manifests, whole or a snippet: what the container gets, and its command.

services:
  vllm:
    image: vllm/vllm-openai:v0.6.3
    shm_size: "2gb"
    command: --model X --tensor-parallel-size 4
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._containers import Container, container_facts, read_containers
from gpudoctor.readers.documents._text import MAX_LINE
from gpudoctor.readers.documents._yaml_lines import entries

SOURCE = "container's specification"

_KINDS = r"Pod|Deployment|StatefulSet|Job|DaemonSet|PyTorchJob|LeaderWorkerSet|RayCluster|RayService|InferenceService"
_BEGIN = re.compile(
    rf"\s{{0,40}}(?:services:|apiVersion: ?[\w./-]{{1,60}}|kind: ?(?:{_KINDS})"
    r"|(?:- )?(?:containers|env|environment|volumeMounts):|(?:- )?image: ?[\w./:@-]{3,200}"
    r"|shm_size: ?\S{1,20}|hostIPC: ?(?:true|false)"
    r"|ipc: ?[\"']?(?:host|private|shareable|container:\S{1,80})[\"']?)"
)
_LINE = re.compile(r"\s{0,80}(?:- |[\w./-]{1,80} ?:|#|\"|'|--?\w|\]|\||>)")


def _begins(line: str) -> bool:
    return _BEGIN.fullmatch(line[:MAX_LINE].rstrip()) is not None


def _belongs(line: str, _taken: int) -> bool:
    line = line[:MAX_LINE]
    return not line.strip() or _LINE.match(line) is not None or line.startswith("    ") or line.strip() == "---"


def _read(lines: Sequence[str]) -> Facts:
    containers = read_containers(list(entries(lines)))
    chosen = _chosen(containers)
    return container_facts(chosen, SOURCE) if chosen is not None else Facts()


def _chosen(containers: Sequence[Container]) -> Container | None:
    """The one that gets GPUs, else the first that says more than its image."""
    wanting = [one for one in containers if one.gpus or one.runtime == "nvidia"]
    others = [one for one in containers if one.command or one.environment or one.shm or one.ipc]
    return next(iter([*wanting, *others]), None)


DOCUMENT = Document(
    name="compose file or manifest",
    literals=(
        "services:",
        "apiVersion:",
        "kind:",
        "containers:",
        "image:",
        "shm_size:",
        "ipc:",
        "hostIPC:",
        "env:",
        "environment:",
        "volumeMounts:",
    ),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=1500,
)
