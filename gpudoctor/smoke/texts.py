"""What a rank says when it fails, as causes: the first pattern that matches decides."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """A cause, how sure its words make us, and a title.

    `part` is what the differential should do without first, `fixes` whose fixes help where not the cause's.
    """

    cause: str
    confidence: float
    title: str
    part: str = ""
    fixes: str = ""


# What a limit of this process refuses, whatever it was wanted for.
_LIMITS: tuple[tuple[str, Meaning], ...] = (
    (
        r"Too many open files|EMFILE",
        Meaning("framework_env", 0.95, "the limit of open files (ulimit -n) is too low", fixes="limits"),
    ),
    (
        r"File too large|EFBIG",
        Meaning(
            "framework_env",
            0.95,
            "the limit of file sizes (ulimit -f) keeps shared memory from being made",
            fixes="limits",
        ),
    ),
)
# Order matters: the specific before the general.
_TEXTS: tuple[tuple[str, Meaning], ...] = (
    (r"No module named 'torch'", Meaning("framework_env", 0.97, "torch is not installed in the target interpreter")),
    (
        r"undefined symbol: \w*nccl",
        Meaning("nccl_version_mismatch", 0.9, "torch finds an NCCL that lacks a symbol which it was built with"),
    ),
    *_LIMITS,
    (
        r"EADDRINUSE|[Aa]ddress already in use",
        Meaning("rendezvous", 0.97, "the master port is in use by another process", fixes="port"),
    ),
    (
        r"Unable to find address for|no socket interface found|No usable listening interface|Unable to find interface",
        Meaning(
            "network_interface", 0.97, "the network interface that the run is told to use does not exist", "interface"
        ),
    ),
    (
        r"Unable to resolve hostname|Name or service not known|name resolution|getaddrinfo",
        Meaning("network_interface", 0.8, "a host name of the run does not resolve to a usable address"),
    ),
    (
        r"Error while creating shared memory segment|failed to extend \S+ to \d+ bytes|/dev/shm\S* .*No space left",
        Meaning("shm_too_small", 0.95, "shared memory (/dev/shm) is full or too small", "shm"),
    ),
    (
        r"ibv_\w+ failed.*Cannot allocate memory",
        Meaning("memlock", 0.8, "the limit for locked memory is too low for InfiniBand or RoCE", "ib"),
    ),
    (
        r"ibv_\w+ failed|Got completion from peer",
        Meaning("rdma", 0.7, "the InfiniBand or RoCE transport failed", "ib"),
    ),
    (
        r"CUDA out of memory|CUDA error: out of memory|Failed to CUDA (?:calloc|malloc)",
        Meaning("vram_in_use", 0.7, "the GPU has no memory left for a message and its buffers"),
    ),
    (
        r"can't allocate memory|[Cc]annot allocate memory|MemoryError|bad_alloc|can't start new thread"
        r"|failed to map segment|not enough memory",
        Meaning("host_ram", 0.9, "host memory ran out, or a limit (cgroup, ulimit) refuses more"),
    ),
    (r"Duplicate GPU detected|using the same GPU", Meaning("duplicate_gpu", 0.97, "two ranks were given one GPU")),
    (
        r"driver (?:version is insufficient|on your system is too old)",
        Meaning("driver_too_old", 0.95, "the driver is too old for the CUDA that torch was built with"),
    ),
    (r"no kernel image is available", Meaning("arch_unsupported", 0.97, "torch has no code for this GPU")),
    (r"system not yet initialized|error 802", Meaning("fabric_manager", 0.9, "the NVSwitch fabric is not initialised")),
    (
        r"all CUDA-capable devices are busy|device\(?s?\)? (?:is|are) busy or unavailable",
        Meaning("gpu_mode", 0.85, "a GPU refuses another process"),
    ),
    (
        r"uncorrectable (?:NVLink|ECC)|GPU is lost|fallen off the bus|unspecified launch failure",
        Meaning("gpu_fault", 0.8, "a GPU failed"),
    ),
    (
        r"exceeded error retry count|Connect to \S+ failed|connect\(\) timed out|No route to host|onnection timed out",
        Meaning("network_interface", 0.7, "ranks cannot reach each other over the chosen network", "interface"),
    ),
    (
        r"NVLink SHARP|NVLS|[Mm]ulticast",
        Meaning("nccl_setting", 0.5, "NVLink SHARP (multicast through the NVSwitch) could not be set up", "nvls"),
    ),
    (
        r"get_mempolicy|set_mempolicy|cuMemHost",
        Meaning("nccl_setting", 0.5, "host memory could not be shared through cuMem", "cumem_host"),
    ),
    (
        r"cuMem|[Cc]uda failure (?:\d+ )?'(?:operation not supported|invalid argument|OS call failed)",
        Meaning("nccl_setting", 0.4, "CUDA refused something that NCCL wants of it", "cumem"),
    ),
)
_COMPILED = tuple((re.compile(pattern), meaning) for pattern, meaning in _TEXTS)


def meaning_of(text: str) -> Meaning | None:
    """What the words of a failing rank mean; None where they say nothing that we know."""
    return next((meaning for pattern, meaning in _COMPILED if pattern.search(text)), None)


def limit_of(text: str) -> Meaning | None:
    """The limit of the process that the words name, if any."""
    return next((meaning for pattern, meaning in _LIMITS if re.search(pattern, text)), None)
