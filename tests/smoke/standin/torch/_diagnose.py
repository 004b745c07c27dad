"""NCCL's own active diagnostics, since 2.31: the lines of src/diagnostics/p2p.cc."""

from __future__ import annotations

from itertools import permutations

from . import _choice as choice
from ._log import Log
from ._machine import MACHINE, happens


def diagnose(log: Log, gpus: list[int]) -> None:
    """Every pair that would use P2P, in both directions."""
    log.diagnosis("=== NCCL Diagnostics ===")
    passed = tested = 0
    for a, b in permutations(range(len(gpus)), 2):
        if not choice.transport(gpus[a], gpus[b], len(gpus)).startswith("P2P"):
            continue
        tested += 1
        trouble = _trouble(gpus[a], gpus[b])
        passed += not trouble
        if trouble:
            handle = "CUMEM_POSIX_FD" if choice.cumem() else "LEGACY_CUDA_IPC"
            kind, _, rest = trouble.partition("|")
            log.diagnosis(
                f"[INFO] p2p: {kind} srcRank={a} srcCudaDev={a} srcNvmlDev={gpus[a]} dstRank={b} dstCudaDev={b} "
                f"dstNvmlDev={gpus[b]} path={MACHINE.link_of(gpus[a], gpus[b])} handle={handle} {rest}; check"
            )
    if tested and passed == tested:
        log.diagnosis(
            f"[OK]   p2p: verified P2P access in both directions between every GPU pair ({tested} peer accesses)"
        )
    elif tested:
        log.diagnosis(f"[INFO] p2p: only {passed}/{tested} GPU-to-GPU peer accesses passed verification")
    log.diagnosis(f"NCCL diagnostics completed in 41.7 ms across {len(gpus)} ranks")


def _trouble(a: int, b: int) -> str:
    for fault in MACHINE.faults:
        if fault.where == "cumem" and choice.cumem() and happens(fault):
            return "peer-memory import failed|reason=import"
        if fault.where == "p2p" and MACHINE.pair(a, b) in (fault.pairs or (MACHINE.pair(a, b),)) and happens(fault):
            return (
                "write mismatch|expected=0x4000000200000001 got=0x0000000000000000 verify=0x0000000000000000"
                if fault.what != "error"
                else "launch/check failed|reason=writeLaunch"
            )
    return ""
