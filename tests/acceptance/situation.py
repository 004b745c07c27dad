"""What the table says of one situation, and the tables themselves: `situations/*.yaml`, in the order of their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.sim.machine_gpu import Record
from tests.sim.yaml_strict import load_yaml

HERE = Path(__file__).parent


class Situation(Record, frozen=True, kw_only=True):
    """A machine, what is wrong with it, what is run there, and what a person who knows the field would say first."""

    situation: str
    machine: str  # of fixtures/hosts
    change: dict[str, Any] = msgspec.field(default_factory=dict)  # laid over the machine file
    remove: tuple[str, ...] = ()  # files and folders of the machine that are not there
    deny: tuple[str, ...] = ()  # files that are there and cannot be opened, for root neither
    faults: str = ""  # GPUSIM_FAULTS
    env: dict[str, str] = msgspec.field(default_factory=dict)  # {lib}, {target} and {stray} stand for folders
    target: str = "healthy"  # of targets.yaml
    imports: bool = False  # check without --quick: torch is imported
    arguments: tuple[str, ...] = ()  # of gpudoctor check
    launch: str = ""  # the launch command
    cause: str  # of the first finding that is no remark; "none": there is none
    severity: Literal["error", "warning", "none"] = "error"
    fix: str = ""  # part of that finding's fix line


class Target(Record, frozen=True, kw_only=True):
    """The Python environment of the run."""

    torch: str | None = "2.9.1+cu128"  # null: no torch at all
    cuda: str | None = "12.8"
    hip: str | None = None
    archs: str = "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
    nccl_built: str = "2.27.5"  # torch.cuda.nccl.version()
    nccl_file: str | None = "2.27.5"  # nvidia/nccl/lib/libnccl.so.2; null: torch asks for one that is not there
    runpath: bool = False  # LD_LIBRARY_PATH comes before it; torch's own wheels have an rpath, which comes first
    wheels: dict[str, str] = msgspec.field(default_factory=lambda: {"cu12": "2.27.5"})
    packages: dict[str, str] = msgspec.field(default_factory=lambda: {"vllm": "0.11.2", "transformers": "4.57.1"})
    import_error: str = ""  # what `import torch` raises, as Python
    starts_cuda: bool = False  # CUDA is initialised by the import of torch
    sitecustomize: str = ""  # Python that runs whenever the interpreter starts
    stray_nccl: str = ""  # version of a libnccl.so.2 that lies in the folder {stray}


def situations() -> tuple[Situation, ...]:
    """All of them."""
    files = sorted((HERE / "situations").glob("*.yaml"))
    return tuple(msgspec.convert(row, Situation) for file in files for row in load_yaml(file)["situations"])


def targets() -> dict[str, Target]:
    """The Python environments by name."""
    return msgspec.convert(load_yaml(HERE / "targets.yaml"), dict[str, Target])
