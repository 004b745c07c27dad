"""Which transport NCCL is expected to pick inside a node.

NCCL uses P2P for a pair when the path is at most its level, NVML grants read and write, and the driver allows peer
access. The level's default follows the CPU vendor and, since 2.23, the number of GPUs.
Source: NVIDIA/nccl src/graph/paths.cc at tags 2.6 to 2.30 (read 2026-11). nvidia-smi's NODE is PHB to NCCL.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.derive.pasted import is_pasted
from gpudoctor.derive.variables import undecided
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Facts, GpuPair

_ORDER = {"LOC": 0, "NVL": 1, "NVB": 1, "C2C": 2, "PIX": 3, "PXB": 4, "PXN": 5, "PHB": 6, "NODE": 6, "SYS": 7}
_NUMBERED = ("LOC", "PIX", "PXB", "PHB", "SYS", "SYS")  # old numeric values of NCCL_P2P_LEVEL
_AMD_RULE_SINCE = (2, 23)
_SOURCE = "NCCL's rules"


def uses_p2p(facts: Facts, pairs: Sequence[GpuPair], gpus: int) -> Fact[bool]:
    """Whether every pair of the group would use P2P."""
    if not pairs:
        return absent("not_applicable", "a group of one GPU has no pair")
    doubt = undecided(facts, "NCCL_P2P_DISABLE", "NCCL_P2P_LEVEL")
    if doubt:
        return absent("not_provided", doubt)
    verdicts = [_pair_uses_p2p(facts, pair, gpus) for pair in pairs]
    if False in verdicts:
        return known(False, _SOURCE)
    if None in verdicts:
        return absent("not_provided", "the path or the peer access of a pair is not known")
    return known(True, _SOURCE)


def expected_transport(facts: Facts, pairs: Sequence[GpuPair], gpus: int) -> Fact[str]:
    """P2P/NVLink, P2P/PCIe, SHM or NET: the slowest of the group's pairs."""
    p2p = uses_p2p(facts, pairs, gpus)
    if not p2p.known:
        return absent(p2p.absent or "not_provided", p2p.detail)
    if p2p.value:
        nvlink = all((pair.link.or_none() or "").startswith("NV") for pair in pairs)
        return known("P2P/NVLink" if nvlink else "P2P/PCIe", _SOURCE)
    variables = facts.environment.variables.or_none() or {}
    return known("NET" if variables.get("NCCL_SHM_DISABLE") == "1" else "SHM", _SOURCE)


def _pair_uses_p2p(facts: Facts, pair: GpuPair, gpus: int) -> bool | None:
    variables = facts.environment.variables.or_none() or {}
    if variables.get("NCCL_P2P_DISABLE") == "1":
        return False
    read = pair.p2p_read.or_none()
    # People paste `topo -p2p r`; whom the driver lets read, it mostly lets write.
    write = read if is_pasted(facts) and not pair.p2p_write.known else pair.p2p_write.or_none()
    statuses = (read, write)
    if any(status is not None and status != "OK" for status in statuses) or pair.peer_access.or_none() is False:
        return False
    link = pair.link.or_none()
    if link is None or None in statuses:
        return None
    path = _ORDER.get("NVL" if link.startswith("NV") else link, _ORDER["SYS"])
    verdicts = {path <= level for level in _levels(facts, variables, gpus)}
    return verdicts.pop() if len(verdicts) == 1 else None


def _levels(facts: Facts, variables: dict[str, str], gpus: int) -> tuple[int, ...]:
    """The largest path that still counts as near enough; two where the version of NCCL or the vendor would tell."""
    asked = variables.get("NCCL_P2P_LEVEL", "").strip()
    if asked.isdigit():
        return (_ORDER[_NUMBERED[min(int(asked), len(_NUMBERED) - 1)]],)
    if asked in _ORDER and asked != "NODE":  # NCCL knows no NODE, and ignores a name that it does not know
        return (_ORDER[asked],)
    return _default_levels(facts, gpus)


def _default_levels(facts: Facts, gpus: int) -> tuple[int, ...]:
    vendor = facts.machine.cpu_vendor.or_none()
    near, far = _ORDER["PXB"], _ORDER["SYS"]
    if vendor is not None and vendor != "amd":
        return (near,)
    version = _version(facts)
    if vendor is None or (gpus > 2 and version is None):
        return (near, far)
    return (far,) if gpus <= 2 or (version is not None and version < _AMD_RULE_SINCE) else (near,)


def _version(facts: Facts) -> tuple[int, ...] | None:
    text = facts.torch.nccl_linked_version.or_none() or facts.nccl.winner_version.or_none()
    parts = text.split(".")[:2] if text else []
    return tuple(int(part) for part in parts) if len(parts) == 2 and all(part.isdigit() for part in parts) else None
