"""Statements of one text, joined: the first of a kind counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import (
    Facts,
    Gpu,
    HostMemory,
    Limits,
    Machine,
    Shm,
    Torch,
    Virtualization,
)
from gpudoctor.readers.documents._cpu import cpu_facts, hypervisor
from gpudoctor.readers.documents._gpu_names import canonical, nominal_bytes
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, smi_facts
from gpudoctor.readers.documents._software import software_facts, torch_facts
from gpudoctor.readers.documents._statements import Statement
from gpudoctor.readers.documents._text import count_in, plain, size_bytes

_PACKAGES = (
    "vllm", "sglang", "deepspeed", "accelerate", "transformers", "ray", "tensorrt-llm", "exllamav2", "flashinfer",
    "libnccl2",
)  # fmt: skip
_PLATFORM = re.compile(r"Linux-([\w.+~-]{3,80}?)-(x86_64|aarch64|arm64|ppc64le)(?:-with-glibc([\d.]{3,8}))?")
_SMALLEST_DRIVER = 200  # "CUDA driver" is the driver's version to some and the CUDA version to others
_GLIBC = re.compile(r"glibc-(\d{1,2}\.\d{1,3})")
_BYTES = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([KMGT])i?B?\b", re.IGNORECASE)


class Stated(Struct):
    """Takes statements, gives facts."""

    source: str
    _said: dict[str, str] = field(default_factory=dict)
    _gpus: list[tuple[str, int]] = field(default_factory=list)  # of the first line that counts them
    _models: dict[str, None] = field(default_factory=dict)

    def take(self, said: Iterable[Statement]) -> None:
        """The statements of one line."""
        listed: list[tuple[str, int]] = []
        cuda_beside_driver = False
        for one in said:
            if one.what == "gpu":
                listed += [(one.value, one.count)] if one.count else []
                self._models.setdefault(one.value, None)
            elif one.what == "driver" and _is_cuda(one.value):
                self._said.setdefault("cuda_driver", one.value)
            elif one.what == "cuda":
                self._said.setdefault("cuda_driver" if cuda_beside_driver else "cuda", one.value)
            else:
                self._said.setdefault(one.what, one.value)
                cuda_beside_driver |= one.what == "driver"
        if listed and not self._gpus:
            self._gpus = listed

    def facts(self) -> Facts:
        """Everything that was said."""
        said, source = self._said, self.source
        packages = {name: said[name] for name in _PACKAGES if name in said}
        if "nccl" in said:
            packages = {"nccl": said["nccl"], **packages}
        facts = smi_facts(source, gpus=self._cards(), driver=said.get("driver", ""), cuda=said.get("cuda_driver", ""))
        software = software_facts(packages, source)
        return replace(
            facts,
            nvidia_smi=replace(facts.nvidia_smi, models=self._named()),
            driver=replace(facts.driver, fabric_manager_version=self._text("fabric_manager")),
            torch=self._torch(),
            nccl=software.nccl,
            python=replace(software.python, version=self._text("python")),
            machine=self._machine(),
            virtualization=self._virtualization(),
            memory=HostMemory(total_bytes=self._bytes("memory")),
            shm=Shm(size_bytes=self._bytes("shm")),
            limits=Limits(nofile=_optional(count_in(said.get("nofile", "")), source)),
        )

    def _text(self, what: str) -> Fact[str]:
        value = plain(self._said.get(what, ""))
        return known(value, self.source) if value else NOT_PROVIDED

    def _bytes(self, what: str) -> Fact[int]:
        match = _BYTES.search(self._said.get(what, "")[:80])
        return _optional(size_bytes(match.group(1) + match.group(2)) if match else None, self.source)

    def _cards(self) -> tuple[Gpu, ...]:
        cards: list[Gpu] = []
        counted = self._gpus
        total = count_in(self._said.get("gpu_count", ""))
        if not counted and total and len(self._models) == 1:
            counted = [(next(iter(self._models)), total)]
        for text, count in counted:
            name, _, remark = text.partition("\t")
            memory = nominal_bytes(remark)
            values = {"name": canonical(name, memory), "memory_total_bytes": memory}
            cards += [gpu(len(cards) + number, values, self.source) for number in range(min(count, MAX_GPUS))]
        return tuple(cards[:MAX_GPUS])

    def _named(self) -> Fact[tuple[str, ...]]:
        names = tuple(dict.fromkeys(canonical(text.partition("\t")[0]) for text in self._models))
        return known(names[:MAX_GPUS], self.source) if names else NOT_PROVIDED

    def _torch(self) -> Torch:
        torch = torch_facts(self._said.get("torch", ""), self.source, cuda=self._said.get("torch_cuda", ""))
        available = {"true": True, "false": False}.get(self._said.get("cuda_available", "").lower())
        return replace(torch, cuda_available=_optional(available, self.source))

    def _machine(self) -> Machine:
        platform = _PLATFORM.search(self._said.get("platform", "")[:200])
        kernel, architecture, glibc = platform.groups() if platform else (None, None, None)
        libc = _GLIBC.search(self._said.get("glibc", "")[:80])
        cpu = cpu_facts(self._said.get("cpu", ""), self.source)
        told_architecture = self._text("architecture")
        return replace(
            cpu,
            os=self._text("os"),
            kernel=self._text("kernel") if "kernel" in self._said else _optional(kernel, self.source),
            architecture=told_architecture if told_architecture.known else _optional(architecture, self.source),
            glibc=_optional(libc.group(1) if libc else glibc, self.source),
        )

    def _virtualization(self) -> Virtualization:
        kernel = (self._said.get("platform", "") + self._said.get("kernel", "")).lower()
        wsl = 2 if "microsoft-standard" in kernel or "wsl" in self._said else None
        vm = hypervisor(self._said.get("hypervisor", ""))
        return Virtualization(
            wsl=_optional(wsl, self.source),
            vm=known(vm, self.source) if vm else NOT_PROVIDED,
            container=known("kubernetes", self.source) if "kubernetes" in self._said else NOT_PROVIDED,
        )


def _optional(value: Any, source: str) -> Fact[Any]:  # noqa: ANN401 - of any fact's type
    return NOT_PROVIDED if value is None else known(value, source)


def _is_cuda(version: str) -> bool:
    return int(version.partition(".")[0]) < _SMALLEST_DRIVER
